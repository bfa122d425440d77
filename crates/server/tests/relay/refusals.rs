//! Bad input, as bytes, before the upgrade and after it: what it gets, whether the connection stays
//! and is of use, and that nothing which follows on a closed one is obeyed.

use twopc_proto::frame::ErrorCode::TooLarge;
use twopc_proto::frame::{Answers, ErrorBody, FromRelay, MAX_BODY, Response};
use twopc_proto::{Role, UserName, json};

use crate::client::{Client, Relay, frames, name};
use crate::rows::{BY_A_TEST, Case, Want, cases};

/// A sound frame that would be relayed, were it obeyed.
const SMUGGLED: &[u8] = b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nContent-Length: 8\r\n\r\nsmuggled";

/// The page that says what happens.
const PAGE: &str = include_str!("../../../../docs/wire.md");

#[test]
fn before_the_upgrade_bad_input_gets_the_response_of_its_row() {
    let relay = Relay::start();
    let mut witness = relay.participant("witness");
    for Case { what, bytes, before, .. } in cases() {
        let Some(want) = before else { continue };
        let mut plain = relay.connect();
        plain.send(&bytes);
        if want.closes {
            plain.send(SMUGGLED);
        }
        check(&plain.answer(), want, what);
        if want.closes {
            assert!(plain.closes(), "{what}: the end follows");
        } else {
            assert!(plain.is_open(), "{what}: the next request is answered");
        }
    }
    assert!(witness.is_open(), "nothing that followed was said");
}

#[track_caller]
fn check(answer: &Response, want: Want, what: &str) {
    let Want { status, code, closes, allow } = want;
    assert_eq!(answer.status(), status, "{what}");
    assert_eq!(answer.one("Content-Type"), Some("application/json"), "{what}");
    assert_eq!(answer.one("Allow"), allow, "{what}");
    assert_eq!(answer.one("Connection"), closes.then_some("close"), "{what}");
    let body: ErrorBody = json::parse(answer.body()).unwrap();
    assert_eq!((body.code(), body.to.as_ref()), (Some(code), None), "{what}");
    assert_eq!(json::body(&body), answer.body(), "{what}: the members in their order, and no others");
    assert!(body.message.len() > 20 && body.message.ends_with(['.', ')']), "{what}: a sentence: {}", body.message);
}

#[test]
fn after_the_upgrade_bad_input_gets_the_error_frame_of_its_row() {
    let relay = Relay::start();
    let mut witness = relay.participant("witness");
    for Case { what, bytes, after, .. } in cases() {
        let Some(Want { code, closes, .. }) = after else { continue };
        let mut alice = relay.participant("alice");
        assert_eq!(witness.joined().user.as_str(), "alice");
        alice.send(&bytes);
        if closes {
            alice.send(SMUGGLED);
        }
        let error = alice.error();
        assert_eq!(error.code(), Some(code), "{what}");
        assert_eq!(error.to.as_ref().map(UserName::as_str), (what == "to nobody").then_some("bob"), "{what}");
        if closes {
            assert!(alice.closes(), "{what}: the end follows");
        } else {
            alice.send(&frames().protocol(&name("alice"), "PRE_COMMIT", b"{}"));
            assert_eq!(alice.protocol().word, "PRE_COMMIT", "{what}: the next frame is obeyed");
            leave(alice);
        }
        assert_eq!(witness.left().user.as_str(), "alice", "{what}: nothing else was said, and nothing relayed");
    }
}

fn leave(mut client: Client) {
    client.send(&frames().logout());
    assert!(client.closes());
}

/// The tables of the page that say what bad input gets: their rows, each as its cells.
fn rows_of_the_page() -> Vec<Vec<&'static str>> {
    let tables = ["| status | `error` | because |", "| what came | status | `error` | connection |", "| | |"];
    let rows = tables.iter().flat_map(|head| {
        let (_, after) = PAGE.split_once(head).expect("the page has this table");
        after.lines().skip(2).take_while(|line| line.starts_with("| "))
    });
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn every_row_of_the_page_has_a_case_and_every_case_says_what_the_page_says() {
    let rows = rows_of_the_page();
    assert!(rows.len() > 25, "the page has its rows: {}", rows.len());
    let cases = cases();
    for row in &rows {
        let is_shown =
            cases.iter().any(|case| row[0].starts_with(case.row)) || BY_A_TEST.iter().any(|(begin, _)| row[0].starts_with(begin));
        assert!(is_shown, "nothing shows the row {row:?}");
    }
    for Case { row, what, before, after, .. } in &cases {
        let on_the_page = rows.iter().find(|cells| cells[0].starts_with(row)).unwrap_or_else(|| panic!("no row begins with {row:?}"));
        let [_, statuses, code, end] = on_the_page[..] else { panic!("{on_the_page:?} has four cells") };
        for want in [before, after].into_iter().flatten() {
            assert!(want.status == 0 || statuses.contains(&want.status.to_string()), "{what}: {statuses}");
            assert!(code.contains(&format!("`{}`", want.code)), "{what}: {code}");
            assert!(end.starts_with(if want.closes { "closed" } else { "open" }), "{what}: {end}");
        }
    }
}

#[test]
fn every_test_that_shows_a_row_is_there() {
    let files = [
        include_str!("bench.rs"),
        include_str!("login.rs"),
        include_str!("plain.rs"),
        include_str!("pressure.rs"),
        include_str!("timing.rs"),
    ];
    let tests = files.concat();
    for (row, test) in BY_A_TEST {
        assert!(rows_of_the_page().iter().any(|cells| cells[0].starts_with(row)), "no row begins with {row:?}");
        assert!(tests.contains(&format!("#[test]\nfn {test}()")), "{test} is gone");
    }
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

/// A reset would take the answer back; so the relay goes on reading for a while, and forgets.
#[test]
fn an_answer_arrives_although_the_sender_goes_on_sending() {
    let relay = Relay::start();
    let mut witness = relay.participant("witness");
    for _ in 0..20 {
        let mut plain = relay.connect();
        plain.send(b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nContent-Length: 999999\r\n\r\n");
        plain.send(&[b'x'; 200_000]);
        assert_eq!(plain.verdict(), (413, Some(TooLarge)));

        let mut alice = relay.participant("alice");
        assert_eq!(witness.joined().user.as_str(), "alice");
        alice.send(b"POST /client.http HTTP/1.1\r\nContent-Length: 999999\r\n\r\n");
        alice.send(&[&[b'x'; 200_000], SMUGGLED].concat());
        assert_eq!(alice.refused(), TooLarge);
        assert!(alice.closes());
        assert_eq!(witness.left().user.as_str(), "alice");
    }
}

/// What was refused stands between two sound requests that are answered, in their order.
#[test]
fn what_came_before_is_answered_and_what_follows_on_an_open_connection_is_too() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    plain.send([ask("/login"), ask("/nothing"), ask("/login")].concat().as_bytes());
    assert_eq!([200, 404, 200].map(|_| plain.answer().status()), [200, 404, 200]);

    let mut alice = relay.participant("alice");
    let nothing = b"POST /nothing HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec();
    let say = |text: &str| frames().chat(Role::Participant, text, "");
    alice.send(&[say("before"), nothing, say("after")].concat());
    assert_eq!(alice.chat().text, "before");
    assert!(matches!(alice.next(), FromRelay::Error(_)));
    assert_eq!(alice.chat().text, "after");
}

/// The headers of a response that is refused, as bytes: what caches, browsers and scripts go by.
#[test]
fn a_refusal_before_the_upgrade_is_a_whole_response() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    plain.send(b"PUT /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    let mut bytes = Vec::new();
    let mut answers = Answers::new();
    while answers.next_answer().unwrap().is_none() {
        let some = crate::client::read_some(&mut plain.stream);
        answers.feed(&some);
        bytes.extend(some);
    }
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "HTTP/1.1 405 Method Not Allowed");
    assert!(lines[1].starts_with("Date: ") && lines[1].ends_with(" GMT"), "{text}");
    let body = lines[lines.len() - 1];
    let length = format!("Content-Length: {}", body.len());
    let rest = ["Content-Type: application/json", &length, "X-Content-Type-Options: nosniff", "Cache-Control: no-store"];
    assert_eq!(lines[2..], [&rest[..], &["Allow: GET, HEAD, POST", "", body]].concat());
    assert!(body.starts_with("{\"error\":\"not_allowed\",\"message\":\""), "{body}");
}
