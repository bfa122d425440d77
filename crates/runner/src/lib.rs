//! The one loop with a clock and a socket: it drives a machine over its store and its link.

pub mod event;
pub mod snapshot;
