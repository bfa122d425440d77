//! The wire's rules for messages, written a second time: a whole buffer in, one verdict out.
//!
//! It shares no code with the relay's decoder, so that the two can be compared; it is as plain as it
//! can be, and in no hurry. Where a head breaks several rules, the one that is broken at the earliest
//! byte counts; a first line is judged as words when its end is there, and what the headers say
//! together when the head's end is there. Deliberately absent: pieces, memory, and time.

use twopc_proto::frame::Phase;

use super::rows::Row;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// The relay, before the upgrade.
    Plain,
    /// The relay, after the upgrade.
    Framed,
    /// A client, after the upgrade.
    Client,
    /// A client, before the upgrade.
    Answers,
}

impl Reader {
    /// Every reader.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Framed, Self::Client, Self::Answers];

    /// The most that it takes of one message.
    #[must_use]
    pub fn limits(self) -> Limits {
        match self {
            Self::Plain | Self::Framed => Limits { line: 4_096, head: 8_192, headers: 32, body: 65_536 },
            Self::Client | Self::Answers => Limits { line: 16_384, head: 65_536, headers: 96, body: 2_097_152 },
        }
    }

    /// Where it reads, in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "before the upgrade",
            Self::Framed => "after the upgrade",
            Self::Client => "at a client",
            Self::Answers => "at a client that logs in",
        }
    }
}

/// The most that a reader takes of one message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the first line, without its end.
    pub line: usize,
    /// Bytes of the head, the empty line included.
    pub head: usize,
    /// Headers.
    pub headers: usize,
    /// Bytes of the body.
    pub body: usize,
}

/// What a buffer begins with.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// A whole message in order.
    Whole(Message<'a>),
    /// The beginning of one, as far as it goes in order.
    Unfinished(Unfinished),
    /// Something that breaks a rule.
    Refused(Row),
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// What of it is here.
    pub phase: Phase,
    /// Whether its sender waits for `100 Continue`.
    pub waits: bool,
}

/// A message in order.
#[derive(Debug)]
pub struct Message<'a> {
    /// How many bytes it takes, with an empty line before it.
    pub taken: usize,
    /// All of it, without that.
    pub bytes: &'a [u8],
    /// The words of its first line.
    pub opening: Opening<'a>,
    /// Its headers' names and values, without the blanks around these.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// Its body.
    pub body: &'a [u8],
}

/// A first line.
#[derive(Clone, Copy, Debug)]
pub enum Opening<'a> {
    /// `METHOD TARGET VERSION`
    Request {
        /// As it stands.
        method: &'a [u8],
        /// As it stands.
        target: &'a [u8],
        /// Whether the version is 1.1; else it is 1.0.
        is_1_1: bool,
    },
    /// `VERSION STATUS …`
    Status(u16),
}

/// Judges what a buffer begins with.
#[must_use]
pub fn judge(reader: Reader, buffer: &[u8]) -> Verdict<'_> {
    match read(reader, buffer) {
        Ok(message) => Verdict::Whole(message),
        Err(Stop::Wait(unfinished)) => Verdict::Unfinished(unfinished),
        Err(Stop::Refuse(row)) => Verdict::Refused(row),
    }
}

enum Stop {
    Wait(Unfinished),
    Refuse(Row),
}

impl From<Row> for Stop {
    fn from(row: Row) -> Self {
        Self::Refuse(row)
    }
}

fn wait(phase: Phase) -> Stop {
    Stop::Wait(Unfinished { phase, waits: false })
}

fn read(reader: Reader, buffer: &[u8]) -> Result<Message<'_>, Stop> {
    let blank = if buffer.starts_with(b"\r\n") { 2 } else { 0 };
    let rest = &buffer[blank..];
    match rest {
        [] | [b'\r'] => return Err(wait(Phase::Idle)),
        [b'\r', b'\n', ..] => return Err(Row::EmptyLines.into()),
        [b'\r', ..] => return Err(Row::BareReturn.into()),
        _ => {}
    }
    let head = read_head(reader, rest)?;
    let length = body_length(reader, &head)?;
    let Some(body) = rest[head.length..].get(..length) else {
        return Err(Stop::Wait(Unfinished { phase: Phase::Body, waits: length > 0 && waits_for_continue(reader, &head) }));
    };
    let whole = head.length + length;
    Ok(Message { taken: blank + whole, bytes: &rest[..whole], opening: head.opening, headers: head.headers, body })
}

struct Head<'a> {
    length: usize,
    opening: Opening<'a>,
    headers: Vec<(&'a [u8], &'a [u8])>,
}

fn read_head(reader: Reader, rest: &[u8]) -> Result<Head<'_>, Stop> {
    let limits = reader.limits();
    // No byte beyond the limit is looked at; that there is one is enough, if the head needs it.
    let window = &rest[..rest.len().min(limits.head)];
    let unfinished = || if rest.len() > limits.head { Row::HeadTooLong.into() } else { wait(Phase::Head) };

    let first = up_to_line_end(window);
    check_first_line(first, limits.line)?;
    let length = line_length(window, first)?.ok_or_else(unfinished)?;
    let opening = match reader {
        Reader::Answers => read_status_line(first)?,
        Reader::Plain | Reader::Framed | Reader::Client => read_request_line(first)?,
    };

    let mut headers = Vec::with_capacity(8);
    let mut at = length;
    loop {
        let lines = &window[at..];
        match lines {
            [] | [b'\r'] => return Err(unfinished()),
            [b'\r', b'\n', ..] => return Ok(Head { length: at + 2, opening, headers }),
            [b'\r', ..] => return Err(Row::BareReturn.into()),
            [b'\n', ..] => return Err(Row::BareLineFeed.into()),
            [b' ' | b'\t', ..] => return Err(Row::Folded.into()),
            [b':', ..] => return Err(Row::NameNoToken.into()),
            _ if headers.len() == limits.headers => return Err(Row::TooManyHeaders.into()),
            _ => {}
        }
        let line = up_to_line_end(lines);
        let colon = line.iter().position(|byte| *byte == b':');
        let name = &line[..colon.unwrap_or(line.len())];
        if let Some(wrong) = name.iter().find(|byte| !is_token(**byte)) {
            return Err(match wrong {
                b' ' | b'\t' if colon.is_none() => Row::ColonMissing,
                b' ' | b'\t' => Row::BlankBeforeColon,
                0x80.. => Row::NotAscii,
                0..=0x1f | 0x7f => Row::Control,
                _ => Row::NameNoToken,
            }
            .into());
        }
        let Some(colon) = colon else {
            // Either the line goes on, or it has ended without one.
            return Err(if line.len() == lines.len() { unfinished() } else { Row::ColonMissing.into() });
        };
        let value = &line[colon + 1..];
        if value.iter().any(|byte| is_control(*byte) && *byte != b'\t') {
            return Err(Row::Control.into());
        }
        at += line_length(lines, line)?.ok_or_else(unfinished)?;
        headers.push((name, without_blanks(value)));
    }
}

/// What stands before the first CR or LF.
fn up_to_line_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    &bytes[..end.unwrap_or(bytes.len())]
}

/// The length of the line with its end, which has to be CR and LF; `None` if that is not here yet.
fn line_length(bytes: &[u8], line: &[u8]) -> Result<Option<usize>, Row> {
    match &bytes[line.len()..] {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n', ..] => Ok(Some(line.len() + 2)),
        [b'\r', ..] => Err(Row::BareReturn),
        _ => Err(Row::BareLineFeed),
    }
}

/// Printable ASCII, and not too much of it. A byte is judged before the room for it is.
fn check_first_line(line: &[u8], most: usize) -> Result<(), Row> {
    match line.iter().take(most + 1).find(|byte| !matches!(byte, b' '..=b'~')) {
        Some(0x16) if line.starts_with(b"\x16\x03") => Err(Row::Tls),
        Some(0x80..) => Err(Row::NotAscii),
        Some(_) => Err(Row::Control),
        None if line.len() > most => Err(Row::LineTooLong),
        None => Ok(()),
    }
}

fn read_request_line(line: &[u8]) -> Result<Opening<'_>, Row> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else { return Err(Row::Noise) };
    if method.is_empty() || target.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(Row::Noise);
    }
    Ok(Opening::Request { method, target, is_1_1: read_version(version)? })
}

fn read_status_line(line: &[u8]) -> Result<Opening<'_>, Row> {
    let version = &line[..line.len().min(8)];
    read_version(version)?;
    let [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = &line[8..] else { return Err(Row::Noise) };
    if !reason.is_empty() && reason[0] != b' ' {
        return Err(Row::Noise);
    }
    let digit = |byte: &u8| u16::from(*byte - b'0');
    Ok(Opening::Status(100 * digit(a) + 10 * digit(b) + digit(c)))
}

/// Whether the version is 1.1.
fn read_version(version: &[u8]) -> Result<bool, Row> {
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        [b'H', b'T', b'T', b'P', b'/', number @ ..] if !number.is_empty() && number.iter().all(|byte| b"0123456789.".contains(byte)) => {
            Err(Row::OtherVersion)
        }
        _ => Err(Row::Noise),
    }
}

fn body_length(reader: Reader, head: &Head<'_>) -> Result<usize, Row> {
    let lengths: Vec<&[u8]> = head.values("content-length").collect();
    for length in &lengths {
        if length.is_empty() || length.len() > 10 || length.iter().any(|byte| !byte.is_ascii_digit()) {
            return Err(Row::LengthNotDigits);
        }
    }
    if lengths.len() > 1 {
        return Err(Row::LengthTwice);
    }
    let coded = head.values("transfer-encoding").next().is_some();
    let length = match (lengths.first(), coded) {
        (Some(_), true) => return Err(Row::CodedWithLength),
        (None, true) => return Err(Row::Coded),
        (Some(digits), false) => Some(digits.iter().fold(0, |sum: u64, digit| 10 * sum + u64::from(digit - b'0'))),
        (None, false) => None,
    };
    let length = match head.opening {
        // These have no body, whatever they say.
        Opening::Status(100..=199 | 204 | 304) => 0,
        Opening::Status(_) => length.ok_or(Row::AnswerEndless)?,
        Opening::Request { method, .. } => {
            let is_post = method == b"POST";
            if reader != Reader::Plain && !is_post {
                return Err(Row::OtherMethod);
            }
            if is_post { length.ok_or(Row::LengthMissing)? } else { length.unwrap_or(0) }
        }
    };
    if length > reader.limits().body as u64 {
        return Err(Row::BodyTooLong);
    }
    if reader == Reader::Plain {
        check_host(head)?;
    }
    Ok(usize::try_from(length).expect("a length within the limit"))
}

fn check_host(head: &Head<'_>) -> Result<(), Row> {
    let hosts: Vec<&[u8]> = head.values("host").collect();
    match (&hosts[..], &head.opening) {
        ([], Opening::Request { is_1_1: true, .. }) => Err(Row::HostMissing),
        ([], _) => Ok(()),
        ([host], _) if host.iter().all(|byte| is_of_a_host(*byte)) => Ok(()),
        ([_], _) => Err(Row::HostUnsound),
        _ => Err(Row::HostTwice),
    }
}

fn waits_for_continue(reader: Reader, head: &Head<'_>) -> bool {
    let asks = || {
        head.values("expect")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|word| without_blanks(word).eq_ignore_ascii_case(b"100-continue"))
    };
    reader == Reader::Plain && matches!(head.opening, Opening::Request { is_1_1: true, .. }) && asks()
}

impl<'a> Head<'a> {
    fn values(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(found, _)| found.len() == name.len() && found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'
        | b'_' | b'`' | b'|' | b'~')
}

/// RFC 3986, 3.2: what a host and a port are written with.
fn is_of_a_host(byte: u8) -> bool {
    let unreserved = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~');
    let sub_delimiter = matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
    unreserved || sub_delimiter || matches!(byte, b'%' | b':' | b'[' | b']')
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

fn without_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
