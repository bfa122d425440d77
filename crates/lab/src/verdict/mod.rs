//! The verdict on a real run: what its stable logs, text files and the relay's record prove.
//!
//! - [`Evidence`]: what was found, parsed; from folders by [`gather`], or put together by whoever has
//!   the bytes.
//! - [`judge`]: a pure function of that: a [`Verdict`], an invariant a row, each with the lines that
//!   prove it.
//! - [`command`]: `twopc-lab verify DIR…`.
//!
//! The properties are [`twopc_proto::audit`]'s, the same functions that the checker asks of every state
//! that it explores; here they are asked of one transaction after the other, so that the lines can be
//! named. Deliberately absent: the machines, and any writing. A folder may be judged while its programs
//! run.

mod case;
pub mod command;
mod doubt;
mod error;
mod evidence;
mod finding;
mod gather;
mod judge;
mod log;
mod paper;
mod promises;
mod said;
mod shelf;
mod strings;
mod text;

pub use error::VerifyError;
pub use evidence::Evidence;
pub use finding::{Finding, Invariant, Mark, Outcome, Quote, Row, Verdict};
pub use gather::gather;
pub use judge::judge;
