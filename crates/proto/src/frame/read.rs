//! What a relay's frame says to a client.
//!
//! Reading is total and believes the relay: who said something is what it stamped. Deliberately
//! absent: whether a protocol message should be obeyed, which the machines know.

use alloc::string::String;

use super::body::{ErrorBody, Person, Welcome};
use super::head::Frame;
use super::{CLIENT_PATH, COORDINATOR_PATH, PROTOCOL_PATH};
use crate::bench::Fate;
use crate::json;
use crate::message::{BadBody, Message, MessageKind};
use crate::name::{Role, UserName};

/// One frame from the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromRelay {
    /// The first frame: who is here.
    Welcome(Welcome),
    /// Somebody came.
    Joined(Person),
    /// Somebody went.
    Left(Person),
    /// Answer with [`super::ClientFrames::pong`].
    Ping,
    /// A frame of ours was refused.
    Error(ErrorBody),
    /// Somebody said something.
    Chat(Chat),
    /// A protocol message; [`Protocol::message`] reads its body.
    Protocol(Protocol),
    /// What a node says that it does; only observers get it.
    Trace {
        /// Who says it.
        from: UserName,
        /// What that user is in the room.
        role: Role,
        /// The JSON body; [`crate::trace::Trace::read`] reads it.
        body: alloc::vec::Vec<u8>,
    },
    /// What became of a message on its way, or which rules hold; only observers get it.
    Lab(Fate),
    /// A path that this version does not know; to be ignored.
    Unknown,
}

/// A chat line as the relay stamped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// Who said it. A guest's name does not say here that it is one.
    pub from: UserName,
    /// What that user is in the room, or [`Role::Guest`].
    pub role: Role,
    /// Its number in the room's order.
    pub seq: u64,
    /// When the relay had it (IMF-fixdate); empty where it did not say.
    pub date: String,
    /// Whether it was said before this client came.
    pub history: bool,
    /// Whether it came on the coordinators' path: only there a line can be a proposal.
    pub coordinator: bool,
    /// The line: the time since the sender's line before, and the text.
    pub text: String,
}

/// A protocol frame as the relay stamped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Who sent it.
    pub from: UserName,
    /// What that user is in the room.
    pub role: Role,
    /// Its number in the room's order.
    pub seq: u64,
    /// Whom it is for.
    pub to: UserName,
    /// The type's word in the path.
    pub word: String,
    /// The body.
    pub body: alloc::vec::Vec<u8>,
}

/// A frame that no relay should send. To be reported and skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay sent a frame whose {0}")]
pub struct BadFrame(&'static str);

impl FromRelay {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`BadFrame`] when a known path comes without the headers or the body that belong to it.
    pub fn read(frame: &Frame) -> Result<Self, BadFrame> {
        let body = frame.body();
        match frame.path() {
            "/welcome" => json::parse(body).map(Self::Welcome).map_err(|_| BadFrame("welcome does not parse")),
            "/joined" => json::parse(body).map(Self::Joined).map_err(|_| BadFrame("joined does not parse")),
            "/left" => json::parse(body).map(Self::Left).map_err(|_| BadFrame("left does not parse")),
            "/error" => json::parse(body).map(Self::Error).map_err(|_| BadFrame("error does not parse")),
            "/ping" => Ok(Self::Ping),
            "/trace" => Ok(Self::Trace { from: from(frame)?, role: role(frame)?, body: body.into() }),
            "/lab" => json::parse(body).map(Self::Lab).map_err(|_| BadFrame("lab does not parse")),
            CLIENT_PATH => chat(frame, false).map(Self::Chat),
            COORDINATOR_PATH => chat(frame, true).map(Self::Chat),
            path => match path.strip_prefix(PROTOCOL_PATH) {
                Some(word) => protocol(frame, word).map(Self::Protocol),
                None => Ok(Self::Unknown),
            },
        }
    }
}

impl FromRelay {
    /// The protocol message, if it is one.
    #[must_use]
    pub fn protocol(self) -> Option<Protocol> {
        if let Self::Protocol(protocol) = self { Some(protocol) } else { None }
    }
}

impl Protocol {
    /// The type, if nodes know it; others are ignored.
    #[must_use]
    pub fn kind(&self) -> Option<MessageKind> {
        MessageKind::parse(&self.word)
    }

    /// The message; `None` for a type that nodes ignore.
    #[must_use]
    pub fn message(&self) -> Option<Result<Message, BadBody>> {
        self.kind().map(|kind| Message::parse(kind, &self.body))
    }
}

fn chat(frame: &Frame, coordinator: bool) -> Result<Chat, BadFrame> {
    Ok(Chat {
        from: from(frame)?,
        role: role(frame)?,
        seq: seq(frame)?,
        date: frame.one("Date").unwrap_or_default().into(),
        history: frame.one("History") == Some("1"),
        coordinator,
        text: core::str::from_utf8(frame.body()).map_err(|_| BadFrame("chat line is not UTF-8"))?.into(),
    })
}

fn protocol(frame: &Frame, word: &str) -> Result<Protocol, BadFrame> {
    let to = frame.one("To").and_then(|name| UserName::parse(name).ok()).ok_or(BadFrame("To header is no user name"))?;
    Ok(Protocol { from: from(frame)?, role: role(frame)?, seq: seq(frame)?, to, word: word.into(), body: frame.body().into() })
}

fn from(frame: &Frame) -> Result<UserName, BadFrame> {
    let name = frame.one("From").ok_or(BadFrame("From header is missing"))?;
    let name = name.strip_suffix(" (guest)").unwrap_or(name);
    UserName::parse(name).map_err(|_| BadFrame("From header is no user name"))
}

fn role(frame: &Frame) -> Result<Role, BadFrame> {
    frame.one("Role").and_then(Role::parse).ok_or(BadFrame("Role header is no role"))
}

fn seq(frame: &Frame) -> Result<u64, BadFrame> {
    frame.one("Seq").and_then(|seq| seq.parse().ok()).ok_or(BadFrame("Seq header is no number"))
}
