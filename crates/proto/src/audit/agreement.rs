//! Agreement: never COMMIT at one node and ABORT at another for the same transaction, the
//! coordinator included.
//!
//! Source: Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery*, 7.3, AC1;
//! `TCConsistent` in Gray and Lamport, *Consensus on Transaction Commit*.

use alloc::collections::BTreeMap;
use alloc::format;

use super::{Holding, Violation};
use crate::name::UserName;
use crate::record::Decision;
use crate::txn::TxnId;

/// Compares the decisions on every disk.
///
/// # Errors
/// Two nodes that decided differently.
pub fn agreement(nodes: &[Holding<'_>]) -> Result<(), Violation> {
    let disagree = |txn: &TxnId, one: &UserName, decided: Decision, other: &UserName, decision: Decision| {
        let evidence = format!("{txn}: {one} holds {decided}, {other} holds {decision}");
        Err(Violation { property: "agreement", evidence })
    };
    let mut first: BTreeMap<&TxnId, (Decision, &UserName)> = BTreeMap::new();
    for node in nodes {
        for txn in node.transactions() {
            let Some(decision) = node.decision(txn) else { continue };
            let (decided, by) = *first.entry(txn).or_insert((decision, node.user));
            if decided != decision {
                return disagree(txn, by, decided, node.user, decision);
            }
        }
    }
    // What a compacted log says of a range, against what others say of one of its transactions. Of two
    // ranges that share some, one holds the first of the other, which was named above.
    for node in nodes {
        for range in node.ranges() {
            if let Some((txn, (decided, by))) = first.iter().find(|(txn, (decided, _))| range.covers(txn) && *decided != range.decision()) {
                return disagree(txn, by, *decided, node.user, range.decision());
            }
        }
    }
    Ok(())
}
