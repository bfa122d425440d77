//! Refinement: everything that happens is something that TwoPhase allows.
//!
//! Source: Gray and Lamport, *Consensus on Transaction Commit*, section 3.2; see [`crate::refinement`].

use twopc_proto::audit::Violation;

use super::Rule;
use crate::world::World;

pub(super) const RULE: Rule = Rule { name: "refinement of TwoPhase", holds: |_, world| !world.strayed, evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    if world.strayed {
        let evidence = "no actions of TwoPhase, each enabled in its turn, lead to what the disks hold now".into();
        Err(Violation { property: RULE.name, evidence })
    } else {
        Ok(())
    }
}
