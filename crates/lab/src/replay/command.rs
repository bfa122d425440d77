//! `twopc-lab replay DIR`: the same again, and whether the same came of it.
//!
//! Deliberately absent: a window.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Local;
use twopc_runner::cli;

use super::differences::{decisions, files, states};
use super::perform::{Repeated, perform};
use super::script::Script;
use crate::run::Moment;
use crate::run::folder::{self, Recorded};

/// Does what was done in a recorded run again on live processes, and says whether the outcome was the same.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The folder of the run
    #[arg(value_name = "DIR")]
    pub run: PathBuf,
    /// Where the new run is kept [default: beside the old one]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}

/// Does it again; status 0 if the outcome was the same, 1 if not.
#[must_use]
pub fn run(args: &Args, program: PathBuf) -> ExitCode {
    let recorded = match folder::open(&args.run) {
        Ok(recorded) => recorded,
        Err(error) => return cli::failed(error),
    };
    if recorded.events.is_empty() {
        return cli::failed(format_args!("{} recorded nothing, so there is nothing to do again. Take another run.", args.run.display()));
    }
    let script = Script::of(&recorded.events, recorded.header.headless);
    let beside = || std::path::absolute(&args.run).ok().and_then(|run| run.parent().map(Path::to_path_buf)).unwrap_or_default();
    let dir = match folder::fresh(&args.runs.clone().unwrap_or_else(beside), Local::now(), "again") {
        Ok(dir) => dir,
        Err(error) => return cli::failed(error),
    };
    match perform(&recorded, &script, program, &dir) {
        Ok(repeated) => said(&recorded, &script.end, &repeated),
        Err(error) => cli::failed(error),
    }
}

fn said(recorded: &Recorded, then: &Moment, repeated: &Repeated) -> ExitCode {
    let mut found = decisions(then, &repeated.end);
    // Where a decision differs the rest was not done, and says nothing.
    if found.is_empty() || repeated.stuck.is_none() {
        found = [states(then, &repeated.end), files(&recorded.dir, &repeated.dir, then)].concat();
    }
    for (name, standing) in &then.programs {
        for (txn, stand) in &standing.transactions {
            println!("{name} {txn} {}", stand.state);
        }
    }
    println!("{}", repeated.dir.display());
    let stuck = repeated.stuck.iter().cloned();
    let reasons: Vec<String> = stuck.chain(found).collect();
    if reasons.is_empty() {
        println!("SAME");
        return ExitCode::SUCCESS;
    }
    for reason in &reasons {
        println!("  {reason}");
    }
    println!("DIFFERENT");
    ExitCode::FAILURE
}
