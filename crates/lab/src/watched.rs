//! A run as somebody looks at it: all of it so far, or as it stood after some event.
//!
//! Live and recorded runs are looked at in the same way; only where new events come from differs.
//! Deliberately absent: what is drawn, and where the events come from.

use std::collections::BTreeMap;

use crate::diagram::Chart;
use crate::run::{Event, Moment};

/// How many events lie between two moments that are kept, at least, and how many moments are kept.
const APART: usize = 1_000;
const KEPT: usize = 12;

/// A run and the place in it that is looked at.
#[derive(Debug, Default)]
pub struct Watched {
    events: Vec<Event>,
    /// Of all events.
    whole: Seen,
    /// Of those up to the place that is looked at, if that is not the end.
    part: Option<(usize, Seen)>,
    /// How it stood at some places, by place: whoever goes back begins at the last of them.
    kept: BTreeMap<usize, Seen>,
}

/// What some of the events come to.
#[derive(Clone, Debug, Default)]
struct Seen {
    chart: Chart,
    moment: Moment,
}

impl Seen {
    fn of(events: &[Event]) -> Self {
        let mut seen = Self::default();
        events.iter().for_each(|event| seen.take(event));
        seen
    }

    fn take(&mut self, event: &Event) {
        self.chart.push(event);
        self.moment.take(event);
    }
}

impl Watched {
    /// Of these events.
    #[must_use]
    pub fn of(events: Vec<Event>) -> Self {
        Self { whole: Seen::of(&events), events, part: None, kept: BTreeMap::new() }
    }

    /// One more has happened.
    pub fn push(&mut self, event: Event) {
        self.whole.take(&event);
        self.events.push(event);
    }

    /// All events, those after the place that is looked at, too.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What happened up to the place that is looked at.
    #[must_use]
    pub fn chart(&self) -> &Chart {
        &self.seen().chart
    }

    /// How everything stands there.
    #[must_use]
    pub fn moment(&self) -> &Moment {
        &self.seen().moment
    }

    /// How many events there are up to the place that is looked at.
    #[must_use]
    pub fn place(&self) -> usize {
        self.part.as_ref().map_or(self.events.len(), |(place, _)| *place)
    }

    /// Whether the end is looked at, however far it moves on.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.part.is_none()
    }

    /// Looks at how it stood after so many events; at the end, follows it.
    pub fn seek(&mut self, place: usize) {
        if place >= self.events.len() {
            self.part = None;
        } else if self.place() != place {
            self.part = Some((place, self.after(place)));
        }
    }

    /// How it stood after so many events, begun at what is known of the nearest place before.
    fn after(&mut self, place: usize) -> Seen {
        let apart = (self.events.len() / KEPT).max(APART);
        // Lanes that came in since stand in all moments, or they would move.
        let is_stale = |seen: &Seen| !seen.chart.has_lanes_of(&self.whole.chart);
        if self.kept.len() > 2 * KEPT || self.kept.values().next().is_some_and(is_stale) {
            self.kept.clear();
        }
        let here = self.part.take().filter(|(at, seen)| *at <= place && !is_stale(seen));
        let before = self.kept.range(..=place).next_back();
        let (mut at, mut seen) = match (here, before) {
            (Some((at, seen)), Some((kept, _))) if at >= *kept => (at, seen),
            (_, Some((kept, seen))) => (*kept, seen.clone()),
            (Some(here), None) => here,
            (None, None) => (0, Seen { chart: Chart::beside(&self.whole.chart), moment: Moment::default() }),
        };
        while at < place {
            seen.take(&self.events[at]);
            at += 1;
            if at.is_multiple_of(apart) && !self.kept.contains_key(&at) {
                self.kept.insert(at, seen.clone());
            }
        }
        seen
    }

    /// Goes on or back by events.
    pub fn step(&mut self, by: isize) {
        self.seek(self.place().saturating_add_signed(by));
    }

    /// The last event before the place that is looked at: what has just changed.
    #[must_use]
    pub fn last(&self) -> Option<&Event> {
        self.events.get(self.place().checked_sub(1)?)
    }

    /// The time at the place that is looked at, in microseconds since the run began.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.last().map_or(0, |event| event.at_us)
    }

    fn seen(&self) -> &Seen {
        self.part.as_ref().map_or(&self.whole, |(_, seen)| seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Happening, Stage};

    fn started(at_us: u64, program: &str) -> Event {
        let stage = Stage::Started { pid: 1, crash_at: None };
        Event { at_us, what: Happening::Process { program: program.into(), stage } }
    }

    #[test]
    fn a_place_is_gone_to_and_the_end_is_followed() {
        let mut watched = Watched::of(vec![started(1, "relay"), started(2, "alice"), started(3, "bob")]);
        assert!(watched.is_at_end());
        watched.step(-1);
        assert_eq!((watched.place(), watched.now_us(), watched.moment().programs.len()), (2, 2, 2));
        watched.push(started(4, "carol"));
        assert_eq!(watched.moment().programs.len(), 2, "whoever looks back stays there");
        watched.step(-9);
        assert_eq!((watched.place(), watched.now_us(), watched.last()), (0, 0, None));
        watched.step(9);
        assert!(watched.is_at_end());
        assert_eq!(watched.moment().programs.len(), 4);
        watched.push(started(5, "dave"));
        assert_eq!(watched.place(), 5, "at the end it goes on by itself");
    }
}
