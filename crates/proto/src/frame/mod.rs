//! What travels on the wire: every message, both ways, is one HTTP/1.1 message with a
//! `Content-Length` body.
//!
//! - [`Decoder`] cuts what a socket gives into [`Frame`]s, [`Answers`] into [`Response`]s; both
//!   take bytes in any pieces, refuse what is not in order with a [`Refusal`], hold no more than
//!   one message and judge each byte once.
//! - [`ClientFrames`] and [`RelayFrames`] write what the two ends say, [`Answer`] writes responses.
//! - [`FromRelay`] is what a frame says to a client; the typed bodies are beside it.
//!
//! Deliberately absent: sockets, clocks, and who may say what to whom, which the relay knows.

mod answer;
mod body;
mod client;
mod decode;
mod head;
mod read;
mod refusal;
mod relay;
mod scan;

pub use answer::Answer;
pub use body::{ErrorBody, Login, Person, Welcome, is_key};
pub use client::ClientFrames;
pub use decode::{Answers, Decoder, Phase, Side};
pub use head::{Frame, Response};
pub use read::{BadFrame, Chat, FromRelay, Protocol};
pub use refusal::{ErrorCode, Refusal};
pub use relay::{RelayFrames, Stamp, with_history};

use scan::Limits;

/// The protocol that a login upgrades to.
pub const PROTOCOL: &str = "twopc/1";

/// The form of a `Date` header (IMF-fixdate, in UTC), as `strftime` and `chrono` write it.
pub const DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// The path of a participant's chat lines, and of a guest's.
pub const CLIENT_PATH: &str = "/client.http";

/// The path of a coordinator's chat lines.
pub const COORDINATOR_PATH: &str = "/coordinator.http";

/// What the paths of protocol messages begin with; the type follows.
pub const PROTOCOL_PATH: &str = "/2pc/";

/// The longest body that a relay takes, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The longest body that a client takes from its relay, in bytes.
pub const MAX_BODY_FROM_RELAY: usize = 2 * 1024 * 1024;

/// What a relay takes.
const RELAY_LIMITS: Limits = Limits { line: 4 * 1024, head: 8 * 1024, headers: 32, body: MAX_BODY };

/// What a client takes. Generous: it has chosen its relay.
const CLIENT_LIMITS: Limits = Limits { line: 16 * 1024, head: 64 * 1024, headers: 96, body: MAX_BODY_FROM_RELAY };

/// A chat line's media type.
const TEXT: &str = "text/plain; charset=utf-8";

/// Every other body's.
const JSON: &str = "application/json";
