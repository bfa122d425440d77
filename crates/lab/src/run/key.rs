//! The key by which a lab's relay knows its lab, new for each room.
//!
//! Deliberately absent: a file. A relay that was started with it forgets it when it ends.

use std::fmt::{self, Write};
use std::io;

/// 64 hexadecimal digits that nobody else knows.
#[derive(Clone, PartialEq, Eq)]
pub struct LabKey(String);

impl LabKey {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn new() -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            // A string takes everything.
            let _ = write!(text, "{byte:02x}");
            text
        })))
    }

    /// One that was given.
    #[must_use]
    pub fn of(text: String) -> Self {
        Self(text)
    }

    /// What is sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A key is nobody's business, so it is not shown.
impl fmt::Debug for LabKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LabKey")
    }
}
