//! `twopc-check`: explores the machines completely and says what it saw.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use twopc_check::trust::Size;
use twopc_check::{frames, mutants, search, sim, trust};

// A search makes and drops small values by the hundred million, in two threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Lets every call of every disk go wrong in every way, and damages every log.
    Disk(sim::DiskArgs),
    /// Breaks the machines and their disks on purpose, and says which check notices.
    Mutants(mutants::Args),
    /// Runs every check at the size that its promise is stated for, and prints the table.
    All(trust::Args),
    /// The same with the largest counts, as long as they take.
    Release(trust::Args),
}

fn main() -> ExitCode {
    match Args::parse().what {
        What::Search(args) => search::search(&args),
        What::Replay(args) => search::replay_file(&args),
        What::Frames(args) => frames::run(&args),
        What::Sim(args) => sim::command(args),
        What::Disk(args) => sim::disk(args),
        What::Mutants(args) => mutants::command(&args),
        What::All(args) => trust::command(&args, Size::All),
        What::Release(args) => trust::command(&args, Size::Release),
    }
}
