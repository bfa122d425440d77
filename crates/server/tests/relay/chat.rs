//! Chat: one order for all, a history for newcomers, a record for people.

use twopc_proto::Role;
use twopc_proto::frame::{Decoder, FromRelay, Side};

use crate::client::{Relay, frames, name};

#[test]
fn everybody_gets_every_line_with_its_number_the_sender_too() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let mut chair = relay.login("chair", Role::Coordinator);
    alice.joined();
    alice.say("0:00:17:hi");
    for reader in [&mut alice, &mut chair] {
        let said = reader.chat();
        assert_eq!((said.from, said.role, said.seq, said.text.as_str()), (name("alice"), Role::Participant, 1, "0:00:17:hi"));
        assert!(!said.history && !said.coordinator);
        assert!(said.date.ends_with(" GMT") && !said.date.contains("1970"), "the relay's own date, not the client's: {}", said.date);
    }
    chair.say("0:00:03:string: Hello");
    for reader in [&mut alice, &mut chair] {
        let said = reader.chat();
        assert_eq!((said.role, said.seq, said.coordinator), (Role::Coordinator, 2, true));
    }
}

#[test]
fn many_who_talk_at_once_are_heard_in_one_order() {
    const SPEAKERS: usize = 4;
    const LINES: usize = 250;
    let relay = Relay::start();
    let clients: Vec<_> = (0..SPEAKERS).map(|number| relay.participant(&format!("speaker{number}"))).collect();
    let heard: Vec<Vec<(u64, String)>> = std::thread::scope(|scope| {
        let talking: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                scope.spawn(move || {
                    let mut heard = Vec::new();
                    for line in 0..LINES {
                        client.say(&format!("{number}:{line}"));
                    }
                    while heard.len() < SPEAKERS * LINES {
                        match client.next() {
                            FromRelay::Chat(chat) => heard.push((chat.seq, chat.text)),
                            FromRelay::Joined(_) | FromRelay::Left(_) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                    heard
                })
            })
            .collect();
        talking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let numbers: Vec<u64> = heard[0].iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=1000).collect::<Vec<u64>>(), "no number is left out or given twice");
    assert!(heard.iter().all(|other| *other == heard[0]), "all windows show one order");
    for speaker in 0..SPEAKERS {
        let own = heard[0].iter().filter_map(|(_, text)| text.strip_prefix(&format!("{speaker}:")));
        assert!(own.map(|line| line.parse::<usize>().unwrap()).eq(0..LINES), "each one's lines are in the order in which it said them");
    }
}

#[test]
fn a_newcomer_gets_the_last_200_lines_as_they_were() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    for number in 1..=230 {
        alice.say(&number.to_string());
    }
    let said: Vec<_> = (1..=230).map(|_| alice.chat()).collect();
    let (mut bob, welcome) = relay.enter("bob", Role::Participant);
    assert_eq!(welcome.seq, 230);
    for earlier in &said[30..] {
        let mut later = bob.chat();
        assert!(std::mem::take(&mut later.history), "marked as said before");
        assert_eq!(later, *earlier);
    }
    alice.joined();
    alice.say("now");
    let now = bob.chat();
    assert_eq!((now.seq, now.history, now.text.as_str()), (231, false, "now"));
}

#[test]
fn what_a_client_writes_into_a_line_is_passed_on_as_it_is() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    for line in ["GLOBAL_COMMIT", "{\"type\":\"VOTE_COMMIT\"}", "POST / HTTP/1.1", "", "\t", "\u{202e}abc", "no time", "e\u{301}\u{301}"] {
        alice.say(line);
        assert_eq!(alice.chat().text, line);
    }
}

#[test]
fn no_header_of_a_clients_is_passed_on() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    alice.send(
        b"POST /client.http HTTP/1.1\r\nContent-Length: 2\r\nFrom: mallory\r\nRole: coordinator\r\nSeq: 99\r\nHistory: 1\r\nX-Mine: 1\r\n\
          Date: yesterday\r\nContent-Type: text/html\r\nTo: bob\r\n\r\nhi",
    );
    let bytes = loop {
        if let Some(frame) = alice.decoder.next_frame().unwrap() {
            break frame.bytes().to_vec();
        }
        let bytes = crate::client::read_some(&mut alice.stream);
        alice.decoder.feed(&bytes);
    };
    let text = String::from_utf8(bytes).unwrap();
    let (before, after) = text.split_once("Date: ").unwrap();
    assert_eq!(
        before,
        format!(
            "POST /client.http HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nFrom: alice\r\n\
             Role: participant\r\nSeq: 1\r\n",
            relay.address
        )
    );
    assert!(after.ends_with(" GMT\r\n\r\nhi") && !after.starts_with("yesterday"), "{after}");
}

#[test]
fn the_record_keeps_the_frames_as_they_were_stamped() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    alice.joined();
    alice.say("0:00:17:hi");
    let said = alice.chat();
    bob.chat();
    alice.send(&frames().protocol(&name("bob"), "ACK", b"{\"txn\":\"chair.1.1\"}"));
    let sent = bob.protocol();
    drop((alice, bob));
    let logs = relay.stop();
    let record = std::fs::read(logs.path().join("room.http")).unwrap();
    let mut decoder = Decoder::new(Side::Client);
    decoder.feed(&record);
    let mut kept = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        kept.push(FromRelay::read(&frame).unwrap());
    }
    assert_eq!(kept, [FromRelay::Chat(said), FromRelay::Protocol(sent)]);
}

#[test]
fn chat_is_printed_as_an_http_post() {
    let relay = Relay::start();
    let mut alice = relay.participant("uthira");
    alice.say("0:00:17:hi");
    let printed = relay.await_print("0:00:17:hi\n");
    let start = printed.find("POST ").unwrap();
    let lines: Vec<&str> = printed[start..].lines().collect();
    assert_eq!(
        lines[..5],
        [
            "POST /client.http HTTP/1.1",
            "Host: 127.0.0.1",
            "User-Agent: test/1",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Length: 10"
        ]
    );
    let date = lines[5].strip_prefix("date: ").unwrap();
    assert!(chrono::NaiveDateTime::parse_from_str(date, "%Y-%m-%d %H:%M:%S%.6f").is_ok() && date.len() == 26, "{date}");
    assert_eq!(lines[6..], ["", "0:00:17:hi"]);
    assert!(printed[..start].ends_with("Client (uthira) connected\n"));
}
