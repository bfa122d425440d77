//! The relay as `curl` sees it: each row is a request byte for byte as curl 8 sends it, and what
//! must come back. Deliberately absent: curl itself, so that nothing has to be installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use twopc_tests::Room;
use twopc_tests::process::PATIENCE;

use crate::scene::{asks_for, chair, is_done, quit, room, voter};

/// A connection that speaks plain HTTP.
struct Curl {
    from_relay: BufReader<TcpStream>,
    to_relay: TcpStream,
    address: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Curl {
    fn new(room: &Room) -> Self {
        let to_relay = TcpStream::connect(room.address()).expect("the relay listens");
        to_relay.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        let from_relay = BufReader::new(to_relay.try_clone().expect("a socket can be shared"));
        Self { from_relay, to_relay, address: room.address() }
    }

    /// Sends what curl sends: the request line and then the headers in its order, its own first.
    fn send(&mut self, request_line: &str, headers: &[&str], body: &str) {
        let mut request = format!("{request_line}\r\nHost: {}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n", self.address);
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.to_relay.write_all(request.as_bytes()).expect("the relay takes the request");
    }

    /// Reads a response's head, up to and with the empty line.
    fn head(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.from_relay.read_line(&mut head).expect("the relay answers in time");
            assert!(read > 0, "the relay closed after {head:?}");
        }
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        Answer { status: status.unwrap_or_else(|| panic!("no status in {head:?}")), head, body: String::new() }
    }

    /// Reads a response whose body has a length.
    fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.header("content-length").unwrap_or_else(|| panic!("no length in {:?}", answer.head));
        let mut body = vec![0; length.parse().expect("a length is a number")];
        self.from_relay.read_exact(&mut body).expect("the body comes in time");
        answer.body = String::from_utf8(body).expect("every body is UTF-8");
        answer
    }

    fn ask(&mut self, request_line: &str, headers: &[&str], body: &str) -> Answer {
        self.send(request_line, headers, body);
        self.answer()
    }

    /// Whether the relay has ended the connection.
    fn is_closed(&mut self) -> bool {
        self.from_relay.read(&mut [0]).expect("the relay ends the connection in time") == 0
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{:?}: {error}", self.body))
    }
}

#[test]
fn the_server_asks_first() {
    let room = room();
    // curl http://127.0.0.1:1337/login
    let answer = Curl::new(&room).ask("GET /login HTTP/1.1", &[], "");
    assert_eq!((answer.status, answer.header("content-type").map(|kind| kind.starts_with("text/plain"))), (200, Some(true)));
    assert_eq!(answer.body.trim_end(), "Enter your user name: 1 to 32 letters, digits, '-' or '_'.");
}

#[test]
fn the_front_page_says_who_is_there() {
    let room = room();
    let (mut alice, mut chair) = (voter(&room, "alice"), chair(&room, "20", &[]));
    let mut curl = Curl::new(&room);
    let answer = curl.ask("GET / HTTP/1.1", &[], "");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let page = answer.json();
    assert_eq!(page["name"], "twopc");
    assert!(page["version"].is_string() && page["uptime_s"].is_number(), "{page}");
    assert_eq!(page["users"], json!([{"user": "alice", "role": "participant"}, {"user": "chair", "role": "coordinator"}]));

    // curl -I: the same head, no body; the connection stays for the next request, as curl keeps it.
    curl.send("HEAD /?who HTTP/1.1", &[], "");
    let head = curl.head();
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
    assert_eq!(curl.ask("GET /login HTTP/1.1", &[], "").status, 200);
    quit(&mut [&mut chair, &mut alice]);
}

#[test]
fn a_guest_is_heard_and_decides_nothing() {
    let room = room();
    let mut alice = voter(&room, "alice");
    let mut chair = chair(&room, "20", &[]);
    asks_for(&mut chair, "Hello");
    alice.event(&json!({"event": "vote_request"}));
    // curl -H 'From: dave' -H 'Content-Type: text/plain' --data-binary hi http://127.0.0.1:1337/client.http
    let mut curl = Curl::new(&room);
    for line in ["hi", "string: Mine", "GLOBAL_COMMIT", "VOTE_ABORT"] {
        let length = format!("Content-Length: {}", line.len());
        let answer = curl.ask("POST /client.http HTTP/1.1", &["From: dave", "Content-Type: text/plain", &length], line);
        assert_eq!(answer.status, 202, "{line}: {answer:?}");
        for node in [&mut alice, &mut chair] {
            node.event(&json!({"event": "chat", "from": "dave (guest)", "text": line}));
        }
    }
    alice.has_not_said(&json!({"event": "decision"}));
    alice.has_not_said(&json!({"event": "proposal", "string": "Mine"}));
    alice.types("commit");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice]);
    assert_eq!(room.audit("chair", &["alice"]), ["Hello"]);
}

#[test]
fn what_a_guest_may_not_be_called() {
    let room = room();
    let mut alice = voter(&room, "alice");
    let mut curl = Curl::new(&room);
    for (from, status, error) in [
        (&["From: alice"][..], 409, "name_taken"),
        (&["From: Alice"], 409, "name_taken"),
        (&["From: a b"], 422, "name_invalid"),
        (&["From: con"], 422, "name_invalid"),
        (&[], 422, "name_invalid"),
        (&["From: dave", "From: dave"], 422, "name_invalid"),
    ] {
        let answer = curl.ask("POST /client.http HTTP/1.1", &[from, &["Content-Type: text/plain", "Content-Length: 2"]].concat(), "hi");
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{from:?}");
    }
    quit(&mut [&mut alice]);
    // Her name stays hers when she has gone.
    let answer = curl.ask("POST /client.http HTTP/1.1", &["From: alice", "Content-Type: text/plain", "Content-Length: 2"], "hi");
    assert_eq!((answer.status, &answer.json()["error"]), (409, &json!("name_taken")));
}

#[test]
fn the_room_can_be_read_and_followed() {
    let room = room();
    let mut alice = voter(&room, "alice");
    // curl -N http://127.0.0.1:1337/events
    let mut following = Curl::new(&room);
    following.send("GET /events HTTP/1.1", &[], "");
    let head = following.head();
    assert_eq!((head.status, head.header("content-type").map(|kind| kind.starts_with("text/event-stream"))), (200, Some(true)));
    alice.types("say hello there");
    alice.event(&json!({"event": "chat", "text": "hello there"}));
    let mut event = String::new();
    while !(event.starts_with("data:") && event.contains("hello there")) {
        event.clear();
        assert!(following.from_relay.read_line(&mut event).expect("the event comes in time") > 0, "the stream ended");
    }
    let line = event.trim_start_matches("data:").trim();

    let log = Curl::new(&room).ask("GET /log HTTP/1.1", &[], "");
    assert_eq!((log.status, log.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert!(log.body.contains("Client (alice) connected"), "{}", log.body);
    assert!(log.body.lines().any(|known| known == line), "{line:?} is not in {:?}", log.body);
    quit(&mut [&mut alice]);
}

#[test]
fn what_plain_http_refuses_and_keeps_open() {
    let room = room();
    let mut curl = Curl::new(&room);
    let key = "k".repeat(32);
    let login = |user: &str, role: &str| json!({"user": user, "role": role, "key": key}).to_string();
    let upgrade = ["Connection: Upgrade", "Upgrade: twopc/1", "Content-Type: application/json"];
    for (request, headers, body, status, error) in [
        ("GET /nowhere HTTP/1.1", &[][..], String::new(), 404, "not_found"),
        ("DELETE /log HTTP/1.1", &[], String::new(), 405, "not_allowed"),
        ("POST /2pc/ACK HTTP/1.1", &["To: alice"], String::from("{}"), 404, "not_found"),
        ("POST /login HTTP/1.1", &["Content-Type: application/json"], login("dave", "participant"), 426, "upgrade_required"),
        ("POST /login HTTP/1.1", &upgrade, String::from("user=dave"), 400, "bad_request"),
        ("POST /login HTTP/1.1", &upgrade, login("dave", "king"), 400, "bad_request"),
        ("POST /login HTTP/1.1", &upgrade, login("d ave", "participant"), 422, "name_invalid"),
        ("POST /login HTTP/1.1", &upgrade, login("dave", "observer"), 403, "forbidden"),
    ] {
        let length = format!("Content-Length: {}", body.len());
        let mut headers = headers.to_vec();
        if request.starts_with("POST") {
            headers.push(&length);
        }
        let answer = curl.ask(request, &headers, &body);
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{request} {body}");
        assert!(answer.json()["message"].as_str().is_some_and(|sentence| sentence.len() > 10), "{request}: {answer:?}");
    }
}

#[test]
fn what_plain_http_refuses_and_closes() {
    let room = room();
    let address = room.address();
    for (request, status) in [
        (format!("POST /client.http HTTP/1.1\r\nHost: {address}\r\nFrom: dave\r\n\r\n"), 411),
        (format!("POST /client.http HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), 400),
        (format!("POST /client.http HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), 501),
        (format!("POST /client.http HTTP/1.1\r\nHost: {address}\r\nContent-Length: 65537\r\n\r\n"), 413),
        (String::from("GET / HTTP/1.1\r\n\r\n"), 400),
        (format!("GET / HTTP/2.0\r\nHost: {address}\r\n\r\n"), 505),
        (format!("GET / HTTP/1.1\nHost: {address}\n\n"), 400),
        (format!("GET /{} HTTP/1.1\r\nHost: {address}\r\n\r\n", "x".repeat(4_096)), 414),
        (format!("GET / HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n", "x".repeat(8_192)), 431),
    ] {
        let mut curl = Curl::new(&room);
        curl.to_relay.write_all(request.as_bytes()).expect("the relay takes the request");
        let answer = curl.answer();
        assert_eq!(answer.status, status, "{request:?}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{request:?}");
        assert!(curl.is_closed(), "{request:?}");
    }
}

#[test]
fn a_page_from_elsewhere_cannot_read_the_room() {
    let room = room();
    for path in ["/", "/log", "/events"] {
        let mut curl = Curl::new(&room);
        curl.to_relay.write_all(format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n").as_bytes()).expect("sent");
        let answer = curl.answer();
        assert!(answer.status >= 400, "{path}: {answer:?}");
    }
    // An old client says goodbye by itself.
    let mut old = Curl::new(&room);
    old.to_relay.write_all(b"GET /login HTTP/1.0\r\n\r\n").expect("sent");
    assert_eq!(old.answer().status, 200);
    assert!(old.is_closed());
}
