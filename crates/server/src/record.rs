//! `room.http`: every chat and protocol frame as the relay stamped it, in the room's order.
//!
//! It is written beside the traffic. A disk that takes nothing stops neither the room nor the
//! record for good: frames are missing then, never halves of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::beside::Beside;

/// The name of the file that is written to.
const CURRENT: &str = "room.http";

/// The size at which a file is put aside.
const ROTATE_AT: u64 = 64 * 1024 * 1024;

/// Opens the record and starts its thread.
///
/// # Errors
/// When the file cannot be opened or made.
pub(crate) fn start(logs: &Path) -> io::Result<Beside<Arc<[u8]>>> {
    let mut record = Record::open(logs, ROTATE_AT)?;
    let mut is_failing = false;
    Beside::start("record", move |frames, lost| {
        if lost > 0 {
            tracing::warn!(lost, "the disk is slower than the room: frames are missing in room.http");
        }
        match record.append(frames) {
            Ok(()) => is_failing = false,
            // Said once, however long it lasts.
            Err(error) if !is_failing => {
                is_failing = true;
                tracing::error!(%error, frames = frames.len(), "room.http cannot be written; the room goes on without its record");
            }
            Err(_) => {}
        }
    })
}

/// The open file.
#[derive(Debug)]
struct Record {
    logs: PathBuf,
    file: File,
    length: u64,
    rotate_at: u64,
}

impl Record {
    fn open(logs: &Path, rotate_at: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(logs.join(CURRENT))?;
        let length = file.metadata()?.len();
        Ok(Self { logs: logs.into(), file, length, rotate_at })
    }

    /// Appends all of these frames, or none of them.
    fn append(&mut self, frames: &[Arc<[u8]>]) -> io::Result<()> {
        if self.length >= self.rotate_at {
            self.rotate()?;
        }
        let batch = frames.concat();
        match self.file.write_all(&batch) {
            Ok(()) => {
                self.length += batch.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a frame would make the rest unreadable.
                self.file.set_len(self.length)?;
                Err(error)
            }
        }
    }

    /// Puts the full file aside as the next of `room-1.http`, `room-2.http` and so on.
    fn rotate(&mut self) -> io::Result<()> {
        let number = |name: &str| name.strip_prefix("room-")?.strip_suffix(".http")?.parse::<u64>().ok();
        let numbers = fs::read_dir(&self.logs)?.filter_map(|entry| number(entry.ok()?.file_name().to_str()?));
        let next = numbers.max().unwrap_or(0) + 1;
        fs::rename(self.logs.join(CURRENT), self.logs.join(format!("room-{next}.http")))?;
        *self = Self::open(&self.logs, self.rotate_at)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_between_two_frames() {
        let logs = tempfile::tempdir().unwrap();
        let mut record = Record::open(logs.path(), 8).unwrap();
        for frame in ["one,", "two,", "three,", "four,", "five,"] {
            record.append(&[frame.as_bytes().into()]).unwrap();
        }
        let read = |name: &str| fs::read_to_string(logs.path().join(name)).unwrap();
        assert_eq!([read("room-1.http"), read("room-2.http"), read("room.http")], ["one,two,", "three,four,", "five,"]);
    }

    #[test]
    fn a_record_goes_on_where_it_was_left() {
        let logs = tempfile::tempdir().unwrap();
        for frame in ["one,", "two,"] {
            Record::open(logs.path(), 100).unwrap().append(&[frame.as_bytes().into()]).unwrap();
        }
        assert_eq!(fs::read_to_string(logs.path().join(CURRENT)).unwrap(), "one,two,");
    }
}
