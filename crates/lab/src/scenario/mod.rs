//! Scenarios: a goal, a question, steps that are played on real processes, and an outcome that is judged
//! on what really came of them.
//!
//! - [`text`]: a scenario as a small file that a teacher can write.
//! - [`step`]: what can be done and waited for, a line each.
//! - `suits`: whether a step can be done in its scenario's room.
//! - [`play`]: the steps, one after another, in a room of real programs.
//! - [`judge`]: whether the faults happened, and the outcome is the one that was promised.
//! - [`command`]: playing them from the command line.
//! - [`shelf`]: those that the lab brings along.
//!
//! Deliberately absent: mocks. A scenario whose fault did not happen has failed, and so has one that came
//! out otherwise than its file says.

pub mod command;
pub mod judge;
pub mod play;
pub(crate) mod player;
pub mod shelf;
pub mod step;
mod suits;
pub mod text;

pub use judge::Report;
pub use step::Step;
pub use text::{Outcome, Scenario};
