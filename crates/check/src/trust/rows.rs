//! The rows: which check at which size, and what is known of the best elsewhere.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::row::{Count, Row};
use super::{Size, trials};
use crate::mutants::{self, Effort, Mutant};
use crate::search::Findings;
use crate::search::scopes::{self, Named};
use crate::world::Scope;
use crate::{frames, sim};

/// A search that takes longer has met a bound.
const SEARCH: Duration = Duration::from_secs(6 * 3_600);

/// The searches of the tests in one row, each larger one in a row of its own, and what all of them say
/// of TwoPhase.
pub(super) fn searches(size: Size, progress: &(dyn Fn(&str) + Sync)) -> Vec<Row> {
    let (share, worlds) = match size {
        Size::All => ("all", scopes::all()),
        Size::Release => ("release", scopes::release()),
    };
    let small = scopes::commit().len();
    let mut found: Vec<(&Named, Findings)> = Vec::new();
    for named in &worlds {
        let told = |states| progress(&format!("{}: {} states", named.name, Count(states as u64)));
        found.push((named, named.explored(SEARCH, &told)));
    }
    let mut rows = vec![row_of_small(&found[..small])];
    rows.extend(found[small..].iter().map(|(named, findings)| row_of(named, findings)));
    rows.push(refinement(share, &found));
    rows
}

fn row_of_small(found: &[(&Named, Findings)]) -> Row {
    let (states, steps, failures, took) = sum(found);
    Row {
        what: format!("every schedule of {} small worlds, disks that take their time among them", found.len()),
        command: "twopc-check search".into(),
        figure: format!("{} states and {} steps, complete", Count(states), Count(steps)),
        bar: "complete",
        elsewhere: "the same",
        failures,
        took,
    }
}

fn row_of(named: &Named, findings: &Findings) -> Row {
    let bar = bar_of(&named.scope);
    let (states, steps) = (Count(findings.states as u64), Count(findings.steps as u64));
    let mut failures: Vec<String> = findings.failures.iter().map(ToString::to_string).collect();
    if findings.states < bar.states {
        failures.push(format!("{states} states are fewer than {}", Count(bar.states as u64)));
    }
    Row {
        what: format!("every schedule: {}", named.name),
        command: format!("twopc-check search {}", named.scope),
        figure: format!("{states} states and {steps} steps, complete"),
        bar: bar.told,
        elsewhere: bar.elsewhere,
        failures,
        took: findings.took,
    }
}

/// A search fails where a transition is none of TwoPhase's, or where an action of TwoPhase never was.
fn refinement(share: &str, found: &[(&Named, Findings)]) -> Row {
    let (_, steps, failures, _) = sum(found);
    Row {
        what: "each of those steps held against Lamport and Gray's TwoPhase".into(),
        command: format!("twopc-check search --share {share}"),
        figure: format!("{} steps, each allowed by it; all seven of its actions seen", Count(steps)),
        bar: "every step",
        elsewhere: "proved in TLA+, of a specification",
        failures,
        took: Duration::ZERO,
    }
}

/// States, steps, failures and time of some searches together.
fn sum(found: &[(&Named, Findings)]) -> (u64, u64, Vec<String>, Duration) {
    let all = || found.iter().map(|(_, findings)| findings);
    (
        all().map(|findings| findings.states as u64).sum(),
        all().map(|findings| findings.steps as u64).sum(),
        all().flat_map(|findings| &findings.failures).map(ToString::to_string).collect(),
        all().map(|findings| findings.took).sum(),
    )
}

/// What a search of a world must reach, and the largest that is known of a protocol like this.
struct Bar {
    told: &'static str,
    states: usize,
    elsewhere: &'static str,
}

fn bar_of(scope: &Scope) -> Bar {
    let stateright = "stateright's 2pc example: 10 resource managers, 61.5 M states, no crash, no log";
    let specification = "TwoPhase.tla: 50,816 states for six, a specification";
    let (told, states, elsewhere) = match (scope.participants, scope.crashes, scope.requests, scope.symmetry) {
        (4.., 2.., _, false) => ("4 participants, 6.9 M states, complete", 6_900_000, stateright),
        (6.., _, _, true) => ("6 participants, 20 M states, complete", 20_000_000, specification),
        (_, _, 2.., _) => ("two transactions at once, with 2 and with 3 participants, complete", 0, "none known"),
        (_, _, _, _) => ("complete", 0, "the same"),
    };
    Bar { told, states, elsewhere }
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
            "{} runs, {} events, {:.0} hours of simulated time",
            Count(findings.runs),
            Count(findings.events),
            findings.simulated / 3_600.0
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

pub(super) fn disk(progress: &(dyn Fn(&str) + Sync)) -> Row {
    let started = Instant::now();
    let mut failures = Vec::new();
    let [failing, cut_off, damaged] = sim::disk_loops::ALL.map(|(what, run)| {
        progress(what);
        let found = run();
        failures.extend(found.failures);
        Count(found.cases)
    });
    Row {
        what: "every call of every disk of three nodes fails, in every way; every log is cut and flipped".into(),
        command: "twopc-check disk".into(),
        figure: format!("{failing} runs with a call that fails, {cut_off} with a second crash in recovery, {damaged} logs cut or flipped"),
        bar: "every call, once and for good",
        elsewhere: "SQLite: the same loops over its own calls",
        failures,
        took: started.elapsed(),
    }
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
    let (cycles, minutes, bar) = match size {
        Size::All => ("10000", 15, "10,000 cycles in 15 minutes, each named point 100 times"),
        Size::Release => ("100000", 150, "100,000 cycles in 150 minutes, each named point 100 times"),
    };
    let mut row = trial(
        Row {
            what: "real processes killed (kill -9) and frozen at named points and at random".into(),
            command: String::new(),
            figure: String::new(),
            bar,
            elsewhere: "etcd's robustness tests: runs of minutes",
            failures: Vec::new(),
            took: Duration::ZERO,
        },
        program,
        &["kill", "--cycles", cycles],
    );
    if row.took > Duration::from_secs(60 * minutes) {
        row.failures.push(format!("it took longer than {minutes} minutes"));
    }
    row
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
