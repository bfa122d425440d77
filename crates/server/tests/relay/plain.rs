//! Plain HTTP: what anybody gets without logging in.

use std::io::{BufRead, BufReader};

use twopc_proto::Role;
use twopc_proto::frame::{ErrorBody, ErrorCode, Response};
use twopc_proto::json;

use crate::client::{Relay, read_some};

fn body(answer: &Response) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[track_caller]
fn check(answer: &Response, status: u16, code: ErrorCode) {
    let error: ErrorBody = json::parse(answer.body()).unwrap();
    assert_eq!((answer.status(), error.code()), (status, Some(code)));
    assert_eq!(answer.one("Content-Type"), Some("application/json"));
    assert!(error.message.ends_with('.') || error.message.contains("--forget"), "a sentence: {}", error.message);
}

#[test]
fn the_relay_asks_for_a_name() {
    let relay = Relay::start();
    let answer = relay.ask("GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(answer.status(), 200);
    assert!(answer.one("Content-Type").unwrap().starts_with("text/plain"));
    assert_eq!(body(&answer).trim_end(), "Enter your user name: 1 to 32 letters, digits, '-' or '_'.");
}

#[test]
fn the_relay_says_what_it_is_and_who_is_here() {
    let relay = Relay::start();
    let _alice = relay.participant("Alice");
    let _chair = relay.login("chair", Role::Coordinator);
    let answer = relay.ask("GET /?x=y HTTP/1.1\r\nHost: localhost:1337\r\n\r\n");
    assert_eq!((answer.status(), answer.one("Content-Type")), (200, Some("application/json")));
    let status = body(&answer);
    assert!(status.starts_with("{\"name\":\"twopc\",\"version\":\"0.1.0\",\"uptime_s\":"), "{status}");
    let users = "\"users\":[{\"user\":\"alice\",\"role\":\"participant\"},{\"user\":\"chair\",\"role\":\"coordinator\"}]}";
    assert!(status.ends_with(users), "{status}");
}

#[test]
fn the_log_shows_chat_and_notices_safely() {
    let relay = Relay::start();
    let mut chair = relay.login("chair", Role::Coordinator);
    chair.say("0:00:17:hi \u{202e}oh");
    chair.chat();
    let answer = relay.ask("GET /log HTTP/1.1\r\nHost: [::1]:1337\r\n\r\n");
    assert_eq!(answer.one("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(body(&answer), "Client (chair) connected\nCoordinator discovered\n[chair]: 0:00:17:hi <U+202E>oh\n");
}

#[test]
fn events_follow_the_room() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let mut follower = relay.connect();
    follower.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut lines = BufReader::new(follower.stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(head.contains(&"Content-Type: text/event-stream".into()), "{head:?}");
    alice.say("hi");
    drop(alice);
    let events: Vec<String> = lines.filter(|line| !line.is_empty()).take(2).collect();
    assert_eq!(events, ["data: [alice]: hi", "data: Client (alice) is offline"]);
}

#[test]
fn a_guest_says_a_line_and_nothing_else() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let post = |headers: &str, body: &str| {
        relay.ask(&format!(
            "POST /client.http HTTP/1.1\r\nHost: 127.0.0.1:1337\r\nContent-Type: text/plain\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    assert_eq!(post("From: Zoe\r\n", "string: not a proposal").status(), 202);
    let said = alice.chat();
    assert_eq!((said.from.as_str(), said.role, said.seq, said.coordinator), ("zoe", Role::Guest, 1, false));
    assert_eq!(said.text, "string: not a proposal");
    for headers in ["", "From: zoe\r\nFrom: zoe\r\n", "From: z oe\r\n", "From: nul\r\n", "From: \u{e9}\r\n"] {
        check(&post(headers, "hi"), 422, ErrorCode::NameInvalid);
    }
    check(&post("From: ALICE\r\n", "hi"), 409, ErrorCode::NameTaken);
    check(&post("From: zoe\r\n", "a\nb"), 422, ErrorCode::BadText);
    alice.send(&crate::client::frames().logout());
    assert!(alice.closes());
    check(&post("From: alice\r\n", "hi"), 409, ErrorCode::NameTaken);
    relay.await_print("Client (alice) is offline\n");
    let log = body(&relay.ask("GET /log HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(log.contains("[zoe (guest)]: string: not a proposal\n"), "{log}");
}

#[test]
fn paths_and_methods_that_are_not_here_are_refused_and_the_connection_stays() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    for (request, status, code, allow) in [
        ("GET /nothing", 404, ErrorCode::NotFound, None),
        ("POST /2pc/ACK", 404, ErrorCode::NotFound, None),
        ("POST /coordinator.http", 404, ErrorCode::NotFound, None),
        ("POST /pong", 404, ErrorCode::NotFound, None),
        ("OPTIONS *", 404, ErrorCode::NotFound, None),
        ("PUT /login", 405, ErrorCode::NotAllowed, Some("GET, HEAD, POST")),
        ("GET /client.http", 405, ErrorCode::NotAllowed, Some("POST")),
        ("POST /", 405, ErrorCode::NotAllowed, Some("GET, HEAD")),
        ("DELETE /log", 405, ErrorCode::NotAllowed, Some("GET, HEAD")),
        ("OPTIONS /events", 405, ErrorCode::NotAllowed, Some("GET, HEAD")),
    ] {
        plain.send(format!("{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes());
        let answer = plain.answer();
        check(&answer, status, code);
        assert_eq!(answer.one("Allow"), allow, "{request}");
    }
    assert!(plain.is_open());
}

#[test]
fn head_is_get_without_the_body() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    for path in ["/login", "/", "/log"] {
        plain.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(read_some(&mut plain.stream));
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.matches("\r\n\r\n").count() == 1, "{head}");
    }
    assert!(plain.is_open());
}

#[test]
fn a_connection_is_kept_unless_the_client_wants_it_closed() {
    let relay = Relay::start();
    for request in ["GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let mut plain = relay.connect();
        plain.send(request.as_bytes());
        let answer = plain.answer();
        assert_eq!((answer.status(), answer.one("Connection")), (200, Some("close")));
        assert!(plain.closes(), "{request}");
    }
    let mut plain = relay.connect();
    plain.send(&b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3));
    let statuses = [plain.answer().status(), plain.answer().status(), plain.answer().status()];
    assert_eq!(statuses, [200; 3], "requests that come together are answered one after the other");
}

#[test]
fn who_waits_for_it_is_told_to_send_the_body() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    plain.send(b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(plain.answer().status(), 100);
    plain.send(b"hi");
    assert_eq!(plain.answer().status(), 202);
}

#[test]
fn a_page_of_another_site_reads_nothing() {
    let relay = Relay::start();
    for path in ["GET /", "GET /log", "GET /events", "POST /client.http", "GET http://evil.example/log"] {
        let host = if path.contains("evil") { "localhost" } else { "evil.example:1337" };
        let answer = relay.ask(&format!("{path} HTTP/1.1\r\nHost: {host}\r\nFrom: zoe\r\nContent-Length: 0\r\n\r\n"));
        check(&answer, 403, ErrorCode::Forbidden);
    }
    assert_eq!(relay.ask("GET /login HTTP/1.1\r\nHost: room.example\r\n\r\n").status(), 200);
}

#[test]
fn beyond_loopback_only_those_who_log_in_read_unless_guests_are_welcome() {
    let beyond = |guests| Relay::start_in(std::sync::Arc::new(tempfile::tempdir().unwrap()), "0.0.0.0:0", |config| config.guests = guests);
    let get = |relay: &Relay, request: &str| {
        let mut plain = crate::client::Plain::connect(([127, 0, 0, 1], relay.address.port()).into());
        plain.send(format!("{request} HTTP/1.1\r\nHost: room.example\r\nFrom: zoe\r\nContent-Length: 2\r\n\r\nhi").as_bytes());
        plain.answer()
    };
    let relay = beyond(false);
    let alice = crate::client::Plain::connect(([127, 0, 0, 1], relay.address.port()).into())
        .upgrade(&crate::client::login("alice", Role::Participant));
    for request in ["POST /client.http", "GET /log", "GET /events"] {
        check(&get(&relay, request), 403, ErrorCode::Forbidden);
    }
    let status = body(&get(&relay, "GET /"));
    assert!(status.contains("\"users\":[{\"role\":\"participant\"}]") && !status.contains("alice"), "{status}");
    let printed = relay.await_print("Warning: everyone who reaches this port can join the room and read it.\n");
    assert!(printed.starts_with(&format!("Listening on 0.0.0.0:{} ", relay.address.port())), "{printed}");
    drop(alice);

    let relay = beyond(true);
    assert_eq!(get(&relay, "POST /client.http").status(), 202);
    assert_eq!(body(&get(&relay, "GET /log")), "[zoe (guest)]: hi\n");
}
