//! What is kept of a key: a salted hash.

use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{hex, random};

/// SHA-256 of a salt of its own and the key, both in hexadecimal digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyHash {
    salt: String,
    sha256: String,
}

impl KeyHash {
    /// # Errors
    /// When the system has no random bytes to give.
    pub(crate) fn of(key: &str) -> io::Result<Self> {
        let salt = hex(&random::<16>()?);
        let sha256 = digest(&salt, key);
        Ok(Self { salt, sha256 })
    }

    /// Whether this is that key. How long it takes does not depend on where they differ.
    pub(crate) fn is_of(&self, key: &str) -> bool {
        digest(&self.salt, key).as_bytes().ct_eq(self.sha256.as_bytes()).into()
    }

    /// Whether it is of the form that [`Self::of`] gives.
    pub(crate) fn is_sound(&self) -> bool {
        let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex(&self.salt, 32) && is_hex(&self.sha256, 64)
    }
}

fn digest(salt: &str, key: &str) -> String {
    hex(&Sha256::new().chain_update(salt).chain_update(key).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_key_and_no_other_and_not_twice_the_same() {
        let (one, other) = (KeyHash::of("0123456789abcdef").unwrap(), KeyHash::of("0123456789abcdef").unwrap());
        assert!(one.is_sound() && one.is_of("0123456789abcdef") && other.is_of("0123456789abcdef"));
        assert!(!one.is_of("0123456789abcdeF") && !one.is_of(""));
        assert_ne!((one.salt, one.sha256), (other.salt, other.sha256));
    }
}
