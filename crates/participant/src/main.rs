//! `twopc-participant`: the participant as a program of its own.

use std::process::ExitCode;

use twopc_participant::program::run;
use twopc_runner::cli;

fn main() -> ExitCode {
    cli::flags(std::env::args_os()).map_or_else(|status| status, run)
}
