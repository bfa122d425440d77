//! What a client writes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::body::Login;
use super::{CLIENT_PATH, COORDINATOR_PATH, JSON, PROTOCOL, PROTOCOL_PATH, TEXT};
use crate::bench::Command;
use crate::json;
use crate::message::Message;
use crate::name::{Role, UserName};
use crate::trace::Origin;

/// Writes the requests and frames of one client.
#[derive(Clone, Debug)]
pub struct ClientFrames {
    host: String,
    agent: String,
}

impl ClientFrames {
    /// `host` is the relay's address as the person gave it, `agent` the program's name and version
    /// (`twopc-participant/0.1.0`). Whatever would not stand in a header is left out of both.
    #[must_use]
    pub fn new(host: &str, agent: &str) -> Self {
        let clean = |text: &str| text.chars().filter(char::is_ascii_graphic).collect();
        Self { host: clean(host), agent: clean(agent) }
    }

    /// `GET /login`: what does the relay ask?
    #[must_use]
    pub fn question(&self) -> Vec<u8> {
        let Self { host, agent } = self;
        alloc::format!("GET /login HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
    }

    /// `POST /login` with the upgrade. Frames are sent only after its 101.
    #[must_use]
    pub fn login(&self, login: &Login) -> Vec<u8> {
        let extra = alloc::format!("Connection: Upgrade\r\nUpgrade: {PROTOCOL}\r\n");
        self.post("/login", "", &extra, Some(JSON), &json::body(login))
    }

    /// A line of chat; `line` is the time since the one before and the text
    /// ([`crate::text::timed`]), `date` the hour in the form [`super::DATE`].
    #[must_use]
    pub fn chat(&self, role: Role, line: &str, date: &str) -> Vec<u8> {
        let path = match role {
            Role::Coordinator => COORDINATOR_PATH,
            Role::Participant | Role::Observer | Role::Guest => CLIENT_PATH,
        };
        let extra = alloc::format!("Date: {date}\r\n");
        self.post(path, "", &extra, Some(TEXT), line.as_bytes())
    }

    /// A protocol message.
    #[must_use]
    pub fn message(&self, to: &UserName, message: &Message) -> Vec<u8> {
        self.protocol(to, message.kind().as_str(), &message.body())
    }

    /// A protocol message that says which event of this node it comes from; only where
    /// [`super::Welcome::trace`] asks for it.
    #[must_use]
    pub fn message_from(&self, to: &UserName, message: &Message, origin: Origin) -> Vec<u8> {
        self.protocol(to, message.kind().as_str(), &message.body_from(origin))
    }

    /// A protocol message as a type's word and a body, whatever they are.
    #[must_use]
    pub fn protocol(&self, to: &UserName, word: &str, body: &[u8]) -> Vec<u8> {
        let extra = alloc::format!("To: {to}\r\n");
        self.post(PROTOCOL_PATH, word, &extra, Some(JSON), body)
    }

    /// What this node does, for observers; only where [`super::Welcome::trace`] asks for it.
    #[must_use]
    pub fn trace(&self, body: &[u8]) -> Vec<u8> {
        self.post("/trace", "", "", Some(JSON), body)
    }

    /// What becomes of messages on their way; from an observer.
    #[must_use]
    pub fn lab(&self, command: &Command) -> Vec<u8> {
        self.post("/lab", "", "", Some(JSON), &json::body(command))
    }

    /// The answer to `/ping`.
    #[must_use]
    pub fn pong(&self) -> Vec<u8> {
        self.post("/pong", "", "", None, b"")
    }

    /// A polite goodbye.
    #[must_use]
    pub fn logout(&self) -> Vec<u8> {
        self.post("/logout", "", "", None, b"")
    }

    fn post(&self, path: &str, word: &str, extra: &str, content_type: Option<&str>, body: &[u8]) -> Vec<u8> {
        let Self { host, agent } = self;
        let mut head = String::with_capacity(192 + extra.len() + body.len());
        // Writing to a string cannot fail.
        let _ = write!(head, "POST {path}{word} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n");
        if let Some(content_type) = content_type {
            let _ = write!(head, "Content-Type: {content_type}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n{extra}\r\n", body.len());
        let mut frame = head.into_bytes();
        frame.extend_from_slice(body);
        frame
    }
}
