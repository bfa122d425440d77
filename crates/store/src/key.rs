//! The key: what proves to the relay that a name is this node's.
//!
//! The file also names the roles it was used for. A log that is gone while its role stands there is
//! known to be lost, and is never taken for a first start. Deliberately absent: chance; whoever
//! opens the store brings 32 random bytes.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use twopc_proto::log::{seal, unseal};
use twopc_proto::{Role, UserName};

use crate::disk::{Disk, replace};
use crate::error::{Doing, StoreError};

/// A name's key and the roles it was used for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    user: UserName,
    key: String,
    roles: BTreeSet<Role>,
}

impl Key {
    /// What a login sends: 64 hexadecimal digits.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.key
    }

    /// Whether the name was used in this role here.
    #[must_use]
    pub fn was_used_as(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// A new key, not used yet.
    pub(crate) fn new(user: UserName, material: [u8; 32]) -> Self {
        let mut key = String::with_capacity(64);
        for byte in material {
            let _ = write!(key, "{byte:02x}"); // a String takes everything
        }
        Self { user, key, roles: BTreeSet::new() }
    }

    /// The key in this file, if there is one.
    pub(crate) fn read<D: Disk>(disk: &mut D, path: &Path) -> Result<Option<Self>, StoreError> {
        let bytes = match disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).doing("read", path),
        };
        let whole = bytes.strip_suffix(b"\n").filter(|line| unseal(line).is_ok());
        match whole.and_then(|line| serde_json::from_slice(line).ok()) {
            Some(key) => Ok(Some(key)),
            None => Err(StoreError::KeyDamaged { file: path.to_path_buf() }),
        }
    }

    /// Notes that the name is used in this role, and writes the file anew if it did not say so.
    pub(crate) fn note_role<D: Disk>(&mut self, disk: &mut D, path: &Path, role: Role) -> Result<(), StoreError> {
        if !self.roles.insert(role) {
            return Ok(());
        }
        replace(disk, path, true, &self.line()).doing("write", path)
    }

    /// The file's one line, sealed like a line of the log.
    fn line(&self) -> Vec<u8> {
        let mut line = twopc_proto::json::body(self);
        line.pop(); // the closing brace, which the seal brings
        seal(&mut line, 0);
        line.push(b'\n');
        line
    }
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("user", &self.user).field("roles", &self.roles).finish_non_exhaustive()
    }
}
