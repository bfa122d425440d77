//! The sessions in the descriptions of the wire, sent and expected as they stand there.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use twopc_proto::Role;

use crate::client::{DEADLINE, Relay};

/// What the page has in the place of what is another each time.
const ADDRESS: &str = "127.0.0.1:1337";
const DATE: &str = "Sat, 31 Jan 2026 22:34:52 GMT";
const ROOM: &str = "5f3a9c0d12e47b86";

/// One block of the page: who sends or receives what.
struct Step {
    who: String,
    sends: bool,
    message: String,
}

/// Reads the blocks under `**NAME sends**` and `**NAME receives**`.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some((who, verb)) = line.strip_prefix("**").and_then(|line| line.strip_suffix("**")?.split_once(' ')) else { continue };
        assert_eq!(lines.next(), Some("```"), "a block follows {line}");
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let head: Vec<&str> = block.iter().copied().take_while(|line| !line.is_empty()).collect();
        let body = block.get(head.len() + 1..).unwrap_or_default().join("\n");
        let message = format!("{}\r\n\r\n{body}", head.join("\r\n"));
        steps.push(Step { who: who.into(), sends: verb == "sends", message });
    }
    steps
}

/// Reads one message, and no byte more.
fn receive(stream: &mut TcpStream) -> String {
    let mut message = Vec::new();
    let mut byte = [0];
    while !message.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        message.push(byte[0]);
    }
    let head = String::from_utf8(message).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Puts in the page's words what is another each time.
fn in_the_pages_words(message: &str, relay: &Relay) -> String {
    let mut text = message.replace(&relay.address.to_string(), ADDRESS);
    for (before, after, words) in [("\r\nDate: ", "\r\n", DATE), ("\"room\":\"", "\"", ROOM)] {
        if let Some(start) = text.find(before).map(|at| at + before.len()) {
            let end = start + text[start..].find(after).unwrap();
            assert_eq!(end - start, words.len(), "of the same form: {}", &text[start..end]);
            text.replace_range(start..end, words);
        }
    }
    text
}

/// Sends what the page says is sent, and expects what it says is received.
fn play(page: &str, relay: &Relay, mut streams: BTreeMap<String, TcpStream>) {
    let steps = steps(page);
    assert!(steps.len() > 20, "the page has its session");
    for Step { who, sends, message } in steps {
        let stream = streams.entry(who.clone()).or_insert_with(|| {
            let stream = TcpStream::connect(relay.address).unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream
        });
        if sends {
            stream.write_all(message.as_bytes()).unwrap();
        } else {
            assert_eq!(in_the_pages_words(&receive(stream), relay), message, "what {who} receives");
        }
    }
}

#[test]
fn the_session_on_the_page_is_what_happens() {
    play(include_str!("../../../../docs/wire.md"), &Relay::start(), BTreeMap::new());
}

#[test]
fn the_observers_session_on_its_page_is_what_happens() {
    let relay = Relay::start_lab();
    let (mut chair, alice) = (relay.login("chair", Role::Coordinator), relay.participant("alice"));
    chair.joined();
    let streams = [("chair", chair), ("alice", alice)].map(|(name, client)| (name.to_owned(), client.stream));
    play(include_str!("../../../../docs/lab-wire.md"), &relay, streams.into());
}
