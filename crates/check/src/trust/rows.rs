//! The rows: which check at which size, and what is known of the best elsewhere.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::row::{Count, Row};
use super::{Size, trials};
use crate::mutants::{self, Effort, Mutant};
use crate::search::{self, scopes};
use crate::world::Scope;
use crate::{frames, sim};

/// A search that takes longer has met a bound.
const SEARCH: Duration = Duration::from_secs(6 * 3_600);

pub(super) fn searches(size: Size, progress: &(dyn Fn(&str) + Sync)) -> Vec<Row> {
    let named = match size {
        Size::All => scopes::all(),
        Size::Release => scopes::release(),
    };
    named.iter().map(|named| one_search(named, progress)).collect()
}

fn one_search(named: &scopes::Named, progress: &(dyn Fn(&str) + Sync)) -> Row {
    let findings = search::explore(&named.scope, SEARCH, &|states| progress(&format!("{}: {} states", named.name, Count(states as u64))));
    let mut failures: Vec<String> = findings.failures.iter().map(ToString::to_string).collect();
    if let Some(seen) = named.states.filter(|seen| findings.is_clean() && *seen != findings.states) {
        failures.push(format!("{} states were seen before", Count(seen as u64)));
    }
    let (bar, elsewhere) = bar_of(&named.scope);
    Row {
        what: format!("every schedule: {}", named.name),
        command: format!("twopc-check search {}", named.scope),
        figure: format!("{} states and {} steps, complete", Count(findings.states as u64), Count(findings.steps as u64)),
        bar,
        elsewhere,
        failures,
        took: findings.took,
    }
}

/// The bar for a world, and the largest search that is known of a protocol like this.
fn bar_of(scope: &Scope) -> (&'static str, &'static str) {
    match (scope.participants, scope.requests, scope.symmetry) {
        (4.., _, false) => {
            ("4 participants, complete, 6.9 M states", "stateright's 2pc example: 10 resource managers, 61.5 M states, no crash, no log")
        }
        (6.., _, true) => ("6 participants, complete, 20 M states", "TwoPhase.tla: 50,816 states for six, a specification"),
        (2.., 2.., _) => ("two transactions at once, complete", "none known"),
        (_, _, _) => ("complete", "the same"),
    }
}

pub(super) fn simulation(size: Size, progress: &(dyn Fn(&str) + Sync)) -> Row {
    let seeds: u64 = match size {
        Size::All => 100_000,
        Size::Release => 1_000_000,
    };
    let findings = sim::sail(0..seeds, None, 3, &|done| progress(&format!("simulated runs: {} of {}", Count(done), Count(seeds))));
    let mut failures: Vec<String> = findings.failures.iter().map(|(seed, what)| format!("seed {seed}: {what}")).collect();
    failures.extend(findings.coverage.missing().into_iter().map(|what| format!("never happened: {what}")));
    Row {
        what: "whole rooms in simulated time, from a seed: faults, then healing, then rest".into(),
        command: format!("twopc-check sim --seeds 0..{seeds}"),
        figure: format!(
            "{} runs, {} events, {:.0} years of simulated time",
            Count(findings.runs),
            Count(findings.events),
            years(findings.simulated)
        ),
        bar: match size {
            Size::All => "100,000 seeds",
            Size::Release => "1,000,000 seeds",
        },
        elsewhere: "FoundationDB: tens of thousands of simulations a night; TigerBeetle's VOPR: all day on 1,024 cores",
        failures,
        took: findings.took,
    }
}

fn years(seconds: f64) -> f64 {
    seconds / (365.25 * 86_400.0)
}

pub(super) fn mutants(progress: &(dyn Fn(&str) + Sync)) -> Row {
    let started = Instant::now();
    let effort = Effort { search: Duration::from_secs(300), seeds: 20_000, both: true };
    let (mut failures, mut twice) = (Vec::new(), 0);
    for mutant in Mutant::ALL {
        progress(&format!("mutants: {mutant}, of {}", Mutant::ALL.len()));
        let hunted = mutants::hunt(*mutant, &effort);
        twice += usize::from(hunted.search.is_some() && hunted.simulation.is_some());
        if !hunted.is_caught() {
            failures.push(format!("{mutant} gets away: {}", mutant.what()));
        }
    }
    let (all, caught) = (Mutant::ALL.len(), Mutant::ALL.len() - failures.len());
    Row {
        what: "machines and disks broken on purpose".into(),
        command: "twopc-check mutants".into(),
        figure: format!("{caught} of {all} caught, {twice} of them by a search and by the simulation"),
        bar: "all",
        elsewhere: "P's tutorials break no machine; SQLite counts branches (MC/DC)",
        failures,
        took: started.elapsed(),
    }
}

pub(super) fn frames(size: Size, progress: &(dyn Fn(&str) + Sync)) -> Row {
    let frames: u64 = match size {
        Size::All => 50_000_000,
        Size::Release => 1_000_000_000,
    };
    let told = |done| progress(&format!("frames: {} of {}", Count(done), Count(frames)));
    let findings = frames::hunt(frames::Plan { frames, seed: 1 }, &told);
    let [relay, _] = findings.largest_buffer;
    Row {
        what: "frames, judged by a strict parser of their own; bodies, logs and texts as well".into(),
        command: format!("twopc-check frames --count {frames}"),
        figure: format!(
            "{} frames, {} of them refused or cut short, no difference; the relay's decoder held {} bytes at most",
            Count(findings.frames),
            Count(findings.frames - findings.taken()),
            Count(relay as u64)
        ),
        bar: match size {
            Size::All => "50,000,000",
            Size::Release => "1,000,000,000",
        },
        elsewhere: "SQLite's dbsqlfuzz: 500,000,000 to 1,000,000,000 a day on 16 cores",
        failures: findings.failures,
        took: findings.took,
    }
}

pub(super) fn kill(size: Size, program: Option<&Path>) -> Row {
    let cycles = match size {
        Size::All => "10000",
        Size::Release => "100000",
    };
    trial(
        Row {
            what: "real processes killed (kill -9) and frozen at named points and at random".into(),
            command: String::new(),
            figure: String::new(),
            bar: "10,000 cycles in 15 minutes, each named point 100 times",
            elsewhere: "etcd's robustness tests: runs of minutes",
            failures: Vec::new(),
            took: Duration::ZERO,
        },
        program,
        &["kill", "--cycles", cycles],
    )
}

pub(super) fn hostile(program: Option<&Path>) -> Row {
    trial(
        Row {
            what: "an honest room while 5,000 connections idle, 500 send slow heads and 100 never read".into(),
            command: String::new(),
            figure: String::new(),
            bar: "10 minutes; 99 of 100 votes within 250 ms, the relay under 256 MiB",
            elsewhere: "no figure known",
            failures: Vec::new(),
            took: Duration::ZERO,
        },
        program,
        &["hostile", "--seconds", "600"],
    )
}

fn trial(row: Row, program: Option<&Path>, arguments: &[&str]) -> Row {
    let started = Instant::now();
    let command = format!("twopc-trials {}", arguments.join(" "));
    let ran = program.ok_or_else(|| String::from("twopc-trials was not built")).and_then(|program| trials::run(program, arguments));
    let (figure, failures) = match ran {
        Ok(trial) if trial.ok => (told(&trial.figures), Vec::new()),
        Ok(trial) => (told(&trial.figures), vec![format!("{command} says what failed")]),
        Err(why) => (String::from("–"), vec![why]),
    };
    Row { command, figure, failures, took: started.elapsed(), ..row }
}

/// Figures as people read them; what is itself a table is left to the trial's own output.
fn told(figures: &Map<String, Value>) -> String {
    let plain = figures.iter().filter(|(_, value)| value.is_number());
    let shown = plain.map(|(name, value)| {
        format!("{} {}", name.replace('_', " "), value.as_u64().map_or_else(|| value.to_string(), |count| Count(count).to_string()))
    });
    shown.collect::<Vec<_>>().join(", ")
}
