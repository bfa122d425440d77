//! What one stream showed.

use super::rows::Row;
use super::strict::{Message, Opening, Reader};

/// What one stream was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Messages in order, by who read them.
    pub accepted: [u64; 4],
    /// Which rule the last one broke, and who said so.
    pub refused: Option<(Reader, Row)>,
    /// Whether it ended within a message.
    pub unfinished: bool,
    /// The most bytes that a decoder held.
    pub most_held: usize,
    /// What is worth having seen.
    pub sights: Sights,
}

/// Things that must have been seen, or the streams are not as varied as they should be: bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sights(pub u32);

impl Sights {
    /// What each bit stands for.
    pub const NAMES: [&'static str; 14] = [
        "a first line of the greatest length taken",
        "a head of the greatest length taken",
        "as many headers as may be taken",
        "a body of the greatest length taken",
        "an empty body",
        "a body that reads like a message",
        "a byte over 0x7F in a header's value",
        "an empty line before a message",
        "HTTP/1.0",
        "several messages in one stream",
        "a stream that ends in a head",
        "a stream that ends in a body",
        "a sender that waits for 100 Continue",
        "an upgrade, and a message after it",
    ];

    pub(super) fn note(&mut self, number: u32, seen: bool) {
        self.0 |= u32::from(seen) << number;
    }

    /// Notes what a message in order shows.
    pub(super) fn look(&mut self, reader: Reader, message: &Message<'_>) {
        let limits = reader.limits();
        let line = message.bytes.iter().position(|byte| *byte == b'\r').unwrap_or_default();
        self.note(0, line == limits.line);
        self.note(1, message.bytes.len() - message.body.len() == limits.head);
        self.note(2, message.headers.len() == limits.headers);
        self.note(3, message.body.len() == limits.body);
        self.note(4, message.body.is_empty());
        self.note(5, message.body.starts_with(b"POST /") || message.body.starts_with(b"HTTP/1.1 "));
        self.note(6, message.headers.iter().any(|(_, value)| !value.is_ascii()));
        self.note(7, message.taken > message.bytes.len());
        self.note(8, matches!(message.opening, Opening::Request { is_1_1: false, .. }));
    }
}
