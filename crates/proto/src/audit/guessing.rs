//! No guessing: a promise is left only by a decision that stood on another disk before.
//!
//! Source: Tanenbaum and van Steen, 8.5: a participant in READY cannot decide on its own.

use alloc::format;

use super::{Holding, Log, Violation};
use crate::record::Decision;
use crate::txn::TxnId;

/// Looks for a participant that promised and decided although nobody else had: COMMIT needs the
/// coordinator's, ABORT the coordinator's (which a later start presumes) or another participant's.
/// Transactions whose coordinator's disk is not among `nodes` are not judged.
///
/// # Errors
/// The participant that guessed.
pub fn guessing(nodes: &[Holding<'_>]) -> Result<(), Violation> {
    for node in nodes.iter().filter(|node| node.is_participant()) {
        for txn in node.transactions() {
            let Some(coordinator) = nodes.iter().find(|other| other.is_coordinator_of(txn)) else { continue };
            if !node.has_ready(txn) {
                continue;
            }
            let told = match node.decision(txn) {
                None => true,
                Some(Decision::Commit) => coordinator.decision(txn) == Some(Decision::Commit),
                Some(Decision::Abort) => {
                    let elsewhere = nodes
                        .iter()
                        .any(|other| (other.user != node.user || !other.is_participant()) && other.decision(txn) == Some(Decision::Abort));
                    elsewhere || presumes_abort(coordinator, txn)
                }
            };
            if !told {
                let evidence = format!("{} had promised {txn} and decided before anybody else", node.user);
                return Err(Violation { property: "no guessing", evidence });
            }
        }
        // Whoever asked for the votes of a range that was committed holds the decision for ever.
        for range in node.ranges().into_iter().filter(|range| range.decision() == Decision::Commit) {
            let coordinator = nodes.iter().find(|other| other.is_coordinator_of(range.first()));
            if coordinator.is_some_and(|coordinator| !coordinator.outcomes().holds(range)) {
                let evidence = format!("{} committed {range} and the coordinator did not", node.user);
                return Err(Violation { property: "no guessing", evidence });
            }
        }
    }
    Ok(())
}

/// A later start of the coordinator whose log does not know the transaction answers ABORT.
pub(super) fn presumes_abort(coordinator: &Holding<'_>, txn: &TxnId) -> bool {
    let Log::Coordinator { incarnation, .. } = coordinator.log else { return false };
    let earlier = txn.numbers().is_some_and(|(started, _)| started < incarnation);
    earlier && coordinator.decision(txn) != Some(Decision::Commit)
}
