//! The COMMIT records of a log, as promises to the text file.

use std::collections::{BTreeSet, VecDeque};

use twopc_proto::log::Logged;
use twopc_proto::{LogRecord, Lsn, RecordKind, TxnId};

use crate::disk::Disk;
use crate::error::StoreError;
use crate::report::Report;
use crate::text::{Promised, Tail, TextFile};

/// Every line that a log promises to the text file, in the order of their records.
pub(crate) struct Commits {
    all: Vec<Promised>,
    /// Those that are known to stand, synced: there is an APPLIED record.
    applied: BTreeSet<Lsn>,
}

impl Commits {
    /// Of these records.
    pub(crate) fn of<R: LogRecord>(records: &[Logged<R>]) -> Self {
        let settled: BTreeSet<&TxnId> =
            records.iter().map(|logged| &logged.record).filter(|record| record.kind() == RecordKind::Applied).map(LogRecord::txn).collect();
        let mut commits = Self { all: Vec::new(), applied: BTreeSet::new() };
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

    /// The strings that should stand in the text file by now.
    pub(crate) fn standing<'a, D: Disk>(&'a self, text: &'a TextFile<D>) -> impl Iterator<Item = &'a str> {
        let open: BTreeSet<Lsn> = text.pending().iter().map(|line| line.lsn).collect();
        self.all.iter().filter(move |line| !open.contains(&line.lsn)).map(|line| line.string.as_str())
    }

    /// Writes the text file anew, with every line up to the last that stood. An earlier line that is
    /// not known to have stood is among them, since lines stand in the order of their records.
    pub(crate) fn rebuild<D: Disk>(&self, disk: &mut D, text: &mut TextFile<D>) -> Result<Report, StoreError> {
        let open: BTreeSet<Lsn> = text.pending().iter().map(|line| line.lsn).collect();
        let through = self.all.iter().rev().map(|line| line.lsn).find(|lsn| !open.contains(lsn)).unwrap_or(0);
        let lines: Vec<&Promised> = self.all.iter().take_while(|line| line.lsn <= through).collect();
        let content: Vec<u8> = lines.iter().flat_map(|line| line.bytes()).collect();
        text.create(disk, &content, through)?;
        Ok(Report::Rebuilt { text: text.path().to_path_buf(), lines: lines.len() })
    }
}
