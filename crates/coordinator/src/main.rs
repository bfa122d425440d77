//! `twopc-coordinator`: the coordinator as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use twopc_coordinator::program::{Args, run};

fn main() -> ExitCode {
    run(Args::parse())
}
