//! A disk that keeps what was synced, and of the rest what it likes.

use twopc_proto::{LogRecord, Lsn, RecordKind, Sync, TxnId};

use super::node::Survived;

/// A node's stable log and text file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk<R> {
    log: Vec<R>,
    /// How many of the log's records are synced.
    synced: usize,
    /// A record that is not synced has somebody waiting for it.
    awaited: bool,
    /// The text file: each line by the COMMIT record it belongs to.
    lines: Vec<Lsn>,
    /// How many of the lines are synced.
    lines_synced: usize,
    lying: bool,
}

impl<R: LogRecord> Disk<R> {
    /// An empty disk. A lying one forgets in a crash what it said was synced.
    #[must_use]
    pub fn new(lying: bool) -> Self {
        Self { log: Vec::new(), synced: 0, awaited: false, lines: Vec::new(), lines_synced: 0, lying }
    }

    /// The records that no crash can take away.
    #[must_use]
    pub fn durable(&self) -> &[R] {
        &self.log[..self.synced]
    }

    /// Every record that was written.
    #[must_use]
    pub fn written(&self) -> &[R] {
        &self.log
    }

    /// The COMMIT records whose line is in the text file, in the order of the lines.
    #[must_use]
    pub fn lines(&self) -> &[Lsn] {
        &self.lines
    }

    /// Whether the line that this transaction promises is in the text file; nothing is promised by
    /// one that did not commit here.
    #[must_use]
    pub fn has_line_of(&self, txn: &TxnId) -> bool {
        let promises = |record: &R| record.txn() == txn && record.committed().is_some();
        self.log.iter().position(promises).is_none_or(|place| self.lines.contains(&(place as Lsn + 1)))
    }

    /// How many records and lines a crash could take away.
    #[must_use]
    pub fn at_risk(&self) -> (usize, usize) {
        let (records, lines) = self.kept();
        (self.log.len() - records, self.lines.len() - lines)
    }

    /// How many records and lines no crash takes away.
    fn kept(&self) -> (usize, usize) {
        if self.lying { (0, 0) } else { (self.synced, self.lines_synced) }
    }

    /// Whether something waits for a record that is not synced.
    #[must_use]
    pub fn someone_waits(&self) -> bool {
        self.awaited
    }

    /// Writes a record. Before APPLIED the text file is synced: that is what APPLIED says.
    pub(super) fn write(&mut self, record: R, sync: Sync) {
        self.awaited |= sync == Sync::Now;
        if record.kind() == RecordKind::Applied {
            self.lines_synced = self.lines.len();
        }
        self.log.push(record);
    }

    /// Syncs all that is written; the place of the last record.
    pub(super) fn sync(&mut self) -> Lsn {
        self.synced = self.log.len();
        self.awaited = false;
        self.synced as Lsn
    }

    /// Appends a COMMIT record's line, unless it stands there: the stamp in the record tells.
    pub(super) fn append_line(&mut self, lsn: Lsn) {
        if !self.lines.contains(&lsn) {
            self.lines.push(lsn);
        }
    }

    /// What a crash leaves: the synced, and this much of the rest. It then counts as synced, since it
    /// was read back.
    pub(super) fn lose(&mut self, survived: Survived) {
        let (records, lines) = self.kept();
        self.log.truncate(records + survived.records);
        self.synced = self.log.len();
        self.awaited = false;
        self.lines.truncate(lines + survived.lines);
        self.lines_synced = self.lines.len();
    }
}
