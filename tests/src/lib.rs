//! What end-to-end tests stand on: real processes over loopback, each room with a port and a folder
//! of its own.
//!
//! - [`Process`]: one program; its lines are waited for with a deadline, and it dies with the test.
//! - [`Room`]: a relay with its programs, and what they left on the disk.
//! - [`kill`], [`hostile`]: the trials of `twopc-trials`; what one found is a [`Finding`](finding::Finding).
//!
//! Tests say what they wait for, and nothing in here sleeps but a crowd, which has a pace of its own.

pub mod files;
pub mod finding;
pub mod hostile;
pub mod kill;
pub mod process;
pub mod room;

pub use process::Process;
pub use room::Room;
