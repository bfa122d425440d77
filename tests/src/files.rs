//! What is on the disk at the end: logs and text files, read back and judged.
//!
//! Deliberately absent: reading files of a running node in the middle of a write; a test asks when
//! the programs have said that they are done. The properties themselves are [`twopc_proto::audit`]'s.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use twopc_proto::audit::{self, Holding, Log, Violation};
use twopc_proto::log::{ReadLog, read_log};
use twopc_proto::record::LogRecord;
use twopc_proto::{CoordinatorRecord, ParticipantRecord, RecordKind, TxnId, UserName};

/// A node's stable log.
#[derive(Clone, Debug)]
pub struct StableLog<R> {
    /// Its records, oldest first.
    pub records: Vec<R>,
    /// The last life that it tells of; 0 if there is no log.
    pub incarnation: u64,
}

impl<R: LogRecord> StableLog<R> {
    /// Reads a log; one that is not there is empty.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or its last line is torn: a process that dies cannot tear
    /// what one write hands over.
    pub fn load(path: &Path) -> Result<Self, String> {
        let Some(bytes) = bytes_of(path)? else { return Ok(Self { records: Vec::new(), incarnation: 0 }) };
        let in_file = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
        let ReadLog { records, incarnation, torn, .. } = read_log(&bytes).map_err(|damage| in_file(&damage))?;
        match torn {
            None => Ok(Self { records: records.into_iter().map(|logged| logged.record).collect(), incarnation }),
            Some(torn) => Err(in_file(&format_args!("the last line is torn: {torn:?}"))),
        }
    }

    /// The same, for a test.
    ///
    /// # Panics
    /// Where [`StableLog::load`] has an error.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        Self::load(path).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// The kinds of its records, in their order.
    #[must_use]
    pub fn kinds(&self) -> Vec<RecordKind> {
        self.records.iter().map(LogRecord::kind).collect()
    }

    fn transactions(&self, wanted: RecordKind) -> BTreeSet<&TxnId> {
        self.records.iter().filter(|record| record.kind() == wanted).map(LogRecord::txn).collect()
    }
}

/// The lines of a text file; none if there is no file.
///
/// # Errors
/// When it cannot be read, is no text, or its last line has no end.
pub fn load_lines(path: &Path) -> Result<Vec<String>, String> {
    let Some(bytes) = bytes_of(path)? else { return Ok(Vec::new()) };
    let text = String::from_utf8(bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(format!("{}: the last line has no end", path.display()));
    }
    Ok(text.lines().map(String::from).collect())
}

/// The same, for a test.
///
/// # Panics
/// Where [`load_lines`] has an error.
#[must_use]
pub fn lines(path: &Path) -> Vec<String> {
    load_lines(path).unwrap_or_else(|sentence| panic!("{sentence}"))
}

/// What is in a file; `None` if it is not there.
fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// What a participant of a finished room left.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Whose.
    pub user: UserName,
    /// The stable log.
    pub log: StableLog<ParticipantRecord>,
    /// The lines of the text file.
    pub lines: Vec<String>,
}

/// What the coordinator of a finished room left.
#[derive(Clone, Debug)]
pub struct Coordinator {
    /// Whose.
    pub user: UserName,
    /// The stable log.
    pub log: StableLog<CoordinatorRecord>,
}

impl Participant {
    /// What it holds, for [`audit`].
    #[must_use]
    pub fn holding(&self) -> Holding<'_> {
        Holding { user: &self.user, log: Log::Participant(&self.log.records) }
    }
}

impl Coordinator {
    /// What it holds, for [`audit`].
    #[must_use]
    pub fn holding(&self) -> Holding<'_> {
        let StableLog { records, incarnation } = &self.log;
        Holding { user: &self.user, log: Log::Coordinator { records, incarnation: *incarnation } }
    }
}

/// Judges everything that a room with one coordinator left: every property that can be seen on
/// disks, and that nothing is unfinished: each transaction is ended, nobody is in doubt.
///
/// # Errors
/// The first of that which is not so.
pub fn verdict(coordinator: &Coordinator, participants: &[Participant]) -> Result<(), String> {
    safety(coordinator, participants).map_err(|violation| violation.to_string())?;
    let Coordinator { user, log } = coordinator;
    let (started, ended) = (log.transactions(RecordKind::Start), log.transactions(RecordKind::End));
    if started != ended {
        let unfinished: Vec<String> = started.symmetric_difference(&ended).map(ToString::to_string).collect();
        return Err(format!("{user} has started and not ended, or ended and not started: {}", unfinished.join(", ")));
    }
    for participant in participants {
        let Participant { user, log, .. } = participant;
        for txn in log.transactions(RecordKind::Ready) {
            if participant.holding().decision(txn).is_none() {
                return Err(format!("{user} is still in doubt about {txn}"));
            }
        }
    }
    Ok(())
}

/// Every property that can be seen on disks.
fn safety(coordinator: &Coordinator, participants: &[Participant]) -> Result<(), Violation> {
    let chair = std::iter::once(coordinator.holding());
    let nodes: Vec<Holding<'_>> = chair.chain(participants.iter().map(Participant::holding)).collect();
    audit::agreement(&nodes)?;
    audit::validity(&nodes)?;
    audit::guessing(&nodes)?;
    audit::forgetting(&nodes)?;
    nodes.iter().try_for_each(audit::stability)?;
    participants.iter().try_for_each(|participant| {
        let lines: Vec<&str> = participant.lines.iter().map(String::as_str).collect();
        audit::projection(&participant.holding(), &lines, false)
    })
}

/// The same as [`verdict`], for a test.
///
/// # Panics
/// Where [`verdict`] has an error.
pub fn judge(coordinator: &Coordinator, participants: &[Participant]) {
    verdict(coordinator, participants).unwrap_or_else(|sentence| panic!("{sentence}"));
}
