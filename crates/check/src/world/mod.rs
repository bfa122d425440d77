//! One world: a coordinator, participants, what is on each disk, and everything that was ever said.
//!
//! Four devices keep it small; none leaves out a schedule that could break a safety property.
//! - What was said is a set that only grows, and anybody may hear any of it at any time, any number
//!   of times or never. That is loss, repetition and reordering at once.
//! - A step runs all effects of one input at once, since nobody else can tell the moments between
//!   them apart. A crash can: so each step also exists cut short after each of its effects.
//! - A sync covers all that is written. A crash may then keep any part of what is not synced, so every
//!   content that a disk can have after a crash is met.
//! - Who is logged in is known at once by everybody. It makes a node ask or repeat, which its timers
//!   do at any moment anyway.

mod action;
mod disk;
mod node;
mod said;
mod shared;

use std::collections::BTreeMap;
use std::time::Duration;

pub use action::{Action, Kick};
pub use disk::Disk;
pub use node::{Clock, Inhabitant, Known, Node, Outcome};
pub use said::{Envelope, Said};
pub use shared::Shared;
use twopc_proto::audit::{Holding, Log};
use twopc_proto::{CommittedString, Coordinator, Identity, Participant, Role, Settings, TxnId, UserName};

use crate::mutants::Mutant;

/// How large a world is explored.
#[derive(Clone, Debug)]
pub struct Scope {
    /// How many participants.
    pub participants: usize,
    /// How many transactions the coordinator may start, over all its lives.
    pub requests: u8,
    /// How many crashes there may be in all.
    pub crashes: u8,
    /// Whether answers that settle nothing (WAIT, READY) arrive. They change only what a participant
    /// says of being blocked; a world in which all of them are lost is far smaller.
    pub hints: bool,
    /// Whether a crash may take away what was synced: a drive that does not honour a flush. The
    /// promises do not hold on such a drive, and a search that did not find that out would be worth
    /// nothing.
    pub lying_disks: bool,
    /// How every machine is broken, if it is.
    pub mutant: Option<Mutant>,
}

impl Scope {
    /// Honest disks, no answers that settle nothing.
    #[must_use]
    pub fn new(participants: usize, requests: u8, crashes: u8) -> Self {
        Self { participants, requests, crashes, hints: false, lying_disks: false, mutant: None }
    }
}

/// Everything that is the case at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The coordinator, `chair`.
    pub coordinator: Shared<Node<Coordinator>>,
    /// The participants, by name.
    pub participants: Vec<Shared<Node<Participant>>>,
    /// Everything that was ever said.
    pub said: Said,
    /// Transactions that anybody was asked to vote on, in order.
    pub transactions: Vec<Shared<TxnId>>,
    /// How many may still be asked for.
    pub requests_left: u8,
    /// How many crashes may still happen.
    pub crashes_left: u8,
}

/// Which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        let mut room: BTreeMap<UserName, Role> = NAMES[..scope.participants].iter().map(|who| (name(who), Role::Participant)).collect();
        room.insert(name("chair"), Role::Coordinator);
        Self {
            coordinator: Shared::new(Node::new(name("chair"), &room, scope.mutant, scope.lying_disks)),
            participants: NAMES[..scope.participants]
                .iter()
                .map(|who| Shared::new(Node::new(name(who), &room, scope.mutant, scope.lying_disks)))
                .collect(),
            said: Said::new(scope.hints),
            transactions: Vec::new(),
            requests_left: scope.requests,
            crashes_left: scope.crashes,
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
            Who::Coordinator => &self.coordinator.me,
            Who::Participant(place) => &self.participants[place].me,
        }
    }

    /// What is durable at each node, the coordinator first.
    #[must_use]
    pub fn holdings(&self) -> Vec<Holding<'_>> {
        let records = self.coordinator.disk.durable();
        let coordinator =
            Holding { user: &self.coordinator.me, log: Log::Coordinator { records, incarnation: self.coordinator.incarnation } };
        let participants = self.participants.iter().map(|node| Holding { user: &node.me, log: Log::Participant(node.disk.durable()) });
        std::iter::once(coordinator).chain(participants).collect()
    }

    /// Who is logged in as what.
    #[must_use]
    pub fn room(&self) -> BTreeMap<UserName, Role> {
        let coordinator = self.coordinator.online.then(|| (self.coordinator.me.clone(), Role::Coordinator));
        let participants = self.participants.iter().filter(|node| node.online).map(|node| (node.me.clone(), Role::Participant));
        coordinator.into_iter().chain(participants).collect()
    }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
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
