//! What is on the disk at the end: logs and text files, read back and judged.
//!
//! Deliberately absent: reading files of a running node in the middle of a write; a test asks when
//! the programs have said that they are done. The properties themselves are [`twopc_proto::audit`]'s.

use std::collections::BTreeSet;
use std::fs;
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
    /// # Panics
    /// When it is damaged, or its last line is torn: a process that dies cannot tear what one write
    /// hands over.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else { return Self { records: Vec::new(), incarnation: 0 } };
        let ReadLog { records, incarnation, torn, .. } = read_log(&bytes).unwrap_or_else(|damage| panic!("{}: {damage}", path.display()));
        assert_eq!(torn, None, "{}", path.display());
        Self { records: records.into_iter().map(|logged| logged.record).collect(), incarnation }
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
/// # Panics
/// When the last line has no end.
#[must_use]
pub fn lines(path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    assert!(text.is_empty() || text.ends_with('\n'), "{}: the last line has no end", path.display());
    text.lines().map(String::from).collect()
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
    fn holding(&self) -> Holding<'_> {
        Holding { user: &self.user, log: Log::Participant(&self.log.records) }
    }
}

impl Coordinator {
    fn holding(&self) -> Holding<'_> {
        let StableLog { records, incarnation } = &self.log;
        Holding { user: &self.user, log: Log::Coordinator { records, incarnation: *incarnation } }
    }
}

/// Judges everything that a room with one coordinator left: every property that can be seen on
/// disks, and that nothing is unfinished: each transaction is ended, nobody is in doubt.
///
/// # Panics
/// When any of that is not so.
pub fn judge(coordinator: &Coordinator, participants: &[Participant]) {
    let chair = std::iter::once(coordinator.holding());
    let nodes: Vec<Holding<'_>> = chair.chain(participants.iter().map(Participant::holding)).collect();
    holds(audit::agreement(&nodes));
    holds(audit::validity(&nodes));
    holds(audit::guessing(&nodes));
    holds(audit::forgetting(&nodes));
    for node in &nodes {
        holds(audit::stability(node));
    }
    let Coordinator { user, log } = coordinator;
    assert_eq!(log.transactions(RecordKind::Start), log.transactions(RecordKind::End), "started and ended by {user}");
    for participant in participants {
        let Participant { user, log, lines } = participant;
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let node = participant.holding();
        holds(audit::projection(&node, &lines, false));
        for txn in log.transactions(RecordKind::Ready) {
            assert!(node.decision(txn).is_some(), "{user} is still in doubt about {txn}");
        }
    }
}

fn holds(property: Result<(), Violation>) {
    if let Err(violation) = property {
        panic!("{violation}");
    }
}
