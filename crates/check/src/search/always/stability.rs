//! Stability: a log holds one decision on a transaction, and at most one promise, before it.
//!
//! Source: Bernstein, Hadzilacos, Goodman, 7.3, AC2.

use twopc_proto::audit::{self, Violation};

use super::{Rule, judged};
use crate::world::World;

pub(super) const RULE: Rule =
    Rule { name: "stability", holds: |_, world| judged(world, |judgement| judgement.holds("stability")), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    world.holdings().iter().try_for_each(audit::stability)
}
