//! What each role writes to its stable log, and the decisions that it never forgets.
//!
//! The form of a line in the file (number, checksums) is the log format's business, not a
//! record's.

use alloc::collections::BTreeSet;
use core::fmt;
use core::hash::Hash;
use core::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::decided::Decided;
use crate::message::{Reason, millis};
use crate::name::UserName;
use crate::text::CommittedString;
use crate::txn::TxnId;

/// How a transaction ends. Once on a disk or in a message it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Every participant stores the string.
    Commit,
    /// None does.
    Abort,
}

impl Decision {
    /// `commit` or `abort`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kinds of records of both roles, by the word that stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordKind {
    /// A coordinator has asked for a vote.
    Start,
    /// A participant has promised to follow the decision.
    Ready,
    /// The decision is to commit.
    Commit,
    /// The decision is to abort.
    Abort,
    /// Every participant has acknowledged the decision.
    End,
    /// The string of a COMMIT record stands, synced, in the text file.
    Applied,
    /// How transactions ended of which nothing else is left in the log.
    Decided,
}

impl RecordKind {
    /// Every kind, in the order in which a transaction meets them.
    pub const ALL: [Self; 7] = [Self::Start, Self::Ready, Self::Commit, Self::Abort, Self::End, Self::Applied, Self::Decided];

    /// The word in the log: `START`, `READY` and so on.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Ready => "READY",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
            Self::End => "END",
            Self::Applied => "APPLIED",
            Self::Decided => "DECIDED",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the store needs to know of a record, whichever role wrote it.
pub trait LogRecord: Clone + fmt::Debug + Eq + Hash + Serialize + DeserializeOwned {
    /// The record's kind.
    fn kind(&self) -> RecordKind;
    /// The transaction it is about; of a DECIDED record the first.
    fn txn(&self) -> &TxnId;
    /// The string that this record promises to the text file: only a participant's COMMIT has one.
    fn committed(&self) -> Option<&CommittedString>;
    /// The DECIDED record that says this.
    fn of_decided(decided: Decided) -> Self;
    /// What a DECIDED record says.
    fn decided(&self) -> Option<&Decided>;
    /// How a transaction ended with which this role has nothing left to do, judged by the kinds of
    /// all its records in their order; `None` for one that is unfinished, and for one whose records
    /// no run of the protocol leaves: that is kept as it is, for a person to look at.
    fn settled(kinds: &[RecordKind]) -> Option<Decision>;
}

/// A participant's records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum ParticipantRecord {
    /// When the person pressed Commit: the promise, with all that recovery needs to ask around.
    Ready {
        /// The transaction.
        txn: TxnId,
        /// What is to be stored.
        string: CommittedString,
        /// Everybody who votes on it, this participant among them.
        participants: BTreeSet<UserName>,
        /// How long the vote may take, from the first arrival of the request.
        #[serde(rename = "timeout_ms", with = "millis")]
        timeout: Duration,
    },
    /// When the decision to commit is known.
    Commit {
        /// The transaction.
        txn: TxnId,
        /// What is to be stored; again, so that a lost text file can be rebuilt from COMMIT alone.
        string: CommittedString,
    },
    /// When the person, the clock, a question before the vote or the decision says abort.
    Abort {
        /// The transaction.
        txn: TxnId,
        /// Why, for people; absent when another node decided and did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// When the committed string stands, synced, in the text file.
    Applied {
        /// The transaction.
        txn: TxnId,
    },
    /// When the log was compacted: these are over.
    Decided(Decided),
}

impl LogRecord for ParticipantRecord {
    fn kind(&self) -> RecordKind {
        match self {
            Self::Ready { .. } => RecordKind::Ready,
            Self::Commit { .. } => RecordKind::Commit,
            Self::Abort { .. } => RecordKind::Abort,
            Self::Applied { .. } => RecordKind::Applied,
            Self::Decided(_) => RecordKind::Decided,
        }
    }
    fn txn(&self) -> &TxnId {
        match self {
            Self::Ready { txn, .. } | Self::Commit { txn, .. } | Self::Abort { txn, .. } | Self::Applied { txn } => txn,
            Self::Decided(decided) => decided.first(),
        }
    }
    fn committed(&self) -> Option<&CommittedString> {
        match self {
            Self::Commit { string, .. } => Some(string),
            Self::Ready { .. } | Self::Abort { .. } | Self::Applied { .. } | Self::Decided(_) => None,
        }
    }
    fn of_decided(decided: Decided) -> Self {
        Self::Decided(decided)
    }
    fn decided(&self) -> Option<&Decided> {
        match self {
            Self::Decided(decided) => Some(decided),
            Self::Ready { .. } | Self::Commit { .. } | Self::Abort { .. } | Self::Applied { .. } => None,
        }
    }
    fn settled(kinds: &[RecordKind]) -> Option<Decision> {
        match kinds {
            [RecordKind::Ready, RecordKind::Commit, RecordKind::Applied] => Some(Decision::Commit),
            [RecordKind::Abort] | [RecordKind::Ready, RecordKind::Abort] => Some(Decision::Abort),
            _ => None,
        }
    }
}

/// A coordinator's records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum CoordinatorRecord {
    /// When the person pressed Request.
    Start {
        /// The transaction.
        txn: TxnId,
        /// What is voted on.
        string: CommittedString,
        /// Everybody who is asked.
        participants: BTreeSet<UserName>,
        /// How long the vote may take.
        #[serde(rename = "timeout_ms", with = "millis")]
        timeout: Duration,
    },
    /// When every vote is commit.
    Commit {
        /// The transaction.
        txn: TxnId,
    },
    /// When a vote is abort, one is missing at the timeout, or a restart found no decision.
    Abort {
        /// The transaction.
        txn: TxnId,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        /// Whose vote or silence it was, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserName>,
    },
    /// When every participant has acknowledged.
    End {
        /// The transaction.
        txn: TxnId,
    },
    /// When the log was compacted: these are over.
    Decided(Decided),
}

impl LogRecord for CoordinatorRecord {
    fn kind(&self) -> RecordKind {
        match self {
            Self::Start { .. } => RecordKind::Start,
            Self::Commit { .. } => RecordKind::Commit,
            Self::Abort { .. } => RecordKind::Abort,
            Self::End { .. } => RecordKind::End,
            Self::Decided(_) => RecordKind::Decided,
        }
    }
    fn txn(&self) -> &TxnId {
        match self {
            Self::Start { txn, .. } | Self::Commit { txn } | Self::Abort { txn, .. } | Self::End { txn } => txn,
            Self::Decided(decided) => decided.first(),
        }
    }
    fn committed(&self) -> Option<&CommittedString> {
        None
    }
    fn of_decided(decided: Decided) -> Self {
        Self::Decided(decided)
    }
    fn decided(&self) -> Option<&Decided> {
        match self {
            Self::Decided(decided) => Some(decided),
            Self::Start { .. } | Self::Commit { .. } | Self::Abort { .. } | Self::End { .. } => None,
        }
    }
    fn settled(kinds: &[RecordKind]) -> Option<Decision> {
        match kinds {
            [RecordKind::Start, RecordKind::Commit, RecordKind::End] => Some(Decision::Commit),
            [RecordKind::Start, RecordKind::Abort, RecordKind::End] => Some(Decision::Abort),
            _ => None,
        }
    }
}
