//! What really happened, counted.
//!
//! Deliberately absent: what was planned. A death counts by its point only if the program died there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twopc_runner::crash::CrashPoint;

use super::plan::{Actor, points};
use super::verdict::Settled;

/// Counts of one room, or of all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Somebody was killed or frozen, and brought back.
    pub(super) cycles: u64,
    /// By who was hit and how.
    pub(super) kinds: BTreeMap<String, u64>,
    /// Deaths by point, whichever effect of its kind it was.
    pub(super) points: BTreeMap<String, u64>,
    /// Deaths at a point by somebody who had come back from another death just before.
    pub(super) in_recovery: u64,
    /// The trial is bringing somebody back: a death now is one in recovery.
    pub(super) is_recovering: bool,
    /// Transactions that the coordinators' logs say are committed, and aborted.
    pub(super) committed: u64,
    pub(super) aborted: u64,
    /// How often a participant said that nobody who can be reached may decide.
    pub(super) blocked: u64,
    /// Programs started on the files of an earlier life.
    pub(super) restarts: u64,
    /// Frames in the relays' records, each held against its sender's log.
    pub(super) frames: u64,
}

impl Tally {
    /// Counts a cycle.
    pub(super) fn cycle(&mut self, kind: String) {
        self.cycles += 1;
        *self.kinds.entry(kind).or_default() += 1;
    }

    /// Counts a death at a point.
    pub(super) fn died_at(&mut self, actor: Actor, point: CrashPoint) {
        *self.points.entry(name_of(actor == Actor::Chair, point)).or_default() += 1;
        self.in_recovery += u64::from(self.is_recovering);
    }

    /// Adds what a room came to.
    pub(super) fn settle(&mut self, Settled { committed, aborted, frames }: Settled) {
        self.committed += committed;
        self.aborted += aborted;
        self.frames += frames;
    }

    /// Adds another room's counts.
    pub(super) fn add(&mut self, other: &Self) {
        self.cycles += other.cycles;
        for (sum, more) in [(&mut self.kinds, &other.kinds), (&mut self.points, &other.points)] {
            more.iter().for_each(|(name, count)| *sum.entry(name.clone()).or_default() += count);
        }
        self.in_recovery += other.in_recovery;
        self.committed += other.committed;
        self.aborted += other.aborted;
        self.blocked += other.blocked;
        self.restarts += other.restarts;
        self.frames += other.frames;
    }

    /// Every named point there is, with the deaths there.
    pub(super) fn deaths_by_point(&self) -> BTreeMap<String, u64> {
        let names = points().into_iter().map(|(role, point)| name_of(role == twopc_proto::Role::Coordinator, point));
        names.map(|name| (self.points.get(&name).copied().unwrap_or(0), name)).map(|(count, name)| (name, count)).collect()
    }

    /// The point at which fewest have died, with their number.
    pub(super) fn rarest_point(&self) -> (String, u64) {
        self.deaths_by_point().into_iter().min_by_key(|(_, count)| *count).unwrap_or_default()
    }

    /// All of it, for a program.
    pub(super) fn figures(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("cycles", self.cycles.into()),
            ("kinds", json!(self.kinds)),
            ("points", self.deaths_by_point().len().into()),
            ("deaths_at_rarest_point", self.rarest_point().1.into()),
            ("deaths_at_points", json!(self.deaths_by_point())),
            ("deaths_in_recovery", self.in_recovery.into()),
            ("committed", self.committed.into()),
            ("aborted", self.aborted.into()),
            ("blocked", self.blocked.into()),
            ("restarts", self.restarts.into()),
            ("frames", self.frames.into()),
        ]
    }
}

/// A point with its role, without the number of its effect.
fn name_of(is_coordinator: bool, point: CrashPoint) -> String {
    format!("{} {}", if is_coordinator { "coordinator" } else { "participant" }, CrashPoint { nth: 1, ..point })
}

#[cfg(test)]
mod tests {
    use twopc_proto::Role;

    use super::*;

    #[test]
    fn a_point_where_nobody_died_is_counted_as_such() {
        let mut tally = Tally::default();
        for (role, point) in points() {
            let actor = if role == Role::Coordinator { Actor::Chair } else { Actor::Voter(0) };
            if point.to_string() != "after:apply" {
                tally.died_at(actor, CrashPoint { nth: 2, ..point });
                tally.died_at(actor, point);
            }
        }
        assert_eq!(tally.rarest_point(), (String::from("participant after:apply"), 0));
        assert_eq!(tally.deaths_by_point().len(), 36);
        assert_eq!(tally.deaths_by_point()["coordinator before:log:END"], 2);
    }

    #[test]
    fn rooms_add_up() {
        let mut sum = Tally::default();
        let mut room = Tally { committed: 3, blocked: 1, ..Tally::default() };
        room.cycle(String::from("relay killed"));
        sum.add(&room);
        sum.add(&room);
        assert_eq!((sum.cycles, sum.kinds["relay killed"], sum.committed, sum.blocked), (2, 2, 6, 2));
    }
}
