//! The strings that were put to the vote, by what they say.

use std::collections::{BTreeMap, BTreeSet};

use twopc_proto::{CoordinatorRecord, ParticipantRecord, TxnId, UserName};

use super::Quote;
use super::evidence::Evidence;
use super::log::{NodeLog, Records};

/// Every proposal of each string.
pub(super) type Proposals<'e> = BTreeMap<&'e str, Vec<Proposal<'e>>>;

/// A string that was put to the vote.
pub(super) struct Proposal<'e> {
    pub(super) txn: &'e TxnId,
    pub(super) participants: &'e BTreeSet<UserName>,
    log: &'e NodeLog,
    line: u64,
}

impl Proposal<'_> {
    /// The START or READY that says so.
    pub(super) fn quote(&self) -> Quote {
        self.log.paper.quote(self.line)
    }
}

/// Every string that a log says was put to the vote; once for each transaction.
pub(super) fn proposals(evidence: &Evidence) -> Proposals<'_> {
    let mut seen = BTreeSet::new();
    let mut proposals: Proposals<'_> = BTreeMap::new();
    for log in &evidence.logs {
        let found: Vec<(&str, Proposal<'_>)> = match &log.records {
            Records::Participant(shelf) => shelf.logged().iter().filter_map(|logged| promised(log, logged.line, &logged.record)).collect(),
            Records::Coordinator(shelf) => shelf.logged().iter().filter_map(|logged| asked(log, logged.line, &logged.record)).collect(),
        };
        for (string, proposal) in found {
            if seen.insert(proposal.txn) {
                proposals.entry(string).or_default().push(proposal);
            }
        }
    }
    proposals
}

fn promised<'e>(log: &'e NodeLog, line: u64, record: &'e ParticipantRecord) -> Option<(&'e str, Proposal<'e>)> {
    let ParticipantRecord::Ready { txn, string, participants, .. } = record else { return None };
    Some((string.as_str(), Proposal { txn, participants, log, line }))
}

fn asked<'e>(log: &'e NodeLog, line: u64, record: &'e CoordinatorRecord) -> Option<(&'e str, Proposal<'e>)> {
    let CoordinatorRecord::Start { txn, string, participants, .. } = record else { return None };
    Some((string.as_str(), Proposal { txn, participants, log, line }))
}
