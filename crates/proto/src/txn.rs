//! Transaction identifiers.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::name::UserName;

/// The most bytes a transaction identifier has.
pub const MAX_TXN: usize = 64;

/// Names one transaction for ever: 1 to 64 characters of `[A-Za-z0-9_.-]` that begin with the
/// coordinator's name and a dot.
///
/// This project's coordinators write `NAME.INCARNATION.N`. The name's case is folded, the rest is
/// kept as it came.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TxnId {
    coordinator: UserName,
    /// What follows the first dot.
    rest: Arc<str>,
}

/// A text that names no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a transaction is named by its coordinator, a dot and up to 64 characters in all of A-Z a-z 0-9 _ . -")]
pub struct TxnError;

impl TxnId {
    /// The transaction that `coordinator` counts as its `n`th in this start of it.
    ///
    /// Always within 64 bytes: 32 for the name and at most 20 for each number would exceed it
    /// only for counts that no machine reaches.
    #[must_use]
    pub fn numbered(coordinator: &UserName, incarnation: u64, n: u64) -> Self {
        Self { coordinator: coordinator.clone(), rest: format!("{incarnation}.{n}").into() }
    }

    /// Reads an identifier.
    ///
    /// # Errors
    /// [`TxnError`] when it is not of the form above.
    pub fn parse(text: &str) -> Result<Self, TxnError> {
        let (name, rest) = text.split_once('.').ok_or(TxnError)?;
        let well_formed = text.len() <= MAX_TXN && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !well_formed {
            return Err(TxnError);
        }
        let coordinator = UserName::parse(name).map_err(|_| TxnError)?;
        Ok(Self { coordinator, rest: rest.into() })
    }

    /// The user who alone may ask for votes on it, decide it, and answer for it.
    #[must_use]
    pub fn coordinator(&self) -> &UserName {
        &self.coordinator
    }

    /// `(incarnation, n)` of an identifier that [`TxnId::numbered`] could have made.
    #[must_use]
    pub fn numbers(&self) -> Option<(u64, u64)> {
        let (incarnation, n) = self.rest.split_once('.')?;
        Some((canonical(incarnation)?, canonical(n)?))
    }

    /// The short form that windows show: `#N`, or what follows the name where there is no number.
    #[must_use]
    pub fn short(&self) -> String {
        match self.numbers() {
            Some((_, n)) => format!("#{n}"),
            None => format!("#{}", self.rest),
        }
    }
}

/// A number as this project writes it: no sign, no leading zero.
fn canonical(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}

impl TryFrom<String> for TxnId {
    type Error = TxnError;
    fn try_from(text: String) -> Result<Self, TxnError> {
        Self::parse(&text)
    }
}

impl From<TxnId> for String {
    fn from(txn: TxnId) -> Self {
        format!("{txn}")
    }
}

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.coordinator, self.rest)
    }
}

impl fmt::Debug for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_identifier_names_its_coordinator_and_its_numbers() {
        let txn = TxnId::parse("Chair.3.17").unwrap();
        assert_eq!(txn.coordinator().as_str(), "chair");
        assert_eq!(txn.numbers(), Some((3, 17)));
        assert_eq!(txn.to_string(), "chair.3.17");
        assert_eq!(txn.short(), "#17");
        assert_eq!(txn, TxnId::numbered(txn.coordinator(), 3, 17));
    }

    #[test]
    fn another_programs_identifier_is_taken_whole() {
        let txn = TxnId::parse("chair.a.B_c-").unwrap();
        assert_eq!(txn.numbers(), None);
        assert_eq!(txn.short(), "#a.B_c-");
        for odd in ["chair.01.2", "chair.-1.2", "chair.1", "chair.1.2.3", "chair.1.99999999999999999999"] {
            assert_eq!(TxnId::parse(odd).unwrap().numbers(), None, "{odd}");
        }
    }

    #[test]
    fn what_names_no_transaction_is_refused() {
        let long = format!("chair.{}", "1".repeat(59));
        for text in ["", "chair", ".1.2", "ch air.1.2", "chair.1 2", "chair.é", "con.1.2", long.as_str()] {
            assert_eq!(TxnId::parse(text), Err(TxnError), "{text:?}");
        }
        assert!(TxnId::parse(&long[..64]).is_ok());
    }
}
