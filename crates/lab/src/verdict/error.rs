//! Why there is no verdict: one sentence that a person can act on.

use std::io;
use std::path::PathBuf;

use twopc_proto::log::Damage;
use twopc_proto::{Role, UserName};

/// Why a run cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such folder.
    #[error("{} is not there: give the folder of a run, or a data directory and the relay's log directory.", .0.display())]
    NotThere(PathBuf),
    /// It is a file, or something else.
    #[error("{} is no folder: give the folder that it stands in.", .0.display())]
    NotAFolder(PathBuf),
    /// Nothing in there is this suite's.
    #[error(
        "There is nothing to judge in {}: no stable log (NAME.participant.dtlog or NAME.coordinator.dtlog) and no relay's record (room.http).",
        .0.display()
    )]
    Nothing(PathBuf),
    /// A run whose lab was ended before it could copy the files of its room.
    #[error(
        "{} is a run that was not closed, so it has no copy of its room's files and there is no verdict: give the room's data directory \
         (data, unless --data-dir said otherwise) and the relay's log directory (logs).",
        .0.display()
    )]
    Unclosed(PathBuf),
    /// The system does not let this user read it, or cannot.
    #[error("{} cannot be read ({source}); nothing can be said without it.", file.display())]
    Unreadable {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stable log is damaged beyond what recovery accepts.
    #[error("{file} is damaged: {damage}; what stood there cannot be told, so there is no verdict.")]
    Damaged {
        /// The log.
        file: String,
        /// Where and how.
        damage: Damage,
    },
    /// A stable log is gone, though the key of its name says that the role was used.
    #[error("{} is gone, though {} says that this name was used as {role}; there is no verdict without it.", log.display(), key.display())]
    LogLost {
        /// The log that should be there.
        log: PathBuf,
        /// The file that knows of it.
        key: PathBuf,
        /// The role that was used.
        role: Role,
    },
    /// A stable log under somebody else's name.
    #[error("{file} is the log of {user} as {role}: give each log under its own name.")]
    OtherLog {
        /// The log.
        file: String,
        /// Whose it is.
        user: UserName,
        /// In which role.
        role: Role,
    },
    /// Two logs of one node.
    #[error("{one} and {other} are both the log of {user} as {role}: give the folders of one run.")]
    Twice {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// Whose they are.
        user: UserName,
        /// In which role.
        role: Role,
    },
    /// The relay's record cannot be read as one.
    #[error("{file} is damaged: the frame at line {line} cannot be read ({why}), so there is no verdict.")]
    BadRecord {
        /// The record.
        file: String,
        /// Where the frame begins.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A log is written anew again and again.
    #[error("{} changes faster than it can be read: its programs start again and again; try once they run or have ended.", .0.display())]
    Restless(PathBuf),
}
