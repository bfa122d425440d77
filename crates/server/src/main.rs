//! The relay as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use twopc_server::program::{Args, run, wrong_usage};

/// The relay: carries every message of the room and keeps a record of it.
#[derive(Parser)]
#[command(name = "twopc-server", version)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    match Program::try_parse() {
        Ok(program) => run(program.args),
        Err(error) => wrong_usage(&error),
    }
}
