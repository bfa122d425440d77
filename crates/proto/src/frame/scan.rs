//! The strict reader of heads: every byte is judged as it comes, and never a second time.
//!
//! What it refuses depends on the bytes up to the one at fault and on nothing else, so how they
//! were split on their way cannot show. Deliberately absent: what the headers mean.

use super::refusal::{ErrorCode, Refusal};

/// The most that is taken of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of the first line, without its end.
    pub(super) line: usize,
    /// Bytes of the head, from the first line to the empty one, both included.
    pub(super) head: usize,
    /// Header lines.
    pub(super) headers: usize,
    /// Bytes of the body.
    pub(super) body: usize,
}

/// What the first line of a head is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// `POST /path HTTP/1.1`
    Request,
    /// `HTTP/1.1 200 OK`
    Status,
}

/// What the scanner came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The bytes so far are a beginning.
    More,
    /// They begin with an empty line of this many bytes, to be taken off.
    Blank(usize),
    /// The head ends before this byte.
    Head(usize),
}

/// Where the scanner stands in a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first byte of the first line.
    Start,
    /// After the CR of an empty line before the first line.
    BlankCr,
    /// In the first line.
    Opening,
    /// After its CR.
    OpeningCr,
    /// Before the first byte of a header line, or of the empty one.
    Line,
    /// In a header's name.
    Name,
    /// After the colon.
    Value,
    /// After the CR of a header line.
    ValueCr,
    /// After the CR of the empty line that ends the head.
    EndCr,
}

/// Reads one head, in as many pieces as it comes in.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    opening: Opening,
    place: Place,
    /// The next byte to judge, counted from the first of the message.
    at: usize,
    headers: usize,
    blank_seen: bool,
}

impl Scanner {
    pub(super) fn new(opening: Opening) -> Self {
        Self { opening, place: Place::Start, at: 0, headers: 0, blank_seen: false }
    }

    /// Whether nothing of a head has come yet; an empty line before it is nothing.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.place, Place::Start | Place::BlankCr)
    }

    /// Goes on where it stopped. `bytes` begins with the message's first byte.
    pub(super) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Scanned, Refusal> {
        loop {
            self.skip(bytes, limits);
            let Some(&byte) = bytes.get(self.at) else { return Ok(Scanned::More) };
            if self.at >= limits.head {
                return Err(too_large(431, "The head of this message is too long; send fewer or shorter headers."));
            }
            self.place = match self.place {
                Place::Start if byte == b'\r' => Place::BlankCr,
                Place::Start | Place::Opening => self.on_opening(byte, limits)?,
                Place::BlankCr => {
                    line_feed(byte)?;
                    if self.blank_seen {
                        return Err(bad("More than one empty line stands before the request line; send none."));
                    }
                    *self = Self { blank_seen: true, ..Self::new(self.opening) };
                    return Ok(Scanned::Blank(2));
                }
                Place::OpeningCr => {
                    line_feed(byte)?;
                    check_opening(self.opening, &bytes[..self.at - 1])?;
                    Place::Line
                }
                Place::Line => self.on_line(byte, limits)?,
                Place::Name => on_name(byte)?,
                Place::Value => on_value(byte)?,
                Place::ValueCr => {
                    line_feed(byte)?;
                    Place::Line
                }
                Place::EndCr => {
                    line_feed(byte)?;
                    return Ok(Scanned::Head(self.at + 1));
                }
            };
            self.at += 1;
        }
    }

    /// Goes over bytes that may stand here as often as one likes: most of every head.
    fn skip(&mut self, bytes: &[u8], limits: &Limits) {
        let rest = |end: usize| bytes.get(self.at..end.min(bytes.len())).unwrap_or_default().iter();
        self.at += match self.place {
            Place::Opening => rest(limits.line).take_while(|byte| (b' '..=b'~').contains(byte)).count(),
            Place::Name => rest(limits.head).take_while(|byte| is_token(**byte)).count(),
            Place::Value => rest(limits.head).take_while(|byte| is_of_a_value(**byte)).count(),
            Place::Start | Place::BlankCr | Place::OpeningCr | Place::Line | Place::ValueCr | Place::EndCr => 0,
        };
    }

    fn on_opening(&self, byte: u8, limits: &Limits) -> Result<Place, Refusal> {
        match byte {
            b'\r' => Ok(Place::OpeningCr),
            b'\n' => Err(bare_line_feed()),
            b' '..=b'~' if self.at < limits.line => Ok(Place::Opening),
            b' '..=b'~' => Err(too_large(414, "The request line is too long; use a shorter path.")),
            0x80.. => Err(bad("The first line has a byte that is not ASCII; this port speaks plain HTTP/1.1.")),
            _ => Err(bad("The first line has a control character; this port speaks plain HTTP/1.1, without TLS.")),
        }
    }

    fn on_line(&mut self, byte: u8, limits: &Limits) -> Result<Place, Refusal> {
        match byte {
            b'\r' => return Ok(Place::EndCr),
            b' ' | b'\t' => return Err(bad("A header is folded over two lines; write it on one.")),
            b':' => return Err(bad("A header has no name before its colon.")),
            // An empty line, though ended badly, and no header too many.
            b'\n' => return Err(bare_line_feed()),
            _ => {}
        }
        self.headers += 1;
        if self.headers > limits.headers {
            return Err(too_large(431, "The head of this message has too many headers; send fewer."));
        }
        on_name(byte)
    }
}

fn on_name(byte: u8) -> Result<Place, Refusal> {
    match byte {
        b':' => Ok(Place::Value),
        b' ' | b'\t' => Err(bad("A header's name is followed by a blank; write the colon right after it.")),
        b'\r' => Err(bad("A line of the head has no colon; write headers as Name: value.")),
        b'\n' => Err(bare_line_feed()),
        byte if is_token(byte) => Ok(Place::Name),
        _ => Err(bad("A header's name has a character that no name has; write headers as Name: value.")),
    }
}

fn on_value(byte: u8) -> Result<Place, Refusal> {
    match byte {
        b'\r' => Ok(Place::ValueCr),
        b'\n' => Err(bare_line_feed()),
        byte if is_of_a_value(byte) => Ok(Place::Value),
        _ => Err(bad("A header's value has a control character in it; take it out.")),
    }
}

/// The first line, without its end, once all of it is there.
fn check_opening(opening: Opening, line: &[u8]) -> Result<(), Refusal> {
    match opening {
        Opening::Request => {
            let mut words = line.split(|&byte| byte == b' ');
            let (method, target, version) = (words.next(), words.next(), words.next());
            let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next()) else {
                return Err(bad("The first line is no request; write it as POST /path HTTP/1.1."));
            };
            if method.is_empty() || !method.iter().copied().all(is_token) || target.is_empty() {
                return Err(bad("The first line is no request; write it as POST /path HTTP/1.1."));
            }
            check_version(version)
        }
        Opening::Status => {
            let (version, rest) = line.split_at_checked(8).unwrap_or((line, b""));
            check_version(version)?;
            match rest {
                [b' ', code @ ..]
                    if code.len() >= 3 && code[..3].iter().all(u8::is_ascii_digit) && matches!(code.get(3), None | Some(b' ')) =>
                {
                    Ok(())
                }
                _ => Err(bad("The first line is no answer of an HTTP server.")),
            }
        }
    }
}

fn check_version(version: &[u8]) -> Result<(), Refusal> {
    match version.strip_prefix(b"HTTP/") {
        Some(b"1.1" | b"1.0") => Ok(()),
        Some(other) if !other.is_empty() && other.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') => {
            Err(Refusal::closing(505, ErrorCode::BadFraming, "This port speaks HTTP/1.1 (and 1.0) only."))
        }
        Some(_) | None => Err(bad("The first line does not end with an HTTP version; this port speaks HTTP/1.1.")),
    }
}

fn line_feed(byte: u8) -> Result<(), Refusal> {
    if byte == b'\n' { Ok(()) } else { Err(bad("A carriage return stands without its line feed; end lines with both.")) }
}

fn bare_line_feed() -> Refusal {
    bad("A line ends with a line feed alone; end lines with carriage return and line feed.")
}

/// Whether a byte may stand in a method or in a header's name (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let (mut token, mut byte) = ([false; 256], 0_u8);
        while byte < 0x80 {
            let sign =
                matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
            token[byte as usize] = sign || byte.is_ascii_alphanumeric();
            byte += 1;
        }
        token
    };
    TOKEN[usize::from(byte)]
}

/// Whether a byte may stand in a header's value: anything but control characters.
fn is_of_a_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// A message whose beginning or end is in doubt: nothing after it can be believed.
pub(super) fn bad(message: &'static str) -> Refusal {
    Refusal::closing(400, ErrorCode::BadFraming, message)
}

pub(super) fn too_large(status: u16, message: &'static str) -> Refusal {
    Refusal::closing(status, ErrorCode::TooLarge, message)
}
