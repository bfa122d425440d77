//! The oracle of frames: the decoder that ships against the rules written a second time.
//!
//! Whatever the bytes and however they were split: the same messages, the same refusal, the same
//! place in the stream, and never more memory than is promised.

use std::ops::Range;

use twopc_proto::frame::{Answers, Decoder, Frame, FromRelay, Phase, Refusal, Response, Side};

use super::cuts::{Cuts, Pieces};
use super::rows::Row;
use super::seen::Seen;
use super::show::escaped;
use super::strict::{self, Message, Opening, Reader, Unfinished, Verdict};

/// Judges one stream as this reader gets it, cut in each of these ways. A login that is in order upgrades the
/// relay, and a 101 the client, so both sides of an upgrade are in one stream.
///
/// # Errors
/// What differs, as a sentence.
pub fn check(reader: Reader, stream: &[u8], cuts: &[Cuts]) -> Result<Seen, String> {
    let (messages, end, mut seen) = expect(reader, stream);
    for (number, cuts) in cuts.iter().enumerate() {
        // A frame is a function of its bytes: its parts are compared once, its bytes every time.
        let parts = number == 0;
        let held =
            run(reader, stream, *cuts, parts, &messages, &end).map_err(|why| format!("{why} ({}, cut: {cuts:?})", reader.as_str()))?;
        seen.most_held = seen.most_held.max(held);
    }
    Ok(seen)
}

/// Judges bytes as every reader gets them, cut in every way: what a fuzzer asks.
///
/// # Panics
/// With what differs.
pub fn assert_sound(bytes: &[u8]) {
    let mut cuts = vec![Cuts::Whole, Cuts::Random(1), Cuts::Random(bytes.len() as u64)];
    if bytes.len() < 1_000 {
        cuts.push(Cuts::Everywhere);
    }
    for reader in Reader::ALL {
        if let Err(why) = check(reader, bytes, &cuts) {
            panic!("{why}");
        }
    }
}

/// A message that is expected, who reads it, and where it stands in the stream.
struct Expected<'a> {
    reader: Reader,
    message: Message<'a>,
    place: Range<usize>,
    upgrades: bool,
}

/// How a stream is expected to end.
enum End {
    Unfinished(Unfinished),
    Refused(Row),
}

/// What the rules make of a stream.
fn expect(mut reader: Reader, stream: &[u8]) -> (Vec<Expected<'_>>, End, Seen) {
    let (mut messages, mut seen, mut at) = (Vec::new(), Seen::default(), 0);
    let mut upgraded = false;
    loop {
        match strict::judge(reader, &stream[at..]) {
            Verdict::Whole(message) => {
                let end = at + message.taken;
                seen.accepted[reader as usize] += 1;
                seen.sights.look(reader, &message);
                seen.sights.note(9, at > 0);
                seen.sights.note(13, upgraded);
                let upgrades = matches!(reader, Reader::Plain | Reader::Answers) && upgrades(&message);
                let place = end - message.bytes.len()..end;
                messages.push(Expected { reader, message, place, upgrades });
                at = end;
                if upgrades {
                    upgraded = true;
                    reader = match reader {
                        Reader::Plain | Reader::Framed => Reader::Framed,
                        Reader::Answers | Reader::Client => Reader::Client,
                    };
                }
            }
            Verdict::Unfinished(unfinished) => {
                seen.unfinished = unfinished.phase != Phase::Idle;
                seen.sights.note(10, unfinished.phase == Phase::Head);
                seen.sights.note(11, unfinished.phase == Phase::Body);
                seen.sights.note(12, unfinished.waits);
                return (messages, End::Unfinished(unfinished), seen);
            }
            Verdict::Refused(row) => {
                seen.refused = Some((reader, row));
                return (messages, End::Refused(row), seen);
            }
        }
    }
}

/// Whether frames follow: a login that asks for it, or the relay's word that they do.
fn upgrades(message: &Message<'_>) -> bool {
    let asks =
        || message.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case(b"Upgrade") && value.eq_ignore_ascii_case(b"twopc/1"));
    match message.opening {
        Opening::Request { method, target, .. } => method == b"POST" && target == b"/login" && asks(),
        Opening::Status(status) => status == 101 && asks(),
    }
}

/// The decoders that ship.
enum Real {
    Requests(Decoder),
    Answers(Answers),
}

enum Given {
    Frame(Frame),
    Response(Response),
}

impl Real {
    fn new(reader: Reader) -> Self {
        match reader {
            Reader::Plain => Self::Requests(Decoder::new(Side::Plain)),
            Reader::Framed => Self::Requests(Decoder::new(Side::Framed)),
            Reader::Client => Self::Requests(Decoder::new(Side::Client)),
            Reader::Answers => Self::Answers(Answers::new()),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Requests(decoder) => decoder.feed(bytes),
            Self::Answers(answers) => answers.feed(bytes),
        }
    }

    fn next(&mut self) -> Result<Option<Given>, Refusal> {
        match self {
            Self::Requests(decoder) => decoder.next_frame().map(|frame| frame.map(Given::Frame)),
            Self::Answers(answers) => answers.next_answer().map(|answer| answer.map(Given::Response)),
        }
    }

    fn upgrade(self) -> Self {
        match self {
            Self::Requests(mut decoder) => {
                decoder.upgrade();
                Self::Requests(decoder)
            }
            Self::Answers(answers) => Self::Requests(answers.into_frames()),
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Requests(decoder) => decoder.held(),
            Self::Answers(answers) => answers.held(),
        }
    }
}

/// The most that the relay reads from a socket at once.
pub(super) const READ_AT_ONCE: usize = 16 * 1024;

/// Feeds the stream to the decoder that ships and compares what it gives. The most that it held while
/// no piece was longer than a socket's.
fn run(reader: Reader, stream: &[u8], cuts: Cuts, parts: bool, messages: &[Expected<'_>], end: &End) -> Result<usize, String> {
    let mut real = Real::new(reader);
    let mut expected = messages.iter();
    let mut refusal = None;
    let (mut most_held, mut greatest_piece) = (0, 0);
    let mut last = reader;
    for piece in Pieces::new(stream, cuts) {
        real.feed(piece);
        greatest_piece = greatest_piece.max(piece.len());
        if greatest_piece <= READ_AT_ONCE {
            most_held = most_held.max(real.held());
        }
        while refusal.is_none() {
            match real.next() {
                Ok(None) => break,
                Ok(Some(given)) => {
                    let Some(message) = expected.next() else {
                        return Err(format!("A message was taken that breaks a rule ({}) or is not whole.", told(end)));
                    };
                    compare(&given, message, stream)?;
                    if parts {
                        compare_parts(&given, message)?;
                    }
                    last = message.reader;
                    if message.upgrades {
                        real = real.upgrade();
                    }
                }
                Err(why) => refusal = Some(why),
            }
        }
        let limits = last.limits();
        // A vector at most doubles; the limits of both ends of an upgrade are the same.
        if real.held() > 2 * (limits.head + limits.body + greatest_piece) {
            return Err(format!("The decoder holds {} bytes for a reader that takes {} at most.", real.held(), limits.head + limits.body));
        }
    }
    if let Some(missed) = expected.next() {
        return Err(format!("A message in order ({}) was not taken; instead: {refusal:?}.", escaped(missed.message.bytes, 80)));
    }
    match end {
        End::Refused(row) => check_refusal(&mut real, refusal, *row)?,
        End::Unfinished(unfinished) => check_rest(&mut real, refusal, *unfinished)?,
    }
    Ok(most_held)
}

fn told(end: &End) -> String {
    match end {
        End::Refused(row) => row.as_str().to_owned(),
        End::Unfinished(unfinished) => format!("the stream ends in its {:?}", unfinished.phase),
    }
}

fn check_refusal(real: &mut Real, refusal: Option<Refusal>, row: Row) -> Result<(), String> {
    let (status, code) = row.answer();
    let Some(refusal) = refusal else { return Err(format!("Not refused, though it has {}.", row.as_str())) };
    if (refusal.status, refusal.code, refusal.closes) != (status, code, true) {
        let closes = if refusal.closes { "closed" } else { "kept open" };
        return Err(format!(
            "Refused with {} {}, {closes}, for {}, which gets {status} {code}, closed.",
            refusal.status,
            refusal.code,
            row.as_str()
        ));
    }
    // Whatever follows a refusal is not obeyed, and not even kept.
    real.feed(b"POST /pong HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    match real.next() {
        Err(again) if again == refusal && real.held() == 0 => Ok(()),
        Err(_) => Err("A decoder that has refused refuses otherwise the next time, or keeps what comes.".into()),
        Ok(_) => Err("A decoder that has refused goes on.".into()),
    }
}

fn check_rest(real: &mut Real, refusal: Option<Refusal>, expected: Unfinished) -> Result<(), String> {
    if let Some(refusal) = refusal {
        return Err(format!("Refused, though no rule is broken: {} {}, {}", refusal.status, refusal.code, refusal.message));
    }
    let Real::Requests(decoder) = real else { return Ok(()) };
    let found = Unfinished { phase: decoder.phase(), waits: decoder.take_continue() };
    if found != expected {
        return Err(format!("The decoder stands at {found:?}, not at {expected:?}."));
    }
    if found.phase == Phase::Idle && decoder.held() > MOST_IDLE {
        return Err(format!("An idle decoder holds {} bytes.", decoder.held()));
    }
    Ok(())
}

/// What a decoder keeps that waits for a message, and what an allocator may add to that.
const MOST_IDLE: usize = 40 * 1024;

fn compare(given: &Given, expected: &Expected<'_>, stream: &[u8]) -> Result<(), String> {
    let Expected { message, place, .. } = expected;
    let (bytes, body) = match given {
        Given::Frame(frame) => (frame.bytes(), frame.body()),
        Given::Response(response) => (response.bytes(), response.body()),
    };
    if bytes != &stream[place.clone()] || body.len() != message.body.len() {
        return Err(format!("The message at {place:?} was read with other bytes, or with another body."));
    }
    Ok(())
}

fn compare_parts(given: &Given, expected: &Expected<'_>) -> Result<(), String> {
    let Expected { reader, message, .. } = expected;
    let soundly = match (given, &message.opening) {
        (Given::Frame(frame), Opening::Request { method, target, is_1_1 }) => {
            let words = frame.method().as_bytes() == *method && frame.target().as_bytes() == *target && frame.is_http_1_1() == *is_1_1;
            words && frame.path().as_bytes() == path(target)
        }
        (Given::Response(response), Opening::Status(status)) => {
            response.status() == *status && response.is_upgrade() == (expected.upgrades && *status == 101)
        }
        (Given::Frame(_), Opening::Status(_)) | (Given::Response(_), Opening::Request { .. }) => false,
    };
    if !soundly {
        return Err(format!("The first line was read otherwise: {}.", escaped(message.bytes, 80)));
    }
    compare_headers(given, message)?;
    if let (Given::Frame(frame), Reader::Client) = (given, reader) {
        // Reading what it says is total; whether it says anything is another oracle's question.
        if let Ok(FromRelay::Protocol(said)) = FromRelay::read(frame) {
            let _ = said.message();
        }
    }
    Ok(())
}

/// The path that a target names (RFC 9112, 3.2.2), without what follows `?`.
fn path(target: &[u8]) -> &[u8] {
    let target = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if target.len() < 7 || !target[..7].eq_ignore_ascii_case(b"http://") {
        return target;
    }
    target[7..].iter().position(|byte| *byte == b'/').map_or(b"/", |slash| &target[7 + slash..])
}

fn compare_headers(given: &Given, message: &Message<'_>) -> Result<(), String> {
    for (number, (name, first)) in message.headers.iter().enumerate() {
        if message.headers[..number].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        let name = std::str::from_utf8(name).map_err(|_| "A header's name is not UTF-8.".to_owned())?;
        let same = |(other, _): &&(&[u8], &[u8])| other.eq_ignore_ascii_case(name.as_bytes());
        let is_alone = message.headers.iter().filter(same).nth(1).is_none();
        let only = if is_alone { std::str::from_utf8(first).ok() } else { None };
        let one = match given {
            Given::Frame(frame) => frame.one(name),
            Given::Response(response) => response.one(name),
        };
        let expected = message.headers.iter().filter(same).map(|(_, value)| *value);
        let alike = match given {
            _ if only.is_some() => true,
            Given::Frame(frame) => frame.values(name).eq(expected),
            Given::Response(response) => response.values(name).eq(expected),
        };
        if one != only || !alike {
            return Err(format!("The header {name} was read otherwise."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::make::{Maker, Stream};
    use crate::frames::seen::Sights;

    /// How many of some streams tell a decoder on one side from the rules of another.
    fn differences(rules: Reader, decoder: Reader) -> usize {
        let mut maker = Maker::new(1);
        let differs = |Stream { reader, bytes }: Stream| {
            let (messages, end, _) = expect(rules, &bytes);
            reader == rules && run(decoder, &bytes, Cuts::Whole, true, &messages, &end).is_err()
        };
        (0..5_000).filter(|_| differs(maker.stream(Vec::new()))).count()
    }

    #[test]
    fn a_decoder_that_follows_other_rules_is_noticed() {
        for (rules, decoder) in [(Reader::Plain, Reader::Framed), (Reader::Framed, Reader::Plain), (Reader::Framed, Reader::Client)] {
            assert_eq!(differences(rules, rules), 0, "{rules:?}");
            assert!(differences(rules, decoder) > 10, "{rules:?}, read by {decoder:?}");
        }
    }

    #[test]
    fn a_sound_stream_is_seen_with_its_upgrade() {
        let stream = b"POST /login HTTP/1.1\r\nHost: a\r\nUpgrade: twopc/1\r\nContent-Length: 2\r\n\r\n{}\r\nPOST /pong HTTP/1.0\r\nContent-Length: 0\r\n\r\nPOST";
        let seen = check(Reader::Plain, stream, &[Cuts::Whole, Cuts::Everywhere]).unwrap();
        assert_eq!((seen.accepted, seen.refused, seen.unfinished), ([1, 1, 0, 0], None, true));
        let names: Vec<&str> =
            Sights::NAMES.into_iter().enumerate().filter(|(bit, _)| seen.sights.0 >> bit & 1 == 1).map(|(_, name)| name).collect();
        assert_eq!(
            names,
            [
                "an empty body",
                "an empty line before a message",
                "HTTP/1.0",
                "several messages in one stream",
                "a stream that ends in a head",
                "an upgrade, and a message after it"
            ]
        );
    }
}
