//! One line of the log, written and read.
//!
//! Deliberately absent: whether a line follows the one before it, which takes both.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{FORMAT, Header, Stamp, Sum, Tip, VERSION, Why};
use crate::name::{Role, UserName};
use crate::record::LogRecord;
use crate::text::{MOST_MARKS, is_mark, is_unseen};

/// What stands between a line's content and its checksum.
const SEAL: &[u8] = b",\"sum\":\"";
/// The seal, eight digits and the closing `"}`.
const SEAL_LEN: usize = SEAL.len() + 8 + 2;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Line<R> {
    /// The first line, and no other: whose log this is.
    Header(Header),
    /// When a program starts on this log, before it recovers: its life's number, which rises.
    Life(u64),
    /// When the role asks for it: something that it must remember.
    Record {
        /// The record.
        record: R,
        /// Where its line is to stand, if it promises one to the text file.
        stamp: Option<Stamp>,
    },
    /// When a person has edited the text file and the line of an earlier COMMIT record is about to
    /// be appended elsewhere than its stamp says.
    Moved {
        /// The line of the log that holds the COMMIT record.
        line: u64,
        /// The stamp that counts from now on.
        stamp: Stamp,
    },
}

/// A line whose own checksum is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed<R> {
    /// Its number.
    pub(super) n: u64,
    /// The highest line that was on the disk when it was written.
    pub(super) synced: u64,
    /// The checksum of the line before.
    pub(super) prev: Sum,
    /// Its own checksum.
    pub(super) sum: Sum,
    /// What it says.
    pub(super) line: Line<R>,
}

/// The members that every line has, and the two of a stamp.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    n: u64,
    pub(super) synced: u64,
    prev: Sum,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    at: Option<u64>,
    before: Option<Sum>,
}

/// The lines that are the store's own.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
enum StoreLine {
    Log { format: String, version: u64, user: UserName, role: Role },
    Life { incarnation: u64 },
    Moved { line: u64, at: u64, before: Sum },
}

/// Appends a line, its newline included, and moves the tip on to it.
pub fn encode<R: LogRecord>(tip: &mut Tip, line: &Line<R>, out: &mut Vec<u8>) {
    let start = out.len();
    let n = tip.lines + 1;
    out.extend_from_slice(format!(r#"{{"n":{n},"synced":{},"prev":"{}""#, tip.synced, tip.sum).as_bytes());
    match line {
        Line::Header(Header { user, role }) => {
            push_members(out, &StoreLine::Log { format: FORMAT.into(), version: VERSION, user: user.clone(), role: *role });
        }
        Line::Life(incarnation) => push_members(out, &StoreLine::Life { incarnation: *incarnation }),
        Line::Record { record, stamp } => {
            push_members(out, record);
            if let Some(stamp) = stamp {
                push_members(out, stamp);
            }
        }
        Line::Moved { line, stamp: Stamp { at, before } } => {
            push_members(out, &StoreLine::Moved { line: *line, at: *at, before: *before });
        }
    }
    tip.sum = seal(out, start);
    tip.lines = n;
    out.push(b'\n');
}

/// Appends the members of a value that serialises to an object with at least one.
///
/// What cannot be seen, or changes how the rest of a line is seen, is escaped, and so are marks that are
/// stacked higher than any script stacks them: a log is read by people too, and to a program it is the
/// same text.
fn push_members<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let object = crate::json::body(value);
    let members = &object[1..object.len() - 1];
    out.push(b',');
    match core::str::from_utf8(members) {
        Ok(text) if !text.is_ascii() => push_visibly(out, text),
        Ok(_) | Err(_) => out.extend_from_slice(members),
    }
}

fn push_visibly(out: &mut Vec<u8>, text: &str) {
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if is_unseen(c) || marks > MOST_MARKS {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Closes an object that begins at `start` and lacks its closing brace with the checksum of all of
/// it, and returns that.
pub fn seal(out: &mut Vec<u8>, start: usize) -> Sum {
    let sum = Sum::of(&out[start..]);
    out.extend_from_slice(SEAL);
    out.extend_from_slice(format!("{sum}\"}}").as_bytes());
    sum
}

/// The checksum of a line (without its newline), if the line is what was sealed.
///
/// # Errors
/// [`Why::NoSum`] or [`Why::Sum`].
pub fn unseal(line: &[u8]) -> Result<Sum, Why> {
    let (content, seal) = line.len().checked_sub(SEAL_LEN).map(|at| line.split_at(at)).ok_or(Why::NoSum)?;
    let digits = seal.strip_prefix(SEAL).and_then(|rest| rest.strip_suffix(b"\"}")).ok_or(Why::NoSum)?;
    let said = Sum::parse(digits).ok_or(Why::NoSum)?;
    let found = Sum::of(content);
    if said == found { Ok(said) } else { Err(Why::Sum { said, found }) }
}

/// The members that every line has, of a line whose checksum is right.
pub(super) fn open(line: &[u8]) -> Result<(Sum, Envelope<'_>), Why> {
    Ok((unseal(line)?, members(line)?))
}

/// Reads one line without its newline.
pub(super) fn decode<R: LogRecord>(bytes: &[u8]) -> Result<Sealed<R>, Why> {
    let (sum, Envelope { n, synced, prev, kind, at, before }) = open(bytes)?;
    let line = match &*kind {
        "LOG" | "LIFE" | "MOVED" => match members(bytes)? {
            StoreLine::Log { .. } => Line::Header(decode_header(bytes)?),
            StoreLine::Life { incarnation } => Line::Life(incarnation),
            StoreLine::Moved { line, at, before } => Line::Moved { line, stamp: Stamp { at, before } },
        },
        _ => {
            let record: R = members(bytes)?;
            let stamp = at.zip(before).map(|(at, before)| Stamp { at, before });
            if record.committed().is_some() != stamp.is_some() {
                return Err(Why::Stamp);
            }
            Line::Record { record, stamp }
        }
    };
    let sealed = Sealed { n, synced, prev, sum, line };
    if sealed.is_written_so(bytes) { Ok(sealed) } else { Err(Why::Unreadable("it is written in another form".into())) }
}

impl<R: LogRecord> Sealed<R> {
    /// Whether these bytes are what [`encode`] makes of it: then nothing stands in the line that was
    /// not read.
    fn is_written_so(&self, bytes: &[u8]) -> bool {
        let mut tip = Tip { lines: self.n.saturating_sub(1), sum: self.prev, synced: self.synced };
        let mut written = Vec::with_capacity(bytes.len() + 1);
        encode(&mut tip, &self.line, &mut written);
        written.strip_suffix(b"\n") == Some(bytes)
    }
}

/// Reads the first line of a log without its newline.
pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, Why> {
    if open(bytes)?.1.kind != "LOG" {
        return Err(Why::Header);
    }
    match members(bytes)? {
        StoreLine::Log { format, version, user, role } if format == FORMAT && version == VERSION => Ok(Header { user, role }),
        StoreLine::Log { format, version, .. } => Err(Why::Format { format, version }),
        StoreLine::Life { .. } | StoreLine::Moved { .. } => Err(Why::Header),
    }
}

/// Those of a line's members that make a `T`.
fn members<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Why> {
    serde_json::from_slice(line).map_err(|error| Why::Unreadable(error.to_string()))
}
