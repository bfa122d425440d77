//! `twopc-check`: explores the machines completely and says what it saw.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use twopc_check::{frames, mutants, search, sim};

/// Drives the two-phase commit machines through every schedule.
#[derive(Debug, Parser)]
#[command(name = "twopc-check", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Explores worlds completely.
    Search(search::Args),
    /// Runs a story again that a search has told.
    Replay(search::ReplayArgs),
    /// Judges hostile frames, bodies, logs and texts: against rules written a second time.
    Frames(frames::Args),
    /// Runs whole rooms in simulated time, with everything going wrong that can.
    Sim(sim::Args),
    /// Breaks the machines and their disks on purpose, and says which check notices.
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    match Args::parse().what {
        What::Search(args) => search::search(&args),
        What::Replay(args) => search::replay_file(&args),
        What::Frames(args) => frames::run(&args),
        What::Sim(args) => sim::command(args),
        What::Mutants(args) => mutants::command(&args),
    }
}
