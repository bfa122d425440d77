//! What bad input gets, row by row: the page's rows, and for each of them what is sent, on which
//! side of the upgrade, and what comes back.

use twopc_proto::frame::ErrorCode::{
    self, BadFraming, BadRequest, BadText, Forbidden, LengthRequired, NotAllowed, NotFound, NotHere, TooLarge,
};
use twopc_proto::frame::MAX_BODY;

/// What has to come back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// Before the upgrade only: after it there are no statuses.
    pub(crate) status: u16,
    pub(crate) code: ErrorCode,
    /// Whether the connection ends, and nothing that follows is obeyed.
    pub(crate) closes: bool,
    /// The header `Allow`.
    pub(crate) allow: Option<&'static str>,
}

/// One thing that is wrong.
pub(crate) struct Case {
    /// How the page's row begins.
    pub(crate) row: &'static str,
    /// What is wrong, in a few words.
    pub(crate) what: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// What it gets before the upgrade, where it is wrong there.
    pub(crate) before: Option<Want>,
    /// What it gets after the upgrade, sent by the participant `alice`.
    pub(crate) after: Option<Want>,
}

/// The rows of the page that take more than bytes to show, and the tests that show them.
pub(crate) const BY_A_TEST: [(&str, &str); 18] = [
    ("a message that does not end in time", "an_unfinished_message_is_refused_on_both_sides_of_the_upgrade"),
    ("a guest or reader who is not welcome", "beyond_loopback_only_those_who_log_in_read_unless_guests_are_welcome"),
    ("a later login with the same name", "the_same_name_and_key_take_over"),
    ("an observer's command that is none", "a_command_that_is_none_is_refused_and_changes_nothing"),
    ("426", "the_refusal_without_an_upgrade_names_it"),
    ("400", "every_refusal_leaves_the_connection_open_for_another_try"),
    ("422", "every_refusal_leaves_the_connection_open_for_another_try"),
    ("403", "every_refusal_leaves_the_connection_open_for_another_try"),
    ("409", "the_refusal_of_a_claimed_name_says_how_it_is_freed"),
    ("503", "a_full_room_keeps_those_who_are_in_it_and_lets_them_come_back"),
    ("a head after its first byte", "it_is_the_whole_message_that_has_to_be_in_time"),
    ("a connection that has not logged in", "who_asks_for_nothing_is_closed_without_a_word"),
    ("connections that are not logged in", "the_most_silent_stranger_makes_room_for_a_newcomer_and_logins_get_in"),
    ("`/ping`", "who_only_listens_in_a_busy_room_is_pinged_too"),
    ("silence after which", "a_silent_client_is_pinged_and_one_that_answers_stays"),
    ("a client that takes no byte", "who_takes_no_byte_in_time_is_dropped"),
    ("what waits for one client", "while_too_much_waits_in_all_the_largest_goes_first"),
    ("messages that an observer has held", "of_more_messages_than_are_held_the_oldest_goes_on"),
];

const HEAD: &str = "a head that breaks the rules above";
const CODED: &str = "`Transfer-Encoding` alone";
const VERSION: &str = "another version of HTTP";
const LENGTH: &str = "`POST` without `Content-Length`";
const LONG: &str = "body, request line, head too long";
const HOST: &str = "before the upgrade: no `Host`, or two";
const POST_ONLY: &str = "after the upgrade: a method other than";
const PATH: &str = "an unknown path";
const METHOD: &str = "before the upgrade: a method that the path";
const WELCOME: &str = "a guest or reader who is not welcome";
const LINE: &str = "a chat line that is not";
const TO: &str = "a protocol message without exactly one";
const NOBODY: &str = "a protocol message to nobody";

/// Every case.
pub(crate) fn cases() -> Vec<Case> {
    [closing_on_both_sides(), closing_on_one_side(), open_before(), open_after()].into_iter().flatten().collect()
}

fn closed(status: u16, code: ErrorCode) -> Want {
    Want { status, code, closes: true, allow: None }
}

fn open(status: u16, code: ErrorCode) -> Want {
    Want { status, code, closes: false, allow: None }
}

/// A chat line with these headers more.
fn line(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\n{headers}\r\n{body}").into_bytes()
}

/// A header beside a sound `Content-Length`.
fn beside(header: &str) -> Vec<u8> {
    line(&format!("Content-Length: 2\r\n{header}\r\n"), "hi")
}

/// What both sides of the upgrade refuse alike.
fn closing_on_both_sides() -> Vec<Case> {
    let long_path = format!("POST /{} HTTP/1.1\r\n\r\n", "x".repeat(4096)).into_bytes();
    let long_head = beside(&format!("X: {}", "x".repeat(8192)));
    let many_headers = line(&format!("Content-Length: 2\r\n{}", "X: y\r\n".repeat(32)), "hi");
    let large_body = line(&format!("Content-Length: {}\r\n", MAX_BODY + 1), "");
    let table: Vec<(&str, &str, Vec<u8>, u16, ErrorCode)> = vec![
        (HEAD, "Content-Length twice, equal", line("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length twice, different", line("Content-Length: 2\r\nContent-Length: 3\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length with a sign", line("Content-Length: +2\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length as a list", line("Content-Length: 2, 2\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length in hexadecimal", line("Content-Length: 0x2\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length empty", line("Content-Length:\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length of 11 digits", line("Content-Length: 00000000002\r\n", "hi"), 400, BadFraming),
        (HEAD, "Content-Length beside Transfer-Encoding", beside("Transfer-Encoding: chunked"), 400, BadFraming),
        (HEAD, "a line without a colon", beside("hello"), 400, BadFraming),
        (HEAD, "a header name that is no token", beside("X(Y): z"), 400, BadFraming),
        (HEAD, "a header without a name", beside(": z"), 400, BadFraming),
        (HEAD, "a byte over 0x7F in a header's name", beside("\u{e9}: z"), 400, BadFraming),
        (HEAD, "a byte over 0x7F in the path", "POST /\u{e9} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into(), 400, BadFraming),
        (HEAD, "bare LF", "POST /client.http HTTP/1.1\nHost: localhost\nContent-Length: 2\n\nhi".into(), 400, BadFraming),
        (HEAD, "bare LF after a header", line("Content-Length: 2\nX: y\r\n", "hi"), 400, BadFraming),
        (HEAD, "bare CR", beside("X: a\rb"), 400, BadFraming),
        (HEAD, "a folded header", beside("X: a\r\n b"), 400, BadFraming),
        (HEAD, "a space before the colon", line("Content-Length : 2\r\n", "hi"), 400, BadFraming),
        (HEAD, "NUL in the head", beside("X: \0"), 400, BadFraming),
        (HEAD, "a control character in the head", beside("X: \u{1b}[2J"), 400, BadFraming),
        (HEAD, "DEL in the head", beside("X: \u{7f}"), 400, BadFraming),
        (HEAD, "two spaces in the request line", b"POST  /client.http HTTP/1.1\r\n\r\n".to_vec(), 400, BadFraming),
        (HEAD, "two empty lines before the request line", b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n".to_vec(), 400, BadFraming),
        (HEAD, "a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400, BadFraming),
        (HEAD, "noise", b"\xf0\x9f\x00\x01".to_vec(), 400, BadFraming),
        (CODED, "Transfer-Encoding", line("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"), 501, BadFraming),
        (CODED, "Transfer-Encoding: identity", line("Transfer-Encoding: identity\r\n", "hi"), 501, BadFraming),
        (VERSION, "HTTP/2.0", b"POST / HTTP/2.0\r\n\r\n".to_vec(), 505, BadFraming),
        (VERSION, "HTTP/0.9", b"POST / HTTP/0.9\r\n\r\n".to_vec(), 505, BadFraming),
        (LENGTH, "POST without Content-Length", line("", ""), 411, LengthRequired),
        (LONG, "a body over 64 KiB", large_body, 413, TooLarge),
        (LONG, "a body of 10 digits", line("Content-Length: 9999999999\r\n", ""), 413, TooLarge),
        (LONG, "a request line over 4 KiB", long_path, 414, TooLarge),
        (LONG, "a head over 8 KiB", long_head, 431, TooLarge),
        (LONG, "33 headers and more", many_headers, 431, TooLarge),
    ];
    let case = |(row, what, bytes, status, code)| {
        let want = Some(closed(status, code));
        Case { row, what, bytes, before: want, after: want }
    };
    table.into_iter().map(case).collect()
}

/// What closes on one side of the upgrade; on the other it is in order, or another row's.
fn closing_on_one_side() -> Vec<Case> {
    let before = |what, head: &str| {
        let bytes = format!("GET /login HTTP/1.1\r\n{head}\r\n").into_bytes();
        Case { row: HOST, what, bytes, before: Some(closed(400, BadRequest)), after: None }
    };
    let after = |what, head: &str| {
        let bytes = format!("{head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").into_bytes();
        Case { row: POST_ONLY, what, bytes, before: None, after: Some(closed(405, NotAllowed)) }
    };
    vec![
        before("no Host", ""),
        before("Host twice, equal", "Host: localhost\r\nHost: localhost\r\n"),
        before("Host twice, different", "Host: localhost\r\nHost: 127.0.0.1\r\n"),
        after("GET", "GET /client.http"),
        after("HEAD", "HEAD /client.http"),
        after("PUT", "PUT /client.http"),
        after("a method that nobody knows", "PROPOSE /client.http"),
    ]
}

/// What leaves a connection open before the upgrade.
fn open_before() -> Vec<Case> {
    let ask = |row, what, request: &str, headers: &str, body: &str, want| {
        let length = body.len();
        let bytes = format!("{request} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes();
        Case { row, what, bytes, before: Some(want), after: None }
    };
    let allowing = |allow| Want { allow: Some(allow), ..open(405, NotAllowed) };
    let elsewhere = |what, path: &str| {
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n").into_bytes();
        Case { row: WELCOME, what, bytes, before: Some(open(403, Forbidden)), after: None }
    };
    vec![
        ask(PATH, "a path that is nowhere", "GET /nothing", "", "", open(404, NotFound)),
        ask(PATH, "a path of the other side", "POST /2pc/ACK", "To: alice\r\n", "{}", open(404, NotFound)),
        ask(PATH, "the coordinators' path", "POST /coordinator.http", "From: zoe\r\n", "hi", open(404, NotFound)),
        ask(PATH, "an answer to a ping", "POST /pong", "", "", open(404, NotFound)),
        ask(METHOD, "PUT /login", "PUT /login", "", "x", allowing("GET, HEAD, POST")),
        ask(METHOD, "GET /client.http", "GET /client.http", "", "", allowing("POST")),
        ask(METHOD, "POST /", "POST /", "", "x", allowing("GET, HEAD")),
        ask(METHOD, "DELETE /log", "DELETE /log", "", "", allowing("GET, HEAD")),
        ask(METHOD, "OPTIONS /events", "OPTIONS /events", "", "", allowing("GET, HEAD")),
        elsewhere("the front page for another site", "/"),
        elsewhere("the log for another site", "/log"),
        elsewhere("events for another site", "/events"),
        ask(LINE, "a guest's line break", "POST /client.http", "From: zoe\r\n", "a\nb", open(422, BadText)),
        ask(LINE, "a guest's escape sequence", "POST /client.http", "From: zoe\r\n", "\u{1b}[2J", open(422, BadText)),
    ]
}

/// What leaves a connection open after the upgrade.
fn open_after() -> Vec<Case> {
    let frame = |row, what, path: &str, headers: &str, body: &[u8], want| {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        Case { row, what, bytes: [head.as_bytes(), body].concat(), before: None, after: Some(want) }
    };
    let long_word = format!("/2pc/{}", "A".repeat(33));
    let mut cases = vec![
        frame(PATH, "a path that is nowhere", "/nothing", "", b"", open(404, NotFound)),
        frame(PATH, "a path of the other side", "/login", "", b"{}", open(404, NotFound)),
        frame(PATH, "what only a relay says", "/welcome", "", b"{}", open(404, NotFound)),
        frame(PATH, "a type in lower case", "/2pc/ack", "To: alice\r\n", b"{}", open(404, NotFound)),
        frame(PATH, "a type of 33 letters", &long_word, "To: alice\r\n", b"{}", open(404, NotFound)),
        frame(PATH, "a trace that nobody wants", "/trace", "", b"{}", open(404, NotFound)),
        frame(PATH, "a command where there is no lab", "/lab", "", b"{\"do\":\"release\"}", open(404, NotFound)),
        frame(WELCOME, "the coordinators' path", "/coordinator.http", "", b"hi", open(403, Forbidden)),
        frame(TO, "no To", "/2pc/ACK", "", b"{}", open(400, BadRequest)),
        frame(TO, "To twice", "/2pc/ACK", "To: alice\r\nTo: alice\r\n", b"{}", open(400, BadRequest)),
        frame(TO, "To with a name that is none", "/2pc/ACK", "To: a b\r\n", b"{}", open(400, BadRequest)),
        frame(NOBODY, "to nobody", "/2pc/ACK", "To: Bob\r\n", b"{}", open(0, NotHere)),
        frame(LINE, "a line break", "/client.http", "", b"a\nb", open(422, BadText)),
        frame(LINE, "a carriage return", "/client.http", "", b"a\r", open(422, BadText)),
        frame(LINE, "an escape sequence", "/client.http", "", b"\x1b]52;c;aGk=\x07", open(422, BadText)),
        frame(LINE, "DEL", "/client.http", "", b"\x7f", open(422, BadText)),
        frame(LINE, "a C1 control", "/client.http", "", "\u{9b}2J".as_bytes(), open(422, BadText)),
        frame(LINE, "U+2028", "/client.http", "", "\u{2028}".as_bytes(), open(422, BadText)),
        frame(LINE, "U+2029", "/client.http", "", "\u{2029}".as_bytes(), open(422, BadText)),
        frame(LINE, "no UTF-8", "/client.http", "", b"\xff\xfe", open(422, BadText)),
        frame(LINE, "a lone surrogate", "/client.http", "", b"\xed\xa0\x80", open(422, BadText)),
    ];
    for word in ["VOTE_REQUEST", "GLOBAL_COMMIT", "GLOBAL_ABORT"] {
        cases.push(frame(WELCOME, word, &format!("/2pc/{word}"), "To: alice\r\n", b"{}", open(403, Forbidden)));
    }
    cases
}
