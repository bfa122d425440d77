//! What happened, a numbered line each, in the protocol's words.
//!
//! A run that nobody reads writes nothing: the lines are made only if they are wanted.

use std::fmt::Write;

use super::clock::Time;

/// The lines of one run.
#[derive(Debug)]
pub(super) struct Story {
    text: Option<String>,
    lines: u64,
}

impl Story {
    /// `told`: somebody wants to read it.
    pub(super) fn new(told: bool) -> Self {
        Self { text: told.then(String::new), lines: 0 }
    }

    /// Adds a line.
    pub(super) fn tell(&mut self, now: Time, line: impl FnOnce() -> String) {
        if let Some(text) = &mut self.text {
            self.lines += 1;
            // A String takes everything.
            let _ = writeln!(text, "{:5}. {now:>12} {}", self.lines, line());
        }
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.text.unwrap_or_default()
    }
}
