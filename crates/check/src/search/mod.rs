//! The complete search of a world, and what must hold in each of its states.
//!
//! `always` has what must hold, one property a file, each with its source; most ask
//! `twopc_proto::audit`, the same that judges the files of real processes. `sometimes` has what must
//! happen, or a search has seen less than it should. [`explore`] runs a search to its end; what it
//! [found](Findings) tells a violation as a story that can be run again. [`scopes`] names the searches
//! that are run for a commit, for all and for a release.

mod always;
mod command;
mod findings;
mod hunt;
mod model;
mod run;
pub mod scopes;
mod shorten;
mod sometimes;
mod story;

pub use command::{Args, ReplayArgs, replay_file, search};
pub use findings::{Failure, Findings};
pub use hunt::hunt;
pub use model::Exploration;
pub use run::explore;
pub use story::{Replayed, replay};
