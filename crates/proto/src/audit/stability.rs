//! Stability: a log holds one decision on a transaction, and a participant one promise, before it.
//!
//! Source: Bernstein et al., 7.3, AC2: a process cannot reverse its decision.

use alloc::format;

use super::{Holding, Log, Violation};
use crate::record::{Decision, ParticipantRecord};

/// Looks for a second decision, a second promise, or a promise after a decision in one log.
///
/// # Errors
/// The transaction whose records contradict or repeat each other.
pub fn stability(node: &Holding<'_>) -> Result<(), Violation> {
    for txn in node.transactions() {
        let violation = |what: &str| Violation { property: "stability", evidence: format!("{}: {txn} {what}", node.user) };
        if node.decisions(txn).count() > 1 {
            return Err(violation("was decided twice"));
        }
        let Log::Participant(records) = node.log else { continue };
        let mut decided: Option<Decision> = None;
        let mut promised = false;
        for record in records {
            match record {
                ParticipantRecord::Ready { txn: this, .. } if this == txn => {
                    if promised || decided.is_some() {
                        return Err(violation("was promised twice or after its decision"));
                    }
                    promised = true;
                }
                ParticipantRecord::Commit { txn: this, .. } if this == txn => decided = Some(Decision::Commit),
                ParticipantRecord::Abort { txn: this, .. } if this == txn => decided = Some(Decision::Abort),
                ParticipantRecord::Decided(range) if range.covers(txn) => decided = Some(range.decision()),
                ParticipantRecord::Decided(_)
                | ParticipantRecord::Ready { .. }
                | ParticipantRecord::Commit { .. }
                | ParticipantRecord::Abort { .. }
                | ParticipantRecord::Applied { .. } => {}
            }
        }
    }
    Ok(())
}
