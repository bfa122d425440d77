//! `twopc-trials`: the trials that need real processes and sockets, each a subcommand.
//!
//! What a person wants to know goes to standard error; the last line on standard output is one JSON
//! object with the figures, for the program that started this one. Deliberately absent: the trials
//! themselves, which are modules of the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use twopc_tests::{hostile, kill};

/// Tries real processes of the suite: kills them, freezes them, crowds them.
#[derive(Debug, Parser)]
#[command(name = "twopc-trials", version)]
struct Cli {
    #[command(subcommand)]
    trial: Trial,
}

#[derive(Debug, Subcommand)]
enum Trial {
    /// Kills and freezes relay, coordinator and participants, brings them back, and judges their files
    Kill(kill::Args),
    /// Lets a room vote among thousands of enemies, and watches its votes and the relay's memory
    Hostile(hostile::Args),
}

fn main() -> ExitCode {
    let finding = match Cli::parse().trial {
        Trial::Kill(args) => kill::run(&args, &mut |line| eprintln!("{line}")),
        Trial::Hostile(args) => hostile::run(&args, &mut |line| eprintln!("{line}")),
    };
    for failure in &finding.failures {
        eprintln!("FAILED: {failure}");
    }
    println!("{}", finding.to_line());
    if finding.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
