//! Commit validity: COMMIT anywhere means that every participant had READY on its disk.
//!
//! Source: Bernstein, Hadzilacos, Goodman, 7.3, AC3.

use twopc_proto::audit::{self, Violation};

use super::{Rule, judged};
use crate::world::World;

pub(super) const RULE: Rule =
    Rule { name: "commit validity", holds: |_, world| judged(world, |judgement| judgement.holds("commit validity")), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    audit::validity(&world.holdings())
}
