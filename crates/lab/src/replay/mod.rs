//! The same again: what was done in a recorded run is done once more on live processes, and what came of it
//! is compared.
//!
//! - [`script`]: what was done, and how everything stood before each of it.
//! - `asked`: which of the relay's doings others than the lab have asked for.
//! - [`perform`]: doing it again, each thing once everything stands as it did then.
//! - [`differences`]: what came of it otherwise.
//! - [`command`]: `twopc-lab replay DIR`.
//!
//! It begins with the files as they were before, so transactions have the same names. Deliberately absent:
//! the clock. Things are done when they can be, not when they were.

mod asked;
pub mod command;
pub mod differences;
pub mod perform;
pub mod script;
