//! The commands `all` and `release`.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Check, Clock, Row, Size, Table, trials};

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
        let line = ProgressLine::new(started);
        let found = check.run(size, trials.as_deref(), &|what| line.show(what));
        line.clear();
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

/// One line on standard error that is written again and again; a line a minute where nobody sees it
/// change.
struct ProgressLine {
    started: Instant,
    is_seen: bool,
    said: Mutex<Option<Instant>>,
}

impl ProgressLine {
    fn new(started: Instant) -> Self {
        Self { started, is_seen: std::io::stderr().is_terminal(), said: Mutex::new(None) }
    }

    fn show(&self, what: &str) {
        let pause = if self.is_seen { Duration::from_millis(200) } else { Duration::from_secs(60) };
        let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if said.is_some_and(|said| said.elapsed() < pause) {
            return;
        }
        *said = Some(Instant::now());
        let clock = Clock(self.started.elapsed());
        if self.is_seen {
            eprint!("\r\x1b[K{clock} {what}");
            // A line that nobody sees stops no check.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{clock} {what}");
        }
    }

    fn clear(&self) {
        if self.is_seen {
            eprint!("\r\x1b[K");
        }
    }
}
