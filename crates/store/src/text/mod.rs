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
use std::ops::Range;
use std::path::{Path, PathBuf};

use twopc_proto::Lsn;
use twopc_proto::log::Stamp;

use crate::commits::Commits;
use crate::disk::{Disk, Look, append_all, create_new, is_full, parent};
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
    /// `false` if somebody has put one there meanwhile, which stays.
    pub(crate) fn create(&mut self, disk: &mut D, text: &[u8], through: Lsn) -> Result<bool, StoreError> {
        if !create_new(disk, &self.path, text).doing("create", &self.path)? {
            return Ok(false);
        }
        self.tail = Tail::of(text);
        self.seen = disk.look(&self.path).doing("read", &self.path)?.filter(|look| look.len == self.tail.len);
        self.name_is_synced();
        self.pending.retain(|line| line.lsn > through);
        Ok(true)
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
            // Whatever is done to the file is done to the one that was judged, as it was then.
            let Some(mut file) = self.open_as(disk, look)? else { continue };
            let (standing, placed) = match verdict {
                Verdict::Stand => (run, None),
                Verdict::Edited { whole } => (whole, Some(Placed::Edited(text))),
                Verdict::Ends { whole, part, tail } => {
                    let wanted = self.pending.iter().take(run).take_while(|line| line.lsn <= through).count().max(whole);
                    let is_interrupted = part > 0 || tail.len < self.tail.len;
                    if wanted == whole {
                        (whole, None)
                    } else if self.complete(disk, &mut file, look, whole..wanted, part, tail)? {
                        let string = || self.pending[whole].string.as_str().to_owned();
                        reports.extend(is_interrupted.then(|| Report::Completed { text: self.path.clone(), string: string() }));
                        (wanted, None)
                    } else {
                        (whole, Some(Placed::NoSpace))
                    }
                }
            };
            self.stand(file, look, standing);
            if let Some(placed) = placed {
                return Ok(placed);
            }
        }
    }

    /// Returns once the disk has the lines that stand; `false` if the file was replaced meanwhile, so
    /// that they are to be made to stand again.
    pub(crate) fn sync(&mut self, disk: &mut D) -> Result<bool, StoreError> {
        if let Some((file, id)) = &mut self.dirty {
            disk.sync(file).doing("sync", &self.path)?;
            if self.named != Some(*id) {
                disk.sync_dir(parent(&self.path)).doing("sync", parent(&self.path))?;
                self.named = Some(*id);
            }
            let look = disk.look(&self.path).doing("read", &self.path)?;
            if look.is_none_or(|look| look.file != *id) {
                self.take_back();
                return Ok(false);
            }
        }
        self.dirty = None;
        self.unsynced.clear();
        Ok(true)
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

    /// Opens the file that looked so; `None` if it was changed or replaced since.
    fn open_as(&mut self, disk: &mut D, look: Look) -> Result<Option<D::File>, StoreError> {
        let file = match disk.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.doing("open", &self.path)?,
        };
        let now = disk.look(&self.path).doing("read", &self.path)?;
        Ok((now == Some(look)).then_some(file))
    }

    /// Notes that the first pending lines stand, in this file.
    fn stand(&mut self, file: D::File, look: Look, count: usize) {
        if count > 0 && self.dirty.is_none() {
            self.dirty = Some((file, look.file));
        }
        self.unsynced.extend(self.pending.drain(..count));
    }

    /// Appends these pending lines, in one write; `tail` is where the file ends with the `part` of the
    /// first that is there. `false`: there was no space.
    fn complete(
        &mut self,
        disk: &mut D,
        file: &mut D::File,
        look: Look,
        lines: Range<usize>,
        part: usize,
        tail: Tail,
    ) -> Result<bool, StoreError> {
        if tail.len < self.tail.len {
            disk.truncate(file, tail.len).doing("cut back", &self.path)?;
        }
        let mut bytes = Vec::new();
        if part == 0 && tail.open_line {
            bytes.push(b'\n');
        }
        bytes.extend(self.pending.range(lines).flat_map(Promised::bytes).skip(part));
        self.seen = None;
        if let Err(short) = append_all(disk, file, &bytes) {
            if !is_full(&short.error) {
                return Err(short.error).doing("write", &self.path);
            }
            // Left as it is if this fails, or if somebody else has written too: what stands there
            // of a line is found and completed when it is tried again.
            if disk.look(&self.path).is_ok_and(|now| now.is_some_and(|now| now.file == look.file && now.len == tail.len + short.taken)) {
                let _ = disk.truncate(file, tail.len);
            }
            return Ok(false);
        }
        self.tail = tail.then(&bytes);
        let now = disk.look(&self.path).doing("read", &self.path)?;
        self.seen = now.filter(|now| now.file == look.file && now.len == self.tail.len);
        Ok(true)
    }
}
