//! Simulated time, and what is to happen when.
//!
//! Time stands still while something happens and then jumps to what is next. What falls into the same
//! moment happens in an order that is drawn, so a timeout and the message that it waits for meet
//! both ways round. Deliberately absent: any other clock.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use crate::chance::Chance;

/// Microseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// So many milliseconds after the beginning.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        Self(millis * 1000)
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, wait: Duration) -> Self {
        Self(self.0 + wait.as_micros() as u64)
    }
}

impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What is still to happen.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    entries: BinaryHeap<Entry<E>>,
    /// Orders what falls into one moment.
    chance: Chance,
    count: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Time,
    /// Drawn, then counted: no two entries are alike.
    order: (u64, u64),
    event: E,
}

impl<E> Agenda<E> {
    pub(super) fn new(seed: u64) -> Self {
        Self { entries: BinaryHeap::new(), chance: Chance::of(seed, 1), count: 0 }
    }

    /// Lets something happen at `at`.
    pub(super) fn add(&mut self, at: Time, event: E) {
        self.count += 1;
        self.entries.push(Entry { at, order: (self.chance.number(), self.count), event });
    }

    /// Takes what comes next, if it comes by `until`.
    pub(super) fn next_by(&mut self, until: Time) -> Option<(Time, E)> {
        if self.entries.peek()?.at > until {
            return None;
        }
        self.entries.pop().map(|entry| (entry.at, entry.event))
    }
}

/// The earliest is the greatest: the heap gives its greatest first.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_happens_first_and_one_moment_has_either_order() {
        let mut firsts = Vec::new();
        for seed in 0..20 {
            let mut agenda = Agenda::new(seed);
            agenda.add(Time(5), "late");
            agenda.add(Time(2), "vote");
            agenda.add(Time(2), "timeout");
            let (at, first) = agenda.next_by(Time(4)).expect("something comes");
            assert_eq!(at, Time(2));
            firsts.push(first);
            assert!(agenda.next_by(Time(4)).is_some());
            assert_eq!(agenda.next_by(Time(4)), None);
            assert_eq!(agenda.next_by(Time(5)), Some((Time(5), "late")));
        }
        assert!(firsts.contains(&"vote") && firsts.contains(&"timeout"));
    }
}
