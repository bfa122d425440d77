//! What can go wrong with a node's files, by who is at fault.
//!
//! Each is one sentence that a person can act on. What went well after something odd is no error
//! but a [`Report`](crate::Report).

use std::io;
use std::path::{Path, PathBuf};

use twopc_proto::log::Damage;
use twopc_proto::{Role, UserName};

use crate::disk::is_full;

/// Why the node cannot start, or must end.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program runs this name in this folder.
    #[error("{user} is running already: another program holds {}; close that one first, or choose another name or --data-dir", lock.display())]
    InUse {
        /// The name.
        user: UserName,
        /// The file that is held.
        lock: PathBuf,
    },
    /// The disk is full, or this user's share of it.
    #[error("there is no space left to {doing} {}; make some, then start again ({source})", file.display())]
    NoSpace {
        /// What was being done: `write`, `create`.
        doing: &'static str,
        /// With which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder may not be used so by this user.
    #[error("this user may not {doing} {}; allow it, or choose another folder with --data-dir ({source})", file.display())]
    Forbidden {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives this program no more open files.
    #[error("the system has no open file left to {doing} {}; close other programs, then start again ({source})", file.display())]
    TooManyOpen {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Where a folder should be, there is something else.
    #[error("{} cannot be used, since a part of that path is no folder; choose another one with --data-dir", file.display())]
    NotAFolder {
        /// What was to be used.
        file: PathBuf,
    },
    /// The disk failed. What it really holds is read again at the next start.
    #[error("the disk failed to {doing} {}; check it, then start again ({source})", file.display())]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something that this node has promised can no longer be read.
    #[error("{} is damaged: {damage}; put back a good copy of that file, since starting without what it promised could break an agreement", file.display())]
    Damaged {
        /// The log.
        file: PathBuf,
        /// Where and how.
        damage: Damage,
    },
    /// The log is gone, though its role was used.
    #[error(
        "{} is gone, though {} says that this name was used as {role}; put the file back, or take another user name, since an empty log would break the promises in the lost one",
        log.display(),
        key.display()
    )]
    LogLost {
        /// The log that should be there.
        log: PathBuf,
        /// The file that knows of it.
        key: PathBuf,
        /// The role that was used.
        role: Role,
    },
    /// The log is somebody else's.
    #[error("{} is the log of {user} as {role}; put the right file there", file.display())]
    OtherLog {
        /// The log.
        file: PathBuf,
        /// Whose it is.
        user: UserName,
        /// In which role.
        role: Role,
    },
    /// The log was deleted, replaced or written to by something else while the program ran.
    #[error("{} was deleted, replaced or changed while this program ran; put it back as it was, then start again", file.display())]
    LogTouched {
        /// The log.
        file: PathBuf,
    },
    /// The key file is not what was written.
    #[error("{} is damaged; put back a good copy of it, since the relay knows this name by that key alone", file.display())]
    KeyDamaged {
        /// The key file.
        file: PathBuf,
    },
}

impl StoreError {
    /// What an error of the system means for whoever runs the program.
    pub(crate) fn from_io(doing: &'static str, file: &Path, source: io::Error) -> Self {
        let file = file.to_path_buf();
        match source.kind() {
            _ if is_full(&source) => Self::NoSpace { doing, file, source },
            _ if has_no_file_left(&source) => Self::TooManyOpen { doing, file, source },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Forbidden { doing, file, source },
            io::ErrorKind::NotADirectory => Self::NotAFolder { file },
            _ => Self::Disk { doing, file, source },
        }
    }
}

/// Whether this program, or all of them together, have as many open files as they may; the standard
/// library has no word for it.
fn has_no_file_left(error: &io::Error) -> bool {
    let numbers = if cfg!(windows) { 4..=4 } else { 23..=24 };
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

/// Names what was being done with which file when the system failed.
pub(crate) trait Doing<T> {
    /// `doing` is a verb.
    fn doing(self, doing: &'static str, file: &Path) -> Result<T, StoreError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, file: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::from_io(doing, file, source))
    }
}
