//! What every step is judged by as it is taken: see [`crate::steps`], which has the sources.
//!
//! A step that is out of order marks its node, so each of these looks for its own mark.

use twopc_proto::audit::Violation;

use super::Rule;
use crate::world::World;

pub(super) const BACKING: Rule = Rule { name: "log before send", holds: |_, world| backing(world).is_ok(), evidence: backing };
pub(super) const CAUSE: Rule = Rule { name: "cause", holds: |_, world| cause(world).is_ok(), evidence: cause };
pub(super) const ISOLATION: Rule = Rule { name: "isolation", holds: |_, world| isolation(world).is_ok(), evidence: isolation };
pub(super) const ONE_VOTE: Rule = Rule { name: "one vote", holds: |_, world| one_vote(world).is_ok(), evidence: one_vote };
pub(super) const SHOWN: Rule = Rule { name: "shown", holds: |_, world| shown(world).is_ok(), evidence: shown };

fn backing(world: &World) -> Result<(), Violation> {
    misstep(world, BACKING.name)
}

fn cause(world: &World) -> Result<(), Violation> {
    misstep(world, CAUSE.name)
}

fn isolation(world: &World) -> Result<(), Violation> {
    misstep(world, ISOLATION.name)
}

fn one_vote(world: &World) -> Result<(), Violation> {
    misstep(world, ONE_VOTE.name)
}

fn shown(world: &World) -> Result<(), Violation> {
    misstep(world, SHOWN.name)
}

fn misstep(world: &World, property: &str) -> Result<(), Violation> {
    let coordinator = world.coordinator.node.misstep.iter();
    let mut missteps = coordinator.chain(world.participants.iter().filter_map(|seat| seat.node.misstep.as_ref()));
    missteps.find(|misstep| misstep.property == property).map_or(Ok(()), |misstep| Err(misstep.clone()))
}
