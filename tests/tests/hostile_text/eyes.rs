//! Whether a text can be looked at.

use twopc_proto::text::{MOST_MARKS, is_mark, is_unseen};

use crate::payloads::FORGED;

/// Fails if a text would steer a terminal, hide something, or has a line that somebody forged. Line
/// ends, as the text's own, are in order.
#[track_caller]
pub(crate) fn can_be_looked_at(way_out: &str, text: &[u8]) {
    let text = std::str::from_utf8(text).unwrap_or_else(|error| panic!("{way_out} is no text: {error}"));
    let mut marks = 0;
    let own = text.replace("\r\n", "\n");
    for (at, c) in own.char_indices() {
        let near = || own[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        assert!(!is_unseen(c) || c == '\n', "{way_out} has {c:?} in it, after {:?}", near());
        marks = if is_mark(c) { marks + 1 } else { 0 };
        assert!(marks <= MOST_MARKS, "{way_out} has stacked marks in it, after {:?}", near());
    }
    let forged = own.lines().find(|line| line.starts_with(FORGED));
    assert_eq!(forged, None, "{way_out} has a line that somebody forged");
}
