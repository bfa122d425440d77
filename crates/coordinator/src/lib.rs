//! The coordinator: its window and its program.
//!
//! - [`view`]: the window as a pure function.
//! - [`window`]: that function with a node behind it.
//! - [`program`]: the flags.

pub mod program;
mod proposal;
#[cfg(test)]
mod states;
pub mod view;
mod votes;
pub mod window;
