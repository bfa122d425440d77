//! How bytes are split on their way cannot be seen in what is read.
#![allow(clippy::unwrap_used)] // the helpers are tests too

use proptest::prelude::*;
use twopc_proto::frame::{Answer, Answers, ClientFrames, Decoder, Frame, Phase, Refusal, Side};
use twopc_proto::{Role, UserName};

/// Everything a decoder makes of these pieces.
fn decode<'a>(side: Side, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Refusal>) {
    let mut decoder = Decoder::new(side);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(refusal) => return (frames, Some(refusal)),
            }
        }
    }
    (frames, None)
}

/// One after the other, what a client may send, with a strange but sound one among it.
fn conversation() -> Vec<u8> {
    let client = ClientFrames::new("127.0.0.1:1337", "test/1");
    let bob = UserName::parse("bob").unwrap();
    [
        client.chat(Role::Participant, "0:00:17:தமிழ்\tPOST / HTTP/1.1", "Sat, 31 Jan 2026 22:34:52 GMT"),
        client.pong(),
        b"\r\n".to_vec(),
        client.protocol(&bob, "VOTE_COMMIT", b"{\"txn\":\"chair.1.1\"}\r\n\r\n"),
        client.protocol(&bob, "ODD", &[0, 255, 13, 10]),
        client.logout(),
    ]
    .concat()
}

#[test]
fn a_conversation_split_at_any_byte_reads_the_same() {
    let bytes = conversation();
    for side in [Side::Plain, Side::Framed, Side::Client] {
        let whole = decode(side, [&bytes[..]]);
        assert_eq!((whole.0.len(), &whole.1), (5, &None));
        for at in 0..=bytes.len() {
            assert_eq!(decode(side, [&bytes[..at], &bytes[at..]]), whole, "split at {at}");
        }
        assert_eq!(decode(side, bytes.chunks(1)), whole, "byte by byte");
    }
}

#[test]
fn answers_split_at_any_byte_read_the_same() {
    let date = "Sat, 31 Jan 2026 22:34:52 GMT";
    let bytes =
        [Answer::text(200, "Enter your user name: ").write(date, false), Answer::refusal(&Answer::upgrade_required()).write(date, false)]
            .concat();
    for at in 0..=bytes.len() {
        let mut answers = Answers::new();
        let mut statuses = Vec::new();
        for piece in [&bytes[..at], &bytes[at..]] {
            answers.feed(piece);
            while let Some(answer) = answers.next_answer().unwrap() {
                statuses.push((answer.status(), answer.body().len()));
            }
        }
        assert_eq!(statuses.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 426], "split at {at}");
        assert_eq!(statuses[0].1, 22);
    }
}

#[test]
fn how_far_a_message_has_come_can_be_told() {
    let mut decoder = Decoder::new(Side::Framed);
    let mut phases = Vec::new();
    for byte in b"\r\nPOST /pong HTTP/1.1\r\nContent-Length: 1\r\n\r\n\x00" {
        decoder.feed(&[*byte]);
        let frame = decoder.next_frame().unwrap();
        phases.push(decoder.phase());
        assert_eq!(frame.is_some(), *byte == 0);
    }
    phases.dedup();
    assert_eq!(phases, [Phase::Idle, Phase::Head, Phase::Body, Phase::Idle]);
}

/// Pieces that are likely to meet a rule, sound or not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::sample::select(vec![
            &b"POST /client.http HTTP/1.1\r\n"[..], b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.0\r\n", b"POST / HTTP/2.0\r\n",
            b"Host: localhost\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content-Length: 70000\r\n",
            b"Transfer-Encoding: chunked\r\n", b"To: bob\r\n", b"To : bob\r\n", b" folded\r\n", b"no colon\r\n",
            b"\r\n", b"\r", b"\n", b"abc", b"a\r\n", b"\0", b"\xff", b":",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (4_000_usize..9_000).prop_map(|length| vec![b'x'; length]),
    ]
}

/// A message that is in order.
fn sound() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(|body| {
        let head = format!("POST /2pc/ACK HTTP/1.1\r\nHost: a\r\nTo: bob\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    })
}

proptest! {
    #[test]
    fn any_bytes_split_anyhow_read_the_same(
        messages in prop::collection::vec(prop_oneof![sound(), piece()], 0..12),
        cuts in prop::collection::vec(1_usize..400, 1..40),
        side in prop::sample::select(vec![Side::Plain, Side::Framed, Side::Client]),
    ) {
        let bytes = messages.concat();
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(decode(side, pieces), decode(side, [&bytes[..]]));
    }
}
