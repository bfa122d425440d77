//! How a store is opened: what is created at a first start, and what is read, judged and put right
//! at a later one, in an order in which a crash between any two steps does no harm.

use std::io;
use std::marker::PhantomData;

use twopc_proto::log::{Line, encode};
use twopc_proto::{LogRecord, Lsn};

use crate::commits::Commits;
use crate::disk::Disk;
use crate::error::{Doing, StoreError};
use crate::key::Key;
use crate::log::{Appended, Compacted, Log};
use crate::place::Place;
use crate::report::Report;
use crate::store::Store;
use crate::text::TextFile;

/// How many bytes a log has at least that is compacted.
const LARGE: u64 = 1 << 20;

/// What a node's files held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<R> {
    /// The log's records, in order: record `i` has [`Lsn`] `i + 1`. They are on the disk.
    pub records: Vec<R>,
    /// The number of this life, which is higher than that of every earlier one, and on the disk.
    pub incarnation: u64,
    /// What a person should know.
    pub reports: Vec<Report>,
    /// The lines of the text file, as they stand; but for those of COMMIT records that are still to
    /// be applied, which become lines with their [`Outcome::Applied`](crate::Outcome::Applied).
    pub lines: Vec<String>,
}

impl<D: Disk, R: LogRecord> Store<D, R> {
    /// Opens a node's files, creating them at the first start. `key_material` is 32 random bytes for
    /// the key, should there be none yet. The caller holds the [`Lock`](crate::Lock).
    ///
    /// # Errors
    /// A [`StoreError`]: among others when the log is damaged or lost. A log is never started empty
    /// where there was one.
    pub fn open(disk: D, place: &Place, key_material: [u8; 32]) -> Result<(Self, Opened<R>), StoreError> {
        Self::open_compacting(disk, place, key_material, LARGE)
    }

    /// The same, with a log compacted that has at least `large` bytes and can be rid of half of them:
    /// what is unfinished stays, of the rest the decisions. A store that is opened otherwise does so
    /// from a mebibyte on.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_compacting(mut disk: D, place: &Place, key_material: [u8; 32], large: u64) -> Result<(Self, Opened<R>), StoreError> {
        let (log_path, key_path) = (place.log(), place.key());
        let key = Key::read(&mut disk, &key_path)?;
        let is_new = disk.look(&log_path).doing("read", &log_path)?.is_none();
        if is_new {
            if key.as_ref().is_some_and(|key| key.was_used_as(place.role)) {
                return Err(StoreError::LogLost { log: log_path, key: key_path, role: place.role });
            }
            Log::create(&mut disk, place)?;
        }
        let (mut log, mut read, torn) = Log::open::<R>(&mut disk, place)?;
        let mut reports: Vec<Report> = torn.into_iter().collect();

        let incarnation = read.incarnation + 1;
        begin_life::<D, R>(&mut disk, &mut log, incarnation)?;
        let had_lived = std::mem::replace(&mut read.incarnation, incarnation) > 0;

        if key.is_none() && had_lived {
            reports.push(Report::KeyMade { key: key_path.clone() });
        }
        let mut key = key.unwrap_or_else(|| Key::new(place.user.clone(), key_material));
        key.note_role(&mut disk, &key_path, place.role)?;

        let commits = Commits::of(&read.records);
        let (mut text, lines, all_stand) = match place.text() {
            Some(path) => {
                let mut text = TextFile::new(path, commits.open());
                let content = open_text(&mut disk, &mut text, &commits, &mut reports)?;
                let (lines, all_stand) = (text.without_pending(&content), commits.all_stand(&text, &content));
                (Some(text), lines, all_stand)
            }
            None => (None, Vec::new(), true),
        };
        // An earlier life may have died between naming a file and syncing its directory.
        disk.sync_dir(&place.dir).doing("sync", &place.dir)?;

        // Last, since a text file that is gone or was edited is judged by all that the log has; and not
        // if a string is missing there, since its only copy is the log's.
        let compacted = if all_stand { log.compact(&mut disk, &read, large)? } else { Compacted::NotNeeded };
        match compacted {
            Compacted::Done(compacted) => {
                if let Some(text) = &mut text {
                    text.renumber(&commits, &Commits::of(&compacted.records));
                }
                read = compacted;
            }
            Compacted::NotNeeded => {}
            Compacted::NotPossible(why) => reports.push(Report::NotCompacted { log: log_path, why: why.to_string() }),
        }

        let records: Vec<R> = read.records.into_iter().map(|logged| logged.record).collect();
        let store = Self { disk, key, log, text, next: records.len() as Lsn + 1, refused: false, records: PhantomData };
        Ok((store, Opened { records, incarnation, reports, lines }))
    }
}

/// Makes durable what was read, since an earlier life may have written it and died before it synced
/// it, and then the number of this life. Nothing that follows from the log may come before this.
fn begin_life<D: Disk, R: LogRecord>(disk: &mut D, log: &mut Log<D>, incarnation: u64) -> Result<(), StoreError> {
    if log.tip().synced < log.tip().lines {
        log.sync(disk)?;
    }
    let (mut line, mut tip) = (Vec::new(), log.tip());
    encode(&mut tip, &Line::<R>::Life(incarnation), &mut line);
    match log.append(disk, &line, tip)? {
        Appended::Yes => log.sync(disk),
        Appended::NoSpace => Err(io::Error::from(io::ErrorKind::StorageFull)).doing("write", log.path()),
    }
}

/// Reads the text file; one that is gone is created, or written again from the log. What a person
/// changed in it is reported and stays.
fn open_text<D: Disk>(disk: &mut D, text: &mut TextFile<D>, commits: &Commits, reports: &mut Vec<Report>) -> Result<Vec<u8>, StoreError> {
    loop {
        if let Some(content) = text.read(disk)? {
            // What an interrupted append left of lines that are still open is judged when those are
            // applied.
            let is_as_left = !text.pending().is_empty() || commits.end().is_none_or(|end| end == text.tail());
            if !is_as_left {
                reports.extend(commits.difference(text, &content));
            }
            text.name_is_synced();
            return Ok(content);
        }
        // Read once more then, since a person may be at work on it.
        if commits.is_empty() {
            text.create(disk, &[], 0)?;
        } else {
            reports.extend(commits.rebuild(disk, text)?);
        }
    }
}
