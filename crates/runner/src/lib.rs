//! The one loop with a clock and a socket: it drives a machine over its store and its link.
//!
//! - [`node`]: the handle of a running node, what it is told at its start, how it ends.
//! - [`snapshot`] is what a window shows, [`event`] what a program without one prints.
//! - [`crash`]: the boundaries at which a node can be told to die.
//! - [`roles`]: the participant and the coordinator as a node runs them.
//! - [`link`]: the relay's address, and the connection to it.
//! - [`signals`]: what ends a program from outside.
//! - [`cli`]: the flags that both roles share; [`headless`]: a node without a window.

pub mod cli;
pub mod crash;
pub mod event;
pub mod headless;
pub mod link;
pub mod node;
pub mod roles;
pub mod signals;
pub mod snapshot;

pub use crash::CrashPoint;
pub use node::{AutoVote, Ending, Front, Node, NodeConfig, NodeRole};
