//! A machine's timers: one ordered structure, whatever their number, and no task for any of them.
//!
//! Deliberately absent: waiting. The loop sleeps until [`Timers::next`] and takes what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Named instants, the earliest first.
#[derive(Debug)]
pub struct Timers<T> {
    by_name: BTreeMap<T, Instant>,
    by_time: BTreeSet<(Instant, T)>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Timers<T> {
    /// Lets `timer` fire at `at`, and not when it was to fire before.
    pub(crate) fn set(&mut self, timer: T, at: Instant) {
        if let Some(before) = self.by_name.insert(timer.clone(), at) {
            self.by_time.remove(&(before, timer.clone()));
        }
        self.by_time.insert((at, timer));
    }

    /// Forgets a timer, if it is set.
    pub(crate) fn cancel(&mut self, timer: &T) {
        if let Some((name, at)) = self.by_name.remove_entry(timer) {
            self.by_time.remove(&(at, name));
        }
    }

    /// When the next one fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest one whose time has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        let (_, timer) = self.by_time.pop_first()?;
        self.by_name.remove(&timer);
        Some(timer)
    }

    /// When this one fires, if it is set.
    #[must_use]
    pub fn at(&self, timer: &T) -> Option<Instant> {
        self.by_name.get(timer).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_fire_in_the_order_of_their_time_and_not_before() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set("late", after(30));
        timers.set("early", after(10));
        timers.set("same", after(10));
        assert_eq!(timers.next(), Some(after(10)));
        assert_eq!(timers.take_due(after(9)), None);
        assert_eq!(timers.take_due(after(10)), Some("early"));
        assert_eq!(timers.take_due(after(10)), Some("same"));
        assert_eq!(timers.take_due(after(10)), None);
        assert_eq!(timers.take_due(after(60)), Some("late"));
        assert_eq!((timers.next(), timers.take_due(after(60))), (None, None));
    }

    #[test]
    fn a_timer_set_again_fires_once_at_its_new_time_and_a_cancelled_one_never() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set("moved", after(10));
        timers.set("moved", after(40));
        timers.set("gone", after(20));
        timers.cancel(&"gone");
        timers.cancel(&"never set");
        assert_eq!(timers.at(&"moved"), Some(after(40)));
        assert_eq!(timers.at(&"gone"), None);
        assert_eq!(timers.take_due(after(30)), None);
        assert_eq!(timers.take_due(after(40)), Some("moved"));
        assert_eq!(timers.take_due(after(40)), None);
    }
}
