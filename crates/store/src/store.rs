//! The store of one node: its log and its text file, brought up to date a batch at a time.
//!
//! What waits is written and synced as one: a batch costs one write of the log, at most one sync of
//! it, and one sync of the text file if a line in it is to be called applied. An error other than
//! the want of space ends the node, and nothing is tried again on the same file: what the disk
//! really holds is read at the next start.
//!
//! Deliberately absent: threads and time. Whoever owns the store gives it one of its own, since a
//! sync may take as long as the disk likes.

use std::io;
use std::marker::PhantomData;
use std::path::Path;

use twopc_proto::log::{Line, Tip, encode, read_log};
use twopc_proto::{LogRecord, Lsn, RecordKind, Sync};

use crate::commits::Commits;
use crate::disk::Disk;
use crate::error::{Doing, StoreError};
use crate::job::{Job, Outcome};
use crate::key::Key;
use crate::log::{Appended, Log};
use crate::text::{Placed, Promised, TextFile};

/// One node's files, open.
pub struct Store<D: Disk, R: LogRecord> {
    pub(crate) disk: D,
    pub(crate) key: Key,
    pub(crate) log: Log<D>,
    pub(crate) text: Option<TextFile<D>>,
    /// The place of the record that is to be written next.
    pub(crate) next: Lsn,
    /// Whether that one was refused: until it comes again, whatever was queued behind it is dropped.
    pub(crate) refused: bool,
    pub(crate) records: PhantomData<fn(R)>,
}

/// A record that is to be written.
struct Entry<R> {
    lsn: Lsn,
    record: R,
    sync: Sync,
}

impl<D: Disk, R: LogRecord> Store<D, R> {
    /// The key of this name.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Where the committed strings stand; a participant has such a file.
    #[must_use]
    pub fn text_path(&self) -> Option<&Path> {
        self.text.as_ref().map(TextFile::path)
    }

    /// The lines of the text file as they stand now, but for those of COMMIT records that are still to
    /// be applied; none if there is no such file.
    ///
    /// # Errors
    /// What the system said. The node must end.
    pub fn lines(&mut self) -> Result<Vec<String>, StoreError> {
        let Some(text) = &mut self.text else { return Ok(Vec::new()) };
        let content = text.read(&mut self.disk)?.unwrap_or_default();
        Ok(text.without_pending(&content))
    }

    /// Where the log is.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        self.log.path()
    }

    /// Does what waits, as one. The outcomes come in this order: those of the records, those of the
    /// lines, each with the reports that belong to it.
    ///
    /// - Records are written together and synced together if any of them is [`Sync::Now`]; then
    ///   [`Outcome::Durable`] names the last one. Records that can all wait give no outcome, and
    ///   become durable with the next sync.
    /// - If they do not fit, [`Outcome::Refused`] names the first of them, and every record is
    ///   dropped, in later calls too, until that one comes again.
    /// - A line is appended once its record is durable, those of earlier COMMIT records first.
    ///
    /// # Errors
    /// Whatever else went wrong. The node must end.
    ///
    /// # Panics
    /// If records come out of order, which is a bug in whoever numbers them.
    pub fn perform(&mut self, jobs: Vec<Job<R>>) -> Result<Vec<Outcome>, StoreError> {
        let (mut entries, mut lines) = (Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Persist { lsn, record, sync } => {
                    if self.accepts(lsn) {
                        entries.push(Entry { lsn, record, sync });
                    }
                }
                Job::Apply { lsn, string: _ } => lines.push(lsn),
            }
        }
        let mut outcomes = Vec::new();
        if !entries.is_empty() {
            self.persist(entries, &mut outcomes)?;
        }
        // A line whose record was refused has no place to stand, and its machine knows.
        lines.retain(|lsn| *lsn < self.next);
        if !lines.is_empty() {
            self.apply(&lines, &mut outcomes)?;
        }
        Ok(outcomes)
    }

    /// Whether this record is to be written now, and not dropped behind a refused one.
    fn accepts(&mut self, lsn: Lsn) -> bool {
        if lsn == self.next {
            self.refused = false;
            self.next += 1;
            return true;
        }
        assert!(self.refused, "record {lsn} came where record {} was due", self.next);
        false
    }

    /// Writes records, and syncs them if any of them cannot wait. There is at least one.
    fn persist(&mut self, entries: Vec<Entry<R>>, outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let first = entries[0].lsn;
        let is_awaited = entries.iter().any(|entry| entry.sync == Sync::Now);
        if entries.iter().any(|entry| entry.record.kind() == RecordKind::Applied) {
            self.sync_text(outcomes)?;
        }
        let (bytes, tip, promised) = self.lines_of(entries);
        match self.log.append(&mut self.disk, &bytes, tip)? {
            Appended::NoSpace => {
                self.next = first;
                self.refused = true;
                outcomes.push(Outcome::Refused(first));
                return Ok(());
            }
            Appended::Yes => {}
        }
        if let Some(text) = &mut self.text {
            text.promise(promised);
        }
        if is_awaited {
            self.log.sync(&mut self.disk)?;
            outcomes.push(Outcome::Durable(self.next - 1));
        }
        Ok(())
    }

    /// The lines of the log that hold these records, where it ends with them, and what they promise
    /// to the text file.
    fn lines_of(&self, entries: Vec<Entry<R>>) -> (Vec<u8>, Tip, Vec<Promised>) {
        let (mut bytes, mut tip) = (Vec::new(), self.log.tip());
        let mut promised: Vec<Promised> = Vec::new();
        for Entry { lsn, record, sync: _ } in entries {
            let line = self.text.as_ref().zip(record.committed()).map(|(text, string)| Promised {
                lsn,
                line: tip.lines + 1,
                string: string.clone(),
                stamp: promised.last().map_or_else(|| text.next_stamp(), Promised::next_stamp),
            });
            encode(&mut tip, &Line::Record { record, stamp: line.as_ref().map(|line| line.stamp) }, &mut bytes);
            promised.extend(line);
        }
        (bytes, tip, promised)
    }

    /// Makes these lines stand in the text file. There is at least one.
    fn apply(&mut self, lines: &[Lsn], outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let through = lines.iter().copied().max().unwrap_or(0);
        if self.log.tip().synced < self.log.tip().lines {
            self.sync_records_of_lines(through)?;
        }
        let has_space = self.place(through, outcomes)?;
        let first_missing = self.text.as_ref().and_then(|text| text.pending().front()).map_or(Lsn::MAX, |line| line.lsn);
        debug_assert!(!has_space || first_missing > through, "what was placed stands");
        outcomes.extend(lines.iter().map(|&lsn| if lsn < first_missing { Outcome::Applied { lsn } } else { Outcome::Refused(lsn) }));
        Ok(())
    }

    /// Syncs the log if a COMMIT record up to this one may not be on the disk.
    fn sync_records_of_lines(&mut self, through: Lsn) -> Result<(), StoreError> {
        let synced = self.log.tip().synced;
        let waits = |text: &TextFile<D>| text.pending().iter().any(|line| line.lsn <= through && line.line > synced);
        if self.text.as_ref().is_some_and(waits) { self.log.sync(&mut self.disk) } else { Ok(()) }
    }

    /// Makes the lines up to this COMMIT record stand; `false` if there is no space for them.
    fn place(&mut self, through: Lsn, outcomes: &mut Vec<Outcome>) -> Result<bool, StoreError> {
        let Self { disk, log, text: Some(text), .. } = self else { return Ok(true) };
        loop {
            let mut reports = Vec::new();
            let placed = text.place(disk, through, &mut reports)?;
            outcomes.extend(reports.into_iter().map(Outcome::Report));
            match placed {
                Placed::All => return Ok(true),
                Placed::NoSpace => return Ok(false),
                Placed::Gone => match read_commits::<D, R>(disk, log)?.rebuild(disk, text) {
                    Ok(report) => outcomes.extend(report.map(Outcome::Report)),
                    Err(StoreError::NoSpace { .. }) => return Ok(false),
                    Err(error) => return Err(error),
                },
                Placed::Edited(content) => {
                    if !restamp::<D, R>(disk, log, text)? {
                        return Ok(false);
                    }
                    let commits = read_commits::<D, R>(disk, log)?;
                    outcomes.extend(commits.difference(text, &content).map(Outcome::Report));
                }
            }
        }
    }

    /// Has the disk hold every line that stands, so that it may be called applied.
    fn sync_text(&mut self, outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let Some(last) = self.text.as_ref().and_then(TextFile::last_unsynced) else { return Ok(()) };
        loop {
            // Usually they do; if the file was replaced since, they are looked for in the new one.
            let has_space = self.place(last, outcomes)?;
            let Some(text) = &mut self.text else { return Ok(()) };
            if !has_space {
                return Err(io::Error::from(io::ErrorKind::StorageFull)).doing("write", text.path());
            }
            if text.sync(&mut self.disk)? {
                return Ok(());
            }
        }
    }
}

/// Has the log say that the pending lines are to stand at the end of the text file as it was read
/// last; `false` if it has no space for that.
fn restamp<D: Disk, R: LogRecord>(disk: &mut D, log: &mut Log<D>, text: &mut TextFile<D>) -> Result<bool, StoreError> {
    let stamps = text.new_stamps();
    let (mut bytes, mut tip) = (Vec::new(), log.tip());
    for (line, stamp) in text.pending().iter().zip(&stamps) {
        encode(&mut tip, &Line::<R>::Moved { line: line.line, stamp: *stamp }, &mut bytes);
    }
    match log.append(disk, &bytes, tip)? {
        Appended::NoSpace => return Ok(false),
        Appended::Yes => log.sync(disk)?,
    }
    text.restamp(stamps);
    Ok(true)
}

/// The COMMIT records as the log has them; they are not kept in memory.
fn read_commits<D: Disk, R: LogRecord>(disk: &mut D, log: &Log<D>) -> Result<Commits, StoreError> {
    let bytes = disk.read(log.path()).doing("read", log.path())?;
    let read = read_log::<R>(&bytes).map_err(|damage| StoreError::Damaged { file: log.path().to_path_buf(), damage })?;
    Ok(Commits::of(&read.records))
}
