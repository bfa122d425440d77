//! The COMMIT records of a log, as promises to the text file.

use std::collections::{BTreeSet, VecDeque};

use twopc_proto::log::{Logged, Stamp};
use twopc_proto::{Decided, Decision, LogRecord, Lsn, RecordKind, TxnId};

use crate::disk::Disk;
use crate::error::StoreError;
use crate::report::Report;
use crate::text::{Promised, Tail, TextFile, difference};

/// Every line that a log promises to the text file, in the order of their records.
pub(crate) struct Commits {
    all: Vec<Promised>,
    /// Those that are known to stand, synced: there is an APPLIED record.
    applied: BTreeSet<Lsn>,
    /// How many strings were committed before those: the log was rid of them when it was compacted.
    older: u64,
}

impl Commits {
    /// Of these records.
    pub(crate) fn of<R: LogRecord>(records: &[Logged<R>]) -> Self {
        let settled: BTreeSet<&TxnId> =
            records.iter().map(|logged| &logged.record).filter(|record| record.kind() == RecordKind::Applied).map(LogRecord::txn).collect();
        let committed = records.iter().filter_map(|logged| logged.record.decided()).filter(|some| some.decision() == Decision::Commit);
        let older = committed.map(Decided::count).fold(0, u64::saturating_add);
        let mut commits = Self { all: Vec::new(), applied: BTreeSet::new(), older };
        for (lsn, Logged { line, record, stamp }) in (1..).zip(records) {
            if let Some((string, stamp)) = record.committed().cloned().zip(*stamp) {
                if settled.contains(record.txn()) {
                    commits.applied.insert(lsn);
                }
                commits.all.push(Promised { lsn, line: *line, string, stamp });
            }
        }
        commits
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that are not known to stand.
    pub(crate) fn open(&self) -> VecDeque<Promised> {
        self.all.iter().filter(|line| !self.applied.contains(&line.lsn)).cloned().collect()
    }

    /// Where the text file ends if nobody has edited it since the last of them.
    pub(crate) fn end(&self) -> Option<Tail> {
        self.all.last().map(Promised::end)
    }

    /// Where the text file's lines begin that the log still has, if there are others before them.
    fn base(&self) -> Option<Stamp> {
        self.all.first().filter(|_| self.older > 0).map(|line| line.stamp)
    }

    /// What a person should know of a text file that holds this.
    pub(crate) fn difference<D: Disk>(&self, text: &TextFile<D>, content: &[u8]) -> Option<Report> {
        difference(text.path(), content, self.base(), self.standing(text))
    }

    /// Whether every string that should stand by now is in a text file that holds this.
    pub(crate) fn all_stand<D: Disk>(&self, text: &TextFile<D>, content: &[u8]) -> bool {
        !matches!(self.difference(text, content), Some(Report::Edited { missing, .. }) if !missing.is_empty())
    }

    /// The same lines, counted as in a compacted log: the last of each are those of the other.
    pub(crate) fn in_compacted<'a>(&'a self, compacted: &'a Self) -> impl Iterator<Item = (&'a Promised, &'a Promised)> {
        self.all.iter().rev().zip(compacted.all.iter().rev())
    }

    /// The strings that should stand in the text file by now.
    fn standing<'a, D: Disk>(&'a self, text: &'a TextFile<D>) -> impl Iterator<Item = &'a str> {
        let open: BTreeSet<Lsn> = text.pending().iter().map(|line| line.lsn).collect();
        self.all.iter().filter(move |line| !open.contains(&line.lsn)).map(|line| line.string.as_str())
    }

    /// Writes the text file anew, with every line up to the last that stood. An earlier line that is
    /// not known to have stood is among them, since lines stand in the order of their records. Nothing is
    /// done, and nothing to be reported, if there is a file again by now.
    pub(crate) fn rebuild<D: Disk>(&self, disk: &mut D, text: &mut TextFile<D>) -> Result<Option<Report>, StoreError> {
        let open: BTreeSet<Lsn> = text.pending().iter().map(|line| line.lsn).collect();
        let through = self.all.iter().rev().map(|line| line.lsn).find(|lsn| !open.contains(lsn)).unwrap_or(0);
        let lines: Vec<&Promised> = self.all.iter().take_while(|line| line.lsn <= through).collect();
        let content: Vec<u8> = lines.iter().flat_map(|line| line.bytes()).collect();
        let is_there = text.create(disk, &content, through)?;
        Ok(is_there.then(|| Report::Rebuilt { text: text.path().to_path_buf(), lines: lines.len(), lost: self.older }))
    }
}
