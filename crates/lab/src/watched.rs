//! A run as somebody looks at it: all of it so far, or as it stood after some event.
//!
//! Live and recorded runs are looked at in the same way; only where new events come from differs.
//! Deliberately absent: what is drawn, and where the events come from.

use crate::diagram::Chart;
use crate::run::{Event, Moment};

/// A run and the place in it that is looked at.
#[derive(Debug, Default)]
pub struct Watched {
    events: Vec<Event>,
    /// Of all events.
    whole: Seen,
    /// Of those up to the place that is looked at, if that is not the end.
    part: Option<(usize, Seen)>,
}

/// What some of the events come to.
#[derive(Debug, Default)]
struct Seen {
    chart: Chart,
    moment: Moment,
}

impl Seen {
    fn of(events: &[Event]) -> Self {
        Self { chart: Chart::of(events), moment: Moment::after(events) }
    }
}

impl Watched {
    /// Of these events.
    #[must_use]
    pub fn of(events: Vec<Event>) -> Self {
        Self { whole: Seen::of(&events), events, part: None }
    }

    /// One more has happened.
    pub fn push(&mut self, event: Event) {
        self.whole.chart.push(&event);
        self.whole.moment.take(&event);
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
            self.part = Some((place, Seen::of(&self.events[..place])));
        }
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
