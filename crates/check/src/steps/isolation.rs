//! Isolation: a message for one transaction changes nothing of another and says nothing of it.
//!
//! Source: a transaction is one agreement; Bernstein, Hadzilacos, Goodman, 7.3, states the rules for
//! each by itself.

use twopc_proto::audit::Violation;
use twopc_proto::{Effect, Input, LogRecord, Machine};

use super::Step;

pub(super) fn concerns_one_transaction<M: Machine>(step: &Step<'_, M>) -> Result<(), Violation> {
    let Some(Input::Received { message, .. }) = step.input else { return Ok(()) };
    for effect in step.effects {
        let touched = match effect {
            Effect::Persist { record, .. } => record.txn(),
            Effect::Send { message, .. } => message.txn(),
            Effect::Apply { .. } | Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Notify(_) => continue,
        };
        if touched != message.txn() {
            let evidence = format!("a message for {} made {} touch {touched}", message.txn(), step.holding.user);
            return Err(Violation { property: "isolation", evidence });
        }
    }
    Ok(())
}
