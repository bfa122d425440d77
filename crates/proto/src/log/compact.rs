//! What a log comes to when all that is over is said in a few lines.
//!
//! A transaction that is over leaves its decision, as part of a range; whatever is unfinished stays
//! as it is. So does the last COMMIT record, which says where the text file ends if nobody has edited
//! it. Pure: when a log is compacted, and how the new one takes the place of the old, is the store's
//! business.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Line, Logged, ReadLog, Tip, encode};
use crate::outcomes::Outcomes;
use crate::record::{Decision, LogRecord, RecordKind};
use crate::txn::TxnId;

/// The lines that say all that these records promise, after the header and the life: the decisions
/// that are only that, then what is kept, in its order.
///
/// The COMMIT records that are kept are the last ones of the log, without a gap, so that whatever
/// stands in the text file before the first of them belongs to those that are not.
#[must_use]
pub fn compacted<R: LogRecord>(records: &[Logged<R>]) -> Vec<Line<R>> {
    let mut over = settled(records);
    let commits = records.iter().filter(|logged| logged.record.committed().is_some());
    let first_open = commits.clone().position(|logged| !over.contains_key(logged.record.txn()));
    let first_kept = first_open.or_else(|| commits.clone().count().checked_sub(1));
    for logged in commits.skip(first_kept.unwrap_or_default()) {
        over.remove(logged.record.txn());
    }

    let mut outcomes = Outcomes::default();
    records.iter().filter_map(|logged| logged.record.decided()).for_each(|decided| outcomes.insert_all(decided));
    over.iter().for_each(|(txn, decision)| outcomes.insert(txn, *decision));
    let decisions = outcomes.iter().map(|decided| Line::Record { record: R::of_decided(decided), stamp: None });
    let kept = records.iter().filter(|logged| logged.record.decided().is_none() && !over.contains_key(logged.record.txn()));
    decisions.chain(kept.map(|logged| Line::Record { record: logged.record.clone(), stamp: logged.stamp })).collect()
}

/// The transactions that are over, by how they ended.
fn settled<R: LogRecord>(records: &[Logged<R>]) -> BTreeMap<&TxnId, Decision> {
    let mut kinds: BTreeMap<&TxnId, Vec<RecordKind>> = BTreeMap::new();
    for Logged { record, .. } in records.iter().filter(|logged| logged.record.decided().is_none()) {
        kinds.entry(record.txn()).or_default().push(record.kind());
    }
    kinds.into_iter().filter_map(|(txn, kinds)| Some((txn, R::settled(&kinds)?))).collect()
}

/// A whole log that promises what this one does, in as few lines as that takes.
///
/// Each of its lines says that all of them are on the disk, since it is born whole: one that is
/// missing at its end is then found, too.
#[must_use]
pub fn compact<R: LogRecord>(log: &ReadLog<R>) -> Vec<u8> {
    let life = (log.incarnation > 0).then_some(Line::Life(log.incarnation));
    let lines: Vec<Line<R>> = core::iter::once(Line::Header(log.header.clone())).chain(life).chain(compacted(&log.records)).collect();
    let mut tip = Tip { synced: lines.len() as u64, ..Tip::default() };
    let mut bytes = Vec::new();
    lines.iter().for_each(|line| encode(&mut tip, line, &mut bytes));
    bytes
}
