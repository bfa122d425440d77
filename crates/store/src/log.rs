//! The stable log as a file: created, opened and judged, compacted, appended to, cut back, synced.
//!
//! Deliberately absent: what the lines say, and what waits for which of them.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use twopc_proto::LogRecord;
use twopc_proto::log::{Header, Line, ReadLog, Tip, compact, encode, read_header, read_log};

use crate::disk::{Disk, append_all, create_dirs, is_full, parent, replace, with_suffix};
use crate::error::{Doing, StoreError};
use crate::place::Place;
use crate::report::Report;

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is written; not yet synced.
    Yes,
    /// There was no space: nothing of it is left in the file, and the disk knows that.
    NoSpace,
}

/// What became of a compaction.
pub(crate) enum Compacted<R> {
    /// The log is this one now, whole and on the disk.
    Done(ReadLog<R>),
    /// It is small, or most of it is needed.
    NotNeeded,
    /// There is no space for a new log beside it, or no permission to make one: it is as it was.
    NotPossible(io::Error),
}

/// An open log.
pub(crate) struct Log<D: Disk> {
    path: PathBuf,
    file: D::File,
    /// Which file it is, to notice when another one stands in its place.
    id: (u64, u64),
    len: u64,
    tip: Tip,
}

impl<D: Disk> Log<D> {
    /// Creates a log that holds its header alone.
    pub(crate) fn create(disk: &mut D, place: &Place) -> Result<(), StoreError> {
        create_dirs(disk, &place.dir).doing("create", &place.dir)?;
        let path = place.log();
        let mut header = Vec::new();
        let line = Line::<twopc_proto::ParticipantRecord>::Header(Header { user: place.user.clone(), role: place.role });
        encode(&mut Tip::default(), &line, &mut header);
        replace(disk, &path, false, &header).doing("create", &path)?;
        // An earlier start may have created the folder and died before the disk had its name.
        match disk.sync_dir(parent(&place.dir)) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
            other => other.doing("sync", parent(&place.dir)),
        }
    }

    /// Opens and judges a log that exists, and cuts off a torn tail once that is kept aside.
    pub(crate) fn open<R: LogRecord>(disk: &mut D, place: &Place) -> Result<(Self, ReadLog<R>, Option<Report>), StoreError> {
        let path = place.log();
        let bytes = disk.read(&path).doing("read", &path)?;
        let damaged = |damage| StoreError::Damaged { file: path.clone(), damage };
        let Header { user, role } = read_header(&bytes).map_err(damaged)?;
        if user != place.user || role != place.role {
            return Err(StoreError::OtherLog { file: path, user, role });
        }
        let read: ReadLog<R> = read_log(&bytes).map_err(damaged)?;
        let (mut tip, mut report) = (read.tip, None);
        if let Some(torn) = read.torn {
            let kept = keep_aside(disk, &path, &bytes[bytes.len() - torn.bytes as usize..])?;
            let mut file = disk.open(&path).doing("open", &path)?;
            disk.truncate(&mut file, read.len).doing("cut back", &path)?;
            disk.sync(&mut file).doing("sync", &path)?;
            tip.synced = tip.lines;
            report = Some(Report::torn_tail(path.clone(), torn, kept));
        }
        Ok((Self::of(disk, path, read.len, tip)?, read, report))
    }

    /// Puts a log that promises the same in the place of this one, which holds `read`, if this one has
    /// at least `from` bytes and at least half of them are not needed any more. After a crash at any
    /// moment the old or the new one stands there, whole.
    pub(crate) fn compact<R: LogRecord>(&mut self, disk: &mut D, read: &ReadLog<R>, from: u64) -> Result<Compacted<R>, StoreError> {
        if self.len < from {
            return Ok(Compacted::NotNeeded);
        }
        let bytes = compact(read);
        if bytes.len() as u64 > self.len / 2 {
            return Ok(Compacted::NotNeeded);
        }
        let beside = with_suffix(&self.path, ".new");
        if let Err(refused) = write_beside(disk, &beside, &bytes)? {
            return Ok(Compacted::NotPossible(refused));
        }
        // The old log is gone with the next step, so the new one is read first, as the disk has it.
        let held = disk.read(&beside).doing("read", &beside)?;
        let compacted = read_log::<R>(&held).ok().filter(|_| held == bytes);
        let compacted = compacted.ok_or_else(|| io::Error::other("it holds something else than was written")).doing("write", &beside)?;
        self.is_in_place(disk)?;
        disk.rename(&beside, &self.path).doing("rename", &beside)?;
        disk.sync_dir(parent(&self.path)).doing("sync", parent(&self.path))?;
        *self = Self::of(disk, self.path.clone(), compacted.len, compacted.tip)?;
        Ok(Compacted::Done(compacted))
    }

    /// The log of this name, which has so many bytes and ends there.
    fn of(disk: &mut D, path: PathBuf, len: u64, tip: Tip) -> Result<Self, StoreError> {
        let file = disk.open(&path).doing("open", &path)?;
        let look = disk.look(&path).doing("read", &path)?;
        match look.filter(|look| look.len == len) {
            Some(look) => Ok(Self { id: look.file, path, file, len, tip }),
            None => Err(StoreError::LogTouched { file: path }),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it ends.
    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Appends these lines, in one write; `tip` is where the log ends with them.
    pub(crate) fn append(&mut self, disk: &mut D, lines: &[u8], tip: Tip) -> Result<Appended, StoreError> {
        match append_all(disk, &mut self.file, lines) {
            Ok(()) => {
                self.len += lines.len() as u64;
                self.tip = Tip { synced: self.tip.synced, ..tip };
                Ok(Appended::Yes)
            }
            Err(short) if is_full(&short.error) => {
                disk.truncate(&mut self.file, self.len).doing("cut back", &self.path)?;
                self.sync(disk)?;
                Ok(Appended::NoSpace)
            }
            Err(short) => Err(short.error).doing("write", &self.path),
        }
    }

    /// Returns once the disk has every line, and the log's name still leads to them.
    pub(crate) fn sync(&mut self, disk: &mut D) -> Result<(), StoreError> {
        disk.sync(&mut self.file).doing("sync", &self.path)?;
        self.is_in_place(disk)?;
        self.tip.synced = self.tip.lines;
        Ok(())
    }

    /// Makes sure that the log's name leads to this file, and that nobody else has written to it.
    fn is_in_place(&self, disk: &mut D) -> Result<(), StoreError> {
        let look = disk.look(&self.path).doing("read", &self.path)?;
        match look.filter(|look| look.file == self.id && look.len == self.len) {
            Some(_) => Ok(()),
            None => Err(StoreError::LogTouched { file: self.path.clone() }),
        }
    }
}

/// Writes and syncs a file that nothing depends on yet. The inner error is a disk's or a folder's that
/// takes no such file; what was written of it takes no space then.
fn write_beside<D: Disk>(disk: &mut D, path: &Path, bytes: &[u8]) -> Result<io::Result<()>, StoreError> {
    let mut file = match disk.create(path, false) {
        Err(error) if is_full(&error) || matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            return Ok(Err(error));
        }
        other => other.doing("create", path)?,
    };
    let written = append_all(disk, &mut file, bytes).map_err(io::Error::from).and_then(|()| disk.sync(&mut file));
    match written {
        Err(error) if is_full(&error) => {
            disk.truncate(&mut file, 0).doing("cut back", path)?;
            Ok(Err(error))
        }
        other => other.doing("write", path).map(Ok),
    }
}

/// Writes what is about to be cut off to a file of its own, under the first name that is free.
fn keep_aside<D: Disk>(disk: &mut D, log: &Path, tail: &[u8]) -> Result<PathBuf, StoreError> {
    let mut number = 1;
    let kept = loop {
        let path = with_suffix(log, &format!(".torn-{number}"));
        if disk.look(&path).doing("read", &path)?.is_none() {
            break path;
        }
        number += 1;
    };
    replace(disk, &kept, false, tail).doing("write", &kept)?;
    Ok(kept)
}
