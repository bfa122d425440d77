//! The space-time diagram: what it says of runs that the real machines played.
//!
//! Golden texts and pictures stand in `golden`; `TWOPC_BLESS=1 cargo test -p twopc-lab --test diagram`
//! writes them anew, and the change is then for a person to read.
#![allow(clippy::unwrap_used)] // a test that cannot go on says where

mod causes;
mod folding;
mod golden;
mod growth;
mod pictures;
mod places;
mod play;
mod seen;
mod shiviz;
mod stepping;
