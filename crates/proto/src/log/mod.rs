//! The stable log as text: one JSON object a line, each of which can be judged alone.
//!
//! ```text
//! {"n":4,"synced":3,"prev":"9f3a11c2","type":"ABORT","txn":"chair.1.1","reason":"pressed","sum":"5be1c9aa"}
//! ```
//!
//! `n` counts the lines from 1. `synced` is the highest line that was known to be on the disk when
//! this one was written (in a log that was compacted, the last line that it was born with), `prev` is the `sum` of the line before, and `sum` is the CRC-32 of the
//! line's bytes up to the comma before it. So a flipped bit, a stale block, a swapped and a missing
//! line are each found, and a gap left by writes that never reached the disk (nothing was promised
//! on them) can be told from the loss of something that had.
//!
//! [`encode`] writes lines, [`read_log`] judges a whole file, [`compact`] says what it promises in as
//! few lines as that takes. Deliberately absent: the file. Who
//! writes when, and what waits for which sync, is the store's business.

mod compact;
mod line;
mod read;
#[cfg(test)]
mod tests;

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{Role, UserName};

pub use compact::{compact, compacted};
pub use line::{Line, encode, seal, unseal};
pub use read::{Damage, Logged, ReadLog, Torn, Why, read_header, read_log};

/// What the header calls the format.
pub const FORMAT: &str = "twopc-log";

/// The version of the format that is written and read here.
pub const VERSION: u64 = 1;

/// A CRC-32 (the one of zip and Ethernet), written as eight lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sum(u32);

impl Sum {
    /// The checksum of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::default().then(bytes)
    }

    /// The checksum of what this one covers, followed by these bytes.
    #[must_use]
    pub fn then(self, bytes: &[u8]) -> Self {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.0);
        hasher.update(bytes);
        Self(hasher.finalize())
    }

    /// Reads eight lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let plain = digits.len() == 8 && digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return None;
        }
        core::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok()).map(Self)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

impl TryFrom<String> for Sum {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(text.as_bytes()).ok_or("a checksum is eight hexadecimal digits in lower case")
    }
}

/// Whose log it is: what its first line says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// The node's name.
    pub user: UserName,
    /// What the node is in this log.
    pub role: Role,
}

/// Where the line of a COMMIT record is to stand in the text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// How many bytes precede it.
    pub at: u64,
    /// The checksum of those bytes.
    pub before: Sum,
}

/// Where a log ends: all that the next line needs to know of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tip {
    /// How many lines there are.
    pub lines: u64,
    /// The last line's checksum; zeroes before the first.
    pub sum: Sum,
    /// The highest line known to be on the disk.
    pub synced: u64,
}
