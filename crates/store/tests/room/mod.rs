//! A participant's store on a disk in memory, and a stand-in for its machine: it keeps promises in
//! the order of the protocol and remembers what it was told, for a test to hold against the disk.
#![allow(dead_code, unreachable_pub)] // each test uses its part of what is shared here

pub mod disk;

use std::path::PathBuf;

use disk::MemDisk;
use twopc_proto::{CommittedString, LogRecord, Lsn, ParticipantRecord, RecordKind, Role, Sync, TxnId, UserName};
use twopc_store::{Job, Opened, Outcome, Place, Report, Store, StoreError};

pub type Participant = Store<MemDisk, ParticipantRecord>;

/// Alice, in `/home/data`.
pub fn place() -> Place {
    Place { dir: PathBuf::from("/home/data"), user: UserName::parse("alice").unwrap(), role: Role::Participant }
}

/// Her text file.
pub fn text_path() -> PathBuf {
    place().text().unwrap()
}

pub fn open(disk: &MemDisk) -> Result<(Participant, Opened<ParticipantRecord>), StoreError> {
    Store::open(disk.clone(), &place(), [7; 32])
}

/// Her text file as text.
pub fn text(disk: &MemDisk) -> String {
    String::from_utf8(disk.see(&text_path()).expect("the text file is there")).expect("the text is UTF-8")
}

pub fn txn(n: usize) -> TxnId {
    TxnId::parse(&format!("chair.1.{n}")).unwrap()
}

pub fn string(text: &str) -> CommittedString {
    CommittedString::parse(text).unwrap()
}

pub fn ready(n: usize, text: &str) -> ParticipantRecord {
    ParticipantRecord::Ready {
        txn: txn(n),
        string: string(text),
        participants: [UserName::parse("alice").unwrap(), UserName::parse("bob").unwrap()].into(),
        timeout: std::time::Duration::from_secs(20),
    }
}

pub fn commit(n: usize, text: &str) -> ParticipantRecord {
    ParticipantRecord::Commit { txn: txn(n), string: string(text) }
}

pub fn applied(n: usize) -> ParticipantRecord {
    ParticipantRecord::Applied { txn: txn(n) }
}

pub fn persist(lsn: Lsn, record: ParticipantRecord) -> Job<ParticipantRecord> {
    let sync = if record.kind() == RecordKind::Applied { Sync::Later } else { Sync::Now };
    Job::Persist { lsn, record, sync }
}

pub fn apply(lsn: Lsn, text: &str) -> Job<ParticipantRecord> {
    Job::Apply { lsn, string: string(text) }
}

/// What a participant was told by its store, over all of its lives.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// These records are on the disk.
    pub durable: Vec<ParticipantRecord>,
    /// The number of the last life.
    pub incarnation: u64,
    pub reports: Vec<Report>,
}

/// One life of a participant that commits strings, one transaction after the other.
pub struct Life {
    pub store: Participant,
    records: Vec<ParticipantRecord>,
    refusals: usize,
}

impl Life {
    /// Opens the store, and checks that it has what earlier lives were told it has.
    pub fn begin(disk: &MemDisk, told: &mut Told) -> Result<Self, StoreError> {
        let (store, opened) = open(disk)?;
        assert!(opened.records.starts_with(&told.durable), "what was durable is there: {:?} of {:?}", opened.records, told.durable);
        assert!(opened.incarnation > told.incarnation, "the incarnation rises");
        told.incarnation = opened.incarnation;
        told.durable.clone_from(&opened.records);
        told.reports.extend(opened.reports);
        Ok(Self { store, records: opened.records, refusals: 0 })
    }

    /// Commits these strings, the first in transaction 1, from wherever the log stands. Ends early,
    /// as a node does that is left to wait, after three refusals.
    pub fn run(&mut self, told: &mut Told, strings: &[&str]) -> Result<(), StoreError> {
        for (n, text) in (1..).zip(strings) {
            let kinds: Vec<RecordKind> = self.records.iter().filter(|record| *record.txn() == txn(n)).map(LogRecord::kind).collect();
            if !kinds.contains(&RecordKind::Ready) && !self.persist(told, ready(n, text))? {
                return Ok(());
            }
            if !kinds.contains(&RecordKind::Commit) && !self.persist(told, commit(n, text))? {
                return Ok(());
            }
            if kinds.contains(&RecordKind::Applied) {
                continue;
            }
            if !self.apply(told, n, text)? || !self.persist(told, applied(n))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Persists, again if it is refused; `false` when there is no hope.
    fn persist(&mut self, told: &mut Told, record: ParticipantRecord) -> Result<bool, StoreError> {
        let lsn = self.records.len() as Lsn + 1;
        while self.refusals < 3 {
            let mut is_refused = false;
            for outcome in self.store.perform(vec![persist(lsn, record.clone())])? {
                match outcome {
                    Outcome::Durable(durable) => {
                        assert_eq!(durable, lsn);
                        told.durable.clone_from(&self.records);
                        told.durable.push(record.clone());
                    }
                    Outcome::Refused(refused) => {
                        assert_eq!(refused, lsn);
                        is_refused = true;
                    }
                    Outcome::Report(report) => told.reports.push(report),
                    Outcome::Applied { .. } => panic!("nothing was to be applied"),
                }
            }
            if !is_refused {
                self.records.push(record);
                return Ok(true);
            }
            self.refusals += 1;
        }
        Ok(false)
    }

    /// Applies, again if it is refused; `false` when there is no hope.
    fn apply(&mut self, told: &mut Told, n: usize, text: &str) -> Result<bool, StoreError> {
        let at = self.records.iter().position(|record| *record == commit(n, text)).expect("it was committed");
        let lsn = at as Lsn + 1;
        while self.refusals < 3 {
            for outcome in self.store.perform(vec![apply(lsn, text)])? {
                match outcome {
                    Outcome::Applied { lsn: applied } => {
                        assert_eq!(applied, lsn);
                        return Ok(true);
                    }
                    Outcome::Refused(refused) => assert_eq!(refused, lsn),
                    Outcome::Report(report) => told.reports.push(report),
                    Outcome::Durable(lsn) => panic!("record {lsn} was not to be written"),
                }
            }
            self.refusals += 1;
        }
        Ok(false)
    }
}
