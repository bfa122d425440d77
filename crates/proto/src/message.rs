//! The bodies of `POST /2pc/TYPE`: what coordinator and participants say to each other.
//!
//! The names are Tanenbaum and van Steen's (*Distributed Systems*, 8.5); ACK and DECISION_REPLY
//! are this project's. Deliberately absent: who said it (the relay stamps that on the frame) and
//! whether it should be believed (the machines know).

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json;
use crate::name::UserName;
use crate::record::Decision;
use crate::text::CommittedString;
use crate::trace::Origin;
use crate::txn::TxnId;

/// The most participants of one transaction.
pub const MAX_PARTICIPANTS: usize = 1_000;

/// The longest vote timeout: a day.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);

/// One protocol message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// coordinator → each participant: vote on this string.
    VoteRequest {
        /// The transaction.
        txn: TxnId,
        /// What is to be stored.
        string: CommittedString,
        /// Everybody who is asked; 1 to [`MAX_PARTICIPANTS`].
        participants: BTreeSet<UserName>,
        /// How long the vote may take from its first arrival, in whole milliseconds.
        timeout: Duration,
    },
    /// participant → coordinator: READY is on my disk.
    VoteCommit {
        /// The transaction.
        txn: TxnId,
    },
    /// participant → coordinator: ABORT is on my disk.
    VoteAbort {
        /// The transaction.
        txn: TxnId,
        /// Why, for people.
        reason: Option<Reason>,
    },
    /// coordinator → each participant: COMMIT is on my disk.
    GlobalCommit {
        /// The transaction.
        txn: TxnId,
    },
    /// coordinator → each participant: ABORT is on my disk.
    GlobalAbort {
        /// The transaction.
        txn: TxnId,
        /// Why, for people.
        reason: Option<Reason>,
        /// Whose vote or silence it was, for people.
        by: Option<UserName>,
    },
    /// participant → coordinator: the decision is on my disk, a committed string in my text file.
    Ack {
        /// The transaction.
        txn: TxnId,
    },
    /// participant in READY → coordinator and every other participant: do you know the decision?
    DecisionRequest {
        /// The transaction.
        txn: TxnId,
        /// Its participants, for whoever never heard of it.
        participants: BTreeSet<UserName>,
    },
    /// whoever was asked → who asked.
    DecisionReply {
        /// The transaction.
        txn: TxnId,
        /// Where the answering node stands.
        state: PeerState,
    },
}

/// The types of messages, by the word in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // each is described at the variant of `Message` of the same name
pub enum MessageKind {
    VoteRequest,
    VoteCommit,
    VoteAbort,
    GlobalCommit,
    GlobalAbort,
    Ack,
    DecisionRequest,
    DecisionReply,
}

impl MessageKind {
    /// Every type, in the order of the protocol.
    pub const ALL: [Self; 8] = [
        Self::VoteRequest,
        Self::VoteCommit,
        Self::VoteAbort,
        Self::GlobalCommit,
        Self::GlobalAbort,
        Self::Ack,
        Self::DecisionRequest,
        Self::DecisionReply,
    ];

    /// The word on the wire: `VOTE_REQUEST` and so on.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VoteRequest => "VOTE_REQUEST",
            Self::VoteCommit => "VOTE_COMMIT",
            Self::VoteAbort => "VOTE_ABORT",
            Self::GlobalCommit => "GLOBAL_COMMIT",
            Self::GlobalAbort => "GLOBAL_ABORT",
            Self::Ack => "ACK",
            Self::DecisionRequest => "DECISION_REQUEST",
            Self::DecisionReply => "DECISION_REPLY",
        }
    }

    /// Reads a word from a path; `None` for a type that nodes ignore.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a transaction was aborted. For people to read; it never steers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Reason {
    /// The person pressed Abort.
    Pressed,
    /// Nobody pressed anything in time, or a vote was missing at the timeout.
    Timeout,
    /// Another participant asked before this one had voted.
    Asked,
    /// The disk took no record.
    Disk,
    /// The coordinator came back without a decision.
    Restart,
    /// Somebody quit.
    Left,
}

impl Reason {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pressed => "pressed",
            Self::Timeout => "timeout",
            Self::Asked => "asked",
            Self::Disk => "disk",
            Self::Restart => "restart",
            Self::Left => "left",
        }
    }

    /// Reads a word; `None` for one that this project does not say.
    fn parse(word: &str) -> Option<Self> {
        [Self::Pressed, Self::Timeout, Self::Asked, Self::Disk, Self::Restart, Self::Left]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// As for [`crate::Role`].
impl TryFrom<String> for Reason {
    type Error = &'static str;
    fn try_from(word: String) -> Result<Self, &'static str> {
        Self::parse(&word).ok_or("that is no reason")
    }
}

/// Where a node that was asked stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
pub enum PeerState {
    /// Has not voted. This project's programs never say it: they abort first.
    Init,
    /// The coordinator, undecided.
    Wait,
    /// A participant in doubt.
    Ready,
    /// Has decided to commit.
    Commit,
    /// Has decided to abort.
    Abort,
}

impl PeerState {
    /// The word on the wire.
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

    /// The decision that this state settles a doubt with, if it does.
    #[must_use]
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::Commit => Some(Decision::Commit),
            Self::Abort => Some(Decision::Abort),
            Self::Init | Self::Wait | Self::Ready => None,
        }
    }
}

/// As for [`crate::Role`].
impl TryFrom<String> for PeerState {
    type Error = &'static str;
    fn try_from(word: String) -> Result<Self, &'static str> {
        let states = [Self::Init, Self::Wait, Self::Ready, Self::Commit, Self::Abort];
        states.into_iter().find(|state| state.as_str() == word).ok_or("that is no state")
    }
}

impl From<Decision> for PeerState {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit,
            Decision::Abort => Self::Abort,
        }
    }
}

/// A body that is not what its type promises. Reported, never obeyed.
#[derive(Debug, thiserror::Error)]
#[error("a {kind} whose body does not parse: {why}")]
pub struct BadBody {
    /// The type in the path.
    pub kind: MessageKind,
    /// What is wrong, for people; contains nothing that would need escaping but what
    /// `serde_json` quotes of the body.
    pub why: String,
}

impl Message {
    /// The decision that it tells, if it tells one.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        match self {
            Self::GlobalCommit { .. } => Some(Decision::Commit),
            Self::GlobalAbort { .. } => Some(Decision::Abort),
            Self::DecisionReply { state, .. } => state.decision(),
            Self::VoteRequest { .. }
            | Self::VoteCommit { .. }
            | Self::VoteAbort { .. }
            | Self::Ack { .. }
            | Self::DecisionRequest { .. } => None,
        }
    }

    /// The message's type.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::VoteRequest { .. } => MessageKind::VoteRequest,
            Self::VoteCommit { .. } => MessageKind::VoteCommit,
            Self::VoteAbort { .. } => MessageKind::VoteAbort,
            Self::GlobalCommit { .. } => MessageKind::GlobalCommit,
            Self::GlobalAbort { .. } => MessageKind::GlobalAbort,
            Self::Ack { .. } => MessageKind::Ack,
            Self::DecisionRequest { .. } => MessageKind::DecisionRequest,
            Self::DecisionReply { .. } => MessageKind::DecisionReply,
        }
    }

    /// The transaction it is about.
    #[must_use]
    pub fn txn(&self) -> &TxnId {
        match self {
            Self::VoteRequest { txn, .. }
            | Self::VoteCommit { txn }
            | Self::VoteAbort { txn, .. }
            | Self::GlobalCommit { txn }
            | Self::GlobalAbort { txn, .. }
            | Self::Ack { txn }
            | Self::DecisionRequest { txn, .. }
            | Self::DecisionReply { txn, .. } => txn,
        }
    }

    /// The JSON body of the frame that carries it, members in the order of the wire page.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::VoteRequest { txn, string, participants, timeout } => json::body(&VoteRequestBody {
                txn: txn.clone(),
                string: string.clone(),
                participants: participants.iter().cloned().collect(),
                timeout_ms: millis::whole(*timeout),
            }),
            Self::VoteCommit { txn } | Self::GlobalCommit { txn } | Self::Ack { txn } => json::body(&TxnBody { txn: txn.clone() }),
            Self::VoteAbort { txn, reason } => {
                json::body(&AbortBody { txn: txn.clone(), reason: reason.map(|r| r.as_str().into()), by: None })
            }
            Self::GlobalAbort { txn, reason, by } => json::body(&AbortBody {
                txn: txn.clone(),
                reason: reason.map(|r| r.as_str().into()),
                by: by.as_ref().map(|name| name.as_str().into()),
            }),
            Self::DecisionRequest { txn, participants } => {
                json::body(&QuestionBody { txn: txn.clone(), participants: participants.iter().cloned().collect() })
            }
            Self::DecisionReply { txn, state } => json::body(&ReplyBody { txn: txn.clone(), state: *state }),
        }
    }

    /// The same with two members more that say which event of its sender it comes from. Whoever does not
    /// look for them skips them.
    #[must_use]
    pub fn body_from(&self, origin: Origin) -> Vec<u8> {
        let mut body = self.body();
        // Every body is an object with at least one member, so another can follow before its end.
        body.pop();
        body.extend_from_slice(alloc::format!(r#","life":{},"n":{}}}"#, origin.life, origin.n).as_bytes());
        body
    }

    /// Reads the body of a frame of the given type.
    ///
    /// # Errors
    /// [`BadBody`] when it is not JSON without double members, or a member is missing, of another
    /// type, or outside its bounds.
    pub fn parse(kind: MessageKind, body: &[u8]) -> Result<Self, BadBody> {
        use alloc::string::ToString;
        let bad = |why: json::JsonError| BadBody { kind, why: why.to_string() };
        let outside = |why: &str| BadBody { kind, why: why.into() };
        Ok(match kind {
            MessageKind::VoteRequest => {
                let body: VoteRequestBody = json::parse(body).map_err(bad)?;
                if body.timeout_ms == 0 || body.timeout_ms > millis::whole(MAX_TIMEOUT) {
                    return Err(outside("timeout_ms is a whole number from 1 to 86400000"));
                }
                Self::VoteRequest {
                    txn: body.txn,
                    string: body.string,
                    participants: different(body.participants).map_err(outside)?,
                    timeout: Duration::from_millis(body.timeout_ms),
                }
            }
            MessageKind::VoteCommit => Self::VoteCommit { txn: json::parse::<TxnBody>(body).map_err(bad)?.txn },
            MessageKind::GlobalCommit => Self::GlobalCommit { txn: json::parse::<TxnBody>(body).map_err(bad)?.txn },
            MessageKind::Ack => Self::Ack { txn: json::parse::<TxnBody>(body).map_err(bad)?.txn },
            MessageKind::VoteAbort => {
                let body: AbortBody = json::parse(body).map_err(bad)?;
                Self::VoteAbort { reason: body.reason(), txn: body.txn }
            }
            MessageKind::GlobalAbort => {
                let body: AbortBody = json::parse(body).map_err(bad)?;
                let by = body.by.as_deref().and_then(|name| UserName::parse(name).ok());
                Self::GlobalAbort { reason: body.reason(), by, txn: body.txn }
            }
            MessageKind::DecisionRequest => {
                let body: QuestionBody = json::parse(body).map_err(bad)?;
                Self::DecisionRequest { txn: body.txn, participants: different(body.participants).map_err(outside)? }
            }
            MessageKind::DecisionReply => {
                let body: ReplyBody = json::parse(body).map_err(bad)?;
                Self::DecisionReply { txn: body.txn, state: body.state }
            }
        })
    }
}

/// The names as a set, if there are 1 to 1,000 and no two are the same.
fn different(names: Vec<UserName>) -> Result<BTreeSet<UserName>, &'static str> {
    let count = names.len();
    let set: BTreeSet<UserName> = names.into_iter().collect();
    if set.len() == count && (1..=MAX_PARTICIPANTS).contains(&count) { Ok(set) } else { Err("participants are 1 to 1000 different names") }
}

#[derive(Serialize, Deserialize)]
struct VoteRequestBody {
    txn: TxnId,
    string: CommittedString,
    participants: Vec<UserName>,
    timeout_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct TxnBody {
    txn: TxnId,
}

/// VOTE_ABORT and GLOBAL_ABORT. Both texts are for people, so a word this project does not know is
/// no error.
#[derive(Serialize, Deserialize)]
struct AbortBody {
    txn: TxnId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl AbortBody {
    fn reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::parse)
    }
}

#[derive(Serialize, Deserialize)]
struct QuestionBody {
    txn: TxnId,
    participants: Vec<UserName>,
}

#[derive(Serialize, Deserialize)]
struct ReplyBody {
    txn: TxnId,
    state: PeerState,
}

/// Durations as whole milliseconds, the wire's and the log's unit.
pub(crate) mod millis {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// The whole milliseconds of a duration, saturating.
    pub(crate) fn whole(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(whole(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_object_and_a_state_is_a_word() {
        assert!(Message::parse(MessageKind::DecisionReply, br#"{"txn":"chair.1.1","state":"COMMIT"}"#).is_ok());
        for body in [&br#"["chair.1.1","COMMIT"]"#[..], br#"{"txn":"chair.1.1","state":{"COMMIT":null}}"#, br#""chair.1.1""#] {
            assert!(Message::parse(MessageKind::DecisionReply, body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(Message::parse(MessageKind::GlobalCommit, br#"["chair.1.1"]"#).is_err());
    }
}
