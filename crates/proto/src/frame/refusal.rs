//! What bad input is answered with.
//!
//! Deliberately absent: how the answer travels. Before the upgrade it is a response, after it a
//! `POST /error` frame with the same words.

use alloc::borrow::Cow;
use core::fmt;

use crate::name::{NameError, UserName};

/// The words that the wire has for what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Where a message begins or ends cannot be told for certain.
    BadFraming,
    /// A `POST` did not say how long its body is.
    LengthRequired,
    /// A limit on lines, heads or bodies was passed.
    TooLarge,
    /// A message was not finished in time.
    TooSlow,
    /// Well framed, but not what the path asks for.
    BadRequest,
    /// No such path on this side of the upgrade.
    NotFound,
    /// The path is there, for another method.
    NotAllowed,
    /// This role, or this place, may not do that.
    Forbidden,
    /// The login came without the upgrade.
    UpgradeRequired,
    /// Not a user name.
    NameInvalid,
    /// Somebody else's user name.
    NameTaken,
    /// As many are logged in as the relay takes.
    RoomFull,
    /// A chat line that is not one line of text.
    BadText,
    /// Nobody of that name is in the room.
    NotHere,
    /// The same user has logged in again elsewhere.
    Replaced,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::BadFraming,
        Self::LengthRequired,
        Self::TooLarge,
        Self::TooSlow,
        Self::BadRequest,
        Self::NotFound,
        Self::NotAllowed,
        Self::Forbidden,
        Self::UpgradeRequired,
        Self::NameInvalid,
        Self::NameTaken,
        Self::RoomFull,
        Self::BadText,
        Self::NotHere,
        Self::Replaced,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadFraming => "bad_framing",
            Self::LengthRequired => "length_required",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::NotAllowed => "not_allowed",
            Self::Forbidden => "forbidden",
            Self::UpgradeRequired => "upgrade_required",
            Self::NameInvalid => "name_invalid",
            Self::NameTaken => "name_taken",
            Self::RoomFull => "room_full",
            Self::BadText => "bad_text",
            Self::NotHere => "not_here",
            Self::Replaced => "replaced",
        }
    }

    /// Reads a word; `None` for one that another relay may know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One refusal: what is wrong, in a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The status of the response, where there is a response.
    pub status: u16,
    /// The word for programs.
    pub code: ErrorCode,
    /// One sentence that a person can act on.
    pub message: Cow<'static, str>,
    /// Whether the connection ends after the answer; nothing that follows on it is obeyed then.
    pub closes: bool,
    /// Whom a protocol frame could not be delivered to.
    pub to: Option<UserName>,
    /// The methods that the path has, where another one was asked for.
    pub allow: Option<&'static str>,
}

impl Refusal {
    /// A refusal after which the connection stays.
    #[must_use]
    pub fn new(status: u16, code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), closes: false, to: None, allow: None }
    }

    /// A refusal that ends the connection.
    #[must_use]
    pub fn closing(status: u16, code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { closes: true, ..Self::new(status, code, message) }
    }

    /// A path that has other methods only; `allow` lists them as the header of that name does.
    #[must_use]
    pub fn not_allowed(allow: &'static str) -> Self {
        let message = alloc::format!("This path does not have that method; use {allow}.");
        Self { allow: Some(allow), ..Self::new(405, ErrorCode::NotAllowed, message) }
    }

    /// A user name that is none.
    #[must_use]
    pub fn name_invalid(error: NameError) -> Self {
        Self::new(422, ErrorCode::NameInvalid, alloc::format!("This is not a user name: {error}."))
    }

    /// A protocol frame for somebody who is not in the room.
    #[must_use]
    pub fn not_here(to: UserName) -> Self {
        let message = alloc::format!("Nobody called {to} is in the room; the message was not delivered.");
        Self { to: Some(to), ..Self::new(404, ErrorCode::NotHere, message) }
    }
}
