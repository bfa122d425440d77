//! What was caused by what: vector clocks from the processes' own numbers and the messages' origins.
//!
//! Mattern's and Fidge's rule: a process counts its events, a message carries what its sender knew, and
//! whoever receives it knows that too. A clock differs from the one before it on its lane only in the
//! lane's own count, unless a message came; so a whole vector is kept for each receiving, and none for
//! the rest. Deliberately absent: time, and events that no process numbered.

use super::LaneId;
use super::entry::Tick;

/// The clocks of all lanes.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    lanes: Vec<LaneClock>,
}

#[derive(Clone, Debug, Default)]
struct LaneClock {
    /// How many events it has numbered.
    ticks: u32,
    /// At which of its events it learnt something, and what it knew of every lane from then on.
    learnt: Vec<(u32, Box<[u32]>)>,
}

impl Clocks {
    /// One more event of this lane, caused by that one if by any; its number.
    pub(super) fn tick(&mut self, lane: LaneId, cause: Option<Tick>) -> u32 {
        if self.lanes.len() <= lane.index() {
            self.lanes.resize_with(lane.index() + 1, LaneClock::default);
        }
        let tick = self.lanes[lane.index()].ticks + 1;
        if let Some(cause) = cause {
            let known: Vec<u32> =
                (0..self.lanes.len()).map(LaneId::at).map(|of| self.known((lane, tick - 1), of).max(self.known(cause, of))).collect();
            self.lanes[lane.index()].learnt.push((tick, known.into()));
        }
        self.lanes[lane.index()].ticks = tick;
        tick
    }

    /// How many events of lane `of` happened before that event, or are it.
    pub(super) fn known(&self, (lane, tick): Tick, of: LaneId) -> u32 {
        if lane == of {
            return tick;
        }
        let Some(clock) = self.lanes.get(lane.index()) else { return 0 };
        let learnt = clock.learnt.partition_point(|(at, _)| *at <= tick);
        match learnt.checked_sub(1) {
            Some(last) => clock.learnt[last].1.get(of.index()).copied().unwrap_or(0),
            None => 0,
        }
    }

    /// Whether the first happened before the second (Lamport).
    pub(super) fn precedes(&self, a: Tick, b: Tick) -> bool {
        a != b && self.known(b, a.0) >= a.1
    }
}
