//! The participant: its window and its program.
//!
//! - [`view`]: the window as a pure function.
//! - [`window`]: that function with a node behind it.
//! - [`program`]: the flags.

pub mod program;
#[cfg(test)]
mod states;
mod strings;
pub mod view;
mod vote;
pub mod window;
