//! The relay's responses to plain HTTP.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::body::ErrorBody;
use super::refusal::{ErrorCode, Refusal};
use super::{JSON, PROTOCOL, TEXT};
use crate::json;

/// One response.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    content_type: &'static str,
    body: Cow<'static, [u8]>,
    allow: Option<&'static str>,
    closes: bool,
}

impl Answer {
    /// A text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Cow<'static, str>>) -> Self {
        let body = match body.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { status, content_type: TEXT, body, allow: None, closes: false }
    }

    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: JSON, body: body.into(), allow: None, closes: false }
    }

    /// A request that failed.
    #[must_use]
    pub fn refusal(refusal: &Refusal) -> Self {
        let body = json::body(&ErrorBody::from(refusal));
        Self { allow: refusal.allow, closes: refusal.closes, ..Self::json(refusal.status, body) }
    }

    /// The connection ends after this answer.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// Whether the connection ends after this answer.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.closes
    }

    /// The bytes; without the body in answer to `HEAD`. `date` is the hour in the form
    /// [`super::DATE`].
    #[must_use]
    pub fn write(&self, date: &str, head_only: bool) -> Vec<u8> {
        let Self { status, content_type, body, allow, closes } = self;
        let mut head = String::with_capacity(256);
        // Writing to a string cannot fail.
        let _ = write!(head, "HTTP/1.1 {status} {}\r\nDate: {date}\r\nContent-Type: {content_type}\r\n", reason(*status));
        let _ = write!(head, "Content-Length: {}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n", body.len());
        if let Some(allow) = allow {
            let _ = write!(head, "Allow: {allow}\r\n");
        }
        let upgrades = *status == 426;
        if upgrades {
            let _ = write!(head, "Upgrade: {PROTOCOL}\r\n");
        }
        match (upgrades, closes) {
            (true, true) => head.push_str("Connection: Upgrade, close\r\n"),
            (true, false) => head.push_str("Connection: Upgrade\r\n"),
            (false, true) => head.push_str("Connection: close\r\n"),
            (false, false) => {}
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !head_only {
            bytes.extend_from_slice(body);
        }
        bytes
    }

    /// `101`: frames follow, both ways.
    #[must_use]
    pub fn switching() -> Vec<u8> {
        alloc::format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {PROTOCOL}\r\n\r\n").into_bytes()
    }

    /// `100`: send the body.
    #[must_use]
    pub fn go_on() -> Vec<u8> {
        b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()
    }

    /// The head of a stream of events, which ends with the connection.
    #[must_use]
    pub fn events(date: &str) -> Vec<u8> {
        alloc::format!(
            "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: text/event-stream\r\nX-Content-Type-Options: nosniff\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        .into_bytes()
    }

    /// The head of the log, of so many bytes, which follow it: too many to be copied into an answer.
    #[must_use]
    pub fn log(date: &str, length: usize, closes: bool) -> Vec<u8> {
        let close = if closes { "Connection: close\r\n" } else { "" };
        alloc::format!(
            "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: {TEXT}\r\nContent-Length: {length}\r\n\
             X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n{close}\r\n"
        )
        .into_bytes()
    }

    /// A login that came without the upgrade.
    #[must_use]
    pub fn upgrade_required() -> Refusal {
        Refusal::new(426, ErrorCode::UpgradeRequired, "A login needs the headers Connection: Upgrade and Upgrade: twopc/1; send both.")
    }
}

/// The words beside a status (RFC 9110, 15), which nobody has to read.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
