//! What is on the disk at the end: logs and text files, read back and compared.
//!
//! Deliberately absent: reading files of a running node in the middle of a write; a test asks when
//! the programs have said that they are done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use twopc_proto::log::read_log;
use twopc_proto::record::LogRecord;
use twopc_proto::{CoordinatorRecord, Decision, ParticipantRecord, TxnId};

/// A participant's records, in their order.
pub type ParticipantLog = Vec<ParticipantRecord>;

/// A coordinator's records, in their order.
pub type CoordinatorLog = Vec<CoordinatorRecord>;

/// Reads a stable log; a log that is not there has no records.
///
/// # Panics
/// When it is damaged, or its last line is torn: a process that dies cannot tear what one write
/// hands over.
#[must_use]
pub fn read<R: LogRecord>(path: &Path) -> Vec<R> {
    let Ok(bytes) = fs::read(path) else { return Vec::new() };
    let log = read_log::<R>(&bytes).unwrap_or_else(|damage| panic!("{}: {damage}", path.display()));
    assert_eq!(log.torn, None, "{}", path.display());
    log.records.into_iter().map(|logged| logged.record).collect()
}

/// The lines of a text file.
///
/// # Panics
/// When the last one has no end.
#[must_use]
pub fn whole_lines(path: &Path, text: &str) -> Vec<String> {
    assert!(text.is_empty() || text.ends_with('\n'), "{}: the last line has no end", path.display());
    text.lines().map(String::from).collect()
}

/// What a participant of a finished room left: its log and the lines of its text file.
#[derive(Clone, Debug)]
pub struct Left {
    /// Whose.
    pub name: String,
    /// Its stable log.
    pub log: ParticipantLog,
    /// Its text file.
    pub lines: Vec<String>,
}

/// Compares what everybody left: one decision a transaction, the same everywhere and promised
/// before; what is committed stands in each text file once, in the order of that log; every
/// transaction of the coordinator is ended. Gives the decisions.
///
/// # Panics
/// When any of that is not so.
pub fn audit(coordinator: &CoordinatorLog, participants: &[Left]) -> BTreeMap<TxnId, Decision> {
    let mut decisions = BTreeMap::new();
    let mut ended = BTreeSet::new();
    for record in coordinator {
        match record {
            CoordinatorRecord::Start { .. } => {}
            CoordinatorRecord::Commit { txn } => decide(&mut decisions, txn, Decision::Commit, "the coordinator"),
            CoordinatorRecord::Abort { txn, .. } => decide(&mut decisions, txn, Decision::Abort, "the coordinator"),
            CoordinatorRecord::End { txn } => assert!(ended.insert(txn.clone()), "{txn} ended twice"),
        }
    }
    for record in coordinator {
        if let CoordinatorRecord::Start { txn, .. } = record {
            assert!(ended.contains(txn), "{txn} was not ended");
        }
    }
    for Left { name, log, lines } in participants {
        audit_participant(name, log, lines, &mut decisions);
    }
    decisions
}

fn audit_participant(name: &str, log: &ParticipantLog, lines: &[String], decisions: &mut BTreeMap<TxnId, Decision>) {
    let (mut promised, mut own, mut committed) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    for record in log {
        match record {
            ParticipantRecord::Ready { txn, .. } => assert!(promised.insert(txn.clone()), "{name} promised {txn} twice"),
            ParticipantRecord::Commit { txn, string } => {
                assert!(promised.contains(txn), "{name} committed {txn} without a promise");
                assert_eq!(own.insert(txn.clone(), Decision::Commit), None, "{name} decided {txn} twice");
                committed.push(string.as_str());
            }
            ParticipantRecord::Abort { txn, .. } => {
                assert_eq!(own.insert(txn.clone(), Decision::Abort), None, "{name} decided {txn} twice");
            }
            ParticipantRecord::Applied { txn } => assert_eq!(own.get(txn), Some(&Decision::Commit), "{name} applied {txn}"),
        }
    }
    assert_eq!(lines, committed, "{name}'s text file beside {name}'s log");
    for txn in &promised {
        assert!(own.contains_key(txn), "{name} is still in doubt about {txn}");
    }
    for (txn, decision) in own {
        decide(decisions, &txn, decision, name);
    }
}

fn decide(decisions: &mut BTreeMap<TxnId, Decision>, txn: &TxnId, decision: Decision, who: &str) {
    let known = *decisions.entry(txn.clone()).or_insert(decision);
    assert_eq!(known, decision, "{who} decided {txn} otherwise than somebody else");
}
