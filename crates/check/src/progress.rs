//! How far a long check has come, for whoever waits for it.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line on standard error that is written again and again; a line a minute where nobody sees it
/// change.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    started: Instant,
    is_seen: bool,
    said: Mutex<Option<Instant>>,
}

impl ProgressLine {
    /// For what started just now.
    pub(crate) fn new() -> Self {
        Self::since(Instant::now())
    }

    /// For what started then.
    pub(crate) fn since(started: Instant) -> Self {
        let is_seen = std::io::stderr().is_terminal();
        // What is over within a minute needs no line that stays.
        let said = if is_seen { None } else { Some(Instant::now()) };
        Self { started, is_seen, said: Mutex::new(said) }
    }

    /// Shows this, unless something was shown a moment ago.
    pub(crate) fn show(&self, what: impl fmt::Display) {
        let pause = if self.is_seen { Duration::from_millis(200) } else { Duration::from_secs(60) };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|said| said.elapsed() < pause) {
            return;
        }
        *said = Some(Instant::now());
        let clock = Clock(self.started.elapsed());
        if self.is_seen {
            eprint!("\r\x1b[K{clock} {what}");
            // A line that nobody sees stops no check.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{clock} {what}");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.is_seen {
            eprint!("\r\x1b[K");
        }
    }
}

/// A time as minutes and seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(pub Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (self.0.as_secs_f64()).round() as u64;
        write!(f, "{}:{:02}", seconds / 60, seconds % 60)
    }
}
