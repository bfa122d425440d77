//! The node's own count of what happens to it, for those who watch.
//!
//! Every event gets the next number, whether or not anybody hears of it. What cannot be told yet, because
//! there is no link or the relay has not said whether anybody watches, is kept; where nobody watches, an
//! event costs one addition. A number that never arrives was dropped, and a lab sees the gap. Deliberately
//! absent: the socket, and what is an event, which is [`super::telling`]'s.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use twopc_proto::trace::{Trace, What};

/// The most events that are kept; the oldest are dropped.
const MOST_KEPT: usize = 1_000;

/// Numbers the events of one life.
#[derive(Debug)]
pub(super) struct Recorder {
    /// When this life began, in milliseconds since 1970: tells it from the others of this name.
    life: u64,
    /// When this process started.
    started: Instant,
    /// The last number given.
    n: u64,
    ear: Ear,
    kept: VecDeque<Trace>,
}

/// Whether anybody hears what this node tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ear {
    /// Nobody can: there is no link, or no welcome has come on it.
    Away,
    /// The relay passes it on to whoever watches.
    Open,
    /// Nobody wants to.
    Deaf,
}

impl Recorder {
    /// Counts from 1, in the life that begins now.
    pub(super) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::of(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX), Instant::now())
    }

    fn of(life: u64, started: Instant) -> Self {
        Self { life, started, n: 0, ear: Ear::Away, kept: VecDeque::new() }
    }

    /// The life of another name, in the same process. What happened under the one before is nobody's
    /// business under this one.
    pub(super) fn begin_again(&mut self) {
        let next = Self::start();
        *self = Self { started: self.started, life: next.life.max(self.life + 1), ..next };
    }

    /// Whether it matters what happened, and not only that something did.
    pub(super) fn is_awake(&self) -> bool {
        self.ear != Ear::Deaf
    }

    /// Whether what is told now is passed on.
    pub(super) fn is_heard(&self) -> bool {
        self.ear == Ear::Open
    }

    /// Something happened. What is to be told now, if anybody hears it.
    pub(super) fn note(&mut self, now: Instant, what: What) -> Option<Trace> {
        self.n += 1;
        let at_us = self.micros(now);
        let trace = Trace { life: self.life, n: self.n, at_us, what };
        match self.ear {
            Ear::Open => return Some(trace),
            Ear::Deaf => {}
            Ear::Away => {
                if self.kept.len() == MOST_KEPT {
                    self.kept.pop_front();
                }
                self.kept.push_back(trace);
            }
        }
        None
    }

    /// Something happened that nobody wants to know of.
    pub(super) fn skip(&mut self) {
        self.n += 1;
    }

    /// The relay let this node in, and says whether anybody watches. What was kept is told first.
    pub(super) fn on_welcome(&mut self, is_watched: bool) -> VecDeque<Trace> {
        let kept = std::mem::take(&mut self.kept);
        if is_watched {
            self.ear = Ear::Open;
            kept
        } else {
            self.ear = Ear::Deaf;
            VecDeque::new()
        }
    }

    /// The link is gone.
    pub(super) fn on_loss(&mut self) {
        self.ear = Ear::Away;
    }

    /// A moment in microseconds since this process started.
    pub(super) fn micros(&self, moment: Instant) -> u64 {
        let since: Duration = moment.saturating_duration_since(self.started);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durable(lsn: u64) -> What {
        What::Durable { lsn }
    }

    fn recorder() -> (Recorder, Instant) {
        let started = Instant::now();
        (Recorder::of(7, started), started)
    }

    fn numbers<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> Vec<u64> {
        traces.into_iter().map(|trace| trace.n).collect()
    }

    #[test]
    fn events_are_numbered_from_one_and_say_when_and_in_which_life() {
        let (mut recorder, started) = recorder();
        recorder.on_welcome(true);
        let first = recorder.note(started + Duration::from_millis(3), durable(1));
        assert_eq!(first, Some(Trace { life: 7, n: 1, at_us: 3_000, what: durable(1) }));
        assert_eq!(recorder.note(started, durable(2)).map(|trace| trace.n), Some(2));
    }

    #[test]
    fn what_happens_without_a_link_is_kept_and_told_before_anything_else() {
        let (mut recorder, now) = recorder();
        assert_eq!([recorder.note(now, What::Start { records: 0 }), recorder.note(now, durable(1))], [None, None]);
        let kept = recorder.on_welcome(true);
        assert_eq!((numbers(&kept), &kept[0].what), (vec![1, 2], &What::Start { records: 0 }));
        assert_eq!(recorder.note(now, durable(2)).map(|trace| trace.n), Some(3));
        recorder.on_loss();
        assert_eq!(recorder.note(now, What::Offline), None);
        assert_eq!(numbers(&recorder.on_welcome(true)), [4], "what was told is not told again");
    }

    #[test]
    fn of_more_than_are_kept_the_oldest_go_and_the_numbers_say_so() {
        let (mut recorder, now) = recorder();
        (0..1_500).for_each(|lsn| _ = recorder.note(now, durable(lsn)));
        assert_eq!(numbers(&recorder.on_welcome(true)), (501..=1_500).collect::<Vec<_>>());
    }

    #[test]
    fn where_nobody_watches_nothing_is_kept_and_the_count_goes_on() {
        let (mut recorder, now) = recorder();
        recorder.note(now, durable(1));
        assert!(recorder.on_welcome(false).is_empty());
        assert!(!recorder.is_awake());
        assert_eq!(recorder.note(now, durable(2)), None);
        recorder.skip();
        recorder.on_loss();
        assert!(recorder.is_awake(), "the next relay may have somebody who watches");
        recorder.note(now, What::Offline);
        assert_eq!(numbers(&recorder.on_welcome(true)), [4]);
    }

    #[test]
    fn another_name_has_a_life_and_a_count_of_its_own() {
        let (mut recorder, now) = recorder();
        recorder.note(now, durable(1));
        recorder.begin_again();
        recorder.begin_again();
        assert!(recorder.on_welcome(true).is_empty());
        let first = recorder.note(now + Duration::from_secs(1), durable(1)).unwrap();
        assert_eq!((first.n, first.at_us), (1, 1_000_000), "the time is the process's");
        assert!(first.life > 7);
    }
}
