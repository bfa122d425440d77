//! The oracle of frames: the decoder that ships against the rules written a second time.
//!
//! Whatever the bytes and however they were split: the same messages, the same refusal, the same
//! place in the stream, and never more memory than is promised.

use std::ops::Range;

use twopc_proto::frame::{Answers, Decoder, Frame, FromRelay, Phase, Refusal, Response, Side};

use super::chance::Chance;
use super::rows::Row;
use super::show::escaped;
use super::strict::{self, Message, Opening, Reader, Unfinished, Verdict};

/// How a stream is cut on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Not at all.
    Whole,
    /// At places that follow from this seed.
    Random(u64),
    /// At every byte.
    Everywhere,
}

/// What one stream was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Messages in order, by who read them.
    pub accepted: [u64; 4],
    /// Which rule the last one broke, and who said so.
    pub refused: Option<(Reader, Row)>,
    /// Whether it ended within a message.
    pub unfinished: bool,
    /// The most bytes that a decoder held.
    pub most_held: usize,
    /// What is worth having seen.
    pub sights: Sights,
}

/// Things that must have been seen, or the streams are not as varied as they should be: bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sights(pub u32);

impl Sights {
    /// What each bit stands for.
    pub const NAMES: [&'static str; 14] = [
        "a first line of the greatest length taken",
        "a head of the greatest length taken",
        "as many headers as may be taken",
        "a body of the greatest length taken",
        "an empty body",
        "a body that reads like a message",
        "a byte over 0x7F in a header's value",
        "an empty line before a message",
        "HTTP/1.0",
        "several messages in one stream",
        "a stream that ends in a head",
        "a stream that ends in a body",
        "a sender that waits for 100 Continue",
        "an upgrade, and a message after it",
    ];

    fn note(&mut self, number: u32, seen: bool) {
        self.0 |= u32::from(seen) << number;
    }
}

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
    if bytes.len() < 4_096 {
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
                look(&mut seen.sights, reader, &message);
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

fn look(sights: &mut Sights, reader: Reader, message: &Message<'_>) {
    let limits = reader.limits();
    let line = message.bytes.iter().position(|byte| *byte == b'\r').unwrap_or_default();
    sights.note(0, line == limits.line);
    sights.note(1, message.bytes.len() - message.body.len() == limits.head);
    sights.note(2, message.headers.len() == limits.headers);
    sights.note(3, message.body.len() == limits.body);
    sights.note(4, message.body.is_empty());
    sights.note(5, message.body.starts_with(b"POST /") || message.body.starts_with(b"HTTP/1.1 "));
    sights.note(6, message.headers.iter().any(|(_, value)| !value.is_ascii()));
    sights.note(7, message.taken > message.bytes.len());
    sights.note(8, matches!(message.opening, Opening::Request { is_1_1: false, .. }));
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

/// Feeds the stream to the decoder that ships and compares what it gives. The most that it held.
fn run(reader: Reader, stream: &[u8], cuts: Cuts, parts: bool, messages: &[Expected<'_>], end: &End) -> Result<usize, String> {
    let mut real = Real::new(reader);
    let mut expected = messages.iter();
    let mut refusal = None;
    let mut most_held = 0;
    let mut last = reader;
    for piece in Pieces::new(stream, cuts) {
        real.feed(piece);
        most_held = most_held.max(real.held());
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
        if real.held() > 2 * (limits.head + limits.body + piece.len()) {
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

/// The pieces that a stream comes in.
struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    cuts: Cuts,
    chance: Chance,
}

impl<'a> Pieces<'a> {
    fn new(stream: &'a [u8], cuts: Cuts) -> Self {
        let seed = if let Cuts::Random(seed) = cuts { seed } else { 0 };
        Self { rest: Some(stream), cuts, chance: Chance::new(seed) }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let length = match self.cuts {
            Cuts::Whole => rest.len(),
            Cuts::Everywhere => 1,
            // Mostly somewhere in the rest, sometimes just a few bytes on.
            Cuts::Random(_) if self.chance.once_in(3) => 1 + self.chance.below(4),
            Cuts::Random(_) => 1 + self.chance.below(rest.len().max(1)),
        };
        match rest.split_at_checked(length) {
            Some((piece, after)) if !after.is_empty() => {
                self.rest = Some(after);
                Some(piece)
            }
            _ => Some(rest),
        }
    }
}
