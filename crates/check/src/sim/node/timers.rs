//! A machine's timers on simulated time.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::clock::Time;

/// Named moments, the earliest first.
#[derive(Debug)]
pub(super) struct Timers<T> {
    by_name: BTreeMap<T, Time>,
    by_time: BTreeSet<(Time, T)>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Timers<T> {
    /// Lets `timer` fire at `at`, and not when it was to fire before.
    pub(super) fn set(&mut self, timer: T, at: Time) {
        self.cancel(&timer);
        self.by_name.insert(timer.clone(), at);
        self.by_time.insert((at, timer));
    }

    /// Forgets a timer, if it is set.
    pub(super) fn cancel(&mut self, timer: &T) {
        if let Some((name, at)) = self.by_name.remove_entry(timer) {
            self.by_time.remove(&(at, name));
        }
    }

    /// When the next one fires.
    pub(super) fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest one whose time has come.
    pub(super) fn take_due(&mut self, now: Time) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        let (_, timer) = self.by_time.pop_first()?;
        self.by_name.remove(&timer);
        Some(timer)
    }
}
