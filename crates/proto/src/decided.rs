//! What is left in a log of transactions that are over: how they ended, for ever.
//!
//! A coordinator's numbers are consecutive, so one [`Decided`] speaks of any number of them.
//! Deliberately absent: when a transaction is over, which is its role's business
//! ([`LogRecord::settled`](crate::LogRecord::settled)).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::record::Decision;
use crate::txn::TxnId;

/// Transactions of one coordinator and incarnation with consecutive numbers, or a single one of any
/// shape, that all ended alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Members")]
pub struct Decided {
    /// The first of them.
    txn: TxnId,
    /// The number of the last, if there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<u64>,
    decision: Decision,
}

/// A range as it is read.
#[derive(Deserialize)]
struct Members {
    txn: TxnId,
    #[serde(default)]
    through: Option<u64>,
    decision: Decision,
}

impl TryFrom<Members> for Decided {
    type Error = &'static str;
    fn try_from(Members { txn, through, decision }: Members) -> Result<Self, &'static str> {
        let Some(last) = through else { return Ok(Self::one(txn, decision)) };
        match txn.numbers() {
            Some((_, first)) if first < last => Ok(Self { txn, through, decision }),
            Some(_) | None => Err("`through` is a number beyond that of `txn`"),
        }
    }
}

impl Decided {
    /// This transaction alone.
    #[must_use]
    pub fn one(txn: TxnId, decision: Decision) -> Self {
        Self { txn, through: None, decision }
    }

    /// This transaction and those after it up to number `last`; alone if it has no number below that.
    #[must_use]
    pub fn through(txn: TxnId, last: u64, decision: Decision) -> Self {
        let through = txn.numbers().filter(|(_, first)| *first < last).map(|_| last);
        Self { txn, through, decision }
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> &TxnId {
        &self.txn
    }

    /// How they ended.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Whose they are: incarnation, first number, last number. `None` for one of another shape.
    #[must_use]
    pub fn numbers(&self) -> Option<(u64, u64, u64)> {
        let (incarnation, first) = self.txn.numbers()?;
        Some((incarnation, first, self.through.unwrap_or(first)))
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.numbers().map_or(1, |(_, first, last)| (last - first).saturating_add(1))
    }

    /// Whether this transaction is one of them.
    #[must_use]
    pub fn covers(&self, txn: &TxnId) -> bool {
        match (self.numbers(), txn.numbers()) {
            (Some((incarnation, first, last)), Some((of, n))) => {
                incarnation == of && (first..=last).contains(&n) && self.txn.coordinator() == txn.coordinator()
            }
            (Some(_) | None, None) | (None, Some(_)) => self.txn == *txn,
        }
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.through {
            None => write!(f, "{}", self.txn),
            Some(last) => write!(f, "{} to {last}", self.txn),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn txn(text: &str) -> TxnId {
        TxnId::parse(text).unwrap()
    }

    #[test]
    fn a_range_speaks_of_its_numbers_and_no_others() {
        let some = Decided::through(txn("chair.2.5"), 9, Decision::Commit);
        assert_eq!((some.count(), some.to_string().as_str()), (5, "chair.2.5 to 9"));
        for (other, covered) in [
            ("chair.2.5", true),
            ("chair.2.9", true),
            ("chair.2.4", false),
            ("chair.2.10", false),
            ("chair.1.7", false),
            ("bob.2.7", false),
            ("chair.2.07", false),
            ("chair.x", false),
        ] {
            assert_eq!(some.covers(&txn(other)), covered, "{other}");
        }
        let odd = Decided::through(txn("chair.x"), 9, Decision::Abort);
        assert_eq!((odd.count(), odd.to_string().as_str()), (1, "chair.x"));
        assert!(odd.covers(&txn("chair.x")) && !odd.covers(&txn("chair.1.1")));
    }

    #[test]
    fn it_reads_as_it_was_written_and_a_range_that_ends_before_it_begins_is_none() {
        for (some, text) in [
            (Decided::through(txn("chair.1.1"), 500, Decision::Commit), r#"{"txn":"chair.1.1","through":500,"decision":"commit"}"#),
            (Decided::through(txn("chair.1.1"), 1, Decision::Abort), r#"{"txn":"chair.1.1","decision":"abort"}"#),
            (Decided::one(txn("chair.x"), Decision::Abort), r#"{"txn":"chair.x","decision":"abort"}"#),
        ] {
            assert_eq!(serde_json::to_string(&some).unwrap(), text);
            assert_eq!(serde_json::from_str::<Decided>(text).unwrap(), some);
        }
        for text in [
            r#"{"txn":"chair.1.5","through":5,"decision":"commit"}"#,
            r#"{"txn":"chair.1.5","through":4,"decision":"commit"}"#,
            r#"{"txn":"chair.x","through":4,"decision":"commit"}"#,
            r#"{"txn":"chair.1.5","decision":"maybe"}"#,
        ] {
            assert!(serde_json::from_str::<Decided>(text).is_err(), "{text}");
        }
    }
}
