//! The pure half of the suite: what travels, what is remembered, and how the two roles decide.
//!
//! Nothing in here reads a clock, opens a socket or touches a file; the crate is `no_std` so that
//! the compiler sees to it. Everything is deterministic: the same inputs give the same effects.
//!
//! - [`frame`]: what travels, read and written; [`json`] is its bodies' grammar.
//! - [`name`], [`text`], [`txn`]: the vocabulary, each a newtype that holds only what is valid.
//! - [`message`]: the bodies of `/2pc/TYPE`.
//! - [`trace`], [`mod@bench`]: what nodes and relay tell a lab, and what it asks of the relay.
//! - [`machine`]: the shape of a role; [`participant`] and [`coordinator`] are the two roles.
//! - [`record`]: what a role must remember over a crash; [`log`], how that stands in a file;
//!   [`decided`] and [`outcomes`], what is never forgotten of it.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod aside;
pub mod audit;
pub mod bench;
pub mod boundary;
pub mod coordinator;
pub mod decided;
pub mod frame;
pub mod json;
pub mod log;
pub mod machine;
pub mod message;
pub mod name;
pub mod outcomes;
pub mod participant;
mod patience;
pub mod record;
pub mod story;
pub mod text;
pub mod trace;
pub mod txn;

pub use boundary::{Boundary, When};
pub use coordinator::Coordinator;
pub use decided::Decided;
pub use machine::{Effect, Identity, Input, LinkState, Lsn, Machine, Notice, Presence, Settings, State, Sync};
pub use message::{Message, MessageKind, PeerState, Reason};
pub use name::{Role, UserName};
pub use participant::Participant;
pub use record::{CoordinatorRecord, Decision, LogRecord, ParticipantRecord, RecordKind};
pub use text::CommittedString;
pub use txn::TxnId;
