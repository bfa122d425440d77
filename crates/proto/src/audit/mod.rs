//! What must always hold, as functions over records, lines and messages.
//!
//! The explorer asks them after every step, the end-to-end tests of the files that real processes
//! left behind. Of a log that was compacted they ask what it still promises. Nothing in here knows how the machines work: a property looks at what is durable and
//! at what was said, never at a machine's state. One property a file, each with its source.

mod agreement;
mod backing;
mod constancy;
mod forgetting;
mod guessing;
mod one_vote;
mod projection;
mod stability;
mod standing;
mod unanimity;
mod validity;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use agreement::agreement;
pub use backing::backing;
pub use constancy::constancy;
pub use forgetting::forgetting;
pub use guessing::guessing;
pub use one_vote::one_vote;
pub use projection::projection;
pub use stability::stability;
pub use standing::{Amiss, Promise, Standing, standing};
pub use unanimity::unanimity;
pub use validity::validity;

use crate::decided::Decided;
use crate::name::UserName;
use crate::outcomes::Outcomes;
use crate::record::{CoordinatorRecord, Decision, LogRecord, ParticipantRecord};
use crate::txn::TxnId;

/// What one node has on its disk.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// Whose disk it is.
    pub user: &'a UserName,
    /// The durable records, oldest first.
    pub log: Log<'a>,
}

/// A durable log of either role.
#[derive(Clone, Copy, Debug)]
pub enum Log<'a> {
    /// A participant's.
    Participant(&'a [ParticipantRecord]),
    /// A coordinator's.
    Coordinator {
        /// The records.
        records: &'a [CoordinatorRecord],
        /// The start that the node is in or was last in.
        incarnation: u64,
    },
}

/// A property that does not hold, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    /// The property's name.
    pub property: &'static str,
    /// What was found, for people.
    pub evidence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.evidence)
    }
}

impl Holding<'_> {
    /// Every transaction that the log names; of each range that it was compacted to, the first.
    pub fn transactions(&self) -> BTreeSet<&TxnId> {
        match self.log {
            Log::Participant(records) => records.iter().map(LogRecord::txn).collect(),
            Log::Coordinator { records, .. } => records.iter().map(LogRecord::txn).collect(),
        }
    }

    /// The first decision that the log holds on a transaction.
    #[must_use]
    pub fn decision(&self, txn: &TxnId) -> Option<Decision> {
        self.decisions(txn).next()
    }

    /// Every decision that the log holds on a transaction, in order; more than one is too many.
    fn decisions<'b>(&'b self, txn: &'b TxnId) -> impl Iterator<Item = Decision> + 'b {
        let (participant, coordinator) = match self.log {
            Log::Participant(records) => (records, &[][..]),
            Log::Coordinator { records, .. } => (&[][..], records),
        };
        let of_participant = participant.iter().filter_map(move |record| match record {
            ParticipantRecord::Commit { txn: this, .. } if this == txn => Some(Decision::Commit),
            ParticipantRecord::Abort { txn: this, .. } if this == txn => Some(Decision::Abort),
            ParticipantRecord::Decided(decided) if decided.covers(txn) => Some(decided.decision()),
            ParticipantRecord::Decided(_)
            | ParticipantRecord::Commit { .. }
            | ParticipantRecord::Abort { .. }
            | ParticipantRecord::Ready { .. }
            | ParticipantRecord::Applied { .. } => None,
        });
        let of_coordinator = coordinator.iter().filter_map(move |record| match record {
            CoordinatorRecord::Commit { txn: this } if this == txn => Some(Decision::Commit),
            CoordinatorRecord::Abort { txn: this, .. } if this == txn => Some(Decision::Abort),
            CoordinatorRecord::Decided(decided) if decided.covers(txn) => Some(decided.decision()),
            CoordinatorRecord::Decided(_)
            | CoordinatorRecord::Commit { .. }
            | CoordinatorRecord::Abort { .. }
            | CoordinatorRecord::Start { .. }
            | CoordinatorRecord::End { .. } => None,
        });
        of_participant.chain(of_coordinator)
    }

    /// The ranges that the log was compacted to.
    fn ranges(&self) -> Vec<&Decided> {
        match self.log {
            Log::Participant(records) => records.iter().filter_map(LogRecord::decided).collect(),
            Log::Coordinator { records, .. } => records.iter().filter_map(LogRecord::decided).collect(),
        }
    }

    /// Every decision that the log holds, in ranges.
    fn outcomes(&self) -> Outcomes {
        let mut outcomes = Outcomes::default();
        self.ranges().into_iter().for_each(|range| outcomes.insert_all(range));
        for txn in self.transactions() {
            if let Some(decision) = self.decision(txn) {
                outcomes.insert(txn, decision);
            }
        }
        outcomes
    }

    /// Whether all that the log still says of a transaction is how it ended.
    fn is_compacted(&self, txn: &TxnId) -> bool {
        self.ranges().iter().any(|range| range.covers(txn))
    }

    /// Whether a participant's log holds its promise.
    fn has_ready(&self, txn: &TxnId) -> bool {
        self.participants_of_promise(txn).is_some()
    }

    /// Whether a participant's log holds its promise, or held it before it was compacted as far as
    /// anybody can tell.
    fn may_have_promised(&self, txn: &TxnId) -> bool {
        self.has_ready(txn) || (self.is_participant() && self.is_compacted(txn))
    }

    /// Everybody who votes, as the participant promised it.
    fn participants_of_promise(&self, txn: &TxnId) -> Option<&BTreeSet<UserName>> {
        let Log::Participant(records) = self.log else { return None };
        records.iter().find_map(|record| match record {
            ParticipantRecord::Ready { txn: this, participants, .. } if this == txn => Some(participants),
            ParticipantRecord::Ready { .. }
            | ParticipantRecord::Commit { .. }
            | ParticipantRecord::Abort { .. }
            | ParticipantRecord::Applied { .. }
            | ParticipantRecord::Decided(_) => None,
        })
    }

    /// Everybody who was asked, as the coordinator wrote it down.
    fn participants_asked(&self, txn: &TxnId) -> Option<&BTreeSet<UserName>> {
        let Log::Coordinator { records, .. } = self.log else { return None };
        records.iter().find_map(|record| match record {
            CoordinatorRecord::Start { txn: this, participants, .. } if this == txn => Some(participants),
            CoordinatorRecord::Start { .. }
            | CoordinatorRecord::Commit { .. }
            | CoordinatorRecord::Abort { .. }
            | CoordinatorRecord::End { .. }
            | CoordinatorRecord::Decided(_) => None,
        })
    }

    fn is_participant(&self) -> bool {
        matches!(self.log, Log::Participant(_))
    }

    fn is_coordinator_of(&self, txn: &TxnId) -> bool {
        matches!(self.log, Log::Coordinator { .. }) && self.user == txn.coordinator()
    }
}
