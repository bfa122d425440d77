//! A hostile relay: everything that it may say to a client, with the payload in it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use serde_json::json;
use twopc_tests::Process;

use crate::eyes::can_be_looked_at;
use crate::payloads::{MARK, payloads};

/// Reads a request, as far as its head's end; the rest of it is of no interest.
fn hear(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut some).unwrap();
        assert!(length > 0, "the program has gone");
        bytes.extend_from_slice(&some[..length]);
    }
}

fn frame(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

fn participant(address: &str, folder: &std::path::Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twopc-suite"));
    command.args(["participant", "--headless", "--user", "alice", "--server", address, "--data-dir"]).arg(folder);
    Process::start("alice", command.env("TWOPC_LOG", "trace"))
}

#[test]
fn what_a_hostile_relay_says_is_shown_safely() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let relay = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        hear(&mut stream);
        let mut said = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: twopc/1\r\n\r\n".to_vec();
        let users = json!([{"user": "alice", "role": "participant"}]);
        let room: String = payloads().into_iter().map(|payload| payload.text).collect();
        said.extend(frame(
            "/welcome",
            "",
            &json!({"user": "alice", "role": "participant", "room": room, "users": users, "seq": 0, "trace": true}).to_string(),
        ));
        for (number, payload) in payloads().into_iter().enumerate() {
            let text = payload.text;
            let stamp = format!("From: mallory\r\nRole: coordinator\r\nSeq: {}\r\n", number + 1);
            // A relay is not bound by its own rule for chat lines.
            said.extend(frame("/client.http", &stamp, &text));
            said.extend(frame("/error", "", &json!({"error": text, "message": text}).to_string()));
            said.extend(frame("/error", "", &json!({"error": text}).to_string()));
            said.extend(frame("/joined", "", &json!({"user": text, "role": "participant"}).to_string()));
            said.extend(frame("/left", "", &text));
            said.extend(frame("/2pc/VOTE_REQUEST", &format!("{stamp}To: alice\r\n"), &text));
        }
        said.extend(frame("/coordinator.http", "From: mallory\r\nRole: coordinator\r\nSeq: 999\r\n", "string: the end"));
        stream.write_all(&said).unwrap();
        // Until the program goes.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let mut alice = participant(&address, folder.path());
    alice.event(&json!({"event": "proposal", "string": "the end"}));
    alice.quits();
    let out = alice.lines_so_far().join("\n");
    assert!(out.contains(MARK));
    can_be_looked_at("the participant's events", out.as_bytes());
    can_be_looked_at("the participant's diary", alice.complaint().as_bytes());
    relay.join().unwrap();
}

#[test]
fn a_login_that_a_hostile_relay_refuses_ends_in_a_safe_sentence() {
    for payload in payloads() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let relay = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            hear(&mut stream);
            let body = json!({"error": payload.text, "message": payload.text}).to_string();
            stream.write_all(format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let mut alice = participant(&address, folder.path());
        alice.ends_with(1);
        let (out, complaint) = (alice.lines_so_far().join("\n"), alice.complaint());
        can_be_looked_at(payload.what, out.as_bytes());
        can_be_looked_at(payload.what, complaint.as_bytes());
        assert!(complaint.contains("The relay refused the login: "), "{complaint}");
        relay.join().unwrap();
    }
}
