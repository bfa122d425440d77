//! What a window shows: everything a person may see of a node at one moment.
//!
//! The loop publishes a new [`Snapshot`] after each change; a window only reads the last one and
//! sends [`Action`]s back. Deliberately absent: anything that a window could change, and any type
//! that is not for people to read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use twopc_proto::trace::Peer;
use twopc_proto::{CommittedString, Decision, Reason, Role, State, TxnId, UserName};

/// Everything a person may see of a node. `V` is what only its role shows.
#[derive(Clone, Debug)]
pub struct Snapshot<V> {
    /// The name, once it was given and its files were opened.
    pub user: Option<UserName>,
    /// The relay's address as it was typed.
    pub relay: String,
    /// Where the connection stands.
    pub link: Link,
    /// Why the last attempt to log in failed, until it is no longer true: a sentence to act on.
    pub refusal: Option<String>,
    /// Who is logged in, this node included, by name.
    pub room: Vec<Person>,
    /// The conversation, oldest first; bounded, the oldest are dropped.
    pub messages: Arc<Vec<Line>>,
    /// Things gone wrong that the person should know now, newest last: alarms, a full disk, damage
    /// found at the start. Each a sentence.
    pub warnings: Vec<String>,
    /// Why the node has stopped for good, if it has: a sentence to act on.
    pub stopped: Option<String>,
    /// Where the files are.
    pub data_dir: PathBuf,
    /// What only this role shows.
    pub role: V,
}

/// Where the connection to the relay stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// Nobody has pressed Login yet.
    Offline,
    /// Reaching the relay.
    Connecting,
    /// The relay was reached and asks its question; a user name is wanted.
    Asking {
        /// The relay's words.
        question: String,
    },
    /// Logged in.
    Connected,
    /// The link ended; the next attempt comes by itself.
    Reconnecting {
        /// When.
        at: Instant,
        /// Why the last attempt failed, in a few words.
        why: String,
    },
    /// The same name logged in elsewhere and took over; this program does not come back by itself.
    Replaced,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user: UserName,
    /// What for.
    pub role: Role,
}

/// One line of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in this window's list, from 1, rising.
    pub number: u64,
    /// What it is.
    pub kind: LineKind,
}

/// What a line of the conversation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Somebody said something.
    Chat {
        /// Who; a guest as `name (guest)`.
        from: String,
        /// What travelled: `0:00:17:hi`.
        text: String,
        /// The relay's stamp, `None` until it has come back from the relay.
        seq: Option<u64>,
        /// A line of one's own that never left, because there was no link.
        unsent: bool,
        /// The string proposed, if the line is a coordinator's proposal.
        proposal: Option<String>,
        /// It was said before this window joined.
        history: bool,
    },
    /// The room's own words: `Client (bob) connected`, `Client (bob) is offline`.
    Room(String),
}

/// What a participant's window shows besides.
#[derive(Clone, Debug, Default)]
pub struct ParticipantView {
    /// Votes and doubts that are open, oldest first.
    pub votes: Vec<VoteView>,
    /// The latest outcomes, newest last; at most ten.
    pub settled: Vec<SettledView>,
    /// The text file.
    pub strings: TextFileView,
}

/// One open transaction of a participant.
#[derive(Clone, Debug)]
pub struct VoteView {
    /// Which.
    pub txn: TxnId,
    /// What is to be stored.
    pub string: CommittedString,
    /// Everybody who was asked, this participant included.
    pub participants: Vec<UserName>,
    /// INIT or READY; COMMIT and ABORT only while something still hangs on them.
    pub state: State,
    /// The person has pressed, or the decision is known, and the disk is at work.
    pub writing: Option<&'static str>,
    /// When the vote's time is over; `None` once it is.
    pub deadline: Option<Instant>,
    /// How long the vote may take in all.
    pub timeout: Duration,
    /// Whether Commit and Abort mean something, else why not.
    pub can_vote: Result<(), &'static str>,
    /// Whether Ask status means something, else why not.
    pub can_ask: Result<(), &'static str>,
    /// In READY with the decision not here: whom it asked and who said what.
    pub doubt: Option<DoubtView>,
    /// The disk takes nothing: a sentence.
    pub trouble: Option<String>,
}

/// What is known while in doubt.
#[derive(Clone, Debug)]
pub struct DoubtView {
    /// When this participant promised (or was restarted in doubt).
    pub since: Instant,
    /// When it last asked, if it has.
    pub asked_at: Option<Instant>,
    /// Nobody who can be reached may decide.
    pub blocked: bool,
    /// The coordinator first, then the other participants by name.
    pub peers: Vec<Peer>,
}

/// How a transaction ended here.
#[derive(Clone, Debug)]
pub struct SettledView {
    /// Which.
    pub txn: TxnId,
    /// What was voted on, where it is known.
    pub string: Option<CommittedString>,
    /// How.
    pub decision: Decision,
    /// Why it was aborted, in words: `carol did not vote in time`.
    pub why: Option<String>,
    /// When it was on the disk here.
    pub at: Instant,
}

/// The committed strings.
#[derive(Clone, Debug, Default)]
pub struct TextFileView {
    /// Where the file is; empty before login.
    pub path: PathBuf,
    /// Its lines as this program last saw them.
    pub lines: Arc<Vec<String>>,
}

/// What a coordinator's window shows besides.
#[derive(Clone, Debug)]
pub struct CoordinatorView {
    /// The last string sent from here, if the next Request would vote on it.
    pub proposal: Option<CommittedString>,
    /// Whether Request means something, else what it waits for: a sentence.
    pub can_request: Result<(), String>,
    /// What the vote's timeout was set to by flag; the window's field starts with it.
    pub vote_timeout: Duration,
    /// Votes of this life and those recovered, newest first; bounded, finished ones are dropped.
    pub ballots: Vec<BallotView>,
    /// What the last start recovered, a sentence each.
    pub recovered: Vec<String>,
}

/// One vote at its coordinator.
#[derive(Clone, Debug)]
pub struct BallotView {
    /// Which.
    pub txn: TxnId,
    /// What is voted on.
    pub string: CommittedString,
    /// INIT, WAIT, COMMIT or ABORT (the last two once on the disk).
    pub state: State,
    /// When the vote's time is over; `None` once it is or the decision fell.
    pub deadline: Option<Instant>,
    /// How long the vote may take in all.
    pub timeout: Duration,
    /// The participants by name.
    pub rows: Vec<BallotRow>,
    /// Why it was aborted, in words: `carol voted abort`, `bob did not vote in time`.
    pub why: Option<String>,
    /// Every participant has acknowledged.
    pub done: bool,
    /// The disk takes nothing: a sentence.
    pub trouble: Option<String>,
}

/// One participant of a vote at its coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BallotRow {
    /// Who.
    pub user: UserName,
    /// Logged in as participant, as far as is known.
    pub here: bool,
    /// Its vote, and the reason that it gave.
    pub vote: Option<(Decision, Option<Reason>)>,
    /// It has acknowledged the decision.
    pub acknowledged: bool,
    /// The decision was sent to it at least twice without an answer.
    pub retrying: bool,
}

/// What a person does in a window. `P` is what only one role has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<P> {
    /// Reach the relay at this address (`host:port`) and show its question.
    Login {
        /// As typed.
        address: String,
    },
    /// The answer to the relay's question, as typed.
    GiveName(String),
    /// Say a line in the room, as typed (without the time).
    Say(String),
    /// What only one role has.
    Press(P),
    /// Say goodbye and end; the loop then reports that it has ended.
    Quit,
}

/// What a participant's person can press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParticipantPress {
    /// Promise to store the string.
    Commit(TxnId),
    /// Refuse it.
    Abort(TxnId),
    /// Ask the others now.
    AskStatus(TxnId),
}

/// What a coordinator's person can press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoordinatorPress {
    /// Ask everybody in the room to vote on the last string sent.
    Request {
        /// How long the vote may take.
        vote_timeout: Duration,
    },
    /// Ask everybody in the room to vote on this very string, alongside the votes that are open.
    /// For programs that open many at once; no window has it.
    Open {
        /// What is voted on; it is not said in the room.
        string: CommittedString,
        /// How long the vote may take.
        vote_timeout: Duration,
    },
}
