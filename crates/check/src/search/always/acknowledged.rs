//! Acknowledged only what stands in the file: no ACK of a commit leaves before its line is written.
//!
//! Source: Mohan, Lindsay and Obermarck: after the acknowledgement nobody sends the decision again, so
//! nothing may be left to be done with it.

use twopc_proto::audit::Violation;

use super::Rule;
use crate::world::World;

pub(super) const RULE: Rule =
    Rule { name: "acknowledged only what stands in the file", holds: |_, world| evidence(world).is_ok(), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    match world.participants.iter().find(|seat| seat.node.acknowledged_early) {
        None => Ok(()),
        Some(seat) => {
            let evidence = format!("{} said ACK of a commit whose line was not in its text file", seat.node.me);
            Err(Violation { property: RULE.name, evidence })
        }
    }
}
