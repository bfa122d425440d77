//! No guessing: READY is left only for a decision that stands on another disk.
//!
//! Source: Tanenbaum and van Steen, 8.5: a participant in READY cannot decide on its own.

use twopc_proto::audit::{self, Violation};

use super::{Rule, judged};
use crate::world::World;

pub(super) const RULE: Rule =
    Rule { name: "no guessing", holds: |_, world| judged(world, |judgement| judgement.holds("no guessing")), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    audit::guessing(&world.holdings())
}
