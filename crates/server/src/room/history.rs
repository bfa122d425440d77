//! The last lines of chat, for those who were not there.

use std::collections::VecDeque;
use std::sync::Arc;

use twopc_proto::frame::with_history;

/// The lines that a newcomer is shown.
const MOST_LINES: usize = 200;

/// The bytes that those have together; fewer lines are shown where they are very long.
const MOST_BYTES: usize = 1024 * 1024;

/// The last chat frames.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: VecDeque<Line>,
    bytes: usize,
}

#[derive(Debug)]
struct Line {
    frame: Arc<[u8]>,
    /// The same with its mark; made when the first newcomer needs it.
    marked: Option<Arc<[u8]>>,
}

impl History {
    pub(super) fn add(&mut self, frame: Arc<[u8]>) {
        self.bytes += frame.len();
        self.lines.push_back(Line { frame, marked: None });
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.frame.len());
        }
    }

    /// The frames as newcomers get them, oldest first.
    pub(super) fn frames(&mut self) -> impl Iterator<Item = Arc<[u8]>> {
        self.lines.iter_mut().map(|line| Arc::clone(line.marked.get_or_insert_with(|| with_history(&line.frame).into())))
    }
}
