//! Commit validity: COMMIT anywhere means that every participant had promised.
//!
//! Source: Bernstein et al., 7.3, AC3: commit can only be reached if all voted Yes.

use alloc::format;

use super::{Holding, Violation};
use crate::record::Decision;

/// Looks, for each committed transaction, for a participant without READY on its disk. Participants
/// whose disk is not among `nodes` are not judged, and neither are promises that a log was rid of when
/// it was compacted.
///
/// # Errors
/// The participant that never promised.
pub fn validity(nodes: &[Holding<'_>]) -> Result<(), Violation> {
    for node in nodes {
        for txn in node.transactions() {
            if node.decision(txn) != Some(Decision::Commit) {
                continue;
            }
            let names = nodes.iter().find_map(|other| other.participants_asked(txn).or_else(|| other.participants_of_promise(txn)));
            for participant in nodes.iter().filter(|other| other.is_participant()) {
                let concerned = names.is_some_and(|names| names.contains(participant.user)) || participant.user == node.user;
                if concerned && !participant.may_have_promised(txn) {
                    let evidence = format!("{} committed {txn}, which {} never promised", node.user, participant.user);
                    return Err(Violation { property: "commit validity", evidence });
                }
            }
        }
    }
    Ok(())
}
