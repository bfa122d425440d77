//! A message that has come whole: its bytes, and where its parts stand in them.
//!
//! Deliberately absent: a map of headers. There are few, and who wants one looks for it in the head
//! that the scanner has found to be in order.

use alloc::sync::Arc;
use core::fmt;

use super::scan::bad;
use super::{CLIENT_LIMITS, Refusal};

/// A request: `POST /path HTTP/1.1`, headers, body. Cloning it shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    message: Whole,
    method: usize,
    target: usize,
}

/// The answer to a request: `HTTP/1.1 200 OK`, headers, body.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    message: Whole,
    status: u16,
}

/// One message's bytes, and where its body begins.
#[derive(Clone, PartialEq, Eq)]
struct Whole {
    bytes: Arc<[u8]>,
    body: usize,
}

impl Frame {
    /// Takes a message whose head the scanner found to be in order; `body` is where it ends.
    /// `httparse` has the second word on it.
    pub(super) fn parse(bytes: &[u8], body: usize) -> Result<Self, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; CLIENT_LIMITS.headers];
        let mut request = httparse::Request::new(&mut headers);
        match (request.parse(&bytes[..body]), request.method, request.path) {
            (Ok(httparse::Status::Complete(_)), Some(method), Some(path)) => {
                let (method, target) = (method.len(), method.len() + 1 + path.len());
                Ok(Self { message: Whole { bytes: bytes.into(), body }, method, target })
            }
            _ => Err(bad("The head of this message is not HTTP/1.1.")),
        }
    }

    /// The method, as it was written.
    #[must_use]
    pub fn method(&self) -> &str {
        self.message.ascii(0, self.method)
    }

    /// What was asked for, as it was written.
    #[must_use]
    pub fn target(&self) -> &str {
        self.message.ascii(self.method + 1, self.target)
    }

    /// The path: the target without a scheme and host before it and without what follows `?`.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.target();
        let path = match self.authority() {
            Some(authority) => match &target["http://".len() + authority.len()..] {
                "" => "/",
                rest if rest.starts_with('?') => "/",
                rest => rest,
            },
            None => target,
        };
        path.split('?').next().unwrap_or_default()
    }

    /// The host in the target, where somebody wrote one there (`GET http://HOST/ HTTP/1.1`).
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        let target = self.target();
        let rest = target.get("http://".len()..).filter(|_| target[.."http://".len()].eq_ignore_ascii_case("http://"))?;
        rest.split(['/', '?']).next()
    }

    /// Whether it is HTTP/1.1, and not 1.0.
    #[must_use]
    pub fn is_http_1_1(&self) -> bool {
        self.message.bytes[self.target..].starts_with(b" HTTP/1.1")
    }

    /// The values of every header of that name, in any case, blanks around them taken off.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        values(self.message.head(), name)
    }

    /// The header's value, if it stands there exactly once and is UTF-8.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        one(self.message.head(), name)
    }

    /// Whether one of the header's comma-separated words is this one, in any case.
    #[must_use]
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        has_word(self.message.head(), name, word)
    }

    /// The body; empty where there is none.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.message.bytes[self.message.body..]
    }

    /// All of it, as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.message.bytes
    }
}

impl Response {
    /// As [`Frame::parse`].
    pub(super) fn parse(bytes: &[u8], body: usize) -> Result<Self, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; CLIENT_LIMITS.headers];
        let mut response = httparse::Response::new(&mut headers);
        match (response.parse(&bytes[..body]), response.code) {
            (Ok(httparse::Status::Complete(_)), Some(status)) => Ok(Self { message: Whole { bytes: bytes.into(), body }, status }),
            _ => Err(bad("The head of this answer is not HTTP/1.1.")),
        }
    }

    /// The status: 101, 200 and so on.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// As [`Frame::values`].
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        values(self.message.head(), name)
    }

    /// As [`Frame::one`].
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        one(self.message.head(), name)
    }

    /// As [`Frame::has_word`].
    #[must_use]
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        has_word(self.message.head(), name, word)
    }

    /// Whether this is the relay's word that frames follow.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.status == 101 && self.has_word("Upgrade", super::PROTOCOL)
    }

    /// The body; empty where there is none.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.message.bytes[self.message.body..]
    }

    /// All of it, as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.message.bytes
    }
}

impl Whole {
    fn head(&self) -> &[u8] {
        &self.bytes[..self.body]
    }

    /// A part of the first line, which the scanner found to be ASCII.
    fn ascii(&self, from: usize, to: usize) -> &str {
        core::str::from_utf8(&self.bytes[from..to]).unwrap_or_default()
    }
}

/// Every header line of a head that is in order: the name, and the value without blanks around it.
pub(super) fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|&byte| byte == b'\n').skip(1).filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

fn values<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    lines(head).filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
}

fn one<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut found = lines(head).filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => core::str::from_utf8(value).ok(),
        _ => None,
    }
}

fn has_word(head: &[u8], name: &str, word: &str) -> bool {
    let mut words = values(head, name).flat_map(|value| value.split(|&byte| byte == b','));
    words.any(|found| found.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} {}, {} bytes)", self.method(), self.target(), self.body().len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body().len())
    }
}
