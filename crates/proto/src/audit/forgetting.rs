//! No early forgetting: END at the coordinator means that every participant holds the decision.
//!
//! Source: Mohan, Lindsay and Obermarck: a coordinator forgets only after every acknowledgement.

use alloc::format;

use super::{Holding, Log, Violation};
use crate::record::CoordinatorRecord;

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
            for participant in nodes.iter().filter(|node| node.is_participant() && names.contains(node.user)) {
                if participant.decision(txn).is_none() {
                    let evidence = format!("{} ended {txn}, which {} has not decided", coordinator.user, participant.user);
                    return Err(Violation { property: "no early forgetting", evidence });
                }
            }
        }
    }
    Ok(())
}
