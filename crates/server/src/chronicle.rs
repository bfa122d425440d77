//! What was said in this life of the relay, as lines a person reads: `/log` and `/events`.
//!
//! Deliberately absent: protocol messages, which stand in the record.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::outbox::{Delivery, End, Outbox};

/// The lines that `/log` shows.
const MOST_LINES: usize = 10_000;

/// The bytes that those lines have together.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The last lines, and who follows them.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    lines: VecDeque<Arc<str>>,
    bytes: usize,
    readers: Vec<Reader>,
}

/// Somebody who is not in the room and for whom something of it waits.
#[derive(Debug)]
struct Reader {
    outbox: Arc<Outbox>,
    /// Whether it gets every line from now on; if not, it has all that it is to have.
    follows: bool,
}

impl Chronicle {
    /// Adds a line; it has no line break in it.
    pub(crate) fn add(&mut self, line: Arc<str>) {
        if self.readers.iter().any(|reader| reader.follows) {
            let event: Arc<[u8]> = format!("data: {line}\n\n").into_bytes().into();
            self.readers.retain(|Reader { outbox, follows }| {
                let fits = !follows || outbox.push(Delivery::own(Arc::clone(&event)));
                if !fits {
                    outbox.end(End::Cut);
                }
                fits
            });
        }
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            self.bytes -= self.lines.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<Arc<str>> {
        self.lines.iter().cloned().collect()
    }

    /// From now on every line also goes there.
    pub(crate) fn follow(&mut self, outbox: Arc<Outbox>) {
        self.readers.push(Reader { outbox, follows: true });
    }

    /// What waits there is the chronicle's to answer for.
    pub(crate) fn lend(&mut self, outbox: Arc<Outbox>) {
        self.readers.push(Reader { outbox, follows: false });
    }

    /// Nothing goes there any more.
    pub(crate) fn leave(&mut self, outbox: &Arc<Outbox>) {
        self.readers.retain(|other| !Arc::ptr_eq(&other.outbox, outbox));
    }

    /// Cuts off the reader for whom most waits, if that is more than this. Whether there was one.
    pub(crate) fn cut_largest(&mut self, more_than: usize) -> bool {
        let waiting = self.readers.iter().map(|reader| reader.outbox.waiting()).enumerate();
        let Some((index, _)) = waiting.filter(|(_, waiting)| *waiting > more_than).max_by_key(|(_, waiting)| *waiting) else {
            return false;
        };
        self.readers.swap_remove(index).outbox.end(End::Cut);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first() {
        let mut chronicle = Chronicle::default();
        for number in 0..=MOST_LINES {
            chronicle.add(number.to_string().into());
        }
        let lines = chronicle.lines();
        assert_eq!((lines.len(), &*lines[0], &*lines[MOST_LINES - 1]), (MOST_LINES, "1", "10000"));
        for _ in 0..3 {
            chronicle.add("x".repeat(MOST_BYTES / 2).into());
        }
        assert_eq!(chronicle.lines().len(), 2);
    }
}
