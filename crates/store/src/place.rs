//! Where a node's files are, and what they are called.

use std::path::PathBuf;

use twopc_proto::{Role, UserName};

/// Where one node keeps its files: a folder, and the name and role that they are called after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder; it is created if it is not there.
    pub dir: PathBuf,
    /// Whose files; in lower case, as names always are.
    pub user: UserName,
    /// What that user is here. The key, the lock and the text file do not depend on it.
    pub role: Role,
}

impl Place {
    /// `alice.participant.dtlog`: the stable log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.dir.join(format!("{}.{}.dtlog", self.user, self.role))
    }

    /// `alice.txt`: the committed strings, which only a participant has.
    #[must_use]
    pub fn text(&self) -> Option<PathBuf> {
        match self.role {
            Role::Participant => Some(self.dir.join(format!("{}.txt", self.user))),
            Role::Coordinator | Role::Observer | Role::Guest => None,
        }
    }

    /// `alice.key`: what proves to the relay that the name is hers.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.dir.join(format!("{}.key", self.user))
    }

    /// `alice.lock`: held by the one process that runs this name here.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lock", self.user))
    }
}
