//! The records of one log, found by transaction.
//!
//! A log may hold a hundred thousand records and as many ranges, so looking for one transaction must not
//! take a walk through all of them. Deliberately absent: what a record means.

use std::collections::{BTreeMap, BTreeSet};

use twopc_proto::log::Logged;
use twopc_proto::{Decided, LogRecord, TxnId, UserName};

/// One log's records.
#[derive(Clone, Debug)]
pub(super) struct Shelf<R> {
    logged: Vec<Logged<R>>,
    by_txn: BTreeMap<TxnId, Vec<usize>>,
    /// Of each coordinator and life the ranges that the log was compacted to, by their first number.
    ranges: BTreeMap<(UserName, u64), Vec<Range>>,
}

/// A range of numbers, the record that says it, and the highest number of this range and those before it.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u64,
    last: u64,
    record: usize,
    highest: u64,
}

impl<R: LogRecord> Shelf<R> {
    pub(super) fn new(logged: Vec<Logged<R>>) -> Self {
        let mut by_txn: BTreeMap<TxnId, Vec<usize>> = BTreeMap::new();
        let mut ranges: BTreeMap<(UserName, u64), Vec<Range>> = BTreeMap::new();
        for (record, Logged { record: this, .. }) in logged.iter().enumerate() {
            match this.decided().and_then(|decided| decided.numbers().map(|numbers| (decided, numbers))) {
                Some((decided, (life, first, last))) => {
                    let of_life = ranges.entry((decided.first().coordinator().clone(), life)).or_default();
                    of_life.push(Range { first, last, record, highest: last });
                }
                None => by_txn.entry(this.txn().clone()).or_default().push(record),
            }
        }
        for of_life in ranges.values_mut() {
            of_life.sort_by_key(|range| range.first);
            let mut highest = 0;
            for range in of_life {
                highest = range.last.max(highest);
                range.highest = highest;
            }
        }
        Self { logged, by_txn, ranges }
    }

    /// Every record, in order.
    pub(super) fn logged(&self) -> &[Logged<R>] {
        &self.logged
    }

    /// The records of one transaction in their order, each with its line; of a range that has it, what it
    /// says of this one.
    pub(super) fn of(&self, txn: &TxnId) -> (Vec<R>, Vec<u64>) {
        let mut found = self.by_txn.get(txn).cloned().unwrap_or_default();
        if let Some((life, n)) = txn.numbers()
            && let Some(of_life) = self.ranges.get(&(txn.coordinator().clone(), life))
        {
            let upto = of_life.partition_point(|range| range.first <= n);
            let near = of_life[..upto].iter().rev().take_while(|range| range.highest >= n);
            found.extend(near.filter(|range| range.last >= n).map(|range| range.record));
            found.sort_unstable();
        }
        let records = found.iter().map(|at| {
            let record = &self.logged[*at].record;
            record.decided().map_or_else(|| record.clone(), |decided| R::of_decided(Decided::one(txn.clone(), decided.decision())))
        });
        (records.collect(), found.iter().map(|at| self.logged[*at].line).collect())
    }

    /// The transactions that must be looked at so that all are judged: those that have records of their
    /// own, and each first and last one of a range with its neighbours, since between two of these all
    /// are alike.
    pub(super) fn marks(&self, marks: &mut BTreeSet<TxnId>) {
        let ranges = self.ranges.iter().flat_map(|((coordinator, life), of_life)| {
            of_life.iter().flat_map(move |range| [range.first, range.last].map(|n| (coordinator, *life, n)))
        });
        let singles = self.by_txn.keys().filter_map(|txn| txn.numbers().map(|(life, n)| (txn.coordinator(), life, n)));
        for (coordinator, life, n) in ranges.chain(singles) {
            let near = [n.checked_sub(1), Some(n), n.checked_add(1)].into_iter().flatten();
            marks.extend(near.map(|n| TxnId::numbered(coordinator, life, n)));
        }
        marks.extend(self.by_txn.keys().cloned());
    }
}

#[cfg(test)]
mod tests {
    use twopc_proto::{CoordinatorRecord, Decision};

    use super::*;

    fn txn(n: u64) -> TxnId {
        TxnId::numbered(&UserName::parse("chair").unwrap(), 1, n)
    }

    fn shelf(records: &[CoordinatorRecord]) -> Shelf<CoordinatorRecord> {
        Shelf::new((3..).zip(records).map(|(line, record)| Logged { line, record: record.clone(), stamp: None }).collect())
    }

    fn range(first: u64, last: u64, decision: Decision) -> CoordinatorRecord {
        CoordinatorRecord::Decided(Decided::through(txn(first), last, decision))
    }

    #[test]
    fn a_transaction_is_found_among_records_and_ranges_also_where_ranges_overlap() {
        let shelf = shelf(&[
            range(1, 90, Decision::Commit),
            range(5, 6, Decision::Abort),
            range(20, 30, Decision::Abort),
            CoordinatorRecord::End { txn: txn(95) },
            CoordinatorRecord::Commit { txn: txn(6) },
        ]);
        for (n, lines) in [(1, &[3][..]), (6, &[3, 4, 7]), (7, &[3]), (25, &[3, 5]), (91, &[]), (95, &[6])] {
            assert_eq!(shelf.of(&txn(n)).1, lines, "{n}");
        }
        let one = CoordinatorRecord::Decided(Decided::one(txn(7), Decision::Commit));
        assert_eq!(shelf.of(&txn(7)).0, [one], "of a range, what it says of this one");
    }

    #[test]
    fn marks_are_the_ends_of_ranges_and_their_neighbours() {
        let mut marks = BTreeSet::new();
        shelf(&[range(0, 90, Decision::Commit), CoordinatorRecord::End { txn: txn(95) }]).marks(&mut marks);
        let numbers: BTreeSet<u64> = marks.iter().filter_map(TxnId::numbers).map(|(_, n)| n).collect();
        assert_eq!(numbers, [0, 1, 89, 90, 91, 94, 95, 96].into());
    }
}
