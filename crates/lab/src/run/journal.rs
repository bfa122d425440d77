//! The list of events while it grows: whoever sees something notes it here, and everybody reads along.
//!
//! Each event is written into the run's file at once, so that a run is whole as far as it went, however
//! the lab ends. Deliberately absent: waiting. The file is written to the system, not forced onto the
//! disk: a run is evidence of programs that die, not of computers that do.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Event, Happening};

/// A hold on the list; cheap to clone.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    began: Instant,
    pages: Mutex<Pages>,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct Pages {
    events: Vec<Event>,
    file: Option<File>,
    /// Why nothing is written any more.
    trouble: Option<String>,
    is_over: bool,
}

impl Journal {
    /// An empty list that begins now. What is noted is written into `file`, if there is one, a line an
    /// event; `wake` is called after each.
    #[must_use]
    pub fn begin(file: Option<File>, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let pages = Pages { events: Vec::new(), file, trouble: None, is_over: false };
        Self(Arc::new(Shared { began: Instant::now(), pages: Mutex::new(pages), wake: Box::new(wake) }))
    }

    /// Notes what was seen now.
    pub fn note(&self, what: Happening) {
        let mut pages = self.pages();
        if pages.is_over {
            return;
        }
        // The lock is held from here on: a later event never has an earlier time.
        let at_us = self.now_us();
        let event = Event { at_us, what };
        pages.write(&event);
        pages.events.push(event);
        drop(pages);
        (self.0.wake)();
    }

    /// Nothing is noted any more: what comes now is no part of the run.
    pub fn end(&self) {
        self.pages().is_over = true;
    }

    /// What was noted after the first `known` events.
    #[must_use]
    pub fn since(&self, known: usize) -> Vec<Event> {
        self.pages().events.get(known..).map(<[Event]>::to_vec).unwrap_or_default()
    }

    /// Asks something of all that was noted so far.
    pub fn read<T>(&self, ask: impl FnOnce(&[Event]) -> T) -> T {
        ask(&self.pages().events)
    }

    /// Why the run's file is not whole, if it is not: a sentence.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.pages().trouble.clone()
    }

    /// How long it has been going on, in microseconds.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("events", &self.pages().events.len()).finish_non_exhaustive()
    }
}

impl Pages {
    fn write(&mut self, event: &Event) {
        let Some(file) = &mut self.file else { return };
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = file.write_all(&line) {
            self.trouble = Some(format!("The run is not recorded any more: {error}. Make space, and start the lab again."));
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    fn noted(room: &str) -> Happening {
        Happening::Watching { room: String::from(room) }
    }

    #[test]
    fn what_is_noted_is_read_in_its_order_and_stands_in_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        let journal = Journal::begin(Some(file.try_clone().unwrap()), || ());
        journal.note(noted("a"));
        journal.note(Happening::Blind);
        let late = journal.since(1);
        assert_eq!(late.iter().map(|event| &event.what).collect::<Vec<_>>(), [&Happening::Blind]);
        assert!(journal.since(7).is_empty());
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        let read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, journal.since(0));
        assert!(read[0].at_us <= read[1].at_us);
    }

    #[test]
    fn what_comes_after_the_end_is_no_part_of_it() {
        let journal = Journal::begin(None, || ());
        journal.note(noted("a"));
        journal.end();
        journal.note(Happening::Blind);
        assert_eq!(journal.since(0).len(), 1);
    }

    #[test]
    fn a_file_that_takes_nothing_is_said_and_the_list_goes_on() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let journal = Journal::begin(Some(full), || ());
        journal.note(noted("a"));
        journal.note(noted("b"));
        assert_eq!(journal.since(0).len(), 2);
        assert!(journal.trouble().unwrap().starts_with("The run is not recorded any more: No space left on device"));
    }
}
