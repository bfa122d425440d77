//! `twopc-check`: explores the machines completely and says what it saw.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use twopc_check::frames;
use twopc_check::mutants::Mutant;
use twopc_check::search::explore;
use twopc_check::world::Scope;

/// Drives the two-phase commit machines through every schedule.
#[derive(Debug, Parser)]
#[command(name = "twopc-check", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Explores one world completely.
    Search {
        /// How many participants.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
        participants: u8,
        /// How many transactions.
        #[arg(long, default_value_t = 1)]
        requests: u8,
        /// How many crashes in all.
        #[arg(long, default_value_t = 1)]
        crashes: u8,
        /// Lets answers that settle nothing arrive, too.
        #[arg(long)]
        hints: bool,
        /// Breaks every machine in this way.
        #[arg(long)]
        mutant: Option<Mutant>,
        /// Gives up after this many seconds.
        #[arg(long, default_value_t = 3_600)]
        limit: u64,
    },
    /// Judges hostile frames, bodies, logs and texts: against rules written a second time.
    Frames(frames::Args),
}

fn main() -> ExitCode {
    let (participants, requests, crashes, hints, mutant, limit) = match Args::parse().what {
        What::Search { participants, requests, crashes, hints, mutant, limit } => (participants, requests, crashes, hints, mutant, limit),
        What::Frames(args) => return frames::run(args),
    };
    let scope = Scope { hints, mutant, ..Scope::new(participants.into(), requests, crashes) };
    let findings = explore(&scope, Duration::from_secs(limit));
    print!("{findings}");
    if findings.complete && findings.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
