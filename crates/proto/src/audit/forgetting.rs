//! No early forgetting: END at the coordinator means that every participant holds the decision.
//!
//! Source: Mohan, Lindsay and Obermarck: a coordinator forgets only after every acknowledgement.

use alloc::format;

use super::{Holding, Log, Violation};
use crate::record::CoordinatorRecord;
use crate::txn::TxnId;

/// Looks, for each transaction with END, for a participant that was asked and holds no decision.
/// Participants whose disk is not among `nodes` are not judged.
///
/// # Errors
/// The participant that was forgotten.
pub fn forgetting(nodes: &[Holding<'_>]) -> Result<(), Violation> {
    for coordinator in nodes {
        let Log::Coordinator { records, .. } = coordinator.log else { continue };
        for record in records {
            let CoordinatorRecord::End { txn } = record else { continue };
            let Some(names) = coordinator.participants_asked(txn) else { continue };
            let asked = |node: &&Holding<'_>| node.is_participant() && names.contains(node.user);
            if let Some(participant) = nodes.iter().filter(asked).find(|node| node.decision(txn).is_none()) {
                return Err(forgotten(coordinator, txn, participant));
            }
        }
        // A compacted log does not say who was asked; whoever promised was.
        for participant in nodes.iter().filter(|_| !coordinator.ranges().is_empty()) {
            let left = |txn: &&TxnId| participant.has_ready(txn) && participant.decision(txn).is_none();
            if let Some(txn) = participant.transactions().into_iter().find(|txn| left(txn) && coordinator.is_compacted(txn)) {
                return Err(forgotten(coordinator, txn, participant));
            }
        }
    }
    Ok(())
}

fn forgotten(coordinator: &Holding<'_>, txn: &TxnId, participant: &Holding<'_>) -> Violation {
    let evidence = format!("{} ended {txn}, which {} has not decided", coordinator.user, participant.user);
    Violation { property: "no early forgetting", evidence }
}
