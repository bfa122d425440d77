//! The JSON bodies that relay and client say to each other, each member in the wire's order.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::refusal::{ErrorCode, Refusal};
use crate::json;
use crate::name::{Role, UserName};

/// The body of `POST /login`.
///
/// The name is any text here: a bad one is refused with another code than a bad body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The name, as it was typed.
    pub user: String,
    /// What to be in the room: participant, coordinator or observer.
    pub role: Role,
    /// What shows that the name is this client's.
    pub key: String,
    /// What shows that an observer may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<String>,
}

impl Login {
    /// Reads the body, and the name in it.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies of those that need nothing but the body; the connection
    /// stays open for another try.
    pub fn read(body: &[u8]) -> Result<(UserName, Self), Refusal> {
        let bad = |message: &'static str| Refusal::new(400, ErrorCode::BadRequest, message);
        let login: Self = json::parse(body).map_err(|_| {
            bad("A login is JSON with the members user, role (participant, coordinator or observer) and key, each once; send those.")
        })?;
        if login.role == Role::Guest {
            return Err(bad("The role guest does not log in; use participant, coordinator or observer."));
        }
        if !is_key(&login.key) {
            return Err(bad("A key is 16 to 128 printable ASCII characters; make one at random and keep it."));
        }
        let name = UserName::parse(&login.user).map_err(Refusal::name_invalid)?;
        Ok((name, login))
    }
}

/// Whether a text can be a name's key: 16 to 128 printable ASCII characters.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Keys are nobody's business, so they are not shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Somebody in the room; the body of `/joined` and `/left`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub user: UserName,
    /// What that user is in the room.
    pub role: Role,
}

/// The body of `/welcome`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The name of whoever is welcomed.
    pub user: UserName,
    /// What that user is in the room.
    pub role: Role,
    /// Tells one life of the relay from another.
    pub room: String,
    /// Everybody in the room, the new one included.
    pub users: Vec<Person>,
    /// The last number that the relay has given to a frame.
    pub seq: u64,
    /// Whether somebody wants to see what the nodes do (`/trace`).
    pub trace: bool,
}

/// The body of `/error`, and of a response that refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code, one of [`ErrorCode`]'s words from a relay of this version.
    pub error: String,
    /// One sentence that a person can act on.
    #[serde(default)]
    pub message: String,
    /// Whom a protocol frame could not be delivered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserName>,
}

impl ErrorBody {
    /// The code, if it is one that this version knows.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::parse(&self.error)
    }
}

impl From<&Refusal> for ErrorBody {
    fn from(refusal: &Refusal) -> Self {
        Self { error: refusal.code.as_str().into(), message: refusal.message.as_ref().into(), to: refusal.to.clone() }
    }
}
