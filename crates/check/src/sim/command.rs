//! `twopc-check sim`: one run with its story, or many with their figures.

use std::ops::Range;
use std::process::ExitCode;

use clap::Parser;

use super::fleet::{Findings, sail};
use super::plan::{Narrowing, Plan};
use super::run::run;
use super::shrink::shrink;
use crate::mutants::Mutant;
use crate::progress::ProgressLine;

/// Runs whole rooms in simulated time, with everything going wrong that can.
#[derive(Debug, Parser)]
pub struct Args {
    /// Runs this seed alone and tells its story.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs these seeds: FROM..TO.
    #[arg(long, value_parser = range, conflicts_with = "seed", default_value = "0..10000")]
    seeds: Range<u64>,
    /// With --seed: the verdict without the story.
    #[arg(long)]
    quiet: bool,
    /// With --seed: so many participants, at most those of the plan.
    #[arg(long)]
    participants: Option<usize>,
    /// With --seed: so many transactions, at most those of the plan.
    #[arg(long)]
    transactions: Option<usize>,
    /// With --seed: these faults of the plan alone, by their numbers; `none` for none.
    #[arg(long, value_parser = places)]
    only: Option<Places>,
    /// Breaks a rule on purpose.
    #[arg(long)]
    mutant: Option<Mutant>,
    /// Says how often each thing happened.
    #[arg(long)]
    coverage: bool,
}

#[derive(Clone, Debug)]
struct Places(Vec<usize>);

fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.filter(|range: &Range<u64>| !range.is_empty()).ok_or_else(|| format!("{text:?} is no range of seeds; write 0..10000"))
}

fn places(text: &str) -> Result<Places, String> {
    if text == "none" {
        return Ok(Places(Vec::new()));
    }
    text.split(',')
        .map(|place| place.trim().parse().map_err(|_| format!("{place:?} is no number of a fault")))
        .collect::<Result<_, _>>()
        .map(Places)
}

/// Does what was asked.
#[must_use]
pub fn command(args: Args) -> ExitCode {
    match args.seed {
        Some(seed) => one(seed, args),
        None => many(&args),
    }
}

fn one(seed: u64, args: Args) -> ExitCode {
    let narrowing =
        Narrowing { participants: args.participants, transactions: args.transactions, only: args.only.map(|Places(places)| places) };
    let plan = Plan::of(seed, args.mutant).narrowed(&narrowing);
    let report = run(&plan, !args.quiet);
    if !args.quiet {
        print!("{plan}{}", report.story);
    }
    println!("seed {seed}: {} events in {} s of simulated time", report.events, report.until);
    match report.violation {
        None => {
            println!("every property holds");
            ExitCode::SUCCESS
        }
        Some(violation) => {
            println!("does not hold: {violation}");
            let smaller = shrink(&plan);
            if smaller != plan {
                println!("a smaller run that fails in the same way: {}\n{smaller}", smaller.command());
            }
            ExitCode::FAILURE
        }
    }
}

/// From so many runs on, everything that can happen must have happened.
const MANY: u64 = 10_000;

fn many(args: &Args) -> ExitCode {
    let count = args.seeds.end - args.seeds.start;
    let line = ProgressLine::new();
    let findings = sail(args.seeds.clone(), args.mutant, 20, &|done| line.show(format_args!("{done} of {count} seeds")));
    drop(line);
    print!("{}", told(&findings, args));
    let has_seen_too_little = args.mutant.is_none() && findings.runs >= MANY && !findings.coverage.missing().is_empty();
    if findings.failures.is_empty() && !has_seen_too_little { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(findings: &Findings, args: &Args) -> String {
    let Findings { runs, events, simulated, took, coverage, failures } = findings;
    let seconds = took.as_secs_f64();
    let mut told = format!(
        "{runs} runs, {events} events, {:.0} hours of simulated time, {seconds:.1} s ({:.0} runs a second)\n",
        simulated / 3600.0,
        *runs as f64 / seconds
    );
    if args.coverage {
        for (what, count) in coverage.iter() {
            told += &format!("{count:10} {what}\n");
        }
    }
    let missing = coverage.missing();
    if !missing.is_empty() && (args.coverage || *runs >= MANY) {
        told += &format!("never happened: {}\n", missing.join(", "));
    }
    for (seed, what) in failures {
        told += &format!("seed {seed}: {what}\n      {}\n", Plan::of(*seed, args.mutant).command());
    }
    if let Some((seed, _)) = failures.first() {
        let smaller = shrink(&Plan::of(*seed, args.mutant));
        told += &format!("a smaller run: {}\n{smaller}", smaller.command());
    }
    told
}
