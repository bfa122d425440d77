//! No early forgetting: END at the coordinator means that every participant holds the decision.
//!
//! Source: Mohan, Lindsay and Obermarck, *Transaction Management in the R\* Distributed Database
//! Management System*: a coordinator forgets only after every acknowledgement.

use twopc_proto::audit::{self, Log, Violation};

use super::{Rule, judged};
use crate::world::World;

const NAME: &str = "no early forgetting";

pub(super) const RULE: Rule = Rule { name: NAME, holds: |_, world| judged(world, |judgement| judgement.holds(NAME)), evidence };

/// END need not wait for the disk, so it is judged as soon as it is written.
fn evidence(world: &World) -> Result<(), Violation> {
    let mut holdings = world.holdings();
    let node = &world.coordinator.node;
    holdings[0].log = Log::Coordinator { records: node.disk.written(), incarnation: node.incarnation };
    audit::forgetting(&holdings)
}
