//! One thing that happened on a lane.

use std::borrow::Cow;

use twopc_proto::Decision;

use super::{LaneId, MessageId, TxnRef};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the run's list of events.
    pub event: usize,
    /// When the lab saw it, in microseconds since the run began; never less than the entry before.
    pub at_us: u64,
    /// Where.
    pub lane: LaneId,
    /// What of.
    pub txn: Option<TxnRef>,
    /// What it is.
    pub kind: Kind,
    /// A few words for it, safe to show.
    pub label: Cow<'static, str>,
    /// The message that it sends, receives, keeps or loses.
    pub message: Option<MessageId>,
    /// The process's own number of it; what only the lab or the relay saw has none.
    pub number: Option<Number>,
}

/// Which of its process's events an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The process's life: when it started, in milliseconds since 1970.
    pub life: u64,
    /// As the process counts in that life.
    pub n: u64,
    /// As the vector clocks count: from 1 over all lives of the lane, rising by exactly one.
    pub tick: u32,
    /// When, by the process's own clock: microseconds since it started.
    pub own_us: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The program runs and has read its log.
    Start,
    /// The relay let it in.
    Online,
    /// Its link is gone.
    Offline,
    /// Somebody pressed something.
    Press,
    /// It proposed a string in the room.
    Proposal,
    /// It sent a message.
    Send,
    /// It received one.
    Receive,
    /// The relay took a message of which its sender told nothing.
    Relayed,
    /// It wrote a record.
    Written {
        /// Something waits until it is on the disk.
        forced: bool,
    },
    /// The disk has what was written.
    Durable,
    /// A record stands in the log of a process that died before it told of it.
    Found,
    /// The string stands in the text file.
    Applied,
    /// A timer ran out.
    Timeout,
    /// A transaction is in another state.
    State(BookState),
    /// A participant says how its doubt stands.
    Doubt {
        /// It has asked somebody.
        asked: bool,
        /// Nobody who can be reached may decide.
        blocked: bool,
    },
    /// Its doubt is over.
    Settled(Decision),
    /// Everybody has acknowledged.
    Done,
    /// Something odd.
    Notice,
    /// A process was started.
    Started,
    /// A process ended.
    Ended {
        /// It was killed.
        killed: bool,
    },
    /// A process was stopped where it is.
    Frozen,
    /// It goes on.
    Thawed,
    /// Somebody logged in that tells nothing of itself.
    Joined,
    /// Somebody is gone that tells nothing of itself.
    Left,
    /// The relay keeps a message.
    Held,
    /// It lets it go on.
    Delivered,
    /// It lets a copy go on.
    Duplicated,
    /// It loses it.
    Dropped,
    /// Other rules hold at the relay.
    Rules,
    /// The lab sees the traffic from now on.
    Watching,
    /// The lab sees no traffic.
    Blind,
    /// What was here turned out to have been later, and stands there. Never shown.
    Superseded,
}

/// The book's states, and a word that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookState {
    /// Nothing promised, nothing asked.
    Init,
    /// Waits for votes.
    Wait,
    /// Has promised.
    Ready,
    /// Committed.
    Commit,
    /// Aborted.
    Abort,
    /// Another program's word.
    Other,
}

impl BookState {
    /// Reads the book's word.
    #[must_use]
    pub fn read(word: &str) -> Self {
        match word {
            "INIT" => Self::Init,
            "WAIT" => Self::Wait,
            "READY" => Self::Ready,
            "COMMIT" => Self::Commit,
            "ABORT" => Self::Abort,
            _ => Self::Other,
        }
    }
}

impl Kind {
    /// Whether what stands before it has said as much: a promise, that there is a doubt now; a decision, that
    /// it is over. And whether it stands somewhere else.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        matches!(self, Self::Doubt { asked: false, blocked: false } | Self::Settled(_) | Self::Superseded)
    }

    /// Whether the arrow that begins or ends here says it all.
    #[must_use]
    pub fn is_arrow_end(self) -> bool {
        matches!(self, Self::Send | Self::Receive | Self::Relayed)
    }
}

/// Which entry of which process.
pub(super) type Tick = (LaneId, u32);

impl Entry {
    /// Where the vector clocks have it.
    pub(super) fn tick(&self) -> Option<Tick> {
        self.number.map(|number| (self.lane, number.tick))
    }
}
