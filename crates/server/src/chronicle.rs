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
    followers: Vec<Arc<Outbox>>,
}

impl Chronicle {
    /// Adds a line; it has no line break in it.
    pub(crate) fn add(&mut self, line: Arc<str>) {
        if !self.followers.is_empty() {
            let event: Arc<[u8]> = format!("data: {line}\n\n").into_bytes().into();
            self.followers.retain(|follower| {
                let fits = follower.push(Delivery::own(Arc::clone(&event)));
                if !fits {
                    follower.end(End::Cut);
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
    pub(crate) fn follow(&mut self, follower: Arc<Outbox>) {
        self.followers.push(follower);
    }

    /// Nothing goes there any more.
    pub(crate) fn unfollow(&mut self, follower: &Arc<Outbox>) {
        self.followers.retain(|other| !Arc::ptr_eq(other, follower));
    }

    /// Drops the followers for whom more waits than that. Whether there was one.
    pub(crate) fn drop_larger_than(&mut self, waiting: usize) -> bool {
        let before = self.followers.len();
        self.followers.retain(|follower| {
            let stays = follower.waiting() <= waiting;
            if !stays {
                follower.end(End::Cut);
            }
            stays
        });
        self.followers.len() < before
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
