//! The two roles as a world sees them: which timers and presses there are, and what is remembered of
//! what they did before.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use twopc_proto::{Coordinator, CoordinatorRecord, Input, Participant, ParticipantRecord, TxnId, coordinator, participant};

use super::action::Kick;
use super::choices::Choices;
use super::course::Outcome;
use super::node::Node;
use super::shared::{Memo, Shared};
use super::string;
use crate::mutants::Twist;
use crate::steps::Cause;

/// The timers of a node, without their transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// The vote's timeout, of both roles.
    Deadline,
    /// Coordinator: the decision is said again.
    Repeat,
    /// Participant: the grace after the timeout.
    Grace,
    /// Participant: the question is asked again.
    AskAgain,
    /// Participant: time for answers is over.
    Answers,
}

/// A role that can be put into a world.
pub trait Inhabitant: Twist + Cause {
    /// The input that a press is for this role, if it is one.
    fn own_input(kick: &Kick) -> Option<Input<Self>>;
    /// This role's timer of that kind, if it has one.
    fn timer(clock: Clock, txn: &TxnId) -> Option<Self::Timer>;
    /// The kind of a timer, and its transaction.
    fn clock(timer: &Self::Timer) -> Option<(Clock, &TxnId)>;
    /// Whether the person is still asked about this transaction.
    fn may_vote(&self, txn: &TxnId) -> bool;
    /// The start after this one, where it makes a difference to this role which start it is.
    fn next_incarnation(incarnation: u64) -> u64;
    /// The record without what it says for people only.
    fn plain(record: Self::Record) -> Self::Record;
    /// Lends the outcomes that this thread has worked out for this role; `None` where nothing comes
    /// of a kick.
    fn known<T>(lend: impl FnOnce(&mut Memo<Option<Arc<Outcome<Self>>>>) -> T) -> T;
    /// Lends the choices that this thread has worked out for this role.
    fn choices<T>(lend: impl FnOnce(&mut Memo<Arc<Choices<Self>>>) -> T) -> T;
    /// Lends the nodes of this role that this thread has called by other names.
    fn renamed<T>(lend: impl FnOnce(&mut Memo<Shared<Node<Self>>>) -> T) -> T;
}

/// What one thread has worked out for a role.
struct Notes<M: Inhabitant> {
    known: Memo<Option<Arc<Outcome<M>>>>,
    choices: Memo<Arc<Choices<M>>>,
    renamed: Memo<Shared<Node<M>>>,
}

impl<M: Inhabitant> Default for Notes<M> {
    fn default() -> Self {
        Self { known: Memo::default(), choices: Memo::default(), renamed: Memo::default() }
    }
}

thread_local! {
    static COORDINATORS: RefCell<Notes<Coordinator>> = RefCell::default();
    static PARTICIPANTS: RefCell<Notes<Participant>> = RefCell::default();
}

impl Inhabitant for Coordinator {
    fn own_input(kick: &Kick) -> Option<Input<Self>> {
        match kick {
            Kick::Request(left) => Some(Input::Command(coordinator::Command::Request {
                string: string(*left),
                timeout: Duration::from_secs(20),
                alongside: true,
            })),
            Kick::PressCommit(_)
            | Kick::Timer(..)
            | Kick::Hear(_)
            | Kick::Synced
            | Kick::Append
            | Kick::Joined(..)
            | Kick::Left(_)
            | Kick::NotHere(_) => None,
        }
    }

    fn timer(clock: Clock, txn: &TxnId) -> Option<coordinator::Timer> {
        match clock {
            Clock::Deadline => Some(coordinator::Timer::Votes(txn.clone())),
            Clock::Repeat => Some(coordinator::Timer::Repeat(txn.clone())),
            Clock::Grace | Clock::AskAgain | Clock::Answers => None,
        }
    }

    fn clock(timer: &coordinator::Timer) -> Option<(Clock, &TxnId)> {
        match timer {
            coordinator::Timer::Votes(txn) => Some((Clock::Deadline, txn)),
            coordinator::Timer::Repeat(txn) => Some((Clock::Repeat, txn)),
            coordinator::Timer::Space => None,
        }
    }

    fn may_vote(&self, _: &TxnId) -> bool {
        false
    }

    fn next_incarnation(incarnation: u64) -> u64 {
        incarnation + 1
    }

    fn plain(record: CoordinatorRecord) -> CoordinatorRecord {
        match record {
            CoordinatorRecord::Abort { txn, .. } => CoordinatorRecord::Abort { txn, reason: None, by: None },
            CoordinatorRecord::Start { .. }
            | CoordinatorRecord::Commit { .. }
            | CoordinatorRecord::End { .. }
            | CoordinatorRecord::Decided(_) => record,
        }
    }

    fn known<T>(lend: impl FnOnce(&mut Memo<Option<Arc<Outcome<Self>>>>) -> T) -> T {
        COORDINATORS.with_borrow_mut(|notes| lend(&mut notes.known))
    }

    fn choices<T>(lend: impl FnOnce(&mut Memo<Arc<Choices<Self>>>) -> T) -> T {
        COORDINATORS.with_borrow_mut(|notes| lend(&mut notes.choices))
    }

    fn renamed<T>(lend: impl FnOnce(&mut Memo<Shared<Node<Self>>>) -> T) -> T {
        COORDINATORS.with_borrow_mut(|notes| lend(&mut notes.renamed))
    }
}

impl Inhabitant for Participant {
    fn own_input(kick: &Kick) -> Option<Input<Self>> {
        match kick {
            Kick::PressCommit(txn) => Some(Input::Command(participant::Command::Commit(txn.clone()))),
            Kick::Request(_)
            | Kick::Timer(..)
            | Kick::Hear(_)
            | Kick::Synced
            | Kick::Append
            | Kick::Joined(..)
            | Kick::Left(_)
            | Kick::NotHere(_) => None,
        }
    }

    fn timer(clock: Clock, txn: &TxnId) -> Option<participant::Timer> {
        let txn = txn.clone();
        match clock {
            Clock::Deadline => Some(participant::Timer::Deadline(txn)),
            Clock::Grace => Some(participant::Timer::Grace(txn)),
            Clock::AskAgain => Some(participant::Timer::AskAgain(txn)),
            Clock::Answers => Some(participant::Timer::Answers(txn)),
            Clock::Repeat => None,
        }
    }

    fn clock(timer: &participant::Timer) -> Option<(Clock, &TxnId)> {
        match timer {
            participant::Timer::Deadline(txn) => Some((Clock::Deadline, txn)),
            participant::Timer::Grace(txn) => Some((Clock::Grace, txn)),
            participant::Timer::AskAgain(txn) => Some((Clock::AskAgain, txn)),
            participant::Timer::Answers(txn) => Some((Clock::Answers, txn)),
            participant::Timer::Space => None,
        }
    }

    fn may_vote(&self, txn: &TxnId) -> bool {
        self.standings().iter().any(|standing| standing.txn == txn && standing.may_vote)
    }

    /// A participant does not look at which start it is, so after the first they are all the second.
    fn next_incarnation(_: u64) -> u64 {
        2
    }

    fn plain(record: ParticipantRecord) -> ParticipantRecord {
        match record {
            ParticipantRecord::Abort { txn, .. } => ParticipantRecord::Abort { txn, reason: None },
            ParticipantRecord::Ready { .. }
            | ParticipantRecord::Commit { .. }
            | ParticipantRecord::Applied { .. }
            | ParticipantRecord::Decided(_) => record,
        }
    }

    fn known<T>(lend: impl FnOnce(&mut Memo<Option<Arc<Outcome<Self>>>>) -> T) -> T {
        PARTICIPANTS.with_borrow_mut(|notes| lend(&mut notes.known))
    }

    fn choices<T>(lend: impl FnOnce(&mut Memo<Arc<Choices<Self>>>) -> T) -> T {
        PARTICIPANTS.with_borrow_mut(|notes| lend(&mut notes.choices))
    }

    fn renamed<T>(lend: impl FnOnce(&mut Memo<Shared<Node<Self>>>) -> T) -> T {
        PARTICIPANTS.with_borrow_mut(|notes| lend(&mut notes.renamed))
    }
}
