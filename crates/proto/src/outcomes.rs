//! The decisions that a node never forgets, compressed.
//!
//! A coordinator's numbers are consecutive, so a million decided transactions are a few ranges a
//! coordinator and incarnation. Identifiers of another shape are kept one by one.

use alloc::collections::BTreeMap;

use crate::name::UserName;
use crate::record::Decision;
use crate::txn::TxnId;

/// What was decided, by transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Outcomes {
    numbered: BTreeMap<(UserName, u64), Ranges>,
    /// Identifiers that this project's coordinators do not write.
    other: BTreeMap<TxnId, Decision>,
}

/// Disjoint ranges of numbers, by their first; neighbours with the same decision are one range.
type Ranges = BTreeMap<u64, (u64, Decision)>;

impl Outcomes {
    /// Remembers a decision. The first one stays: a decision never changes.
    pub fn insert(&mut self, txn: &TxnId, decision: Decision) {
        if self.decision(txn).is_some() {
            return;
        }
        match txn.numbers() {
            None => {
                self.other.insert(txn.clone(), decision);
            }
            Some((incarnation, n)) => {
                let ranges = self.numbered.entry((txn.coordinator().clone(), incarnation)).or_default();
                insert_number(ranges, n, decision);
            }
        }
    }

    /// What was decided, if it was.
    #[must_use]
    pub fn decision(&self, txn: &TxnId) -> Option<Decision> {
        let Some((incarnation, n)) = txn.numbers() else {
            return self.other.get(txn).copied();
        };
        let ranges = self.numbered.get(&(txn.coordinator().clone(), incarnation))?;
        let (_, (last, decision)) = ranges.range(..=n).next_back()?;
        (n <= *last).then_some(*decision)
    }

    /// How many ranges and single identifiers this takes; for tests and figures.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.other.len() + self.numbered.values().map(BTreeMap::len).sum::<usize>()
    }
}

/// Adds a number that no range holds yet, joining it to its neighbours where they agree.
fn insert_number(ranges: &mut Ranges, n: u64, decision: Decision) {
    let mut first = n;
    let mut last = n;
    if let Some((&start, &(end, same))) = ranges.range(..n).next_back()
        && same == decision
        && end.checked_add(1) == Some(n)
    {
        first = start;
    }
    if let Some(next) = n.checked_add(1)
        && let Some(&(end, same)) = ranges.get(&next)
        && same == decision
    {
        ranges.remove(&next);
        last = end;
    }
    ranges.insert(first, (last, decision));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_decisions_become_one_range_in_any_order_of_arrival() {
        let chair = UserName::parse("chair").unwrap();
        let mut outcomes = Outcomes::default();
        for n in (1..=1000).step_by(2).chain((2..=1000).step_by(2)) {
            outcomes.insert(&TxnId::numbered(&chair, 1, n), Decision::Commit);
        }
        assert_eq!(outcomes.pieces(), 1);
        outcomes.insert(&TxnId::numbered(&chair, 1, 1001), Decision::Abort);
        outcomes.insert(&TxnId::numbered(&chair, 1, 1003), Decision::Abort);
        outcomes.insert(&TxnId::numbered(&chair, 2, 1), Decision::Abort);
        assert_eq!(outcomes.pieces(), 4);
        for (incarnation, n, decision) in [
            (1, 1, Some(Decision::Commit)),
            (1, 1000, Some(Decision::Commit)),
            (1, 1001, Some(Decision::Abort)),
            (1, 1002, None),
            (1, 1003, Some(Decision::Abort)),
            (1, 0, None),
            (2, 1, Some(Decision::Abort)),
            (3, 1, None),
        ] {
            let txn = TxnId::numbered(&chair, incarnation, n);
            assert_eq!(outcomes.decision(&txn), decision, "{txn}");
        }
    }

    #[test]
    fn the_first_decision_stays_and_other_shapes_are_kept() {
        let mut outcomes = Outcomes::default();
        for text in ["chair.x", "chair.1.18446744073709551615", "chair.1.0"] {
            let txn = TxnId::parse(text).unwrap();
            outcomes.insert(&txn, Decision::Commit);
            outcomes.insert(&txn, Decision::Abort);
            assert_eq!(outcomes.decision(&txn), Some(Decision::Commit), "{txn}");
        }
    }
}
