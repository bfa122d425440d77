//! Shown: what a window calls committed or aborted is on this node's disk.
//!
//! Source: a person acts on what a window says, so a crash must not take it back.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, Effect, Machine, Notice, State};

use super::Step;

pub(super) fn decisions_shown_are_durable<M: Machine>(step: &Step<'_, M>) -> Result<(), Violation> {
    for effect in step.effects {
        let (txn, decision) = match effect {
            Effect::Notify(Notice::State { txn, state: State::Commit } | Notice::Applied { txn, .. }) => (txn, Decision::Commit),
            Effect::Notify(Notice::State { txn, state: State::Abort }) => (txn, Decision::Abort),
            Effect::Notify(Notice::Decided { txn, decision, .. }) => (txn, *decision),
            Effect::Notify(_)
            | Effect::Persist { .. }
            | Effect::Apply { .. }
            | Effect::Send { .. }
            | Effect::SetTimer { .. }
            | Effect::CancelTimer(_) => continue,
        };
        if step.holding.decision(txn) != Some(decision) {
            let evidence = format!("{} shows {decision} of {txn}, which its disk does not hold", step.holding.user);
            return Err(Violation { property: "shown", evidence });
        }
    }
    Ok(())
}
