//! What must hold of every single step: of what went in, what came out, and what was on the disk.
//!
//! The audit judges what is left behind; some promises are about how it came to be. Whoever drives a
//! machine for a check asks [`judge`] after each step. One property a file, each with its source;
//! none of them looks into a machine.

mod cause;
mod isolation;
mod one_vote;
mod shown;

use twopc_proto::audit::{self, Holding, Violation};
use twopc_proto::{Effect, Input, Machine};

pub use cause::Cause;

/// A step: what went in (`None` is a recovery) and what came out, at a node that held this.
#[derive(Debug)]
pub struct Step<'a, M: Machine> {
    /// What was durable at the node when the machine took the input.
    pub holding: Holding<'a>,
    /// What the machine took; `None` when it was rebuilt from its log.
    pub input: Option<&'a Input<M>>,
    /// What it asked for.
    pub effects: &'a [Effect<M>],
}

/// Asks every property of a step.
///
/// # Errors
/// The first that does not hold.
pub fn judge<M: Cause>(step: &Step<'_, M>) -> Result<(), Violation> {
    cause::decisions_have_a_cause(step)?;
    isolation::concerns_one_transaction(step)?;
    one_vote::no_yes_after_a_no(step)?;
    shown::decisions_shown_are_durable(step)?;
    for effect in step.effects {
        if let Effect::Send { message, .. } = effect {
            audit::backing(&step.holding, message)?;
        }
    }
    Ok(())
}
