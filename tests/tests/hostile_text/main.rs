//! What somebody hostile wrote, through every way in, looked for at every way out: no program shows
//! it raw, and no line of a log is of its making.
//!
//! Windows are tested by label where they are made; here are the real programs without windows.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod edge;
mod eyes;
mod payloads;
mod relay;
mod room;
