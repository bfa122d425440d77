//! One process's column, and what the fold remembers of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use twopc_proto::{RecordKind, Role};

use super::{EntryId, MessageId, SpanId, TxnRef};

/// One process.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its name in the room.
    pub name: String,
    /// What it is there for.
    pub part: Part,
    /// All that happened on it, in order.
    pub entries: Vec<EntryId>,
    pub(super) fold: Fold,
}

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Asks for votes and decides.
    Coordinator,
    /// Carries the messages.
    Relay,
    /// Votes.
    Participant,
    /// Not known yet.
    Unknown,
}

impl From<Role> for Part {
    fn from(role: Role) -> Self {
        match role {
            Role::Coordinator => Self::Coordinator,
            Role::Participant => Self::Participant,
            Role::Observer | Role::Guest => Self::Unknown,
        }
    }
}

impl Part {
    /// The word under the lane's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Relay => "relay",
            Self::Participant => "participant",
            Self::Unknown => "",
        }
    }
}

/// What is open on a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Fold {
    /// The life that tells, and its last number; the lives before it.
    pub(super) told: Option<(u64, u64)>,
    pub(super) past: Vec<u64>,
    /// The lab runs the process itself.
    pub(super) is_ours: bool,
    /// It was taken off the list.
    pub(super) is_off: bool,
    /// Records that are not known to be on the disk.
    pub(super) writing: VecDeque<Writing>,
    /// Messages that were passed on to it, their arrival not told.
    pub(super) on_way: BTreeSet<MessageId>,
    /// Messages that it has told of and that the relay has not passed on yet. What it tells next comes behind
    /// them: then the relay has refused them.
    pub(super) set_out: Vec<MessageId>,
    /// It is in the room, as the relay has it.
    pub(super) is_here: bool,
    /// The entry at which the lab saw that its link was gone, while it could not say so itself.
    pub(super) away: Option<EntryId>,
    /// The entry that says that the process ended, and the one that says that it left the room.
    pub(super) ended: Option<EntryId>,
    pub(super) left: Option<EntryId>,
    pub(super) down: Option<SpanId>,
    pub(super) frozen: Option<SpanId>,
    pub(super) offline: Option<SpanId>,
    pub(super) doubts: BTreeMap<TxnRef, Doubt>,
}

/// A record on its way to the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    pub(super) lsn: u64,
    pub(super) record: RecordKind,
    pub(super) txn: TxnRef,
    pub(super) span: Option<SpanId>,
}

/// A doubt that is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    pub(super) span: SpanId,
    pub(super) blocked: Option<SpanId>,
}

impl Lane {
    pub(super) fn new(name: String, part: Part) -> Self {
        Self { name, part, entries: Vec::new(), fold: Fold::default() }
    }
}

impl Fold {
    /// Whether this is news: a life counts up from 1, and one that another has followed has nothing left to
    /// say. Which life is the later one is seen from the order in which they are told of; a clock that was
    /// set back between them changes nothing.
    pub(super) fn takes(&mut self, life: u64, n: u64) -> bool {
        let is_news = match self.told {
            Some((current, last)) if current == life => last < n,
            Some(_) | None => !self.past.contains(&life),
        };
        if is_news {
            self.past.extend(self.told.map(|(current, _)| current).filter(|current| *current != life));
            self.told = Some((life, n));
        }
        is_news
    }

    /// Takes off what the disk has now.
    pub(super) fn written(&mut self, lsn: u64) -> Vec<Writing> {
        let count = self.writing.partition_point(|writing| writing.lsn <= lsn);
        self.writing.drain(..count).collect()
    }
}
