//! `twopc-check disk`: the loops over every call of a disk, with their figures.

use std::process::ExitCode;

use clap::Parser;

use super::disk_loops::ALL;

/// How many failures are told.
const MOST_TOLD: usize = 20;

/// Lets every call of every disk go wrong in every way, and damages every log.
#[derive(Clone, Copy, Debug, Parser)]
pub struct DiskArgs {}

/// Runs all loops, a line for each, and fails if a property did.
#[must_use]
pub fn disk(_: DiskArgs) -> ExitCode {
    let mut is_sound = true;
    for (what, run) in ALL {
        let cases = run();
        println!("{what}: {} cases, {} failures, {:.1} s", cases.cases, cases.failures.len(), cases.took.as_secs_f64());
        for (call, count) in cases.by_call.iter().filter(|(_, count)| **count > 0) {
            println!("{count:10} times {call:?}");
        }
        cases.failures.iter().take(MOST_TOLD).for_each(|failure| println!("{failure}"));
        is_sound &= cases.failures.is_empty();
    }
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
