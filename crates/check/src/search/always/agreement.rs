//! Agreement: no two nodes decide differently, the coordinator among them.
//!
//! Source: Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery*, 7.3, AC1.

use twopc_proto::audit::{self, Violation};

use super::{Rule, judged};
use crate::world::World;

pub(super) const RULE: Rule =
    Rule { name: "agreement", holds: |_, world| judged(world, |judgement| judgement.holds("agreement")), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    audit::agreement(&world.holdings())
}
