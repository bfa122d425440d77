//! What a verdict says: a word, a row an invariant, and the lines that prove it.
//!
//! Every text in here can be shown as it is: what files say has gone through
//! [`Shown`](twopc_proto::text::Shown). Deliberately absent: how it is laid out.

use std::fmt;

use serde::Serialize;
use twopc_proto::text::Shown;

/// The verdict on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In a word.
    #[serde(rename = "verdict")]
    pub outcome: Outcome,
    /// One row an invariant, in the order of [`Invariant::ALL`].
    pub rows: Vec<Row>,
    /// Transactions that somebody has committed.
    pub committed: u64,
    /// Transactions that somebody has aborted, and nobody committed.
    pub aborted: u64,
    /// Transactions that nobody has decided.
    pub undecided: u64,
    /// What it rests on, and what a person should know besides.
    pub notes: Vec<String>,
}

/// A verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Outcome {
    /// Every invariant holds, and nothing is unfinished.
    #[serde(rename = "ATOMIC")]
    Atomic,
    /// Nothing is violated, and something is unfinished or cannot be told.
    #[serde(rename = "IN DOUBT")]
    InDoubt,
    /// An invariant is broken.
    #[serde(rename = "VIOLATED")]
    Violated,
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invariant {
    /// Nobody commits what another one aborts.
    #[serde(rename = "agreement")]
    Agreement,
    /// Commit only if everybody had promised.
    #[serde(rename = "validity")]
    Validity,
    /// A vote or a decision, once on a disk or in a message, never changes.
    #[serde(rename = "stability")]
    Stability,
    /// A committed string stands in each text file once, in order; an aborted one never.
    #[serde(rename = "exactly once")]
    ExactlyOnce,
    /// A promise is left only for a decision that stood elsewhere.
    #[serde(rename = "no guessing")]
    NoGuessing,
}

/// How an invariant, or one finding about it, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It holds, and nothing is missing.
    Holds,
    /// It is not violated; something is unfinished, or cannot be told from what was given.
    Open,
    /// It is violated.
    Broken,
}

/// One invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which.
    pub invariant: Invariant,
    /// How it stands.
    pub mark: Mark,
    /// Why it does not hold, what is broken first.
    pub findings: Vec<Finding>,
}

/// One reason why an invariant does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Open or broken.
    pub mark: Mark,
    /// What was found, in a sentence.
    pub says: String,
    /// What proves it.
    pub quotes: Vec<Quote>,
}

/// A line of a file, or what is not in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The file.
    pub file: String,
    /// The line, counted from 1; none for what is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The line as it stands, or a sentence on what does not.
    pub text: String,
}

impl Outcome {
    /// `ATOMIC`, `IN DOUBT` or `VIOLATED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "ATOMIC",
            Self::InDoubt => "IN DOUBT",
            Self::Violated => "VIOLATED",
        }
    }

    /// The status that `twopc-lab verify` ends with.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Atomic => 0,
            Self::InDoubt => 4,
            Self::Violated => 5,
        }
    }
}

impl Invariant {
    /// Every invariant, in the order of their rows.
    pub const ALL: [Self; 5] = [Self::Agreement, Self::Validity, Self::Stability, Self::ExactlyOnce, Self::NoGuessing];

    /// Its name: `exactly once`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Validity => "validity",
            Self::Stability => "stability",
            Self::ExactlyOnce => "exactly once",
            Self::NoGuessing => "no guessing",
        }
    }
}

impl Mark {
    /// `holds`, `open` or `broken`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Open => "open",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, text } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {text}"),
            None => write!(f, "{file}: {text}"),
        }
    }
}

impl Quote {
    /// A line of a file, made safe to look at.
    pub(super) fn line(file: &str, line: u64, text: &str) -> Self {
        Self { file: Shown::new(file).to_string(), line: Some(line), text: Shown::new(text).to_string() }
    }

    /// What is not in a file, or is true of all of it.
    pub(super) fn whole(file: &str, text: &str) -> Self {
        Self { file: Shown::new(file).to_string(), line: None, text: Shown::new(text).to_string() }
    }
}

/// The rows of a verdict as it is being made.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<(Invariant, Finding)>);

impl Rows {
    /// An invariant is broken.
    pub(super) fn broken(&mut self, invariant: Invariant, says: &str, quotes: Vec<Quote>) {
        self.add(invariant, Mark::Broken, says, quotes);
    }

    /// An invariant is open.
    pub(super) fn open(&mut self, invariant: Invariant, says: &str, quotes: Vec<Quote>) {
        self.add(invariant, Mark::Open, says, quotes);
    }

    /// How many findings there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn add(&mut self, invariant: Invariant, mark: Mark, says: &str, quotes: Vec<Quote>) {
        self.0.push((invariant, Finding { mark, says: Shown::new(says).to_string(), quotes }));
    }

    /// One row an invariant.
    pub(super) fn finish(self) -> Vec<Row> {
        let mut rows: Vec<Row> =
            Invariant::ALL.into_iter().map(|invariant| Row { invariant, mark: Mark::Holds, findings: Vec::new() }).collect();
        for (invariant, finding) in self.0 {
            if let Some(row) = rows.iter_mut().find(|row| row.invariant == invariant) {
                row.mark = row.mark.max(finding.mark);
                row.findings.push(finding);
            }
        }
        for row in &mut rows {
            row.findings.sort_by_key(|finding| std::cmp::Reverse(finding.mark));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_obeys_nothing_of_what_it_repeats() {
        let quote = Quote::line("a\u{1b}.txt", 3, "abc\u{202e}cba\u{1b}[2J");
        assert_eq!(quote.to_string(), "a<U+001B>.txt:3: abc<U+202E>cba<U+001B>[2J");
    }

    #[test]
    fn a_row_is_as_bad_as_its_worst_finding_and_says_that_first() {
        let mut rows = Rows::default();
        rows.open(Invariant::Agreement, "in doubt", Vec::new());
        rows.broken(Invariant::Agreement, "broken\nin two", Vec::new());
        rows.open(Invariant::NoGuessing, "unknown", Vec::new());
        let rows = rows.finish();
        let marks: Vec<Mark> = rows.iter().map(|row| row.mark).collect();
        assert_eq!(marks, [Mark::Broken, Mark::Holds, Mark::Holds, Mark::Holds, Mark::Open]);
        let says: Vec<&str> = rows[0].findings.iter().map(|finding| finding.says.as_str()).collect();
        assert_eq!(says, ["broken<U+000A>in two", "in doubt"]);
    }
}
