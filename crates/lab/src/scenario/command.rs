//! `twopc-lab scenario FILE… --headless`: plays scenarios one after another and says how each came out.
//!
//! Without `--headless` they stand on the shelf of the lab's window. Deliberately absent: that window.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use twopc_runner::cli;

use super::judge::Report;
use super::play::{Theatre, play};
use super::shelf;
use super::text::{Scenario, TextError};

/// What a scenario's file is called.
const KIND: &str = "scenario";

/// Plays scenarios on real processes, and judges what came of them.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Files, or folders of files that end in .scenario; without any, those that the lab brings along
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// No window: plays them one after another, and says on standard output what came of each
    #[arg(long)]
    pub headless: bool,
    /// Where the runs are kept
    #[arg(long, value_name = "DIR", default_value = "logs/runs")]
    pub runs: PathBuf,
    /// Where the relay of the window's room is to listen; without windows every scenario has a free port
    /// [default: as the lab]
    #[arg(long, value_name = "ADDR", conflicts_with = "headless")]
    pub server: Option<String>,
}

/// Plays them all; status 0 if every one came out as its file says, 1 if not.
#[must_use]
pub fn run(args: &Args, program: PathBuf) -> ExitCode {
    let scenarios = match gathered(&args.files) {
        Ok(scenarios) => scenarios,
        Err(error) => return cli::failed(error),
    };
    let theatre = Theatre { program, runs: args.runs.clone(), wake: Arc::new(|| ()) };
    let mut failed = 0;
    for scenario in &scenarios {
        if !is_passed(scenario, &theatre) {
            failed += 1;
        }
    }
    let count = scenarios.len();
    if failed == 0 {
        println!("{count} of {count} came out as they should.");
        ExitCode::SUCCESS
    } else {
        println!("{failed} of {count} FAILED.");
        ExitCode::FAILURE
    }
}

fn is_passed(scenario: &Scenario, theatre: &Theatre) -> bool {
    println!("{}", scenario.title);
    let began = Instant::now();
    let played = match play(scenario, theatre, io::sink(), &|_, _| ()) {
        Ok(played) => played,
        Err(error) => {
            println!("  FAILED: {error}");
            return false;
        }
    };
    let report = Report::of(scenario, &played);
    for failure in &report.failures {
        println!("  FAILED: {failure}");
    }
    let outcome = report.outcome.map_or_else(|| String::from("no outcome"), |outcome| outcome.to_string());
    println!("  {outcome}: {report} ({:.1} s)", began.elapsed().as_secs_f64());
    println!("  {}", played.dir.display());
    report.is_passed()
}

/// The scenarios of these files and folders, in their order.
pub(crate) fn gathered(files: &[PathBuf]) -> Result<Vec<Scenario>, TextError> {
    if files.is_empty() {
        return Ok(shelf::scenarios());
    }
    let mut scenarios = Vec::new();
    for file in files {
        for path in in_folder(file)? {
            scenarios.push(Scenario::open(&path)?);
        }
    }
    Ok(scenarios)
}

/// The file itself, or the scenarios in the folder, by name.
fn in_folder(file: &Path) -> Result<Vec<PathBuf>, TextError> {
    if !file.is_dir() {
        return Ok(vec![file.to_path_buf()]);
    }
    let named = |error| TextError::Io { file: file.display().to_string(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(file).map_err(named)? {
        let path = entry.map_err(named)?.path();
        if path.extension().is_some_and(|kind| kind == KIND) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() { Err(TextError::Empty { folder: file.display().to_string() }) } else { Ok(paths) }
}
