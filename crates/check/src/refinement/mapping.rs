//! Which state of TwoPhase a world is in, for one transaction.
//!
//! By what is durable, and nothing else:
//! - a participant's log says what its resource manager is; its READY is the message Prepared;
//! - the transaction manager has committed once COMMIT is durable at the coordinator. It has aborted
//!   once ABORT is durable there; or once a later start of the coordinator does not know the
//!   transaction as committed, since ABORT is then presumed; or once a participant has aborted without
//!   a promise, since it can never commit any more;
//! - what the transaction manager has received of Prepared is received at the moment it is needed.

use std::collections::BTreeSet;

use twopc_proto::{CoordinatorRecord, LogRecord, ParticipantRecord, RecordKind, TxnId};

use super::two_phase::{RmState, TmState, TwoPhase};
use crate::world::World;

/// A world as TwoPhase sees it.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) state: TwoPhase,
    /// The resource managers of the transaction: whoever was asked for a vote.
    pub(super) managers: BTreeSet<usize>,
}

/// Every transaction that a log of the world names.
pub(super) fn transactions(world: &World) -> impl Iterator<Item = TxnId> {
    let asked = world.coordinator.node.disk.written().iter().map(LogRecord::txn);
    let heard = world.participants.iter().flat_map(|seat| seat.node.disk.durable().iter().map(LogRecord::txn));
    asked.chain(heard).cloned().collect::<Vec<_>>().into_iter()
}

impl Mapped {
    pub(super) fn of(world: &World, txn: &TxnId) -> Self {
        let logs: Vec<&[ParticipantRecord]> = world.participants.iter().map(|seat| seat.node.disk.durable()).collect();
        let prepared: BTreeSet<usize> = (0..logs.len()).filter(|rm| holds(logs[*rm], txn, RecordKind::Ready)).collect();
        let rm: Vec<RmState> = logs.iter().map(|log| rm_state(log, txn)).collect();
        let unasked = rm.iter().enumerate().any(|(rm, state)| *state == RmState::Aborted && !prepared.contains(&rm));
        let coordinator = &world.coordinator.node;
        let later = txn.numbers().is_some_and(|(started, _)| started < coordinator.incarnation);
        let tm = if holds(coordinator.disk.durable(), txn, RecordKind::Commit) {
            TmState::Committed
        } else if holds(coordinator.disk.durable(), txn, RecordKind::Abort) || later || unasked {
            TmState::Aborted
        } else {
            TmState::Init
        };
        let managers = managers(world, txn);
        let tm_prepared = if tm == TmState::Committed { managers.clone() } else { BTreeSet::new() };
        Self { state: TwoPhase { rm, tm, tm_prepared, prepared }, managers }
    }
}

fn holds<R: LogRecord>(log: &[R], txn: &TxnId, kind: RecordKind) -> bool {
    log.iter().any(|record| record.kind() == kind && record.txn() == txn)
}

fn rm_state(log: &[ParticipantRecord], txn: &TxnId) -> RmState {
    log.iter().filter(|record| record.txn() == txn).fold(RmState::Working, |state, record| match record {
        ParticipantRecord::Ready { .. } => RmState::Prepared,
        ParticipantRecord::Commit { .. } => RmState::Committed,
        ParticipantRecord::Abort { .. } => RmState::Aborted,
        ParticipantRecord::Applied { .. } | ParticipantRecord::Decided(_) => state,
    })
}

/// Whoever START names, which stands in the coordinator's log before any COMMIT; else everybody.
fn managers(world: &World, txn: &TxnId) -> BTreeSet<usize> {
    let names = world.coordinator.node.disk.written().iter().find_map(|record| match record {
        CoordinatorRecord::Start { txn: this, participants, .. } if this == txn => Some(participants),
        CoordinatorRecord::Start { .. }
        | CoordinatorRecord::Commit { .. }
        | CoordinatorRecord::Abort { .. }
        | CoordinatorRecord::End { .. }
        | CoordinatorRecord::Decided(_) => None,
    });
    let asked = |place: &usize| names.is_none_or(|names| names.contains(&world.participants[*place].node.me));
    (0..world.participants.len()).filter(asked).collect()
}
