//! What a headless program prints, a JSON object a line: the names and members are an interface.
//!
//! The loop hands these out as they happen; windows show the [`Snapshot`](crate::snapshot::Snapshot)
//! instead. Deliberately absent: the time, which whoever prints an event adds as `"at"`.

use serde::Serialize;
use twopc_proto::{CommittedString, Decision, TxnId, UserName};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The relay let this node in; said at every login.
    Login {
        /// Under this name.
        user: UserName,
    },
    /// A line came back from the relay.
    Chat {
        /// Who said it; a guest as `name (guest)`.
        from: String,
        /// What, without the time.
        text: String,
    },
    /// A coordinator proposed a string.
    Proposal {
        /// The string.
        string: CommittedString,
    },
    /// Participant: a vote is asked for.
    VoteRequest {
        /// The transaction.
        txn: TxnId,
        /// What is voted on.
        string: CommittedString,
        /// How long the vote may take, in milliseconds.
        timeout_ms: u64,
    },
    /// A transaction changed its state, INIT and WAIT too.
    State {
        /// The transaction.
        txn: TxnId,
        /// The book's word.
        state: &'static str,
    },
    /// Participant: nobody who can be reached may decide.
    Blocked {
        /// The transaction.
        txn: TxnId,
        /// Who was asked.
        asked: Vec<UserName>,
    },
    /// The decision is on this node's disk.
    Decision {
        /// The transaction.
        txn: TxnId,
        /// `commit` or `abort`.
        decision: Decision,
        /// What it was about, where this node knows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        string: Option<CommittedString>,
    },
    /// Participant: the string is in the text file.
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
    /// Anything odd that a person should know.
    Notice {
        /// In a sentence.
        message: String,
    },
    /// Coordinator: a Request was refused; printed as a `notice`. One comes for each Request that
    /// opens no vote, so that whoever pressed can tell which of its Requests became what.
    #[serde(rename = "notice")]
    RequestRefused {
        /// What Request waits for: a sentence.
        message: String,
    },
    /// Somebody came.
    Joined {
        /// Who.
        user: UserName,
    },
    /// Somebody went.
    Left {
        /// Who.
        user: UserName,
    },
    /// There is no link to the relay; it is tried again.
    Disconnected,
    /// A contradiction was refused.
    Alarm {
        /// The transaction.
        txn: TxnId,
        /// Who said it.
        from: UserName,
        /// `commit` or `abort`.
        said: Decision,
        /// The state held here, in the book's word.
        held: &'static str,
    },
    /// The relay refused something of ours.
    Error {
        /// The wire's code.
        error: String,
        /// Its sentence.
        message: String,
    },
}
