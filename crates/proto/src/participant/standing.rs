//! What a window may see of a participant's open transactions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use super::{Participant, Stage, Txn};
use crate::machine::State;
use crate::message::PeerState;
use crate::name::{Role, UserName};
use crate::record::RecordKind;
use crate::text::CommittedString;
use crate::txn::TxnId;

/// One open transaction, to be shown.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Which.
    pub txn: &'a TxnId,
    /// What is to be stored; unknown where only a question or a GLOBAL_ABORT was heard of it.
    pub string: Option<&'a CommittedString>,
    /// Everybody who votes on it; empty where unknown.
    pub participants: &'a BTreeSet<UserName>,
    /// How long the vote may take.
    pub timeout: Duration,
    /// What is durable here.
    pub state: State,
    /// The record that is on its way to the disk (APPLIED: the text file's line).
    pub writing: Option<RecordKind>,
    /// That record waits for space on the disk.
    pub no_space: bool,
    /// The vote's timeout has passed.
    pub overdue: bool,
    /// Commit and Abort mean something.
    pub may_vote: bool,
    /// Ask status means something.
    pub may_ask: bool,
    /// In READY with the decision not known here.
    pub doubt: Option<Doubt<'a>>,
}

/// What is known while in doubt.
#[derive(Clone, Copy, Debug)]
pub struct Doubt<'a> {
    /// Somebody was asked.
    pub asked: bool,
    /// The other participants were asked, not the coordinator alone.
    pub asked_everyone: bool,
    /// Nobody who can be reached may decide.
    pub blocked: bool,
    /// The last answer of each that has no decision.
    pub answers: Option<&'a BTreeMap<UserName, PeerState>>,
}

impl Participant {
    /// The open transactions, oldest first.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing<'_>> {
        let mut open: Vec<(&TxnId, &Txn)> = self.open.iter().collect();
        open.sort_unstable_by_key(|(_, entry)| entry.arrival);
        open.into_iter().map(|(txn, entry)| self.standing(txn, entry)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn standing_of(&self, txn: &TxnId) -> Option<Standing<'_>> {
        self.open.get_key_value(txn).map(|(txn, entry)| self.standing(txn, entry))
    }

    /// How many transactions are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Who is logged in as what, as far as is known; this node included.
    #[must_use]
    pub fn room(&self) -> &BTreeMap<UserName, Role> {
        &self.room
    }

    fn standing<'a>(&'a self, txn: &'a TxnId, entry: &'a Txn) -> Standing<'a> {
        let (writing, no_space) = match &entry.stage {
            Stage::Asked | Stage::Ready => (None, false),
            Stage::Readying => (Some(RecordKind::Ready), false),
            Stage::Aborting { lsn, .. } => (Some(RecordKind::Abort), lsn.is_none()),
            Stage::Committing { lsn } => (Some(RecordKind::Commit), lsn.is_none()),
            Stage::Applying { no_space, .. } => (Some(RecordKind::Applied), *no_space),
        };
        let doubt = matches!(entry.stage, Stage::Ready).then(|| Doubt {
            asked: entry.inquiry.is_some(),
            asked_everyone: entry.inquiry.as_ref().is_some_and(|inquiry| inquiry.everyone),
            blocked: entry.inquiry.as_ref().is_some_and(|inquiry| inquiry.blocked),
            answers: entry.inquiry.as_ref().map(|inquiry| &inquiry.answers),
        });
        Standing {
            txn,
            string: entry.string.as_ref(),
            participants: &entry.participants,
            timeout: entry.timeout,
            state: entry.stage.state(),
            writing,
            no_space,
            overdue: entry.overdue,
            may_vote: matches!(entry.stage, Stage::Asked),
            may_ask: self.may_ask(txn, entry),
            doubt,
        }
    }
}
