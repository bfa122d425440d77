//! `twopc-lab verify DIR…`: the verdict on standard output, and as an exit status.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use twopc_runner::cli;

use super::{Finding, Mark, Verdict, gather, judge};

/// How many findings of a row are printed for people.
const SHOWN: usize = 20;

/// The flags of `verify`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folders of one run: the run's own, or its data directories and the relay's log directory
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// The verdict as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Judges, prints, and ends with 0 (ATOMIC), 4 (IN DOUBT), 5 (VIOLATED), or 1 if there is no verdict.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let verdict = match gather(&args.dirs) {
        Ok(evidence) => judge(&evidence),
        Err(error) => return cli::failed(error),
    };
    let printed = if args.json { json(&verdict) } else { text(&verdict) };
    match std::io::stdout().write_all(printed.as_bytes()) {
        Ok(()) => ExitCode::from(verdict.outcome.exit_status()),
        Err(error) => cli::failed(format_args!("The verdict cannot be printed ({error}).")),
    }
}

/// The verdict for a program.
fn json(verdict: &Verdict) -> String {
    // A verdict is strings and numbers, which every JSON can hold.
    serde_json::to_string(verdict).unwrap_or_default() + "\n"
}

/// The verdict for people: the word, a row an invariant, under it what proves it, then what it rests on.
#[must_use]
pub fn text(verdict: &Verdict) -> String {
    let Verdict { outcome, rows, committed, aborted, undecided, notes } = verdict;
    let mut out = format!("{outcome}\n");
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:<12}  {}", row.invariant, row.mark);
        for finding in row.findings.iter().take(SHOWN) {
            push(&mut out, finding, row.mark);
        }
        if let Some(more) = row.findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(out, "    and {more} more (--json says all of them)");
        }
    }
    let _ = match (committed, aborted, undecided) {
        (0, 0, 0) => writeln!(out, "Transactions: none yet, so there was nothing to break."),
        _ => writeln!(out, "Transactions: {committed} committed, {aborted} aborted, {undecided} undecided."),
    };
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    out
}

fn push(out: &mut String, finding: &Finding, row: Mark) {
    let Finding { mark, says, quotes } = finding;
    let mark = if *mark == row { String::new() } else { format!("{mark}: ") };
    let _ = writeln!(out, "    {mark}{says}");
    for quote in quotes {
        let _ = writeln!(out, "        {quote}");
    }
}
