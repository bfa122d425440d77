//! What the relay writes after the upgrade.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::body::{ErrorBody, Person, Welcome};
use super::refusal::Refusal;
use super::{CLIENT_PATH, COORDINATOR_PATH, JSON, PROTOCOL_PATH, TEXT};
use crate::bench::Fate;
use crate::json;
use crate::name::{Role, UserName};

/// Writes the frames of one relay. No header of a client's is passed on.
#[derive(Clone, Debug)]
pub struct RelayFrames {
    host: String,
}

/// What the relay stamps on a frame that it passes on.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Who sent it.
    pub from: &'a UserName,
    /// What the sender is in the room. A guest's name is followed by `(guest)`.
    pub role: Role,
    /// Its number in the room's order.
    pub seq: u64,
}

impl RelayFrames {
    /// `host` is the address that the relay listens on.
    #[must_use]
    pub fn new(host: &str) -> Self {
        Self { host: host.chars().filter(char::is_ascii_graphic).collect() }
    }

    /// The first frame after the 101.
    #[must_use]
    pub fn welcome(&self, welcome: &Welcome) -> Vec<u8> {
        self.post("/welcome", "", "", Some(JSON), &json::body(welcome))
    }

    /// Somebody came.
    #[must_use]
    pub fn joined(&self, person: &Person) -> Vec<u8> {
        self.post("/joined", "", "", Some(JSON), &json::body(person))
    }

    /// Somebody went.
    #[must_use]
    pub fn left(&self, person: &Person) -> Vec<u8> {
        self.post("/left", "", "", Some(JSON), &json::body(person))
    }

    /// Are you there?
    #[must_use]
    pub fn ping(&self) -> Vec<u8> {
        self.post("/ping", "", "", None, b"")
    }

    /// A frame was refused.
    #[must_use]
    pub fn error(&self, refusal: &Refusal) -> Vec<u8> {
        self.post("/error", "", "", Some(JSON), &json::body(&ErrorBody::from(refusal)))
    }

    /// A chat line, body untouched; on the coordinators' path if `coordinator`. `date` is the hour
    /// in the form [`super::DATE`].
    #[must_use]
    pub fn chat(&self, stamp: &Stamp<'_>, coordinator: bool, date: &str, body: &[u8]) -> Vec<u8> {
        let path = if coordinator { COORDINATOR_PATH } else { CLIENT_PATH };
        let mut extra = stamp.headers();
        let _ = write!(extra, "Date: {date}\r\n");
        self.post(path, "", &extra, Some(TEXT), body)
    }

    /// A protocol message, body untouched.
    #[must_use]
    pub fn protocol(&self, stamp: &Stamp<'_>, to: &UserName, word: &str, body: &[u8]) -> Vec<u8> {
        let mut extra = stamp.headers();
        let _ = write!(extra, "To: {to}\r\n");
        self.post(PROTOCOL_PATH, word, &extra, Some(JSON), body)
    }

    /// What a node says that it does, for observers. Not part of the room's order.
    #[must_use]
    pub fn trace(&self, from: &UserName, role: Role, body: &[u8]) -> Vec<u8> {
        let extra = alloc::format!("From: {from}\r\nRole: {role}\r\n");
        self.post("/trace", "", &extra, Some(JSON), body)
    }

    /// What became of a message, or what is to become of those that come, for observers. Not part of
    /// the room's order.
    #[must_use]
    pub fn lab(&self, fate: &Fate) -> Vec<u8> {
        self.post("/lab", "", "", Some(JSON), &json::body(fate))
    }

    fn post(&self, path: &str, word: &str, extra: &str, content_type: Option<&str>, body: &[u8]) -> Vec<u8> {
        let Self { host } = self;
        let mut head = String::with_capacity(128 + extra.len() + body.len());
        // Writing to a string cannot fail.
        let _ = write!(head, "POST {path}{word} HTTP/1.1\r\nHost: {host}\r\n");
        if let Some(content_type) = content_type {
            let _ = write!(head, "Content-Type: {content_type}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n{extra}\r\n", body.len());
        let mut frame = head.into_bytes();
        frame.extend_from_slice(body);
        frame
    }
}

impl Stamp<'_> {
    fn headers(&self) -> String {
        let Self { from, role, seq } = self;
        let guest = if *role == Role::Guest { " (guest)" } else { "" };
        let mut headers = String::with_capacity(128);
        let _ = write!(headers, "From: {from}{guest}\r\nRole: {role}\r\nSeq: {seq}\r\n");
        headers
    }
}

/// A chat frame as somebody gets it who was not there: as it was, with `History: 1`.
#[must_use]
pub fn with_history(frame: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"History: 1\r\n";
    let end = frame.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |at| at + 2);
    [&frame[..end], MARK, &frame[end..]].concat()
}
