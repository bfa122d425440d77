//! What a window may see of a coordinator's open transactions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use super::{Coordinator, Stage, Txn, Vote};
use crate::machine::State;
use crate::message::Reason;
use crate::name::{Role, UserName};
use crate::record::Decision;
use crate::text::CommittedString;
use crate::txn::TxnId;

/// One open transaction, to be shown.
#[derive(Clone, Debug)]
pub struct Ballot<'a> {
    /// Which.
    pub txn: &'a TxnId,
    /// What is voted on.
    pub string: &'a CommittedString,
    /// Everybody who was asked.
    pub participants: &'a BTreeSet<UserName>,
    /// How long the vote may take.
    pub timeout: Duration,
    /// WAIT until the decision is durable.
    pub state: State,
    /// The decision, durable or on its way to the disk.
    pub decision: Option<Decision>,
    /// Why it is an abort.
    pub reason: Option<Reason>,
    /// Whose vote or silence it was.
    pub by: Option<&'a UserName>,
    /// The decision waits for space on the disk.
    pub no_space: bool,
    /// The votes that came before the decision, each with the reason it gave.
    pub votes: BTreeMap<&'a UserName, (Decision, Option<Reason>)>,
    /// Who has acknowledged.
    pub acknowledged: &'a BTreeSet<UserName>,
    /// How often the decision was said to those who have not.
    pub tries: u8,
}

impl Coordinator {
    /// The open transactions, oldest first.
    #[must_use]
    pub fn ballots(&self) -> Vec<Ballot<'_>> {
        let mut open: Vec<(&TxnId, &Txn)> = self.open.iter().collect();
        open.sort_by_key(|(txn, _)| txn.numbers());
        open.into_iter().map(|(txn, entry)| ballot(txn, entry)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn ballot(&self, txn: &TxnId) -> Option<Ballot<'_>> {
        self.open.get_key_value(txn).map(|(txn, entry)| ballot(txn, entry))
    }

    /// How many transactions are open: not acknowledged by every participant.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Who is logged in as what, as far as is known; this node included.
    #[must_use]
    pub fn room(&self) -> &BTreeMap<UserName, Role> {
        &self.room
    }
}

fn ballot<'a>(txn: &'a TxnId, entry: &'a Txn) -> Ballot<'a> {
    let (state, verdict, no_space) = match &entry.stage {
        Stage::Waiting => (State::Wait, None, false),
        Stage::Deciding { lsn, verdict } => (State::Wait, Some(verdict), lsn.is_none()),
        Stage::Decided(verdict) => (verdict.decision.into(), Some(verdict), false),
    };
    let votes = entry.votes.iter().map(|(name, vote)| {
        let vote = match vote {
            Vote::Commit => (Decision::Commit, None),
            Vote::Abort(reason) => (Decision::Abort, reason.0),
        };
        (name, vote)
    });
    Ballot {
        txn,
        string: &entry.string,
        participants: &entry.participants,
        timeout: entry.timeout,
        state,
        decision: verdict.map(|verdict| verdict.decision),
        reason: verdict.and_then(|verdict| verdict.reason.0),
        by: verdict.and_then(|verdict| verdict.by.0.as_ref()),
        no_space,
        votes: votes.collect(),
        acknowledged: &entry.acks,
        tries: entry.patience.tries(),
    }
}
