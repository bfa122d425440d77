//! What a node tells those who watch: each thing that happens to it, numbered by itself.
//!
//! A process counts its own events from 1 and says the number of a sending in the message itself
//! ([`Origin`]), so whoever receives it can say what it was caused by. Cause and effect are then known,
//! and nobody's clock is asked. Only a room with a lab hears any of this; the protocol never reads it.
//! Deliberately absent: clocks. `at_us` is filled in by the loop.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::json;
use crate::message::{MessageKind, PeerState};
use crate::name::{Role, UserName};
use crate::record::{Decision, RecordKind};
use crate::txn::TxnId;

/// The most peers that a [`What::Doubt`] lists, the coordinator among them: a trace fits a frame.
pub const MOST_PEERS: usize = 256;

/// One event of one process. The body of `/trace`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Which run of the program this is: when it started, in milliseconds since 1970. A program that is
    /// started again counts its events from 1 again.
    pub life: u64,
    /// The event's number in this life, from 1, rising by one.
    pub n: u64,
    /// When, in microseconds since this process started.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// Where a message comes from: the event of its sender that sent it. Two members of a message's body,
/// which whoever does not watch skips like any other unknown ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The sender's life.
    pub life: u64,
    /// The number of the sending in it.
    pub n: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The program runs, and has read so many records from its stable log.
    Start {
        /// How many.
        records: u64,
    },
    /// The relay let it in.
    Online {
        /// The relay's life.
        room: String,
    },
    /// The link is gone.
    Offline,
    /// A person, or who stands in for one, pressed something.
    Press {
        /// What: `Request`, `Commit`, `Abort`, `Ask status`, `Quit`.
        button: String,
        /// On which transaction, if on one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        txn: Option<TxnId>,
    },
    /// A message is handed to the link, now: it follows this trace.
    Send {
        /// To whom.
        to: UserName,
        /// Its type.
        kind: MessageKind,
        /// Its transaction.
        txn: TxnId,
    },
    /// A message came.
    Receive {
        /// From whom.
        from: UserName,
        /// Its type.
        kind: MessageKind,
        /// Its transaction.
        txn: TxnId,
        /// The relay's number of it.
        seq: u64,
        /// What sent it, as it says itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
        /// What a reply says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<PeerState>,
    },
    /// A record is handed to the stable log. It is on the disk once [`What::Durable`] says so; one that the
    /// disk has no space for is cut back again, and a [`What::Notice`] says that.
    Log {
        /// Its place.
        lsn: u64,
        /// Its kind.
        record: RecordKind,
        /// Its transaction.
        txn: TxnId,
        /// Whether anything waits until it is on the disk.
        forced: bool,
    },
    /// The disk has every record up to this one.
    Durable {
        /// Its place.
        lsn: u64,
    },
    /// The string of this transaction stands in the text file.
    Applied {
        /// Which.
        txn: TxnId,
    },
    /// A timer ran out. It need not have brought anything about.
    Timeout {
        /// Which: `vote`, `grace`, `ask again`, `answers`, `repeat`, `space`.
        timer: String,
        /// Of which transaction, if of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        txn: Option<TxnId>,
    },
    /// A transaction changed its state, or was recovered in it.
    State {
        /// Which.
        txn: TxnId,
        /// The book's word.
        state: String,
        /// The string, where this node knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        string: Option<String>,
    },
    /// Participant in READY: what it knows of a transaction whose decision it does not know. Said first with
    /// the promise, and again at each change.
    Doubt {
        /// Which.
        txn: TxnId,
        /// When it promised, or was started again in doubt, in microseconds since this process started.
        since_us: u64,
        /// When it last asked, if it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_us: Option<u64>,
        /// Nobody who can be reached may decide.
        blocked: bool,
        /// The coordinator first, then the others by name; at most [`MOST_PEERS`].
        peers: Vec<Peer>,
    },
    /// The doubt is over.
    Settled {
        /// Which transaction.
        txn: TxnId,
        /// How.
        decision: Decision,
    },
    /// Coordinator: every participant has acknowledged.
    Done {
        /// Which transaction.
        txn: TxnId,
    },
    /// Anything odd that a person should know.
    Notice {
        /// In a sentence.
        message: String,
    },
}

/// One whom a participant in doubt can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Who.
    pub user: UserName,
    /// The transaction's coordinator, or a participant.
    pub role: Role,
    /// Logged in in that role, as far as is known.
    pub here: bool,
    /// Was asked since the doubt began.
    pub asked: bool,
    /// Its last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<PeerState>,
}

impl Trace {
    /// The body of `/trace`.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        json::body(self)
    }

    /// Reads the body of `/trace`.
    ///
    /// # Errors
    /// A [`json::JsonError`] when it is none.
    pub fn read(body: &[u8]) -> Result<Self, json::JsonError> {
        json::parse(body)
    }
}

impl Origin {
    /// What a message's body says of where it comes from, if it says that.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        json::parse(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn txn() -> TxnId {
        TxnId::parse("chair.1.1").unwrap()
    }

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let what = What::Log { lsn: 1, record: RecordKind::Ready, txn: txn(), forced: true };
        let trace = Trace { life: 1_763_800_000_000, n: 7, at_us: 1_500_000, what };
        let body = trace.body();
        assert_eq!(
            String::from_utf8(body.clone()).unwrap(),
            r#"{"life":1763800000000,"n":7,"at_us":1500000,"event":"log","lsn":1,"record":"READY","txn":"chair.1.1","forced":true}"#
        );
        assert_eq!(Trace::read(&body).unwrap(), trace);
    }

    #[test]
    fn a_messages_body_may_say_where_it_comes_from() {
        assert_eq!(Origin::read(br#"{"txn":"chair.1.1","life":5,"n":3}"#), Some(Origin { life: 5, n: 3 }));
        assert_eq!(Origin::read(br#"{"txn":"chair.1.1"}"#), None);
        assert_eq!(Origin::read(br#"{"txn":"chair.1.1","life":"5","n":-3}"#), None);
    }

    #[test]
    fn a_message_that_says_where_it_comes_from_is_the_same_message() {
        let user = |name: &str| UserName::parse(name).unwrap();
        let string = crate::CommittedString::parse("say \"}\"").unwrap();
        let (participants, timeout) = ([user("alice"), user("bob")].into(), core::time::Duration::from_secs(20));
        let origin = Origin { life: 1_763_800_000_000, n: 12 };
        for message in [
            Message::VoteRequest { txn: txn(), string, participants, timeout },
            Message::VoteCommit { txn: txn() },
            Message::VoteAbort { txn: txn(), reason: None },
            Message::GlobalCommit { txn: txn() },
            Message::GlobalAbort { txn: txn(), reason: Some(crate::Reason::Timeout), by: Some(user("bob")) },
            Message::Ack { txn: txn() },
            Message::DecisionRequest { txn: txn(), participants: [user("alice")].into() },
            Message::DecisionReply { txn: txn(), state: PeerState::Ready },
        ] {
            let (plain, body) = (message.body(), message.body_from(origin));
            assert_eq!(body.strip_suffix(br#","life":1763800000000,"n":12}"#), plain.strip_suffix(b"}"));
            assert_eq!(Message::parse(message.kind(), &body).unwrap(), message);
            assert_eq!((Origin::read(&body), Origin::read(&plain)), (Some(origin), None));
        }
    }

    #[test]
    fn types_and_records_have_the_words_of_the_wire_and_of_the_log() {
        let what = What::Receive {
            from: UserName::parse("chair").unwrap(),
            kind: MessageKind::DecisionRequest,
            txn: txn(),
            seq: 4,
            origin: None,
            state: Some(PeerState::Ready),
        };
        let text = String::from_utf8(Trace { life: 1, n: 1, at_us: 0, what }.body()).unwrap();
        assert!(text.contains(r#""kind":"DECISION_REQUEST""#) && text.contains(r#""state":"READY""#), "{text}");
        assert_eq!(json::body(&RecordKind::Applied), alloc::format!("\"{}\"", RecordKind::Applied).into_bytes());
    }
}
