//! `twopc-participant`: the participant as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use twopc_participant::program::{Args, run};

fn main() -> ExitCode {
    run(Args::parse())
}
