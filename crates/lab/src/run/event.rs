//! What a lab sees of a room.
//!
//! The relay passes on to its observers every message as it stamped it, and every trace; so what stands
//! here in one order is ordered as it happened wherever cause and effect say so: a process's own events by
//! their numbers, a message's sending before its receiving. Deliberately absent: guesses. When something
//! happened between two events of different processes that have nothing to do with each other, nobody knows.

use serde::{Deserialize, Serialize};
use twopc_proto::bench::Fate;
use twopc_proto::trace::Trace;
use twopc_proto::{RecordKind, Role, TxnId, UserName};

use super::Deed;

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When the lab saw it, in microseconds since the run began.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// The relay relays a protocol message or a chat line. It is on its way from now on: straight to its
    /// receiver, unless a [`Fate`] with its number follows.
    Frame {
        /// The frame as the relay stamped it.
        frame: String,
    },
    /// A node says what happened to it.
    Told {
        /// Which node.
        user: UserName,
        /// Its role.
        role: Role,
        /// What.
        trace: Trace,
    },
    /// What became of a message that did not go straight on.
    Fate {
        /// The relay's word.
        #[serde(flatten)]
        fate: Fate,
    },
    /// Somebody logged in.
    Joined {
        /// Who.
        user: UserName,
        /// As what.
        role: Role,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        user: UserName,
        /// As what.
        role: Role,
    },
    /// The lab sees the relay's traffic from now on.
    Watching {
        /// The relay's life.
        room: String,
    },
    /// The lab sees nothing of the traffic: the relay is gone.
    Blind,
    /// One of the room's programs came into another stage.
    Process {
        /// Its name in the room: `relay`, `alice`.
        program: String,
        /// Which stage.
        #[serde(flatten)]
        stage: Stage,
    },
    /// A record stands in the stable log of a program that died before it told of it.
    Found {
        /// Whose log.
        user: UserName,
        /// Of which role.
        role: Role,
        /// The record's place.
        lsn: u64,
        /// Its kind.
        record: RecordKind,
        /// Its transaction.
        txn: TxnId,
    },
    /// Whoever sits in front of the lab has done something.
    Did {
        /// What.
        #[serde(flatten)]
        deed: Deed,
    },
}

impl Happening {
    /// The frame that the relay relays, if that is what it is.
    #[must_use]
    pub fn frame(&self) -> Option<&str> {
        if let Self::Frame { frame } = self { Some(frame) } else { None }
    }

    /// Who tells what, if that is what it is.
    #[must_use]
    pub fn told(&self) -> Option<(&UserName, &Trace)> {
        if let Self::Told { user, trace, .. } = self { Some((user, trace)) } else { None }
    }

    /// What became of a message, if that is what it is.
    #[must_use]
    pub fn fate(&self) -> Option<&Fate> {
        if let Self::Fate { fate } = self { Some(fate) } else { None }
    }

    /// Which program came into which stage, if that is what it is.
    #[must_use]
    pub fn stage(&self) -> Option<(&str, &Stage)> {
        if let Self::Process { program, stage } = self { Some((program, stage)) } else { None }
    }
}

/// Where one of the room's programs stands from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Its process was started.
    Started {
        /// The process id.
        pid: u32,
        /// Where it is told to die, if it is: `after:log:READY`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        crash_at: Option<String>,
    },
    /// It does its work.
    Ready,
    /// It is stopped, and not dead (SIGSTOP).
    Frozen,
    /// It goes on (SIGCONT).
    Thawed,
    /// Its process is gone.
    Ended {
        /// It was killed, by itself at its crash point or by somebody, rather than having ended.
        killed: bool,
        /// How, in a sentence.
        how: String,
    },
}
