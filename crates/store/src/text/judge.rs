//! What a text file's bytes say about lines that were promised to it. Pure.
//!
//! The bytes are compared at the place that each line's stamp names. Nothing ever searches for an
//! equal line: two transactions may commit the same string.

use twopc_proto::log::{Stamp, Sum};
use twopc_proto::{CommittedString, Lsn};

/// A line that is to stand in the text file: a COMMIT record without APPLIED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promised {
    /// The COMMIT record.
    pub(crate) lsn: Lsn,
    /// The line of the log that holds it.
    pub(crate) line: u64,
    /// What the line says, without its newline.
    pub(crate) string: CommittedString,
    /// Where it is to stand.
    pub(crate) stamp: Stamp,
}

impl Promised {
    /// The bytes that are to stand there.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.string.as_str().bytes().chain([b'\n'])
    }

    /// How many they are.
    pub(crate) fn len(&self) -> u64 {
        self.string.as_str().len() as u64 + 1
    }

    /// Where the text ends once it stands.
    pub(crate) fn end(&self) -> Tail {
        let Stamp { at, before } = self.stamp;
        Tail { len: at, sum: before, open_line: false }.then(self.string.as_str().as_bytes()).then(b"\n")
    }

    /// The stamp of the line after this one.
    pub(crate) fn next_stamp(&self) -> Stamp {
        self.end().stamp()
    }
}

/// Where a text ends: all that a stamp needs to know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Its length in bytes.
    pub(crate) len: u64,
    /// Its checksum.
    pub(crate) sum: Sum,
    /// Whether its last line lacks a newline.
    pub(crate) open_line: bool,
}

impl Tail {
    /// Of this text.
    pub(crate) fn of(text: &[u8]) -> Self {
        Self::default().then(text)
    }

    /// Of this text with more behind it.
    pub(crate) fn then(self, more: &[u8]) -> Self {
        let open_line = more.last().map_or(self.open_line, |&byte| byte != b'\n');
        Self { len: self.len + more.len() as u64, sum: self.sum.then(more), open_line }
    }

    /// With the newline that its last line may lack.
    pub(crate) fn closed(self) -> Self {
        if self.open_line { self.then(b"\n") } else { self }
    }

    /// Where the next line is to stand.
    pub(crate) fn stamp(self) -> Stamp {
        let Self { len, sum, .. } = self.closed();
        Stamp { at: len, before: sum }
    }
}

/// How many lines from the first on are stamped one behind the other.
pub(crate) fn chained<'a>(mut promised: impl Iterator<Item = &'a Promised>) -> usize {
    let Some(mut last) = promised.next() else { return 0 };
    let mut count = 1;
    for next in promised {
        if next.stamp != last.next_stamp() {
            break;
        }
        (last, count) = (next, count + 1);
    }
    count
}

/// What a text says of lines that are stamped one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of them stand in their place, whatever follows.
    Stand,
    /// The text ends before the first or in the middle of them, as an interrupted append leaves it.
    Ends {
        /// How many of their bytes are there.
        done: usize,
        /// Where the text ends with these. It may be longer, by blocks that were never written.
        tail: Tail,
    },
    /// A person has edited the text: the first so many lines stand, the others do not.
    Edited {
        /// How many.
        whole: usize,
    },
}

/// Compares a text with lines that are stamped one behind the other; there is at least one.
pub(crate) fn judge(text: &[u8], lines: &[Promised]) -> Verdict {
    let Stamp { at, before } = lines[0].stamp;
    let tail = Tail::of(text);
    if tail.stamp() == lines[0].stamp {
        return Verdict::Ends { done: 0, tail };
    }
    let Some((prefix, rest)) = usize::try_from(at).ok().and_then(|at| text.split_at_checked(at)) else {
        return Verdict::Edited { whole: 0 };
    };
    if Sum::of(prefix) != before {
        return Verdict::Edited { whole: 0 };
    }
    let expected: Vec<u8> = lines.iter().flat_map(Promised::bytes).collect();
    let done = rest.iter().zip(&expected).take_while(|(there, wanted)| there == wanted).count();
    if done == expected.len() {
        return Verdict::Stand;
    }
    // Bytes of an append that the disk did not get before a power cut read as NUL; no string has one.
    let unwritten = rest.len() <= expected.len() && rest.iter().zip(&expected).all(|(there, wanted)| there == wanted || *there == 0);
    if unwritten {
        return Verdict::Ends { done, tail: Tail::of(&text[..prefix.len() + done]) };
    }
    let whole = lines.iter().take_while(|line| line.stamp.at + line.len() <= at + done as u64).count();
    Verdict::Edited { whole }
}
