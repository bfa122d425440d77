//! `twopc-suite`: the lab with every role in it, as a program that tests find.
//!
//! Deliberately absent: flags of its own. `twopc-suite participant …` is `twopc-participant …`.

use std::process::ExitCode;

fn main() -> ExitCode {
    twopc_lab::program::run(std::env::args_os())
}
