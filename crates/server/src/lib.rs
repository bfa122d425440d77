//! The relay: carries every message of the room, in one order, and keeps a record of it.
//!
//! It knows paths, names and lengths, and never what a protocol message means; it answers in no
//! node's place. [`run`] serves a listener until it is told to end, [`program`] is the program
//! around it.
//!
//! From the outside in: [`run`] accepts; a connection speaks plain HTTP until it logs in, frames
//! after that; the room gives every frame its number and puts it into the outboxes of those it is
//! for; names, record and screen are threads of their own beside the traffic.

mod beside;
mod chronicle;
mod config;
mod connection;
mod host;
mod lobby;
mod names;
mod outbox;
pub mod program;
mod record;
mod relay;
mod room;
mod route;
mod screen;

pub use config::{Config, Limits, Times};
pub use names::{NamesError, forget};
pub use relay::{RelayError, run};
