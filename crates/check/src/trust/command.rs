//! The commands `all` and `release`.

use std::process::ExitCode;
use std::time::Instant;

use super::{Check, Row, Size, Table, trials};
use crate::progress::{Clock, ProgressLine};

/// Runs every check and prints the table.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// These checks alone.
    #[arg(value_enum)]
    checks: Vec<Check>,
}

/// Runs the checks, each with a line as soon as it is done, and fails if one is below its bar.
#[must_use]
pub fn command(args: &Args, size: Size) -> ExitCode {
    let started = Instant::now();
    let checks = if args.checks.is_empty() { &Check::ALL[..] } else { &args.checks };
    let trials = checks.iter().any(|check| check.needs_processes()).then(|| {
        eprintln!("building what is killed and crowded");
        trials::build()
    });
    let trials = match trials.transpose() {
        Ok(trials) => trials,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows: Vec<Row> = Vec::new();
    for check in checks {
        let line = ProgressLine::since(started);
        let found = check.run(size, trials.as_deref(), &|what| line.show(what));
        drop(line);
        for row in &found {
            let verdict = if row.holds() { "holds" } else { "BELOW THE BAR" };
            eprintln!("{} {verdict}: {}: {}", Clock(started.elapsed()), row.what, row.figure);
            row.failures.iter().for_each(|failure| eprintln!("{failure}"));
        }
        rows.extend(found);
    }
    print!("{}", Table(&rows));
    if rows.iter().all(Row::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
