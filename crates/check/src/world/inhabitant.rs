//! The two roles as a world sees them: which timers and presses there are, and what is remembered of
//! what they did before.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash};
use std::rc::Rc;
use std::time::Duration;

use twopc_proto::{Coordinator, CoordinatorRecord, Input, Participant, ParticipantRecord, TxnId, coordinator, participant};

use super::action::Kick;
use super::choices::{Choices, Echoes};
use super::course::Outcome;
use super::disk::Disk;
use super::node::Node;
use super::shared::{Fold, Memo, Pool, Shared};
use super::{NAMES, string};
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
    /// What participants look like to a node of this role.
    type Look: Clone + fmt::Debug + Eq + Hash + Send + Sync;
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
    /// Lends what this thread has worked out for this role.
    fn notes<T>(lend: impl FnOnce(&mut Notes<Self>) -> T) -> T;
}

/// What one thread has worked out for a role.
pub struct Notes<M: Inhabitant> {
    /// Every node that there was.
    pub(super) nodes: Pool<Node<M>>,
    /// Every disk that there was.
    pub(super) disks: Pool<Disk<M::Record>>,
    /// What comes of what happens to a node, node by node.
    pub(super) outcomes: Memo<Outcomes<M>>,
    /// What may happen to a node in its surroundings.
    pub(super) choices: Memo<Rc<Choices<M>>>,
    /// What a node may say there at any time.
    pub(super) echoes: Memo<Rc<Echoes>>,
    /// Nodes under other names.
    pub(super) renamed: Memo<Shared<Node<M>>>,
}

/// What comes of what happens to one node, by the digest of what happens; `None` where nothing does. A node
/// is asked about everything that was said to it, so its answers stand close together.
pub(super) type Outcomes<M> = Rc<RefCell<HashMap<u64, Option<Rc<Outcome<M>>>, BuildHasherDefault<Fold>>>>;

impl<M: Inhabitant> Default for Notes<M> {
    fn default() -> Self {
        Self {
            nodes: Pool::default(),
            disks: Pool::default(),
            // An outcome is small and takes long, choices are large and do not.
            outcomes: Memo::of(1 << 19),
            choices: Memo::of(1 << 18),
            echoes: Memo::of(1 << 20),
            renamed: Memo::of(1 << 22),
        }
    }
}

thread_local! {
    static COORDINATORS: RefCell<Notes<Coordinator>> = RefCell::default();
    static PARTICIPANTS: RefCell<Notes<Participant>> = RefCell::default();
}

impl Inhabitant for Coordinator {
    /// Each by its place.
    type Look = [u64; NAMES.len()];

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

    fn notes<T>(lend: impl FnOnce(&mut Notes<Self>) -> T) -> T {
        COORDINATORS.with_borrow_mut(lend)
    }
}

impl Inhabitant for Participant {
    /// It looks at itself alone.
    type Look = u64;

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

    fn notes<T>(lend: impl FnOnce(&mut Notes<Self>) -> T) -> T {
        PARTICIPANTS.with_borrow_mut(lend)
    }
}
