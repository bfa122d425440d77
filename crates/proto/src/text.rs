//! One line of text: the rule for chat lines, the strings that are voted on.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The most bytes of UTF-8 that a string to be committed has.
pub const MAX_STRING: usize = 4096;

/// Whether a text is one line: no control character (category Cc) but tab, no U+2028, no U+2029.
///
/// Everything else travels as it is, bidirectional controls too; making it safe to look at is the
/// business of whoever shows it ([`Shown`]).
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A string that can be voted on and stand in a text file: one line of 1 to 4,096 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommittedString(Arc<str>);

/// Why a text cannot be voted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StringError {
    /// Nothing but blanks was given.
    #[error("there is no text after \"string:\"; write the string to be stored there")]
    Empty,
    /// More than [`MAX_STRING`] bytes.
    #[error("the string is longer than 4,096 bytes; please shorten it")]
    TooLong,
    /// A line break or another control character.
    #[error("the string has a line break or a control character in it; please take it out")]
    NotOneLine,
}

impl CommittedString {
    /// Takes a text as it is.
    ///
    /// # Errors
    /// A [`StringError`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, StringError> {
        if text.is_empty() {
            Err(StringError::Empty)
        } else if text.len() > MAX_STRING {
            Err(StringError::TooLong)
        } else if !is_one_line(text) {
            Err(StringError::NotOneLine)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommittedString {
    type Error = StringError;
    fn try_from(text: String) -> Result<Self, StringError> {
        Self::parse(&text)
    }
}

impl From<CommittedString> for String {
    fn from(string: CommittedString) -> Self {
        String::from(&*string.0)
    }
}

impl fmt::Debug for CommittedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
