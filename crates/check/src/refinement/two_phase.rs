//! TwoPhase: its state and its seven actions.
//!
//! The set of messages is what it is made of here: who has sent Prepared, and whether Commit or Abort
//! was sent, which in TwoPhase is what the transaction manager's state says.

use std::collections::BTreeSet;

/// A resource manager, which is a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RmState {
    Working,
    Prepared,
    Committed,
    Aborted,
}

/// The transaction manager, which is the coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TmState {
    Init,
    Committed,
    Aborted,
}

/// A state of TwoPhase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TwoPhase {
    pub(super) rm: Vec<RmState>,
    pub(super) tm: TmState,
    /// Whose Prepared the transaction manager has received.
    pub(super) tm_prepared: BTreeSet<usize>,
    /// Who has sent Prepared.
    pub(super) prepared: BTreeSet<usize>,
}

/// An action of TwoPhase, and of which resource manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    RmPrepare(usize),
    RmChooseToAbort(usize),
    RmRcvCommitMsg(usize),
    RmRcvAbortMsg(usize),
    TmRcvPrepared(usize),
    TmCommit,
    TmAbort,
}

impl Act {
    /// Its place among the names of the actions.
    pub(super) fn place(self) -> usize {
        match self {
            Self::RmPrepare(_) => 0,
            Self::RmChooseToAbort(_) => 1,
            Self::RmRcvCommitMsg(_) => 2,
            Self::RmRcvAbortMsg(_) => 3,
            Self::TmRcvPrepared(_) => 4,
            Self::TmCommit => 5,
            Self::TmAbort => 6,
        }
    }
}

impl TwoPhase {
    /// The state after an action, if it is enabled; `managers` are the transaction's.
    pub(super) fn after(&self, act: Act, managers: &BTreeSet<usize>) -> Option<Self> {
        let mut next = self.clone();
        let enabled = match act {
            Act::RmPrepare(rm) => {
                next.rm[rm] = RmState::Prepared;
                next.prepared.insert(rm);
                self.rm[rm] == RmState::Working
            }
            Act::RmChooseToAbort(rm) => {
                next.rm[rm] = RmState::Aborted;
                self.rm[rm] == RmState::Working
            }
            Act::RmRcvCommitMsg(rm) => {
                next.rm[rm] = RmState::Committed;
                self.tm == TmState::Committed
            }
            Act::RmRcvAbortMsg(rm) => {
                next.rm[rm] = RmState::Aborted;
                self.tm == TmState::Aborted
            }
            Act::TmRcvPrepared(rm) => {
                next.tm_prepared.insert(rm);
                self.tm == TmState::Init && self.prepared.contains(&rm)
            }
            Act::TmCommit => {
                next.tm = TmState::Committed;
                self.tm == TmState::Init && self.tm_prepared == *managers
            }
            Act::TmAbort => {
                next.tm = TmState::Aborted;
                self.tm == TmState::Init
            }
        };
        enabled.then_some(next)
    }
}
