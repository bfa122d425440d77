//! Constancy: nobody ever says COMMIT where anybody ever says ABORT of the same transaction.
//!
//! Source: Bernstein, Hadzilacos, Goodman, 7.3, AC1 and AC2, as others can see them.

use twopc_proto::Decision;
use twopc_proto::audit::{self, Violation};

use super::Rule;
use crate::world::World;

pub(super) const RULE: Rule = Rule { name: "constancy", holds: |_, world| is_constant(world), evidence };

fn is_constant(world: &World) -> bool {
    let committed = |inbox: &crate::world::Inbox| inbox.said_of(Decision::Commit).iter().any(|txn| is_said_aborted(world, txn));
    !world.inboxes().any(|inbox| committed(inbox))
}

fn is_said_aborted(world: &World, txn: &twopc_proto::TxnId) -> bool {
    world.inboxes().any(|inbox| inbox.said_of(Decision::Abort).contains(txn))
}

fn evidence(world: &World) -> Result<(), Violation> {
    audit::constancy(world.inboxes().flat_map(|inbox| inbox.iter().map(|envelope| (&envelope.from, &envelope.message))))
}
