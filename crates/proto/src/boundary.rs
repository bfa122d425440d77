//! The boundaries between one effect and the next: the places at which a node can die.
//!
//! A program is told of one by `--crash-at`, the simulation draws them, the lab offers them by their
//! meaning. Deliberately absent: dying.

use core::fmt;

use crate::{MessageKind, RecordKind, Role};

/// On which side of its effect a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// Nothing of the effect has happened.
    Before,
    /// The effect has happened, and nothing that depends on it.
    After,
}

/// The effects at which a node can die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// A record of this kind is written, and synced if anything waits for it.
    Log(RecordKind),
    /// A message of this type is handed to the kernel on a link that is up.
    Send(MessageKind),
    /// A committed string is appended to the text file.
    Apply,
}

/// What a participant writes, sends and does.
const PARTICIPANT: [Boundary; 10] = [
    Boundary::Log(RecordKind::Ready),
    Boundary::Log(RecordKind::Commit),
    Boundary::Log(RecordKind::Abort),
    Boundary::Log(RecordKind::Applied),
    Boundary::Send(MessageKind::VoteCommit),
    Boundary::Send(MessageKind::VoteAbort),
    Boundary::Send(MessageKind::Ack),
    Boundary::Send(MessageKind::DecisionRequest),
    Boundary::Send(MessageKind::DecisionReply),
    Boundary::Apply,
];

/// What a coordinator writes and sends.
const COORDINATOR: [Boundary; 8] = [
    Boundary::Log(RecordKind::Start),
    Boundary::Log(RecordKind::Commit),
    Boundary::Log(RecordKind::Abort),
    Boundary::Log(RecordKind::End),
    Boundary::Send(MessageKind::VoteRequest),
    Boundary::Send(MessageKind::GlobalCommit),
    Boundary::Send(MessageKind::GlobalAbort),
    Boundary::Send(MessageKind::DecisionReply),
];

impl When {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Before, Self::After];
}

impl Boundary {
    /// Every effect that a node of this role comes to.
    #[must_use]
    pub fn of(role: Role) -> &'static [Self] {
        match role {
            Role::Participant => &PARTICIPANT,
            Role::Coordinator => &COORDINATOR,
            Role::Observer | Role::Guest => &[],
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(kind) => write!(f, "log:{kind}"),
            Self::Send(kind) => write!(f, "send:{kind}"),
            Self::Apply => f.write_str("apply"),
        }
    }
}
