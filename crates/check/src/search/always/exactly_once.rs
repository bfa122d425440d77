//! Exactly once: a participant's text file holds each string that it committed once, in the order of
//! its COMMIT records, and none that it aborted.
//!
//! Source: the text file is a projection of the log; Gray and Reuter, *Transaction Processing*, 10.3,
//! on redo that may be repeated.

use twopc_proto::LogRecord;
use twopc_proto::audit::{self, Violation};

use super::{Rule, judged};
use crate::world::World;

const NAME: &str = "exactly once";

pub(super) const RULE: Rule = Rule { name: NAME, holds: |_, world| judged(world, |judgement| judgement.holds(NAME)), evidence };

fn evidence(world: &World) -> Result<(), Violation> {
    let holdings = world.holdings();
    for (seat, holding) in world.participants.iter().zip(&holdings[1..]) {
        let disk = &seat.node.disk;
        let promised = |lsn: u64| usize::try_from(lsn).ok().and_then(|lsn| disk.durable().get(lsn - 1)?.committed());
        let lines: Vec<&str> = disk.lines().iter().map(|lsn| promised(*lsn).map_or("", |string| string.as_str())).collect();
        audit::projection(holding, &lines, true)?;
    }
    Ok(())
}
