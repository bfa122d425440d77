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
    let mut first: BTreeMap<&TxnId, (Decision, &UserName)> = BTreeMap::new();
    for node in nodes {
        for txn in node.transactions() {
            let Some(decision) = node.decision(txn) else { continue };
            let (decided, by) = *first.entry(txn).or_insert((decision, node.user));
            if decided != decision {
                let evidence = format!("{txn}: {by} holds {decided}, {} holds {decision}", node.user);
                return Err(Violation { property: "agreement", evidence });
            }
        }
    }
    Ok(())
}
