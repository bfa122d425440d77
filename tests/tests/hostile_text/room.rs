//! A room with hostile people in it: what they send, and everything that the honest programs and the
//! relay print and write.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use twopc_proto::frame::{Answers, ClientFrames, Decoder, FromRelay, Login};
use twopc_proto::{Role, UserName};
use twopc_tests::process::PATIENCE;
use twopc_tests::room::is_in;
use twopc_tests::{Process, Room};

use crate::eyes::can_be_looked_at;
use crate::payloads::{MARK, Payload, one_liners, payloads};

/// Somebody who is logged in over a bare socket.
struct Hostile {
    stream: TcpStream,
    decoder: Decoder,
    frames: ClientFrames,
    role: Role,
}

impl Hostile {
    fn enter(room: &Room, user: &str, role: Role) -> Self {
        let mut stream = TcpStream::connect(room.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let frames = ClientFrames::new("localhost", "hostile");
        let login = Login { user: user.into(), role, key: format!("{user:-<32}"), lab: None };
        stream.write_all(&frames.login(&login)).unwrap();
        let mut answers = Answers::new();
        let mut bytes = [0; 1024];
        while answers.next_answer().unwrap().is_none() {
            let length = stream.read(&mut bytes).unwrap();
            answers.feed(&bytes[..length]);
        }
        Self { stream, decoder: answers.into_frames(), frames, role }
    }

    fn say(&mut self, line: &str) {
        self.stream.write_all(&self.frames.chat(self.role, line, "")).unwrap();
    }

    /// Sends a frame with these headers.
    fn send(&mut self, path: &str, headers: &str, body: &[u8]) {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    }

    fn tell(&mut self, to: &str, word: &str, body: &[u8]) {
        self.stream.write_all(&self.frames.protocol(&UserName::parse(to).unwrap(), word, body)).unwrap();
    }

    /// Waits until the relay has read everything so far.
    fn is_done(&mut self) {
        self.say("that is all of mine");
        let mut bytes = vec![0; 64 * 1024];
        loop {
            while let Some(frame) = self.decoder.next_frame().unwrap() {
                if matches!(FromRelay::read(&frame), Ok(FromRelay::Chat(chat)) if chat.text == "that is all of mine") {
                    return;
                }
            }
            let length = self.stream.read(&mut bytes).unwrap();
            assert!(length > 0, "the relay has closed this connection");
            self.decoder.feed(&bytes[..length]);
        }
    }
}

/// One request over plain HTTP, and all that comes back until the relay closes.
fn ask(room: &Room, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(room.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn get(room: &Room, path: &str) -> Vec<u8> {
    ask(room, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
}

/// A program whose diary is as talkative as it can be.
fn with_diary(room: &Room, role: &str, name: &str, flags: &[&str]) -> Process {
    let mut process = Process::start(name, room.node_command(role, name, name).args(flags).env("TWOPC_LOG", "trace"));
    is_in(&mut process);
    process
}

/// A participant's and a coordinator's lines of chat, and a guest's.
fn talk(room: &Room, mallory: &mut Hostile, boss: &mut Hostile) {
    for Payload { text, .. } in payloads() {
        // Those that are no line are refused; nobody but the sender hears of it.
        mallory.say(&text);
        boss.say(&text);
        let guest = format!(
            "POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        can_be_looked_at("the answer to a guest", &ask(room, guest.as_bytes()));
    }
    for Payload { text, .. } in one_liners() {
        boss.say(&format!("string: {text}"));
    }
}

/// Headers and names: what is allowed there is not shown raw either.
fn put_into_heads(room: &Room, mallory: &mut Hostile) {
    for Payload { what, text, is_one_line } in payloads() {
        if is_one_line && text.len() < 2_000 && !text.contains("POST ") {
            mallory.send("/client.http", &format!("User-Agent: {text}\r\nHost: {text}\r\nContent-Type: {text}\r\nDate: {text}\r\n"), b"hi");
            mallory.send("/2pc/ACK", &format!("To: {text}\r\n"), b"{}");
        }
        let login = json!({"user": text, "role": "participant", "key": "k".repeat(32)}).to_string();
        let login = format!(
            "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: twopc/1\r\nContent-Length: {}\r\n\r\n{login}",
            login.len()
        );
        can_be_looked_at(&format!("the answer to {what} as a name"), &ask(room, login.as_bytes()));
        let path = format!("GET /{text} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        can_be_looked_at(&format!("the answer to {what} as a path"), &ask(room, path.as_bytes()));
    }
}

/// Protocol messages, with the payload in every member, and as the whole body.
fn vote(mallory: &mut Hostile, boss: &mut Hostile) {
    for (number, Payload { text, .. }) in payloads().into_iter().enumerate() {
        // Several of them have to fit into a body.
        let text: String = text.chars().take(2_000).collect();
        let txn = format!("boss.1.{number}");
        let request = |txn: &Value, string: &str| json!({"txn": txn, "string": string, "participants": ["alice"], "timeout_ms": 50});
        let string: String = text.chars().take(1_000).collect();
        boss.tell("alice", "VOTE_REQUEST", request(&json!(txn), &string).to_string().as_bytes());
        boss.tell("alice", "VOTE_REQUEST", request(&json!(text), "x").to_string().as_bytes());
        boss.tell("alice", "GLOBAL_ABORT", json!({"txn": txn, "reason": text, "by": text}).to_string().as_bytes());
        boss.tell("alice", "GLOBAL_COMMIT", text.as_bytes());
        boss.tell("chair", "DECISION_REPLY", json!({"txn": "chair.1.1", "state": text}).to_string().as_bytes());
        mallory.tell("chair", "VOTE_ABORT", json!({"txn": "chair.1.1", "reason": text}).to_string().as_bytes());
        mallory.tell("chair", "VOTE_COMMIT", &[text.as_bytes(), b"\xff\xfe"].concat());
        mallory.tell("alice", "DECISION_REQUEST", json!({"txn": text, "participants": [text]}).to_string().as_bytes());
        mallory.tell("alice", "PRE_COMMIT", text.as_bytes());
        mallory.tell("alice", "ACK", br#"{"txn":"\ud800","\u001b[2J":1}"#);
    }
}

#[test]
fn nothing_hostile_reaches_anybody_raw() {
    let mut room = Room::open(env!("CARGO_BIN_EXE_twopc-suite"));
    let mut alice = with_diary(&room, "participant", "alice", &["--vote", "commit", "--grace", "0.3"]);
    let mut chair = with_diary(&room, "coordinator", "chair", &[]);
    let mut following = TcpStream::connect(room.address()).unwrap();
    following.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();

    let mut mallory = Hostile::enter(&room, "mallory", Role::Participant);
    let mut boss = Hostile::enter(&room, "boss", Role::Coordinator);
    talk(&room, &mut mallory, &mut boss);
    put_into_heads(&room, &mut mallory);
    vote(&mut mallory, &mut boss);
    mallory.is_done();
    boss.is_done();
    for node in [&mut alice, &mut chair] {
        node.event(&json!({"event": "chat", "from": "boss", "text": "that is all of mine"}));
    }
    let (log, front) = (get(&room, "/log"), get(&room, "/"));
    for node in [&mut alice, &mut chair] {
        node.quits();
    }
    room.relay().line("Client (chair) is offline");
    room.relay().signal(rustix::process::Signal::TERM);
    room.relay().ends_with(0);

    let mut events = Vec::new();
    following.read_to_end(&mut events).unwrap();
    let read = |name: &str| fs::read(room.logs().join(name)).unwrap();
    let mut outs = vec![
        ("/log", log),
        ("/", front),
        ("/events", events),
        ("room.http", read("room.http")),
        ("relay.log", read("relay.log")),
        ("names.json", read("names.json")),
        ("the relay's output", room.relay().lines_so_far().join("\n").into_bytes()),
    ];
    for (name, node) in [("alice", &mut alice), ("chair", &mut chair)] {
        outs.push((name, node.lines_so_far().join("\n").into_bytes()));
        outs.push((name, node.complaint().into_bytes()));
    }
    for (way_out, text) in &outs {
        can_be_looked_at(way_out, text);
    }
    let reached = |name: &str| outs.iter().any(|(way_out, text)| *way_out == name && String::from_utf8_lossy(text).contains(MARK));
    for way_out in ["/log", "/events", "room.http", "the relay's output", "alice", "chair"] {
        assert!(reached(way_out), "nothing of it came to {way_out}: this test looks in the wrong place");
    }
    // To a program the events say what was said.
    let heard: Vec<Value> = chair.events_so_far(&json!({"event": "chat", "from": "mallory"}));
    for Payload { what, text, .. } in one_liners() {
        assert!(heard.iter().any(|event| event["text"] == json!(text)), "{what} was said and is not among the events");
    }
}
