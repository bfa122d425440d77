//! Ending: once nothing is left to happen, everybody has decided who could.
//!
//! Everything that was said was heard, whoever crashed is back and each timer that was set has fired;
//! then nobody waits in INIT or WAIT, and nobody in READY but where the coordinator stays away and
//! nobody else may decide, which they say.
//!
//! Source: Bernstein, Hadzilacos, Goodman, 7.3, AC4 and AC5; Tanenbaum and van Steen, 8.5, on
//! participants that ask each other. That what was lost is sent again is not asked here: in these
//! worlds whatever was said once can be heard for ever.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, LogRecord, RecordKind, State, TxnId};

use super::Rule;
use crate::world::{End, World};

pub(super) const RULE: Rule =
    Rule { name: "nothing is left undecided", holds: |_, world| !world.is_over() || evidence(world).is_ok(), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    let (Some(end), true) = (world.coordinator.node.scope.end, world.is_over()) else { return Ok(()) };
    for txn in world.transactions.iter() {
        let left = match end {
            End::Decided => undecided(world, txn),
            End::Committed => undecided(world, txn).or_else(|| uncommitted(world, txn)),
            End::Orphaned if world.coordinator.node.is_up() => undecided(world, txn),
            End::Orphaned => needlessly_blocked(world, txn),
        };
        if let Some(evidence) = left {
            return Err(Violation { property: RULE.name, evidence });
        }
    }
    Ok(())
}

/// Somebody who was asked and has not decided, or a decision without END. A transaction that the
/// coordinator has lost all memory of needs no END.
fn undecided(world: &World, txn: &TxnId) -> Option<String> {
    let holdings = world.holdings();
    let asked = |place: &usize| world.participants[*place].inbox.iter().any(|envelope| envelope.message.txn() == txn);
    let open = (0..world.participants.len()).filter(asked).find(|place| holdings[place + 1].decision(txn).is_none());
    if let Some(place) = open {
        return Some(format!("nothing is left to happen, and {} has not decided {txn}", world.participants[place].node.me));
    }
    let records = world.coordinator.node.disk.written();
    let of = |kind| records.iter().any(|record| record.txn() == txn && record.kind() == kind);
    let ended = of(RecordKind::End) || !of(RecordKind::Start);
    (!ended).then(|| format!("nothing is left to happen, and END of {txn} is not written"))
}

fn uncommitted(world: &World, txn: &TxnId) -> Option<String> {
    let holdings = world.holdings();
    let aborted = holdings.iter().find(|node| node.decision(txn) != Some(Decision::Commit))?;
    Some(format!("nobody failed and everybody pressed Commit, and {} has not committed {txn}", aborted.user))
}

/// Somebody in READY although a reachable one may decide, or who does not say to be blocked.
fn needlessly_blocked(world: &World, txn: &TxnId) -> Option<String> {
    let mut in_doubt = Vec::new();
    for seat in &world.participants {
        let standing = seat.node.machine.as_ref().and_then(|machine| machine.standings().into_iter().find(|standing| standing.txn == txn));
        if let Some(standing) = standing.filter(|standing| standing.state == State::Ready) {
            in_doubt.push((seat, standing.doubt.is_some_and(|doubt| doubt.blocked)));
        }
    }
    if in_doubt.len() < world.participants.len() {
        return in_doubt.first().map(|(seat, _)| format!("{} is in READY of {txn}, and somebody it can ask may decide", seat.node.me));
    }
    let silent = in_doubt.iter().find(|(_, says_so)| !says_so)?;
    Some(format!("{} is blocked in {txn} and does not say so", silent.0.node.me))
}
