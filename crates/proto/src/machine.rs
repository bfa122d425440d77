//! The shape of a role: one closed type of inputs, one closed type of effects, no I/O.
//!
//! The disk is an input. A role asks for a record to be persisted and says what depends on it only
//! once told that the disk has it, so "log before send" is a property of the role that a checker
//! can break, and no promise in the driver's prose. The runner, the explorer and the tests drive
//! the same [`Machine::step`].
//!
//! Deliberately absent: a clock. A timer may fire at any moment, a cancelled one too; an instant in
//! the state would make every state new.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt::{self, Debug};
use core::hash::Hash;
use core::time::Duration;

use crate::message::{Message, MessageKind, Reason};
use crate::name::{Role, UserName};
use crate::record::{Decision, LogRecord, RecordKind};
use crate::text::CommittedString;
use crate::txn::TxnId;

/// A record's place in its log: 1 is the first record. It rises by one a record and means
/// something within one incarnation only.
pub type Lsn = u64;

/// Who a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The name it is logged in under.
    pub user: UserName,
}

/// What a person may set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How long a participant waits after the vote's timeout before it asks the others.
    pub grace: Duration,
    /// How many participants a coordinator's Request needs at least.
    pub expect: usize,
}

impl Default for Settings {
    /// A grace of 5 s, one participant.
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), expect: 1 }
    }
}

/// One role as a state machine.
pub trait Machine: Clone + Debug + Eq + Hash + Sized {
    /// The role as the relay knows it.
    const ROLE: Role;
    /// What a person asks of this role.
    type Command: Clone + Debug + Eq + Hash;
    /// What it must remember over a crash.
    type Record: LogRecord;
    /// Its named timers; setting one again replaces it.
    type Timer: Clone + Debug + Eq + Hash + Ord;

    /// Rebuilds the role from its stable log (record `i` of the slice has [`Lsn`] `i + 1`), and
    /// asks again for the timers and the text-file lines that it needs. `incarnation` is higher
    /// than in every earlier life. The link counts as down until told otherwise.
    fn recover(me: &Identity, settings: &Settings, incarnation: u64, log: &[Self::Record]) -> (Self, Vec<Effect<Self>>);

    /// Takes one input. Total: never fails, never panics. A stale or absurd input gives nothing, or
    /// a notice that says what was expected.
    fn step(&mut self, input: Input<Self>) -> Vec<Effect<Self>>;
}

/// All that can happen to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<M: Machine> {
    /// A person asked for something.
    Command(M::Command),
    /// A message came, as the relay stamped it.
    Received {
        /// Who sent it.
        from: UserName,
        /// What the sender is logged in as.
        role: Role,
        /// What it says.
        message: Message,
    },
    /// Every record up to this one is on the disk.
    Durable(Lsn),
    /// The line of this COMMIT record stands in the text file.
    Applied(Lsn),
    /// No space: this record was cut back and nothing after it was written; or, for a COMMIT record
    /// that is durable, its line could not be appended to the text file.
    Refused(Lsn),
    /// A timer ran out.
    TimerFired(M::Timer),
    /// The link to the relay changed.
    Link(LinkState),
    /// Somebody else came, went, or was found missing.
    Peer(UserName, Presence),
}

/// Whether there is a relay to talk to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Logged in. The room as the relay's welcome lists it, this node included.
    Up(BTreeMap<UserName, Role>),
    /// Gone; what is sent now is dropped.
    Down,
}

/// What became known of somebody else in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Presence {
    /// Logged in, as this role.
    Joined(Role),
    /// Logged out or lost.
    Left,
    /// A message to this user could not be delivered: nobody of that name is here.
    NotHere,
}

/// What a machine asks of its driver, which runs the effects in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<M: Machine> {
    /// Append a record to the stable log.
    Persist {
        /// Its place: one more than the record before it.
        lsn: Lsn,
        /// What is to be remembered.
        record: M::Record,
        /// Whether anything waits for it.
        sync: Sync,
    },
    /// Make sure that the line of this COMMIT record stands in the text file. Idempotent by `lsn`.
    Apply {
        /// The COMMIT record's place.
        lsn: Lsn,
        /// The line.
        string: CommittedString,
    },
    /// Send a message. It may be lost; without a link it is dropped.
    Send {
        /// To whom.
        to: UserName,
        /// What.
        message: Message,
    },
    /// Let [`Input::TimerFired`] come after this time. Replaces a timer of the same name.
    SetTimer {
        /// Its name.
        timer: M::Timer,
        /// From now.
        after: Duration,
    },
    /// The timer is not needed any more.
    CancelTimer(M::Timer),
    /// For the window and the diary; never steers.
    Notify(Notice),
}

/// Whether a record must be on the disk before anything else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sync {
    /// Something waits for [`Input::Durable`].
    Now,
    /// Losing it costs work, not truth: START, END, APPLIED.
    Later,
}

/// The states of the book, for both roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Nothing promised, nothing asked.
    Init,
    /// The coordinator has asked and waits for votes.
    Wait,
    /// The participant has promised and waits for the decision.
    Ready,
    /// Final.
    Commit,
    /// Final.
    Abort,
}

impl State {
    /// The book's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Wait => "WAIT",
            Self::Ready => "READY",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
        }
    }
}

impl From<Decision> for State {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit,
            Decision::Abort => Self::Abort,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that a person, a window or a diary should know. It never steers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Participant: a vote is asked for. The countdown starts now.
    VoteRequested {
        /// The transaction.
        txn: TxnId,
        /// What is voted on.
        string: CommittedString,
        /// Everybody who is asked.
        participants: alloc::collections::BTreeSet<UserName>,
        /// How long the vote may take.
        timeout: Duration,
    },
    /// A transaction changed its state, or was recovered in it. COMMIT and ABORT are said once they
    /// are on this node's disk.
    State {
        /// The transaction.
        txn: TxnId,
        /// Where it stands now.
        state: State,
    },
    /// Participant in READY: it asked these for the decision.
    Asked {
        /// The transaction.
        txn: TxnId,
        /// Whom.
        whom: Vec<UserName>,
    },
    /// Participant in READY: the coordinator is not there and nobody who can be reached may decide.
    Blocked {
        /// The transaction.
        txn: TxnId,
        /// Who was asked.
        asked: Vec<UserName>,
    },
    /// The decision is on this node's disk.
    Decided {
        /// The transaction.
        txn: TxnId,
        /// Which.
        decision: Decision,
        /// The string, where this node knows it.
        string: Option<CommittedString>,
        /// Why it was aborted, where that was said.
        reason: Option<Reason>,
        /// Whose vote or silence it was, where that was said.
        by: Option<UserName>,
    },
    /// Participant: the string stands in the text file.
    Applied {
        /// The transaction.
        txn: TxnId,
        /// The line.
        string: CommittedString,
    },
    /// Coordinator: every participant has acknowledged.
    Done {
        /// The transaction.
        txn: TxnId,
    },
    /// A contradiction was refused.
    Alarm {
        /// The transaction.
        txn: TxnId,
        /// Who said it.
        from: UserName,
        /// What was said.
        said: Decision,
        /// What is held here.
        held: State,
    },
    /// The disk has no space for this record; it is tried again every 5 s where it must be.
    NoSpace {
        /// The transaction.
        txn: TxnId,
        /// What could not be written.
        record: RecordKind,
    },
    /// Coordinator: Request was refused.
    RequestRefused(RequestRefusal),
    /// A person pressed something that means nothing now.
    PressIgnored {
        /// The transaction.
        txn: TxnId,
        /// Where it stands; `None` when there is no such open transaction.
        state: Option<State>,
    },
    /// A message was not obeyed.
    Ignored {
        /// Who sent it.
        from: UserName,
        /// Its type.
        kind: MessageKind,
        /// The transaction it names.
        txn: TxnId,
        /// Why.
        why: Ignored,
    },
}

/// Why Request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestRefusal {
    /// There is no link to the relay.
    Offline,
    /// A vote of this coordinator is open.
    VoteOpen,
    /// This many participants are missing.
    TooFew {
        /// How many more it takes.
        missing: usize,
    },
    /// More than 1,000 participants are in the room.
    TooMany,
    /// The program is on its way out.
    Leaving,
}

/// Why a message was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ignored {
    /// Only the transaction's coordinator, logged in as coordinator, may say it.
    NotItsCoordinator,
    /// Only a participant of the transaction, logged in as one, may say it.
    NotAParticipant,
    /// This node is not concerned.
    NotConcerned,
    /// The transaction is unknown here, and must stay so.
    Unknown,
    /// It answers what is settled by now.
    Stale,
    /// It repeats a request with other words; the first one counts.
    Differs,
    /// This role is never sent that.
    NotForThisRole,
}
