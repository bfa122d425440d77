//! `twopc-lab verify` on the folders of real runs: as they were left, and tampered with. Each thing that
//! is wrong is found and named, with the lines that prove it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test that cannot go on says where

mod errors;
mod logs;
mod pure;
mod record;
mod run;
mod texts;
mod untouched;
