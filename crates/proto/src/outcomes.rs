//! The decisions that a node never forgets, compressed.
//!
//! A coordinator's numbers are consecutive, so a million decided transactions are a few ranges a
//! coordinator and incarnation. Identifiers of another shape are kept one by one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::decided::Decided;
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
        self.insert_all(&Decided::one(txn.clone(), decision));
    }

    /// Remembers how all of these ended. What was known of one of them stays.
    pub fn insert_all(&mut self, decided: &Decided) {
        let (txn, decision) = (decided.first(), decided.decision());
        match decided.numbers() {
            None => {
                self.other.entry(txn.clone()).or_insert(decision);
            }
            Some((incarnation, first, last)) => {
                let ranges = self.numbered.entry((txn.coordinator().clone(), incarnation)).or_default();
                for (first, last) in gaps(ranges, first, last) {
                    insert_gap(ranges, first, last, decision);
                }
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

    /// Whether every one of these is known to have ended so.
    #[must_use]
    pub fn holds(&self, decided: &Decided) -> bool {
        let txn = decided.first();
        let Some((incarnation, first, last)) = decided.numbers() else {
            return self.decision(txn) == Some(decided.decision());
        };
        // Neighbours with the same decision are one range.
        let ranges = self.numbered.get(&(txn.coordinator().clone(), incarnation));
        let around = ranges.and_then(|ranges| ranges.range(..=first).next_back());
        around.is_some_and(|(_, (end, decision))| *decision == decided.decision() && last <= *end)
    }

    /// All that is known, in as few pieces as it takes.
    pub fn iter(&self) -> impl Iterator<Item = Decided> + '_ {
        let numbered = self.numbered.iter().flat_map(|((coordinator, incarnation), ranges)| {
            ranges.iter().map(move |(first, (last, decision))| {
                Decided::through(TxnId::numbered(coordinator, *incarnation, *first), *last, *decision)
            })
        });
        numbered.chain(self.other.iter().map(|(txn, decision)| Decided::one(txn.clone(), *decision)))
    }

    /// How many ranges and single identifiers this takes; for tests and figures.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.other.len() + self.numbered.values().map(BTreeMap::len).sum::<usize>()
    }
}

/// Those of these numbers that no range holds yet, as ranges.
fn gaps(ranges: &Ranges, first: u64, last: u64) -> Vec<(u64, u64)> {
    let mut gaps = Vec::new();
    let mut next = Some(first);
    let before = ranges.range(..first).next_back();
    for (&start, &(end, _)) in before.into_iter().chain(ranges.range(first..=last)) {
        let Some(from) = next else { return gaps };
        if start > from {
            gaps.push((from, start - 1));
        }
        if end >= from {
            next = end.checked_add(1);
        }
    }
    gaps.extend(next.filter(|from| *from <= last).map(|from| (from, last)));
    gaps
}

/// Adds numbers that no range holds yet, joining them to their neighbours where they agree.
fn insert_gap(ranges: &mut Ranges, mut first: u64, mut last: u64, decision: Decision) {
    if let Some((&start, &(end, same))) = ranges.range(..first).next_back()
        && same == decision
        && end.checked_add(1) == Some(first)
    {
        first = start;
    }
    if let Some(next) = last.checked_add(1)
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

    #[test]
    fn a_range_fills_what_is_not_known_and_changes_nothing_that_is() {
        let chair = UserName::parse("chair").unwrap();
        let range = |first, last, decision| Decided::through(TxnId::numbered(&chair, 1, first), last, decision);
        let mut outcomes = Outcomes::default();
        outcomes.insert_all(&range(5, 7, Decision::Abort));
        outcomes.insert_all(&range(10, 10, Decision::Commit));
        outcomes.insert_all(&range(1, 20, Decision::Commit));
        outcomes.insert_all(&range(6, 30, Decision::Abort));
        let known: Vec<Decided> = outcomes.iter().collect();
        assert_eq!(
            known,
            [range(1, 4, Decision::Commit), range(5, 7, Decision::Abort), range(8, 20, Decision::Commit), range(21, 30, Decision::Abort)]
        );
        assert!(outcomes.holds(&range(8, 20, Decision::Commit)) && outcomes.holds(&range(9, 12, Decision::Commit)));
        for other in
            [range(7, 8, Decision::Commit), range(8, 21, Decision::Commit), range(9, 9, Decision::Abort), range(0, 1, Decision::Commit)]
        {
            assert!(!outcomes.holds(&other), "{other}");
        }
        let mut again = Outcomes::default();
        known.iter().rev().for_each(|some| again.insert_all(some));
        assert_eq!(again, outcomes);
    }

    #[test]
    fn the_largest_range_takes_no_longer_than_the_smallest() {
        let chair = UserName::parse("chair").unwrap();
        let all = Decided::through(TxnId::numbered(&chair, 1, 0), u64::MAX, Decision::Commit);
        let mut outcomes = Outcomes::default();
        outcomes.insert(&TxnId::numbered(&chair, 1, u64::MAX), Decision::Abort);
        outcomes.insert_all(&all);
        outcomes.insert_all(&all);
        assert_eq!(outcomes.decision(&TxnId::numbered(&chair, 1, u64::MAX - 1)), Some(Decision::Commit));
        assert_eq!(outcomes.decision(&TxnId::numbered(&chair, 1, u64::MAX)), Some(Decision::Abort));
        assert_eq!((outcomes.pieces(), outcomes.holds(&all)), (2, false));
    }
}
