//! A whole log, judged: what it holds, where an interrupted write cut it off, or what is damaged.
//!
//! A **torn tail** is what a crash leaves of writes that were never synced, and nothing was promised
//! on them: a last line without its newline, or a line with NUL bytes (blocks that were never
//! written) that no later line knows to have been on the disk. Any other bad line, last or not, is
//! **damage** to what was promised, and so is what looks torn but is one flipped bit away from a
//! whole line, since no interrupted write leaves that. A log that was compacted was born whole and
//! says so in each of its first lines: none of those is ever torn, and none may be missing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::line::{self, Sealed};
use super::{Header, Line, Stamp, Sum, Tip};
use crate::record::LogRecord;

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Logged<R> {
    /// Its line in the log.
    pub line: u64,
    /// What was remembered.
    pub record: R,
    /// Where its own line stands in the text file, as stamped last.
    pub stamp: Option<Stamp>,
}

/// What a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLog<R> {
    /// Whose it is.
    pub header: Header,
    /// The number of the last life that began on it; 0 before the first.
    pub incarnation: u64,
    /// The role's records, in order.
    pub records: Vec<Logged<R>>,
    /// Where it ends, a torn tail left out.
    pub tip: Tip,
    /// How many bytes the whole lines take; a torn tail begins there.
    pub len: u64,
    /// What is left of an interrupted write.
    pub torn: Option<Torn>,
}

/// What is left of an interrupted write, at the end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The line that it was to be, or the first of several.
    pub line: u64,
    /// How many bytes are left of it.
    pub bytes: u64,
}

/// Something that was promised can no longer be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {why}")]
pub struct Damage {
    /// Where, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no such line, though a log has at least its header, and one that was compacted all
    /// that it was born with.
    #[error("is missing")]
    Missing,
    /// It does not end in a checksum.
    #[error("does not end in a checksum")]
    NoSum,
    /// Its checksum is another's.
    #[error("was changed: it was written with the checksum {said} and has {found} now")]
    Sum {
        /// What stands in it.
        said: Sum,
        /// What its bytes give.
        found: Sum,
    },
    /// Its end was changed, so that it looks like an interrupted write and is none.
    #[error("was changed by a bit, so that it looks like an interrupted write")]
    Flipped,
    /// It was on the disk once, and its blocks are empty now.
    #[error("has lost what was written there")]
    Lost,
    /// It is whole, but another line's.
    #[error("is line {found} of some log")]
    Number {
        /// The number that it has.
        found: u64,
    },
    /// It is whole and has the right number, but follows another line.
    #[error("does not follow the line before it, which has the checksum {expected}, but one with {found}")]
    Chain {
        /// The checksum of the line before.
        expected: Sum,
        /// The one it names.
        found: Sum,
    },
    /// The first line is no header, or a later one is.
    #[error("is not what stands there in a log: the header is the first line, and no other")]
    Header,
    /// Another format, or a version that this program does not read.
    #[error("says that this is {format}, version {version}, which this program does not read")]
    Format {
        /// Its name.
        format: String,
        /// Its version.
        version: u64,
    },
    /// Its checksum is right, but this program would not have written it.
    #[error("is not a record of this log ({0})")]
    Unreadable(String),
    /// A life's number does not rise.
    #[error("begins life {found}, though life {last} has begun before")]
    Life {
        /// The highest so far.
        last: u64,
        /// What it says.
        found: u64,
    },
    /// A COMMIT record without a stamp, another record with one, or a new stamp for neither.
    #[error("does not say properly where a line stands in the text file")]
    Stamp,
}

/// Reads the first line alone: whose log these bytes are.
///
/// # Errors
/// [`Damage`] to line 1.
pub fn read_header(bytes: &[u8]) -> Result<Header, Damage> {
    let damage = |why| Damage { line: 1, why };
    let (first, _) = split_line(bytes).ok_or(damage(if bytes.is_empty() { Why::Missing } else { Why::NoSum }))?;
    line::decode_header(first).map_err(damage)
}

/// Reads a whole log.
///
/// # Errors
/// [`Damage`] naming the first line that is neither whole and in its place nor part of a torn tail.
/// A log is created with its header, so line 1 is never torn.
pub fn read_log<R: LogRecord>(bytes: &[u8]) -> Result<ReadLog<R>, Damage> {
    let header = read_header(bytes)?;
    let mut log = ReadLog { header, incarnation: 0, records: Vec::new(), tip: Tip::default(), len: 0, torn: None };
    let mut rest = bytes;
    while !rest.is_empty() {
        let line = log.tip.lines + 1;
        let damage = |why| Damage { line, why };
        let Some((this, after)) = split_line(rest) else {
            log.torn = Some(log.torn_tail(rest, Why::NoSum).map_err(damage)?);
            break;
        };
        match line::decode(this) {
            Ok(sealed) => log.take(sealed).map_err(damage)?,
            Err(why) if this.contains(&0) => {
                log.torn = Some(log.torn_tail(rest, why).map_err(damage)?);
                break;
            }
            Err(why) => return Err(damage(why)),
        }
        log.len += (this.len() + 1) as u64;
        rest = after;
    }
    if log.torn.is_none() && log.tip.lines < log.tip.synced {
        return Err(Damage { line: log.tip.lines + 1, why: Why::Missing });
    }
    Ok(log)
}

impl<R: LogRecord> ReadLog<R> {
    /// Takes the next line, if that is what it is.
    fn take(&mut self, sealed: Sealed<R>) -> Result<(), Why> {
        let Sealed { n, synced, prev, sum, line } = sealed;
        if n != self.tip.lines + 1 {
            return Err(Why::Number { found: n });
        }
        if prev != self.tip.sum {
            return Err(Why::Chain { expected: self.tip.sum, found: prev });
        }
        match line {
            Line::Header(_) if n == 1 => {}
            Line::Header(_) => return Err(Why::Header),
            Line::Life(found) if found > self.incarnation => self.incarnation = found,
            Line::Life(found) => return Err(Why::Life { last: self.incarnation, found }),
            Line::Record { record, stamp } => self.records.push(Logged { line: n, record, stamp }),
            Line::Moved { line, stamp } => self.restamp(line, stamp)?,
        }
        // The header is on the disk before the log has its name.
        self.tip = Tip { lines: n, sum, synced: self.tip.synced.max(synced).max(1) };
        Ok(())
    }

    /// Judges what is left of the log, whose next line is bad in a way that an interrupted write
    /// leaves; `why` is what else is wrong with it.
    fn torn_tail(&self, tail: &[u8], why: Why) -> Result<Torn, Why> {
        let line = self.tip.lines + 1;
        let torn = torn(tail, line, why)?;
        // A log that was compacted knows from its first line on how far it was on the disk.
        if line <= self.tip.synced { Err(Why::Lost) } else { Ok(torn) }
    }

    /// Gives the COMMIT record in this line of the log another stamp.
    fn restamp(&mut self, line: u64, stamp: Stamp) -> Result<(), Why> {
        let at = self.records.binary_search_by_key(&line, |logged| logged.line).map_err(|_| Why::Stamp)?;
        let held = self.records[at].stamp.as_mut().ok_or(Why::Stamp)?;
        *held = stamp;
        Ok(())
    }
}

/// The first line, without its newline, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Judges a tail that may be what an interrupted write left: its first line, number `line`, lacks
/// its newline or holds NUL bytes. `why` is what else is wrong with it.
fn torn(tail: &[u8], line: u64, why: Why) -> Result<Torn, Why> {
    let first = split_line(tail).map_or(tail, |(first, _)| first);
    if line == 1 {
        return Err(why);
    }
    if is_one_bit_off(tail, first) {
        return Err(Why::Flipped);
    }
    // Whatever can still be read after the gap was written later, and says what was synced then.
    let was_synced = tail.split(|&byte| byte == b'\n' || byte == 0).filter_map(|piece| line::open(piece).ok());
    if was_synced.into_iter().any(|(_, envelope)| envelope.synced >= line) {
        return Err(Why::Lost);
    }
    Ok(Torn { line, bytes: tail.len() as u64 })
}

/// Whether one flipped bit explains the first line of a tail: it is whole but for a blank or an `@`
/// that became NUL, or its newline became something else.
fn is_one_bit_off(tail: &[u8], first: &[u8]) -> bool {
    // Behind that newline the beginnings of a later line may stand, on which nothing was promised.
    let is_off = |end: &usize| (first[*end] ^ b'\n').is_power_of_two() && first[..*end].ends_with(b"\"}");
    if (0..first.len()).filter(is_off).any(|end| line::unseal(&first[..end]).is_ok()) {
        return true;
    }
    let is_last = first.len() == tail.len();
    if let (true, Some((last, whole))) = (is_last, first.split_last()) {
        return *last != 0 && line::unseal(whole).is_ok();
    }
    let mut zeroes = first.iter().enumerate().filter(|(_, byte)| **byte == 0);
    let (Some((at, _)), None) = (zeroes.next(), zeroes.next()) else { return false };
    let mut restored = first.to_vec();
    (0..8).any(|bit| {
        restored[at] = 1 << bit;
        line::unseal(&restored).is_ok()
    })
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes from line {} on", self.bytes, self.line)
    }
}
