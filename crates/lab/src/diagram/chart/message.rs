//! One message: where it set out, what the relay did with it, where it arrived.

use twopc_proto::trace::Origin;

use super::{EntryId, LaneId, TxnRef};

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its sender.
    pub from: LaneId,
    /// Its receiver.
    pub to: LaneId,
    /// Its type, with what a reply says; safe to show.
    pub label: String,
    /// What of.
    pub txn: Option<TxnRef>,
    /// Where its arrow begins: its sending, or the relay's word where nothing was told of that.
    pub start: EntryId,
    /// Its sending, where its sender told of it.
    pub sent: Option<EntryId>,
    /// What its body says of where it comes from.
    pub origin: Option<Origin>,
    /// The relay's number.
    pub seq: Option<u64>,
    /// The event that has its frame.
    pub frame: Option<usize>,
    /// The relay kept it.
    pub kept: Option<Kept>,
    /// The ways that it, and copies of it, went on from the relay.
    pub legs: Vec<Leg>,
    /// Where it ended without having arrived.
    pub lost: Option<Lost>,
}

/// The time in which the relay kept a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// From here on.
    pub from: EntryId,
    /// Up to here; it is kept still without it.
    pub until: Option<EntryId>,
    /// How long it was to be, in milliseconds, if not until somebody says so.
    pub ms: Option<u64>,
    /// Which place beside others that are kept at the same time, from 0.
    pub slot: u32,
}

/// One way from the relay to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The entry that set it going.
    pub from: EntryId,
    /// Its arrival, if that was told.
    pub to: Option<EntryId>,
    /// It is a copy.
    pub copy: bool,
}

/// How a message ended that did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// When.
    pub at: EntryId,
    /// How.
    pub how: Loss,
}

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A rule or a command at the relay.
    Dropped,
    /// Its receiver was not in the room, so the relay refused it.
    NobodyThere,
    /// The relay did not pass it on, for another reason.
    NotPassedOn,
    /// Its receiver went while it was on its way.
    ReceiverGone,
    /// The relay that kept it is gone.
    RelayGone,
}

impl Loss {
    /// In words that go behind the message's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::NobodyThere => "nobody there",
            Self::NotPassedOn => "not passed on",
            Self::ReceiverGone => "lost with its receiver",
            Self::RelayGone => "lost with the relay",
        }
    }
}

impl Message {
    /// The arrivals that were told, copies' too.
    pub fn arrivals(&self) -> impl Iterator<Item = EntryId> {
        self.legs.iter().filter_map(|leg| leg.to)
    }

    /// Where it stands, in words.
    #[must_use]
    pub fn course(&self) -> String {
        let arrived = self.arrivals().count();
        match (self.lost, self.kept, arrived) {
            (Some(lost), _, _) => lost.how.word().to_owned(),
            (None, Some(Kept { until: None, .. }), 0) => "held at the relay".to_owned(),
            (None, Some(Kept { until: None, .. }), _) => "held at the relay, a copy delivered".to_owned(),
            (None, _, 0) if self.frame.is_none() => "the relay has not passed it on yet".to_owned(),
            (None, _, 0) => "on its way".to_owned(),
            (None, _, 1) => "delivered".to_owned(),
            (None, _, times) => format!("delivered {times} times"),
        }
    }
}
