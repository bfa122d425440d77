//! One world: a coordinator, participants, what is on each disk, and everything that was ever said.
//!
//! What makes it small enough to be explored completely leaves out no schedule that could break what
//! is asked of it. Always:
//! - What was said to a node is a set that only grows, and it may hear any of it at any time, any
//!   number of times or never. That is loss, repetition, delay and reordering at once.
//! - A step runs all effects of one input at once, since nobody else can tell the moments between
//!   them apart. A crash can: so each step also exists cut short before each of its effects.
//! - A sync covers all that is written. A crash may then keep any part of what is not synced, so every
//!   content that a disk can have after a crash is met.
//! - Who is logged in is known at once by everybody. It makes a node ask or repeat, which its timers
//!   do at any moment anyway.
//! - Timers fire at any moment, set or not; reasons for people are left out.
//!
//! Not in these worlds, and so the simulation's: a person who leaves, a disk without space, a link that
//! goes while both its ends stay, several coordinators.
//!
//! Where the scope is `eager`, what a node could say at any time without becoming another one counts
//! as said. Compare any world with the one in which that was said, and all else is equal: whatever can
//! happen in the first can happen in the second, since nothing ever waits for a message *not* to have
//! been said; the nodes are the same after it; and what is asked of worlds is asked of their nodes, or
//! is that something was never said. So every combination of nodes is met that is met otherwise (a test
//! compares them), and each violation. For the same reason, of several moments in which a crash leaves
//! the same disk behind, the one in which most was said stands for all.
//!
//! Where it has `prompt_disks`, schedules *are* left out: a disk answers before anything else reaches
//! its node. The smaller worlds are explored without it.
//!
//! Where it has `symmetry`, worlds count as one that differ only in which participant is which;
//! `renaming` says why that is sound.

mod action;
mod choices;
mod course;
mod disk;
mod inhabitant;
mod landmarks;
mod node;
mod renaming;
mod said;
mod scope;
mod shared;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

pub use action::{Action, Kick, Successor};
pub use course::Cut;
pub use disk::Disk;
pub use inhabitant::{Clock, Inhabitant};
pub(crate) use landmarks::ABSTRACT_ACTIONS;
pub use landmarks::{Landmark, Landmarks, Point, Seen};
pub use node::{Node, Survived};
pub use renaming::{namesakes, representative};
pub use said::{Envelope, Inbox};
pub use scope::{End, Scope};
pub use shared::Shared;
pub(crate) use shared::{Fold, Memo};
use twopc_proto::audit::{Holding, Log};
use twopc_proto::{CommittedString, Coordinator, Identity, Participant, Role, Settings, TxnId, UserName};

/// Everything that is the case at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The coordinator, `chair`.
    pub coordinator: Seat<Coordinator>,
    /// The participants, by name.
    pub participants: Vec<Seat<Participant>>,
    /// Transactions that anybody was asked to vote on, in order.
    pub transactions: Shared<Vec<TxnId>>,
    /// How many may still be asked for.
    pub requests_left: u8,
    /// How many crashes may still happen.
    pub crashes_left: u8,
    /// Something happened that TwoPhase does not allow.
    pub strayed: bool,
}

/// A node, and everything that was ever said to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seat<M: Inhabitant> {
    /// The node.
    pub node: Shared<Node<M>>,
    /// What was said to it.
    pub inbox: Shared<Inbox>,
}

/// Which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// The coordinator.
    Coordinator,
    /// A participant, by its place.
    Participant(usize),
}

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

impl World {
    /// Everybody logged in, nothing said.
    ///
    /// # Panics
    /// If the scope asks for no participant or for more than eight.
    #[must_use]
    pub fn new(scope: &Scope) -> Self {
        assert!((1..=NAMES.len()).contains(&scope.participants), "1 to 8 participants");
        let names = &NAMES[..scope.participants];
        let mut room: BTreeMap<UserName, Role> = names.iter().map(|who| (name(who), Role::Participant)).collect();
        room.insert(chair(), Role::Coordinator);
        Self {
            coordinator: Seat::new(Node::new(chair(), &room, scope)),
            participants: names.iter().map(|who| Seat::new(Node::new(name(who), &room, scope))).collect(),
            transactions: Shared::new(Vec::new()),
            requests_left: scope.requests,
            crashes_left: scope.crashes,
            strayed: false,
        }
    }

    /// Every node.
    pub fn everybody(&self) -> impl Iterator<Item = Who> + use<> {
        std::iter::once(Who::Coordinator).chain((0..self.participants.len()).map(Who::Participant))
    }

    /// A node's name.
    #[must_use]
    pub fn name(&self, who: Who) -> &UserName {
        match who {
            Who::Coordinator => &self.coordinator.node.me,
            Who::Participant(place) => &self.participants[place].node.me,
        }
    }

    /// What is durable at each node, the coordinator first.
    #[must_use]
    pub fn holdings(&self) -> Vec<Holding<'_>> {
        let node = &self.coordinator.node;
        let log = Log::Coordinator { records: node.disk.durable(), incarnation: node.incarnation };
        let coordinator = Holding { user: &node.me, log };
        let participants =
            self.participants.iter().map(|seat| Holding { user: &seat.node.me, log: Log::Participant(seat.node.disk.durable()) });
        std::iter::once(coordinator).chain(participants).collect()
    }

    /// The digest of all that the disks hold, and of which start of the coordinator this is.
    #[must_use]
    pub fn disks(&self) -> u64 {
        let mut fold = Fold::default();
        fold.add(self.coordinator.node.incarnation);
        fold.add(self.coordinator.node.disk.digest());
        for seat in &self.participants {
            fold.add(seat.node.disk.digest());
        }
        fold.finish()
    }

    /// The digest of all that is the case.
    #[must_use]
    pub fn digest(&self) -> u64 {
        shared::digest(self)
    }

    /// The digest of the nodes alone, without what was said to them.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        let participants: Vec<u64> = self.participants.iter().map(|seat| seat.node.likeness()).collect();
        shared::digest(&(self.coordinator.node.likeness(), participants, self.requests_left, self.crashes_left))
    }

    /// What was said to each node, the coordinator first.
    pub fn inboxes(&self) -> impl Iterator<Item = &Shared<Inbox>> {
        std::iter::once(&self.coordinator.inbox).chain(self.participants.iter().map(|seat| &seat.inbox))
    }

    /// Who is logged in as what.
    #[must_use]
    pub fn room(&self) -> BTreeMap<UserName, Role> {
        let coordinator = self.coordinator.node.is_up().then(|| (self.coordinator.node.me.clone(), Role::Coordinator));
        let here = self.participants.iter().filter(|seat| seat.node.is_up());
        coordinator.into_iter().chain(here.map(|seat| (seat.node.me.clone(), Role::Participant))).collect()
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.coordinator.hash(state);
        for seat in &self.participants {
            seat.hash(state);
        }
        (self.transactions.digest(), self.requests_left, self.crashes_left, self.strayed).hash(state);
    }
}

impl<M: Inhabitant> Seat<M> {
    fn new(node: Node<M>) -> Self {
        Self { node: M::notes(|notes| notes.nodes.one(node)), inbox: said::nothing() }
    }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The coordinator's name.
fn chair() -> UserName {
    name("chair")
}

/// The place of somebody by name.
fn who_is(user: &UserName) -> Option<Who> {
    if user.as_str() == "chair" {
        Some(Who::Coordinator)
    } else {
        NAMES.iter().position(|name| *name == user.as_str()).map(Who::Participant)
    }
}

/// The string of the transaction that is asked for when this many are left.
fn string(requests_left: u8) -> CommittedString {
    CommittedString::parse(&format!("string {requests_left}")).unwrap_or_else(|error| panic!("{error}"))
}

fn settings() -> Settings {
    Settings { grace: Duration::from_secs(5), expect: 1 }
}

fn identity(me: &UserName) -> Identity {
    Identity { user: me.clone() }
}
