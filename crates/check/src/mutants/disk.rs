//! The store's disk, broken on purpose: the production store over it then behaves as one that lacks a
//! rule.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use twopc_proto::log::{seal, unseal};
use twopc_proto::{LogRecord, RecordKind, TxnId};
use twopc_store::{Disk, Look, Place};

use super::Mutant;

/// A disk on which the store breaks a rule.
#[derive(Clone, Debug)]
pub struct Broken<D> {
    disk: D,
    mutant: Option<Mutant>,
    /// How many bytes of a log the store was not shown.
    hidden: BTreeMap<PathBuf, u64>,
    /// A file is being written that will be renamed.
    is_beside: bool,
}

impl<D> Broken<D> {
    /// That disk; the real behaviour without a mutant.
    pub fn new(disk: D, mutant: Option<Mutant>) -> Self {
        Self { disk, mutant, hidden: BTreeMap::new(), is_beside: false }
    }
}

/// What a broken program does right after its store was opened.
///
/// # Errors
/// The disk's.
pub fn after_open<D: Disk, R: LogRecord>(mutant: Option<Mutant>, disk: &mut D, place: &Place, records: &[R]) -> io::Result<()> {
    let Some(text) = place.text().filter(|_| mutant == Some(Mutant::M20)) else { return Ok(()) };
    let applied: BTreeSet<&TxnId> = records.iter().filter(|record| record.kind() == RecordKind::Applied).map(LogRecord::txn).collect();
    let mut file = disk.open(&text)?;
    for string in records.iter().filter(|record| !applied.contains(record.txn())).filter_map(LogRecord::committed) {
        disk.append(&mut file, format!("{}\n", string.as_str()).as_bytes())?;
    }
    disk.sync(&mut file)
}

impl<D: Disk> Disk for Broken<D> {
    type File = D::File;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn create(&mut self, path: &Path, private: bool) -> io::Result<D::File> {
        self.is_beside = path.extension().is_some_and(|extension| extension == "new");
        self.disk.create(path, private)
    }

    fn open(&mut self, path: &Path) -> io::Result<D::File> {
        self.disk.open(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.disk.read(path)?;
        let is_log = path.extension().is_some_and(|extension| extension == "dtlog");
        let shown = match self.mutant {
            Some(Mutant::M21) if is_log => without_torn_tail(&bytes),
            Some(Mutant::M22) if is_log => without_damage(&bytes),
            _ => return Ok(bytes),
        };
        self.hidden.insert(path.to_path_buf(), bytes.len().saturating_sub(shown.len()) as u64);
        Ok(shown)
    }

    fn append(&mut self, file: &mut D::File, bytes: &[u8]) -> io::Result<usize> {
        self.disk.append(file, bytes)
    }

    fn truncate(&mut self, file: &mut D::File, len: u64) -> io::Result<()> {
        self.disk.truncate(file, len)
    }

    fn sync(&mut self, file: &mut D::File) -> io::Result<()> {
        if self.mutant == Some(Mutant::M39) && self.is_beside {
            return Ok(());
        }
        match self.disk.sync(file) {
            Err(_) if self.mutant == Some(Mutant::M24) => self.disk.sync(file),
            other => other,
        }
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        if self.mutant == Some(Mutant::M23) {
            return Ok(());
        }
        self.disk.sync_dir(dir)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.hidden.remove(to);
        self.is_beside = false;
        self.disk.rename(from, to)
    }

    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        let hidden = self.hidden.get(path).copied().unwrap_or(0);
        Ok(self.disk.look(path)?.map(|look| Look { len: look.len.saturating_sub(hidden), ..look }))
    }
}

/// A log up to its last whole line. What is behind that stays in the file.
fn without_torn_tail(log: &[u8]) -> Vec<u8> {
    let end = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    log[..end].to_vec()
}

/// A log without the lines whose checksum is wrong, those behind the first of them numbered and chained
/// as if it had never been.
fn without_damage(log: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut lines = 0;
    let mut last = None;
    let mut skipped = false;
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let sealed = line.strip_suffix(b"\n").unwrap_or(line);
        let Ok(sum) = unseal(sealed) else {
            skipped = true;
            continue;
        };
        lines += 1;
        match behind_prev(sealed).zip(last.as_ref()).filter(|_| skipped) {
            None => {
                shown.extend_from_slice(line);
                last = Some(sum);
            }
            Some((rest, prev)) => {
                let start = shown.len();
                shown.extend_from_slice(format!(r#"{{"n":{lines},"synced":{},"prev":"{prev}""#, lines - 1).as_bytes());
                shown.extend_from_slice(rest);
                last = Some(seal(&mut shown, start));
                shown.push(b'\n');
            }
        }
    }
    shown
}

/// What a line says behind its `prev`, up to its seal.
fn behind_prev(line: &[u8]) -> Option<&[u8]> {
    const PREV: &[u8] = b"\"prev\":\"";
    const SEAL: &[u8] = b",\"sum\":\"";
    let start = line.windows(PREV.len()).position(|window| window == PREV)? + PREV.len() + 9;
    let end = line.windows(SEAL.len()).rposition(|window| window == SEAL)?;
    line.get(start..end)
}

#[cfg(test)]
mod tests {
    use twopc_proto::log::{Header, Line, Tip, encode, read_log};
    use twopc_proto::{ParticipantRecord, Role, UserName};

    use super::*;

    #[test]
    fn a_log_without_its_damage_reads_as_if_nothing_had_been_there() {
        let (mut log, mut tip) = (Vec::new(), Tip::default());
        let header = Header { user: UserName::parse("alice").expect("a name"), role: Role::Participant };
        encode::<ParticipantRecord>(&mut tip, &Line::Header(header), &mut log);
        for (life, txn) in (1..).zip(["chair.1.1", "chair.1.2", "chair.1.3"]) {
            encode::<ParticipantRecord>(&mut tip, &Line::Life(life), &mut log);
            let record = ParticipantRecord::Abort { txn: TxnId::parse(txn).expect("an identifier"), reason: None };
            encode(&mut tip, &Line::Record { record, stamp: None }, &mut log);
        }
        let damaged = String::from_utf8(log.clone()).expect("text").replace("chair.1.2", "chair.1.7").into_bytes();
        assert!(read_log::<ParticipantRecord>(&damaged).is_err());
        assert_eq!(without_damage(&log), log, "a log without damage is shown as it is");
        let read = read_log::<ParticipantRecord>(&without_damage(&damaged)).expect("no damage is left");
        let left: Vec<String> = read.records.iter().map(|logged| logged.record.txn().to_string()).collect();
        assert_eq!(left, ["chair.1.1", "chair.1.3"]);
    }
}
