//! Exactly once: one participant's text file beside its log.
//!
//! The log says which strings are to stand there, in which order, and, by the place that was stamped on
//! each COMMIT record, where what it was rid of ends. What a person has typed between them is no
//! violation. Deliberately absent: the comparison itself, which is [`audit::standing`].

use std::collections::BTreeMap;

use twopc_proto::audit::{self, Amiss, Promise};
use twopc_proto::log::{Stamp, Sum};
use twopc_proto::text::Shown;
use twopc_proto::{Decision, LogRecord, ParticipantRecord, RecordKind, TxnId};

use super::evidence::Evidence;
use super::finding::Rows;
use super::log::NodeLog;
use super::paper::Paper;
use super::promises::{Commit, Promises};
use super::shelf::Shelf;
use super::strings::Proposals;
use super::{Invariant, Quote};

/// Judges the text file of the participant whose log this is.
pub(super) fn judge(
    evidence: &Evidence,
    log: &NodeLog,
    shelf: &Shelf<ParticipantRecord>,
    proposals: &Proposals<'_>,
    rows: &mut Rows,
    notes: &mut Vec<String>,
) {
    let promises = Promises::of(evidence, log, shelf);
    match evidence.texts.get(&log.user) {
        Some(paper) => Page::new(paper, &promises).judge(proposals, rows, notes),
        None => promises.without_text(rows),
    }
}

/// A text file beside what was promised to it.
struct Page<'e, 'p> {
    paper: &'e Paper,
    promises: &'p Promises<'e>,
    /// Where the lines begin that the log still has; `None` if that cannot be told any more.
    start: Option<usize>,
    /// The lines from there on, or all.
    lines: Vec<&'e [u8]>,
}

impl<'e, 'p> Page<'e, 'p> {
    fn new(paper: &'e Paper, promises: &'p Promises<'e>) -> Self {
        let base = promises.commits.first().and_then(|commit| commit.stamp).filter(|_| promises.older > 0);
        let start = base.map_or(Some(0), |base| lines_before(paper, base));
        let mut lines = paper.lines();
        lines.drain(..start.unwrap_or(0).min(lines.len()));
        let mut page = Self { paper, promises, start, lines };
        page.leave_out_what_is_being_written();
        page
    }

    /// Of an append that is going on, or was interrupted, a part may stand at the end: the beginning of
    /// a line, or blocks that were never written.
    fn leave_out_what_is_being_written(&mut self) {
        let Some(last) = self.lines.last_mut() else { return };
        let written = last.len() - last.iter().rev().take_while(|byte| **byte == 0).count();
        *last = &last[..written];
        let is_open = !self.paper.bytes().ends_with(b"\n");
        let begins = |commit: &Commit<'_>| {
            let string = commit.string.as_bytes();
            !commit.must_stand && string.len() > last.len() && string.starts_with(last)
        };
        if is_open && self.promises.commits.iter().any(begins) {
            self.lines.pop();
        }
    }

    fn judge(&self, proposals: &Proposals<'_>, rows: &mut Rows, notes: &mut Vec<String>) {
        let places = self.places();
        let commits = &self.promises.commits;
        let promises: Vec<Promise<'_>> = commits
            .iter()
            .zip(places)
            .map(|(commit, place)| Promise { string: commit.string, must_stand: commit.must_stand, place })
            .collect();
        let standing = audit::standing(&promises, &self.lines);
        for amiss in &standing.amiss {
            self.report(amiss, rows);
        }
        for index in &standing.awaited {
            self.promises.awaited(*index, rows);
        }
        if self.start.is_none() {
            return self.report_older(promises.iter().filter(|promise| promise.must_stand).count(), rows);
        }
        let typed = self.never_committed(&standing.added, proposals, rows);
        if !typed.is_empty() {
            let lines: Vec<String> = typed.iter().map(|line| self.number(*line).to_string()).collect();
            let count = if typed.len() == 1 { "a line that belongs" } else { "lines that belong" };
            let numbers = shortened(&lines);
            notes.push(format!("{} has {count} to no COMMIT, typed by hand: {numbers}.", Shown::new(self.paper.file())));
        }
    }

    fn report(&self, amiss: &Amiss, rows: &mut Rows) {
        let Promises { log, .. } = self.promises;
        let file = Shown::new(self.paper.file());
        let (says, promises, lines) = match amiss {
            Amiss::Missing { promises, lines } if lines.is_empty() => {
                (format!("{} was committed at {} and does not stand in {file}", self.promises.named(promises), log.user), promises, lines)
            }
            Amiss::Missing { promises, lines } => {
                let (wanted, found) = (promises.len(), lines.len());
                (
                    format!("{} was committed {wanted} times and stands {found} times in {file}", self.promises.named(promises)),
                    promises,
                    lines,
                )
            }
            // Some of them may be older ones.
            Amiss::Doubled { .. } if self.start.is_none() => return,
            Amiss::Doubled { promises, lines } => {
                let times = if promises.len() == 1 { "once".into() } else { format!("{} times", promises.len()) };
                let found = lines.len();
                (format!("{} was committed {times} and stands {found} times in {file}", self.promises.named(promises)), promises, lines)
            }
            Amiss::OutOfOrder { earlier, later } => {
                let (first, second) = (self.promises.named(&[earlier.0]), self.promises.named(&[later.0]));
                let says = format!("{second} stands before {first} in {file}, and was committed after it");
                (says, &vec![earlier.0, later.0], &vec![later.1, earlier.1])
            }
        };
        let mut quotes: Vec<Quote> = promises.iter().flat_map(|index| self.promises.proofs(*index)).collect();
        quotes.extend(lines.iter().map(|line| self.paper.quote(self.number(*line))));
        if lines.is_empty() {
            let string = promises.first().map_or("", |index| self.promises.commits[*index].string);
            quotes.push(self.paper.lacks(&format!("line “{string}”")));
        }
        rows.broken(Invariant::ExactlyOnce, &says, quotes);
    }

    /// The lines were changed whose strings the log was rid of: all that can be told is how many lines
    /// there must be at least.
    fn report_older(&self, needed: usize, rows: &mut Rows) {
        let older = self.promises.older;
        let file = Shown::new(self.paper.file());
        let quotes = self.promises.commits.first().map(|commit| self.promises.log.paper.quote(commit.line)).into_iter().collect();
        if (self.lines.len() as u64) < older.saturating_add(needed as u64) {
            let says = format!(
                "{file} has {} lines, and {} committed strings must stand there: {older} of which the log has no copy any more, and {needed}",
                self.lines.len(),
                older.saturating_add(needed as u64)
            );
            rows.broken(Invariant::ExactlyOnce, &says, quotes);
        } else {
            let says = format!(
                "{file} was changed among its first lines, of whose {older} strings the log has no copy any more: whether they all stand cannot be told"
            );
            rows.open(Invariant::ExactlyOnce, &says, quotes);
        }
    }

    /// Reports the lines that say what was put to the vote and not committed, and gives the others.
    fn never_committed(&self, added: &[usize], proposals: &Proposals<'_>, rows: &mut Rows) -> Vec<usize> {
        let mut typed = Vec::new();
        let mut wrong: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for line in added {
            let proposed = std::str::from_utf8(self.lines[*line]).ok().filter(|text| self.is_refused(text, proposals));
            match proposed {
                Some(text) => wrong.entry(text).or_default().push(*line),
                None => typed.push(*line),
            }
        }
        for (text, lines) in wrong {
            let mut quotes: Vec<Quote> = lines.iter().map(|line| self.paper.quote(self.number(*line))).collect();
            let own = proposals[text].iter().filter(|proposal| proposal.participants.contains(&self.promises.log.user));
            let mut transactions = Vec::new();
            for proposal in own {
                let (records, at) = self.promises.shelf.of(proposal.txn);
                quotes.push(proposal.quote());
                let decided = records.iter().zip(&at).filter(|(record, _)| record.kind() == RecordKind::Abort);
                quotes.extend(decided.map(|(_, line)| self.promises.log.paper.quote(*line)));
                transactions.push(proposal.txn.to_string());
            }
            let says = format!(
                "“{text}” stands in {}, and {}, which proposed it, is not committed at {}",
                Shown::new(self.paper.file()),
                transactions.join(", "),
                self.promises.log.user
            );
            rows.broken(Invariant::ExactlyOnce, &says, quotes);
        }
        typed
    }

    /// Whether this was put to the vote of this participant and never committed here.
    fn is_refused(&self, text: &str, proposals: &Proposals<'_>) -> bool {
        let Some(proposals) = proposals.get(text) else { return false };
        let mut own = proposals.iter().filter(|proposal| proposal.participants.contains(&self.promises.log.user)).peekable();
        let is_committed = |txn: &TxnId| {
            let committed = |record: &ParticipantRecord| {
                record.kind() == RecordKind::Commit || record.decided().is_some_and(|decided| decided.decision() == Decision::Commit)
            };
            self.promises.shelf.of(txn).0.iter().any(committed)
        };
        own.peek().is_some() && own.all(|proposal| !is_committed(proposal.txn))
    }

    /// For each COMMIT record the line that stands at its place, if everything before is as it was then.
    fn places(&self) -> Vec<Option<usize>> {
        let bytes = self.paper.bytes();
        let (mut at, mut sum) = (0, Sum::default());
        let place = |commit: &Commit<'_>| {
            let stamp = commit.stamp?;
            let wanted = usize::try_from(stamp.at).ok()?;
            if wanted < at {
                (at, sum) = (0, Sum::default());
            }
            sum = sum.then(bytes.get(at..wanted)?);
            at = wanted;
            let stands = sum == stamp.before && bytes[at..].strip_prefix(commit.string.as_bytes())?.starts_with(b"\n");
            stands.then(|| self.paper.line_at(stamp.at)?.checked_sub(self.start?)).flatten()
        };
        self.promises.commits.iter().map(place).collect()
    }

    /// A line's number in the file.
    fn number(&self, line: usize) -> u64 {
        (self.start.unwrap_or(0) + line + 1) as u64
    }
}

/// How many lines stand before this place, if they are as they were when it was stamped, whatever an
/// editor made of the ends of the lines.
fn lines_before(paper: &Paper, stamp: Stamp) -> Option<usize> {
    let at = usize::try_from(stamp.at).ok()?;
    if paper.bytes().get(..at).is_some_and(|before| Sum::of(before) == stamp.before) {
        return Some(paper.lines_before(stamp.at));
    }
    let plain: Vec<u8> = paper.lines().into_iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
    let before = plain.get(..at).filter(|before| Sum::of(before) == stamp.before)?;
    Some(before.iter().filter(|byte| **byte == b'\n').count())
}

/// A few of these, and how many more there are.
fn shortened(lines: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let word = if lines.len() == 1 { "line" } else { "lines" };
    match lines.len().checked_sub(SHOWN) {
        None | Some(0) => format!("{word} {shown}"),
        Some(more) => format!("{word} {shown} and {more} more"),
    }
}
