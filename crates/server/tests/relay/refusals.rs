//! Bad input, as bytes, before the upgrade and after it: what it gets, whether the connection stays,
//! and that nothing which follows on a closed one is obeyed.

use twopc_proto::frame::ErrorCode::{self, BadFraming, BadRequest, BadText, LengthRequired, NotAllowed, NotFound, TooLarge};
use twopc_proto::{Role, frame::MAX_BODY};

use crate::client::{Relay, frames};

/// What both sides of the upgrade refuse alike, and close.
fn closing() -> Vec<(&'static str, Vec<u8>, u16, ErrorCode)> {
    let post = |headers: &str, body: &str| {
        format!("POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\n{headers}\r\n{body}").into_bytes()
    };
    vec![
        ("Content-Length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), 400, BadFraming),
        ("Content-Length with a sign", post("Content-Length: +2\r\n", "hi"), 400, BadFraming),
        ("Content-Length as a list", post("Content-Length: 2, 2\r\n", "hi"), 400, BadFraming),
        ("Content-Length in hexadecimal", post("Content-Length: 0x2\r\n", "hi"), 400, BadFraming),
        ("Content-Length empty", post("Content-Length:\r\n", "hi"), 400, BadFraming),
        ("Content-Length of 11 digits", post("Content-Length: 00000000002\r\n", "hi"), 400, BadFraming),
        ("Transfer-Encoding", post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"), 501, BadFraming),
        ("Transfer-Encoding and Content-Length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "hi"), 400, BadFraming),
        ("POST without Content-Length", post("", ""), 411, LengthRequired),
        ("a body over 64 KiB", post(&format!("Content-Length: {}\r\n", MAX_BODY + 1), ""), 413, TooLarge),
        ("a line without a colon", post("Content-Length: 2\r\nhello\r\n", "hi"), 400, BadFraming),
        ("a header name that is no token", post("Content-Length: 2\r\nX(Y): z\r\n", "hi"), 400, BadFraming),
        ("a byte over 0x7F in a header name", post("Content-Length: 2\r\n\u{e9}: z\r\n", "hi"), 400, BadFraming),
        ("a byte over 0x7F in the path", "POST /\u{e9} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into(), 400, BadFraming),
        ("bare LF", "POST /client.http HTTP/1.1\nHost: localhost\nContent-Length: 2\n\nhi".into(), 400, BadFraming),
        ("bare CR", post("Content-Length: 2\r\nX: a\rb\r\n", "hi"), 400, BadFraming),
        ("a folded header", post("Content-Length: 2\r\nX: a\r\n b\r\n", "hi"), 400, BadFraming),
        ("a space before the colon", post("Content-Length : 2\r\n", "hi"), 400, BadFraming),
        ("NUL in the head", post("Content-Length: 2\r\nX: \0\r\n", "hi"), 400, BadFraming),
        ("a control character in the head", post("Content-Length: 2\r\nX: \u{1b}\r\n", "hi"), 400, BadFraming),
        ("two empty lines before the request line", b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n".to_vec(), 400, BadFraming),
        ("a request line over 4 KiB", format!("POST /{} HTTP/1.1\r\n\r\n", "x".repeat(4096)).into(), 414, TooLarge),
        ("a head over 8 KiB", post(&format!("Content-Length: 2\r\nX: {}\r\n", "x".repeat(8192)), "hi"), 431, TooLarge),
        ("more than 32 headers", post(&format!("Content-Length: 2\r\n{}", "X: y\r\n".repeat(32)), "hi"), 431, TooLarge),
        ("HTTP/2.0", b"POST / HTTP/2.0\r\n\r\n".to_vec(), 505, BadFraming),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400, BadFraming),
        ("noise", b"\xf0\x9f\x00\x01".to_vec(), 400, BadFraming),
    ]
}

/// A sound frame that would be relayed, were it obeyed.
fn smuggled() -> Vec<u8> {
    b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nContent-Length: 8\r\n\r\nsmuggled".to_vec()
}

#[test]
fn before_the_upgrade_bad_framing_gets_a_response_and_the_end() {
    let relay = Relay::start();
    let mut witness = relay.participant("witness");
    for (what, bytes, status, code) in closing() {
        let mut plain = relay.connect();
        plain.send(&[bytes, smuggled()].concat());
        let answer = plain.answer();
        assert_eq!((answer.status(), answer.one("Connection")), (status, Some("close")), "{what}");
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(body.starts_with(&format!("{{\"error\":\"{code}\",\"message\":\"")), "{what}: {body}");
        assert!(plain.closes(), "{what}");
    }
    assert!(witness.is_open(), "nothing that followed was said");
}

#[test]
fn after_the_upgrade_bad_framing_gets_an_error_frame_and_the_end() {
    let relay = Relay::start();
    let mut witness = relay.participant("witness");
    let get = ("another method than POST", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 405, NotAllowed);
    let put = ("PUT", b"PUT /client.http HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec(), 405, NotAllowed);
    for (what, bytes, _, code) in closing().into_iter().chain([get, put]) {
        let mut alice = relay.participant("alice");
        assert_eq!(witness.joined().user.as_str(), "alice");
        alice.send(&[bytes, smuggled()].concat());
        assert_eq!(alice.refused(), code, "{what}");
        assert!(alice.closes(), "{what}");
        assert_eq!(witness.left().user.as_str(), "alice", "{what}: nothing that followed was said");
    }
}

#[test]
fn before_the_upgrade_a_request_has_one_host() {
    let relay = Relay::start();
    for hosts in ["", "Host: localhost\r\nHost: localhost\r\n"] {
        let mut plain = relay.connect();
        plain.send(format!("GET / HTTP/1.1\r\n{hosts}\r\n").as_bytes());
        assert_eq!(plain.verdict(), (400, Some(BadRequest)));
        assert!(plain.closes());
    }
}

#[test]
fn after_the_upgrade_bad_requests_leave_the_connection_open() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let post =
        |path: &str, headers: &str, body: &str| format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
    for (frame, code) in [
        (post("/nothing", "", ""), NotFound),
        (post("/login", "", "{}"), NotFound),
        (post("/2pc/lower_case", "To: alice\r\n", "{}"), NotFound),
        (post("/2pc/ACK", "", "{}"), BadRequest),
        (post("/2pc/ACK", "To: alice\r\nTo: alice\r\n", "{}"), BadRequest),
        (post("/2pc/ACK", "To: a b\r\n", "{}"), BadRequest),
        (post("/2pc/GLOBAL_COMMIT", "To: alice\r\n", "{}"), ErrorCode::Forbidden),
        (post("/2pc/ACK", "To: bob\r\n", "{}"), ErrorCode::NotHere),
        (post("/coordinator.http", "", "hi"), ErrorCode::Forbidden),
        (post("/client.http", "", "a\nb"), BadText),
        (post("/client.http", "", "\u{2028}"), BadText),
        (post("/client.http", "", "\u{7f}"), BadText),
    ] {
        alice.send(frame.as_bytes());
        assert_eq!(alice.refused(), code, "{frame:?}");
    }
    alice.send(b"POST /client.http HTTP/1.1\r\nContent-Length: 2\r\n\r\n\xff\xfe");
    assert_eq!(alice.refused(), BadText);
    assert!(alice.is_open());
}

#[test]
fn frames_in_the_smallest_pieces_are_frames() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    for byte in frames().chat(Role::Participant, "hi", "") {
        alice.send(&[byte]);
    }
    assert_eq!(alice.chat().text, "hi");
    let longest = "x".repeat(MAX_BODY);
    alice.say(&longest);
    assert_eq!(alice.chat().text, longest);
}

#[test]
fn an_answer_arrives_although_the_sender_goes_on_sending() {
    let relay = Relay::start();
    for _ in 0..20 {
        let mut plain = relay.connect();
        plain.send(b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nContent-Length: 999999\r\n\r\n");
        plain.send(&[b'x'; 200_000]);
        assert_eq!(plain.verdict(), (413, Some(TooLarge)));
    }
}
