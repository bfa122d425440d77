//! User names and roles.
//!
//! Deliberately absent: who holds which name. That is the relay's business.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The most bytes a user name has.
pub const MAX_NAME: usize = 32;

/// A valid user name, in lower case: 1 to 32 ASCII letters, digits, `-` or `_`, and none of the
/// names that an operating system keeps for its devices.
///
/// `Alice` and `alice` are one name; parsing folds the case, so equality here is the wire's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(Arc<str>);

/// Why a text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a user name has at least one character")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("a user name has at most 32 characters")]
    TooLong,
    /// A character other than an ASCII letter, a digit, `-` or `_`.
    #[error("a user name has only letters a to z, digits, '-' and '_'")]
    BadCharacter,
    /// `con`, `nul`, `com1` and the like: no file can have that name everywhere.
    #[error("that name is kept for a device by some systems; please choose another")]
    Reserved,
}

impl UserName {
    /// Reads a name in any case.
    ///
    /// # Errors
    /// A [`NameError`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(NameError::BadCharacter);
        }
        let lower = text.to_ascii_lowercase();
        if is_device(&lower) {
            return Err(NameError::Reserved);
        }
        Ok(Self(lower.into()))
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names that Windows keeps for devices, whatever their case or folder.
fn is_device(lower: &str) -> bool {
    match lower {
        "con" | "nul" | "aux" | "prn" => true,
        _ => lower.len() == 4 && (lower.starts_with("com") || lower.starts_with("lpt")) && (b'1'..=b'9').contains(&lower.as_bytes()[3]),
    }
}

impl TryFrom<String> for UserName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        String::from(&*name.0)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody in the room is there for, as the relay stamps it on every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Role {
    /// Votes on strings and keeps the committed ones.
    Participant,
    /// Asks for votes and decides.
    Coordinator,
    /// Watches the traffic; claims no name.
    Observer,
    /// Says a chat line over plain HTTP; never logged in.
    Guest,
}

impl Role {
    /// The role's word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Coordinator => "coordinator",
            Self::Observer => "observer",
            Self::Guest => "guest",
        }
    }

    /// Reads a role's word as the relay stamps it; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Participant, Self::Coordinator, Self::Observer, Self::Guest].into_iter().find(|role| role.as_str() == word)
    }
}

/// From a word alone: serde would take `{"participant":null}` for one, too.
impl TryFrom<String> for Role {
    type Error = &'static str;
    fn try_from(word: String) -> Result<Self, &'static str> {
        Self::parse(&word).ok_or("that is no role")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_folds_its_case() {
        assert_eq!(UserName::parse("Alice_7-x"), UserName::parse("ALICE_7-X"));
        assert_eq!(UserName::parse("Alice").unwrap().as_str(), "alice");
    }

    #[test]
    fn a_role_is_a_word_and_nothing_around_it() {
        assert_eq!(crate::json::parse::<crate::frame::Person>(br#"{"user":"a","role":"observer"}"#).unwrap().role, Role::Observer);
        for role in [r#"{"observer":null}"#, r#"["observer"]"#, r#""Observer""#, "null"] {
            let person = alloc::format!(r#"{{"user":"a","role":{role}}}"#);
            assert!(crate::json::parse::<crate::frame::Person>(person.as_bytes()).is_err(), "{role}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        let thirty_three = "a".repeat(33);
        for (text, error) in [
            ("", NameError::Empty),
            (thirty_three.as_str(), NameError::TooLong),
            ("a b", NameError::BadCharacter),
            ("zoë", NameError::BadCharacter),
            ("a.b", NameError::BadCharacter),
            ("CON", NameError::Reserved),
            ("lpt9", NameError::Reserved),
        ] {
            assert_eq!(UserName::parse(text), Err(error), "{text:?}");
        }
        for text in ["com0", "com10", "lpt", "console", "a", &"a".repeat(32)] {
            assert!(UserName::parse(text).is_ok(), "{text:?}");
        }
    }
}
