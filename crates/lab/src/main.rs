//! `twopc-lab`: the front door.

use std::process::ExitCode;

fn main() -> ExitCode {
    twopc_lab::program::run(std::env::args_os())
}
