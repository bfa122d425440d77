//! One vote: whoever holds ABORT of a transaction never votes to commit it, over restarts too.
//!
//! Source: Bernstein, Hadzilacos, Goodman, 7.3, AC3: a process cannot reverse its decision.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, Effect, Machine, Message};

use super::Step;

pub(super) fn no_yes_after_a_no<M: Machine>(step: &Step<'_, M>) -> Result<(), Violation> {
    for effect in step.effects {
        if let Effect::Send { message: Message::VoteCommit { txn }, .. } = effect
            && step.holding.decision(txn) == Some(Decision::Abort)
        {
            let evidence = format!("{} holds ABORT of {txn} and says VOTE_COMMIT", step.holding.user);
            return Err(Violation { property: "one vote", evidence });
        }
    }
    Ok(())
}
