//! The text file: what a person opens, a projection of the log.
//!
//! The log says which lines are to stand in it and where; this module makes them stand there, once
//! each and in the order of their COMMIT records, and never overwrites what a person wrote. The file
//! is opened by its name for each append, since editors save by renaming.
//!
//! Deliberately absent: when a line may be appended (once its COMMIT record is on the disk), when
//! the file must be synced (before an APPLIED record), and what a new stamp needs (a line of the
//! log). The store knows that.

mod difference;
mod judge;

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use twopc_proto::Lsn;
use twopc_proto::log::Stamp;

use crate::commits::Commits;
use crate::disk::{Disk, Look, append_all, is_full, parent, replace};
use crate::error::{Doing, StoreError};
use crate::report::Report;

pub(crate) use difference::difference;
pub(crate) use judge::{Promised, Tail};
use judge::{Verdict, judge, present};

/// How far lines could be made to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// They all stand.
    All,
    /// There is no space for the rest; what was written of it is cut off again, if that went.
    NoSpace,
    /// The file is not there.
    Gone,
    /// A person has edited the file, which holds this. The rest needs other stamps first
    /// ([`TextFile::new_stamps`]), in the log.
    Edited(Vec<u8>),
}

/// One node's text file.
pub(crate) struct TextFile<D: Disk> {
    path: PathBuf,
    /// Lines that are not known to stand, in the order of their records.
    pending: VecDeque<Promised>,
    /// Lines that stand, but may not have reached the disk.
    unsynced: VecDeque<Promised>,
    /// The file that those stand in, and which it is.
    dirty: Option<(D::File, (u64, u64))>,
    /// Where the file ended when it was read or appended to last.
    tail: Tail,
    /// How the file looked then; `None` if that is not certain.
    seen: Option<Look>,
    /// Which file's name is known to be on the disk.
    named: Option<(u64, u64)>,
}

impl<D: Disk> TextFile<D> {
    /// The file of this name, not looked at yet, with the lines that the log promises to it.
    pub(crate) fn new(path: PathBuf, pending: VecDeque<Promised>) -> Self {
        Self { path, pending, unsynced: VecDeque::new(), dirty: None, tail: Tail::default(), seen: None, named: None }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it ended when it was read or appended to last.
    pub(crate) fn tail(&self) -> Tail {
        self.tail
    }

    /// The lines that are not known to stand, in the order of their records.
    pub(crate) fn pending(&self) -> &VecDeque<Promised> {
        &self.pending
    }

    /// The last line that stands, but may not have reached the disk.
    pub(crate) fn last_unsynced(&self) -> Option<Lsn> {
        self.unsynced.back().map(|line| line.lsn)
    }

    /// The stamp of the line that is promised next.
    pub(crate) fn next_stamp(&self) -> Stamp {
        self.pending.back().map_or_else(|| self.tail.stamp(), Promised::next_stamp)
    }

    /// Takes on lines whose COMMIT records are in the log now.
    pub(crate) fn promise(&mut self, lines: Vec<Promised>) {
        self.pending.extend(lines);
    }

    /// Where the pending lines would stand at the end of the file as it was read last.
    pub(crate) fn new_stamps(&self) -> Vec<Stamp> {
        let mut tail = self.tail.closed();
        let mut stamps = Vec::with_capacity(self.pending.len());
        for line in &self.pending {
            stamps.push(tail.stamp());
            tail = tail.then(line.string.as_str().as_bytes()).then(b"\n");
        }
        stamps
    }

    /// Gives the pending lines these stamps, which the log has.
    pub(crate) fn restamp(&mut self, stamps: Vec<Stamp>) {
        for (line, stamp) in self.pending.iter_mut().zip(stamps) {
            line.stamp = stamp;
        }
    }

    /// Counts the pending lines as the compacted log does that stands in the place of the other.
    pub(crate) fn renumber(&mut self, old: &Commits, compacted: &Commits) {
        let places: BTreeMap<Lsn, (Lsn, u64)> = old.in_compacted(compacted).map(|(old, new)| (old.lsn, (new.lsn, new.line))).collect();
        for promised in &mut self.pending {
            // A compacted log keeps every COMMIT record without APPLIED.
            (promised.lsn, promised.line) = places[&promised.lsn];
        }
    }

    /// All that the file holds; `None` if it is not there.
    pub(crate) fn read(&mut self, disk: &mut D) -> Result<Option<Vec<u8>>, StoreError> {
        let look = disk.look(&self.path).doing("read", &self.path)?;
        let text = match disk.read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).doing("read", &self.path),
        };
        self.tail = Tail::of(&text);
        self.seen = look.filter(|look| look.len == self.tail.len);
        Ok(Some(text))
    }

    /// The lines of this text, without what stands there of pending ones.
    pub(crate) fn without_pending(&self, text: &[u8]) -> Vec<String> {
        let pending: Vec<Promised> = self.pending.iter().cloned().collect();
        let there: Vec<_> = pending.chunk_by(Promised::is_followed_by).map(|run| present(text, run)).collect();
        let kept = text.iter().enumerate().filter(|(at, _)| !there.iter().any(|range| range.contains(at)));
        let kept: Vec<u8> = kept.map(|(_, byte)| *byte).collect();
        String::from_utf8_lossy(&kept).lines().map(str::to_owned).collect()
    }

    /// Puts a new file in the place of the one that is gone. It holds every line up to this one.
    pub(crate) fn create(&mut self, disk: &mut D, text: &[u8], through: Lsn) -> Result<(), StoreError> {
        replace(disk, &self.path, false, text).doing("create", &self.path)?;
        self.tail = Tail::of(text);
        self.seen = disk.look(&self.path).doing("read", &self.path)?.filter(|look| look.len == self.tail.len);
        self.name_is_synced();
        self.pending.retain(|line| line.lsn > through);
        Ok(())
    }

    /// Notes that the directory was synced after the file was looked at.
    pub(crate) fn name_is_synced(&mut self) {
        self.named = self.seen.map(|look| look.file);
    }

    /// Makes the lines up to this COMMIT record stand, as far as that goes.
    pub(crate) fn place(&mut self, disk: &mut D, through: Lsn, reports: &mut Vec<Report>) -> Result<Placed, StoreError> {
        loop {
            let Some(look) = disk.look(&self.path).doing("read", &self.path)? else {
                self.take_back();
                return Ok(if self.is_pending(through) { Placed::Gone } else { Placed::All });
            };
            if self.dirty.as_ref().is_some_and(|(_, id)| *id != look.file) {
                self.take_back();
            }
            if !self.is_pending(through) {
                return Ok(Placed::All);
            }
            let run = self.pending.make_contiguous().chunk_by(Promised::is_followed_by).next().map_or(0, <[_]>::len);
            let (verdict, text) = if self.seen == Some(look) && self.pending[0].stamp == self.tail.stamp() {
                (Verdict::Ends { whole: 0, part: 0, tail: self.tail }, Vec::new())
            } else {
                let Some(text) = self.read(disk)? else { continue };
                (judge(&text, &self.pending.as_slices().0[..run]), text)
            };
            match verdict {
                Verdict::Stand => self.stand(disk, look, run)?,
                Verdict::Ends { whole, part, tail } => {
                    self.stand(disk, look, whole)?;
                    let wanted = self.pending.iter().take(run - whole).take_while(|line| line.lsn <= through).count();
                    if wanted > 0 && !self.complete(disk, look, wanted, part, tail, reports)? {
                        return Ok(Placed::NoSpace);
                    }
                }
                Verdict::Edited { whole } => {
                    self.stand(disk, look, whole)?;
                    return Ok(Placed::Edited(text));
                }
            }
        }
    }

    /// Returns once the disk has the lines that stand.
    pub(crate) fn sync(&mut self, disk: &mut D) -> Result<(), StoreError> {
        if let Some((file, id)) = &mut self.dirty {
            disk.sync(file).doing("sync", &self.path)?;
            if self.named != Some(*id) {
                disk.sync_dir(parent(&self.path)).doing("sync", parent(&self.path))?;
                self.named = Some(*id);
            }
        }
        self.dirty = None;
        self.unsynced.clear();
        Ok(())
    }

    fn is_pending(&self, through: Lsn) -> bool {
        self.pending.front().is_some_and(|line| line.lsn <= through)
    }

    /// The file was replaced or deleted before it was synced: what stood in it is to be looked for
    /// again.
    fn take_back(&mut self) {
        self.dirty = None;
        while let Some(line) = self.unsynced.pop_back() {
            self.pending.push_front(line);
        }
    }

    /// Notes that the first pending lines stand, in the file that looks so.
    fn stand(&mut self, disk: &mut D, look: Look, count: usize) -> Result<(), StoreError> {
        if count > 0 && self.dirty.is_none() {
            self.dirty = Some((disk.open(&self.path).doing("open", &self.path)?, look.file));
        }
        self.unsynced.extend(self.pending.drain(..count));
        Ok(())
    }

    /// Appends the first `count` lines, in one write; `tail` is where the file ends with the `part`
    /// of the first that is there. `false`: there was no space.
    fn complete(
        &mut self,
        disk: &mut D,
        look: Look,
        count: usize,
        part: usize,
        tail: Tail,
        reports: &mut Vec<Report>,
    ) -> Result<bool, StoreError> {
        let mut file = disk.open(&self.path).doing("open", &self.path)?;
        let has_unwritten = tail.len < self.tail.len;
        if has_unwritten {
            disk.truncate(&mut file, tail.len).doing("cut back", &self.path)?;
        }
        let mut bytes = Vec::new();
        if part == 0 && tail.open_line {
            bytes.push(b'\n');
        }
        bytes.extend(self.pending.iter().take(count).flat_map(Promised::bytes).skip(part));
        self.seen = None;
        if let Err(short) = append_all(disk, &mut file, &bytes) {
            if !is_full(&short.error) {
                return Err(short.error).doing("write", &self.path);
            }
            // Left as it is if this fails, or if somebody else has written too: what stands there
            // of a line is found and completed when it is tried again.
            if disk.look(&self.path).is_ok_and(|now| now.is_some_and(|now| now.file == look.file && now.len == tail.len + short.taken)) {
                let _ = disk.truncate(&mut file, tail.len);
            }
            return Ok(false);
        }
        if part > 0 || has_unwritten {
            let string = self.pending[0].string.as_str().to_owned();
            reports.push(Report::Completed { text: self.path.clone(), string });
        }
        self.tail = tail.then(&bytes);
        self.seen = disk.look(&self.path).doing("read", &self.path)?.filter(|now| now.len == self.tail.len);
        if self.dirty.is_none() {
            self.dirty = Some((file, look.file));
        }
        self.unsynced.extend(self.pending.drain(..count));
        Ok(true)
    }
}
