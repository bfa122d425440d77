//! Cutting a stream of bytes into messages.
//!
//! Deliberately absent: time. Whoever reads the socket knows from [`Phase`] what is unfinished, and
//! how long it has waited.

use alloc::vec::Vec;

use super::head::{Frame, Response, lines};
use super::refusal::{ErrorCode, Refusal};
use super::scan::{Limits, Opening, Scanned, Scanner, bad, too_large};
use super::{CLIENT_LIMITS, RELAY_LIMITS};

/// The spare room that an empty buffer keeps; a large message's is given back.
const KEPT: usize = 32 * 1024;

/// Which end reads, and on which side of the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The relay, before the upgrade: any method, a `Host` where HTTP asks for one.
    Plain,
    /// The relay, after the upgrade: `POST` alone.
    Framed,
    /// A client, after the upgrade: `POST` alone, with the room that a relay's longer bodies need.
    Client,
}

/// How far the message has come that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of it is here.
    Idle,
    /// Some of its head.
    Head,
    /// All of its head, not all of its body.
    Body,
}

/// Reads frames.
#[derive(Clone, Debug)]
pub struct Decoder {
    side: Side,
    splitter: Splitter,
}

impl Decoder {
    /// Reads from the first byte of a connection.
    #[must_use]
    pub fn new(side: Side) -> Self {
        Self { side, splitter: Splitter::new(Opening::Request) }
    }

    /// Takes what came. Afterwards [`Self::next_frame`] wants to be called until it has no more:
    /// that is what bounds the memory.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.splitter.feed(bytes);
    }

    /// The next frame, if all of it is here.
    ///
    /// # Errors
    /// The [`Refusal`] of the first byte that is not in order, always one that closes. A decoder
    /// that has refused refuses for good.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Refusal> {
        let side = self.side;
        self.splitter.next_message(side.limits(), |head| measure_request(head, side), Frame::parse)
    }

    /// How far the message has come that is being read.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.splitter.phase()
    }

    /// Whether the sender waits for `100 Continue` before it sends the body: true once for each
    /// such message.
    pub fn take_continue(&mut self) -> bool {
        self.side == Side::Plain && core::mem::take(&mut self.splitter.expects_continue)
    }

    /// The bytes of memory that its buffer takes. Once [`Self::next_frame`] has no more, that is at
    /// most twice the greatest message and the greatest piece fed; at most 32 KiB between messages; none
    /// after a refusal.
    #[must_use]
    pub fn held(&self) -> usize {
        self.splitter.buffer.capacity()
    }

    /// What follows is framed: to be called after the login's frame, before the next one.
    pub fn upgrade(&mut self) {
        self.side = Side::Framed;
    }
}

/// Reads the answers to a client's requests.
#[derive(Clone, Debug)]
pub struct Answers {
    splitter: Splitter,
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

impl Answers {
    /// Reads from the first byte of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self { splitter: Splitter::new(Opening::Status) }
    }

    /// As [`Decoder::feed`].
    pub fn feed(&mut self, bytes: &[u8]) {
        self.splitter.feed(bytes);
    }

    /// The next answer, if all of it is here.
    ///
    /// # Errors
    /// As [`Decoder::next_frame`]; also when an answer does not say how long it is, which every
    /// relay's does.
    pub fn next_answer(&mut self) -> Result<Option<Response>, Refusal> {
        self.splitter.next_message(CLIENT_LIMITS, measure_response, Response::parse)
    }

    /// As [`Decoder::held`].
    #[must_use]
    pub fn held(&self) -> usize {
        self.splitter.buffer.capacity()
    }

    /// What follows the relay's 101 is frames; some of them may be here already.
    #[must_use]
    pub fn into_frames(self) -> Decoder {
        let mut decoder = Decoder::new(Side::Client);
        decoder.feed(&self.splitter.buffer[self.splitter.start..]);
        decoder
    }
}

/// What the head says of what follows it.
struct Measure {
    body: usize,
    expects_continue: bool,
}

/// What both readers have in common: the buffer, and the place in it.
#[derive(Clone, Debug)]
struct Splitter {
    opening: Opening,
    scanner: Scanner,
    buffer: Vec<u8>,
    /// The first byte of the message that is being read.
    start: usize,
    /// Its head's length and its whole length, once the head is here.
    ends: Option<(usize, usize)>,
    expects_continue: bool,
    refused: Option<Refusal>,
}

impl Splitter {
    fn new(opening: Opening) -> Self {
        let scanner = Scanner::new(opening);
        Self { opening, scanner, buffer: Vec::new(), start: 0, ends: None, expects_continue: false, refused: None }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.refused.is_none() {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.extend_from_slice(bytes);
        }
    }

    fn phase(&self) -> Phase {
        match (self.ends, self.scanner.is_idle()) {
            (Some(_), _) => Phase::Body,
            (None, true) => Phase::Idle,
            (None, false) => Phase::Head,
        }
    }

    fn next_message<T>(
        &mut self,
        limits: Limits,
        measure: impl FnOnce(&[u8]) -> Result<Measure, Refusal>,
        parse: impl FnOnce(&[u8], usize) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        if let Some(refusal) = &self.refused {
            return Err(refusal.clone());
        }
        self.try_next(limits, measure, parse).inspect_err(|refusal| {
            self.refused = Some(refusal.clone());
            self.buffer = Vec::new();
            self.start = 0;
        })
    }

    fn try_next<T>(
        &mut self,
        limits: Limits,
        measure: impl FnOnce(&[u8]) -> Result<Measure, Refusal>,
        parse: impl FnOnce(&[u8], usize) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let (head, whole) = match self.ends {
            Some(ends) => ends,
            None => {
                let Some(head) = self.scan(limits)? else { return Ok(None) };
                let measure = measure(&self.buffer[self.start..self.start + head])?;
                self.expects_continue = measure.expects_continue;
                *self.ends.insert((head, head + measure.body))
            }
        };
        let Some(message) = self.buffer.get(self.start..self.start + whole) else { return Ok(None) };
        let parsed = parse(message, head)?;
        self.take_off(whole);
        Ok(Some(parsed))
    }

    /// The length of the head, once all of it is here.
    fn scan(&mut self, limits: Limits) -> Result<Option<usize>, Refusal> {
        loop {
            match self.scanner.scan(&self.buffer[self.start..], &limits)? {
                Scanned::More => return Ok(None),
                Scanned::Blank(length) => self.start += length,
                Scanned::Head(length) => return Ok(Some(length)),
            }
        }
    }

    /// Goes on to the next message.
    fn take_off(&mut self, whole: usize) {
        self.start += whole;
        self.ends = None;
        self.expects_continue = false;
        self.scanner = Scanner::new(self.opening);
        if self.start == self.buffer.len() {
            self.start = 0;
            self.buffer.clear();
            self.buffer.shrink_to(KEPT);
        }
    }
}

impl Side {
    fn limits(self) -> Limits {
        match self {
            Self::Plain | Self::Framed => RELAY_LIMITS,
            Self::Client => CLIENT_LIMITS,
        }
    }
}

/// What the headers say that decide where a message ends.
struct Framing {
    length: Option<usize>,
    hosts: usize,
    host_is_sound: bool,
    expects_continue: bool,
}

impl Framing {
    /// Refuses whatever leaves the length in doubt.
    fn read(head: &[u8]) -> Result<Self, Refusal> {
        let mut lengths = 0;
        let mut coded = false;
        let mut framing = Self { length: None, hosts: 0, host_is_sound: true, expects_continue: false };
        for (name, value) in lines(head) {
            if name.eq_ignore_ascii_case(b"Content-Length") {
                lengths += 1;
                framing.length = Some(digits(value)?);
            } else if name.eq_ignore_ascii_case(b"Transfer-Encoding") {
                coded = true;
            } else if name.eq_ignore_ascii_case(b"Host") {
                framing.hosts += 1;
                framing.host_is_sound &= value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:[]".contains(byte));
            } else if name.eq_ignore_ascii_case(b"Expect") {
                let mut words = value.split(|&byte| byte == b',');
                framing.expects_continue |= words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"100-continue"));
            }
        }
        if lengths > 1 {
            return Err(bad("Content-Length stands twice in the head; send it once."));
        }
        match (coded, lengths) {
            (false, _) => Ok(framing),
            (true, 0) => Err(Refusal::closing(
                501,
                ErrorCode::BadFraming,
                "Transfer-Encoding is not taken here; send the body whole, with Content-Length.",
            )),
            (true, _) => Err(bad("Transfer-Encoding and Content-Length stand in one head; send Content-Length alone.")),
        }
    }
}

/// 1 to 10 plain digits.
fn digits(value: &[u8]) -> Result<usize, Refusal> {
    if (1..=10).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) {
        let length = value.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        return Ok(usize::try_from(length).unwrap_or(usize::MAX));
    }
    Err(bad("Content-Length is not 1 to 10 plain digits; send the body's length in bytes."))
}

fn measure_request(head: &[u8], side: Side) -> Result<Measure, Refusal> {
    let framing = Framing::read(head)?;
    let is_post = head.starts_with(b"POST ");
    if !is_post && side != Side::Plain {
        return Err(Refusal { closes: true, ..Refusal::not_allowed("POST") });
    }
    let body = match framing.length {
        Some(length) => length,
        None if is_post => {
            return Err(Refusal::closing(411, ErrorCode::LengthRequired, "A POST needs a Content-Length; send one, 0 for an empty body."));
        }
        None => 0,
    };
    if body > side.limits().body {
        return Err(too_large(413, "The body of this message is too long; send a shorter one."));
    }
    let opening = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let is_http_1_1 = opening.ends_with(b"HTTP/1.1");
    if side == Side::Plain && (framing.hosts > 1 || (framing.hosts == 0 && is_http_1_1) || !framing.host_is_sound) {
        return Err(Refusal::closing(400, ErrorCode::BadRequest, "A request needs one Host header; send the address of this port."));
    }
    Ok(Measure { body, expects_continue: framing.expects_continue && is_http_1_1 && body > 0 })
}

fn measure_response(head: &[u8]) -> Result<Measure, Refusal> {
    let framing = Framing::read(head)?;
    let status = head.get(9..12).unwrap_or_default();
    let bodiless = status.starts_with(b"1") || status == b"204" || status == b"304";
    let body = match framing.length {
        _ if bodiless => 0,
        Some(length) => length,
        None => return Err(bad("The answer does not say how long it is; no relay answers like that.")),
    };
    if body > CLIENT_LIMITS.body {
        return Err(too_large(413, "The answer is longer than any relay's."));
    }
    Ok(Measure { body, expects_continue: false })
}
