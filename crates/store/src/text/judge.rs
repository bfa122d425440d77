//! What a text file's bytes say about lines that were promised to it. Pure.
//!
//! The bytes are compared at the place that each line's stamp names. Nothing ever searches for an
//! equal line: two transactions may commit the same string.

use std::ops::Range;

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

    /// Where the text ends once it stands.
    pub(crate) fn end(&self) -> Tail {
        let Stamp { at, before } = self.stamp;
        Tail { len: at, sum: before, open_line: false }.then(self.string.as_str().as_bytes()).then(b"\n")
    }

    /// The stamp of the line after this one.
    pub(crate) fn next_stamp(&self) -> Stamp {
        self.end().stamp()
    }

    /// Whether that line is stamped right behind this one.
    pub(crate) fn is_followed_by(&self, next: &Self) -> bool {
        next.stamp == self.next_stamp()
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

/// What a text says of lines that are stamped one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of them stand in their place, whatever follows.
    Stand,
    /// The text ends before, in or behind one of them, as an interrupted append leaves it.
    Ends {
        /// How many of them stand.
        whole: usize,
        /// How many bytes of the next are there.
        part: usize,
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
///
/// Bytes of an append that the disk did not get before a power cut read as NUL, which no string has:
/// what differs by NUL bytes alone was not written.
pub(crate) fn judge(text: &[u8], lines: &[Promised]) -> Verdict {
    let Stamp { at, before } = lines[0].stamp;
    let written = text.len() - text.iter().rev().take_while(|byte| **byte == 0).count();
    let tail = Tail::of(&text[..written]);
    if tail.stamp() == lines[0].stamp {
        return Verdict::Ends { whole: 0, part: 0, tail };
    }
    let Some((prefix, rest)) = usize::try_from(at).ok().and_then(|at| text.split_at_checked(at)) else {
        return Verdict::Edited { whole: 0 };
    };
    if Sum::of(prefix) != before {
        return Verdict::Edited { whole: 0 };
    }
    let expected: Vec<u8> = lines.iter().flat_map(Promised::bytes).collect();
    let same = rest.iter().zip(&expected).take_while(|(there, wanted)| there == wanted).count();
    if same == expected.len() {
        return Verdict::Stand;
    }
    let whole = expected[..same].iter().filter(|byte| **byte == b'\n').count();
    let unwritten = rest.len() <= expected.len() && rest.iter().zip(&expected).all(|(there, wanted)| there == wanted || *there == 0);
    if !unwritten {
        return Verdict::Edited { whole };
    }
    Verdict::Ends { whole, part: same - length(&lines[..whole]), tail: Tail::of(&text[..prefix.len() + same]) }
}

/// Where a text has bytes of these lines that will not be written again.
pub(crate) fn present(text: &[u8], lines: &[Promised]) -> Range<usize> {
    let start = usize::try_from(lines[0].stamp.at).unwrap_or(usize::MAX).min(text.len());
    match judge(text, lines) {
        Verdict::Stand => start..start + length(lines),
        Verdict::Ends { .. } => start..text.len(),
        Verdict::Edited { whole } => start..start + length(&lines[..whole]),
    }
}

/// How many bytes these lines take.
fn length(lines: &[Promised]) -> usize {
    lines.iter().map(|line| line.string.as_str().len() + 1).sum()
}
