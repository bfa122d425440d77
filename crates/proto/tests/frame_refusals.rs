//! What bad input gets: a row for every way in which a message can be out of order, before the
//! upgrade and after it. `httparse` alone would let several of them pass.
#![allow(clippy::unwrap_used)] // the helpers are tests too

use twopc_proto::frame::{Answers, Decoder, ErrorCode, Frame, MAX_BODY, Refusal, Side};

/// What a decoder makes of some bytes: every frame in them, and what it stopped at.
fn decode(side: Side, bytes: &[u8]) -> (Vec<Frame>, Option<Refusal>) {
    let mut decoder = Decoder::new(side);
    decoder.feed(bytes);
    let mut frames = Vec::new();
    loop {
        match decoder.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(refusal) => {
                assert_eq!(decoder.next_frame(), Err(refusal.clone()), "a decoder that has refused goes on refusing");
                return (frames, Some(refusal));
            }
        }
    }
}

/// Both sides of the relay refuse these bytes alike, and close.
#[track_caller]
fn check(bytes: &[u8], status: u16, code: ErrorCode) {
    for side in [Side::Plain, Side::Framed] {
        check_on(side, bytes, status, code);
    }
}

#[track_caller]
fn check_on(side: Side, bytes: &[u8], status: u16, code: ErrorCode) {
    let (frames, refusal) = decode(side, bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]);
    assert!(frames.is_empty(), "{side:?} took {shown:?}");
    let refusal = refusal.unwrap_or_else(|| panic!("{side:?} waits for more of {shown:?}"));
    assert_eq!((refusal.status, refusal.code, refusal.closes), (status, code, true), "{side:?} of {shown:?}");
    assert!(refusal.message.ends_with('.') && refusal.message.len() > 20, "a sentence to act on: {}", refusal.message);
}

#[track_caller]
fn accepts(side: Side, bytes: &[u8]) -> Vec<Frame> {
    let (frames, refusal) = decode(side, bytes);
    assert_eq!(refusal, None, "{side:?} of {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(120)]));
    frames
}

/// A frame with these header lines after its `Host`, and this body.
fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /client.http HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}").into_bytes()
}

#[test]
fn a_frame_in_order_is_taken_on_both_sides() {
    for side in [Side::Plain, Side::Framed, Side::Client] {
        let [frame] = &accepts(side, &post("Content-Length: 2\r\nX-Odd:\r\nTo: \t a\u{e9} \t\r\n", "hi"))[..] else { panic!() };
        assert_eq!((frame.method(), frame.path(), frame.body()), ("POST", "/client.http", &b"hi"[..]));
        assert_eq!((frame.one("tO"), frame.one("x-odd"), frame.one("From")), (Some("aé"), Some(""), None));
    }
}

#[test]
fn content_length_stands_once_and_is_plain_digits() {
    for lines in ["Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2\r\ncontent-length: 3\r\n"] {
        check(&post(lines, "hi"), 400, ErrorCode::BadFraming);
    }
    for value in ["+5", "-5", "5, 5", "5,5", "0x5", "", " ", "5 5", "5.0", "1e3", "12345678901", "00000000005", "\u{665}"] {
        check(&post(&format!("Content-Length: {value}\r\n"), "hello"), 400, ErrorCode::BadFraming);
    }
    for value in ["5", "05", "0000000005", " 5 ", "\t5"] {
        assert_eq!(accepts(Side::Framed, &post(&format!("Content-Length:{value}\r\n"), "hello"))[0].body(), b"hello");
    }
}

#[test]
fn transfer_encoding_is_not_taken() {
    check(&post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501, ErrorCode::BadFraming);
    check(&post("transfer-encoding: identity\r\n", ""), 501, ErrorCode::BadFraming);
    check(&post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "hello"), 400, ErrorCode::BadFraming);
    check(&post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "hello"), 400, ErrorCode::BadFraming);
    check_on(Side::Plain, b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 501, ErrorCode::BadFraming);
}

#[test]
fn a_post_says_how_long_it_is() {
    check(&post("", ""), 411, ErrorCode::LengthRequired);
}

#[test]
fn a_long_body_is_refused_before_any_of_it_is_read() {
    for length in [MAX_BODY + 1, 4_294_967_296, 9_999_999_999] {
        check(&post(&format!("Content-Length: {length}\r\n"), ""), 413, ErrorCode::TooLarge);
    }
    let body = "x".repeat(MAX_BODY);
    assert_eq!(accepts(Side::Framed, &post(&format!("Content-Length: {MAX_BODY}\r\n"), &body))[0].body().len(), MAX_BODY);
    let long = "x".repeat(2 * 1024 * 1024);
    assert_eq!(accepts(Side::Client, &post(&format!("Content-Length: {}\r\n", long.len()), &long))[0].body().len(), long.len());
    check_on(Side::Client, &post(&format!("Content-Length: {}\r\n", long.len() + 1), ""), 413, ErrorCode::TooLarge);
}

#[test]
fn a_head_out_of_order_is_refused() {
    for (what, bytes) in [
        ("a line without a colon", &b"POST / HTTP/1.1\r\nHost localhost\r\n\r\n"[..]),
        ("a line without a colon or a blank", b"POST / HTTP/1.1\r\nHost\r\n\r\n"),
        ("a header name that is no token", b"POST / HTTP/1.1\r\nHo@st: localhost\r\n\r\n"),
        ("a header name that is empty", b"POST / HTTP/1.1\r\n: localhost\r\n\r\n"),
        ("a header name that is not ASCII", b"POST / HTTP/1.1\r\nH\xc3\xb6st: localhost\r\n\r\n"),
        ("a path that is not ASCII", b"POST /\xc3\xb6 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a method that is not ASCII", b"P\xc3\x96ST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a bare LF after the request line", b"POST / HTTP/1.1\nHost: localhost\r\n\r\n"),
        ("a bare LF after a header", b"POST / HTTP/1.1\r\nHost: localhost\nTo: a\r\n\r\n"),
        ("a bare LF in a header name", b"POST / HTTP/1.1\r\nHo\nst: localhost\r\n\r\n"),
        ("a bare LF at the end of the head", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\n"),
        ("bare LFs alone", b"\n\nPOST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a bare CR in the request line", b"POST /\rx HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a bare CR in a header", b"POST / HTTP/1.1\r\nHost: local\rhost\r\n\r\n"),
        ("a bare CR as a line's end", b"POST / HTTP/1.1\rHost: localhost\r\r"),
        ("a bare CR at the end of the head", b"POST / HTTP/1.1\r\nHost: localhost\r\n\rx"),
        ("a bare CR before the request line", b"\rPOST / HTTP/1.1\r\n\r\n"),
        ("a folded header", b"POST / HTTP/1.1\r\nHost: localhost\r\nTo: a\r\n b\r\n\r\n"),
        ("a header folded with a tab", b"POST / HTTP/1.1\r\nHost: localhost\r\nTo: a\r\n\tb\r\n\r\n"),
        ("a first header that begins with a blank", b"POST / HTTP/1.1\r\n Host: localhost\r\n\r\n"),
        ("a space before the colon", b"POST / HTTP/1.1\r\nHost : localhost\r\n\r\n"),
        ("a tab before the colon", b"POST / HTTP/1.1\r\nHost\t: localhost\r\n\r\n"),
        ("NUL in a header", b"POST / HTTP/1.1\r\nHost: local\0host\r\n\r\n"),
        ("NUL in the request line", b"POST /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a control character in a header", b"POST / HTTP/1.1\r\nHost: local\x1bhost\r\n\r\n"),
        ("DEL in a header", b"POST / HTTP/1.1\r\nHost: local\x7fhost\r\n\r\n"),
        ("a tab in the request line", b"POST\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("two empty lines before the request line", b"\r\n\r\nPOST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a request line of two words", b"POST /\r\nHost: localhost\r\n\r\n"),
        ("a request line of four words", b"POST / / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("two blanks in the request line", b"POST  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a blank before the request line", b" POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a blank after the request line", b"POST / HTTP/1.1 \r\nHost: localhost\r\n\r\n"),
        ("a method that is no token", b"PO(ST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a version that is none", b"POST / HTTP/x\r\nHost: localhost\r\n\r\n"),
        ("a version in lower case", b"POST / http/1.1\r\nHost: localhost\r\n\r\n"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("noise", b"\x8f\xc2\x01\x00\xff\xfe"),
    ] {
        println!("{what}");
        check(bytes, 400, ErrorCode::BadFraming);
    }
}

#[test]
fn one_empty_line_before_a_request_line_is_nothing() {
    let frame = post("Content-Length: 2\r\n", "hi");
    let twice = [b"\r\n", &frame[..], b"\r\n", &frame[..]].concat();
    assert_eq!(accepts(Side::Plain, &twice).len(), 2);
    assert_eq!(accepts(Side::Framed, &twice).len(), 2);
}

#[test]
fn a_request_line_has_at_most_4_kib() {
    let line = |length: usize| {
        let path = "x".repeat(length - "POST / HTTP/1.1".len());
        format!("POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    assert_eq!(accepts(Side::Plain, &line(4096)).len(), 1);
    check(&line(4097), 414, ErrorCode::TooLarge);
    check("x".repeat(4097).as_bytes(), 414, ErrorCode::TooLarge);
}

#[test]
fn a_head_has_at_most_8_kib() {
    let head = |length: usize| {
        let rest = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nX: \r\n\r\n".len();
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nX: {}\r\n\r\n", "x".repeat(length - rest)).into_bytes()
    };
    assert_eq!(accepts(Side::Plain, &head(8192)).len(), 1);
    check(&head(8193), 431, ErrorCode::TooLarge);
    check(&head(8192 * 2)[..8193], 431, ErrorCode::TooLarge);
}

#[test]
fn a_head_has_at_most_32_headers() {
    let headers = |more: usize| post(&format!("Content-Length: 0\r\n{}", "X: y\r\n".repeat(more)), "");
    assert_eq!(accepts(Side::Framed, &headers(30)).len(), 1);
    check(&headers(31), 431, ErrorCode::TooLarge);
    let ended_badly = [&headers(30)[..headers(30).len() - 2], b"\n"].concat();
    check(&ended_badly, 400, ErrorCode::BadFraming);
}

#[test]
fn other_versions_of_http_are_refused() {
    for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/3", "HTTP/1.10", "HTTP/01.1"] {
        check(format!("POST / {version}\r\nHost: localhost\r\n\r\n").as_bytes(), 505, ErrorCode::BadFraming);
    }
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ErrorCode::BadFraming);
    let old = accepts(Side::Plain, b"GET / HTTP/1.0\r\n\r\n");
    assert!(!old[0].is_http_1_1());
}

#[test]
fn before_the_upgrade_a_request_has_one_host() {
    for head in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"] {
        check_on(Side::Plain, head.as_bytes(), 400, ErrorCode::BadRequest);
    }
    assert_eq!(accepts(Side::Framed, b"POST /pong HTTP/1.1\r\nContent-Length: 0\r\n\r\n").len(), 1);
}

#[test]
fn after_the_upgrade_everything_is_a_post() {
    for method in ["GET", "PUT", "post", "OPTIONS"] {
        let bytes = format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        check_on(Side::Framed, bytes.as_bytes(), 405, ErrorCode::NotAllowed);
        assert_eq!(accepts(Side::Plain, bytes.as_bytes()).len(), 1);
    }
}

#[test]
fn a_target_is_read_with_and_without_a_host_in_it() {
    for (target, path, authority) in [
        ("/log", "/log", None),
        ("/log?from=3?", "/log", None),
        ("/?", "/", None),
        ("*", "*", None),
        ("http://localhost:1337/log?x", "/log", Some("localhost:1337")),
        ("HTTP://evil.example", "/", Some("evil.example")),
        ("http://a?b", "/", Some("a")),
    ] {
        let frames = accepts(Side::Plain, format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        assert_eq!((frames[0].path(), frames[0].authority()), (path, authority), "{target}");
    }
}

#[test]
fn what_follows_a_refusal_is_never_read() {
    let mut decoder = Decoder::new(Side::Framed);
    decoder.feed(b"POST /pong HTTP/1.1\r\n\r\n");
    let refusal = decoder.next_frame().unwrap_err();
    decoder.feed(&post("Content-Length: 2\r\n", "hi"));
    assert_eq!(decoder.next_frame(), Err(refusal));
}

#[test]
fn who_asks_for_it_is_told_once_to_send_the_body() {
    let mut decoder = Decoder::new(Side::Plain);
    decoder.feed(b"POST /client.http HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(decoder.take_continue() && !decoder.take_continue());
    decoder.feed(b"hi");
    assert_eq!(decoder.next_frame().unwrap().unwrap().body(), b"hi");
    decoder.feed(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(!decoder.take_continue(), "HTTP/1.0 does not know it");
}

#[test]
fn who_expects_something_else_too_is_told_to_send_the_body() {
    for lines in ["Expect: other, 100-Continue\r\n", "Expect: 100-continue\r\nExpect: other\r\n"] {
        let mut decoder = Decoder::new(Side::Plain);
        decoder.feed(&post(&format!("{lines}Content-Length: 2\r\n"), ""));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.take_continue(), "{lines:?}");
    }
}

#[test]
fn an_answer_that_no_relay_gives_is_refused() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"220 mail.example ESMTP\r\n",
    ] {
        let mut answers = Answers::new();
        answers.feed(bytes);
        assert!(answers.next_answer().is_err(), "{}", String::from_utf8_lossy(bytes));
    }
}
