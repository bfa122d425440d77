//! The hunt for the mutants: each is put before the same searches and the same simulation that the
//! real machines pass, and at least one of them must find it.
//!
//! Deliberately absent: a check that knows of mutants. What is asked of a mutant is what is asked of
//! the real machine.

use std::fmt;
use std::time::{Duration, Instant};

use super::Mutant;
use crate::search::{self, Findings};
use crate::sim;
use crate::world::Scope;

/// How hard a mutant is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How long each search may take.
    pub search: Duration,
    /// How many seeds are simulated at most.
    pub seeds: u64,
    /// Whether the simulation is asked although a search has found the mutant.
    pub both: bool,
}

/// What became of one mutant.
#[derive(Clone, Debug)]
pub struct Hunted {
    /// Which.
    pub mutant: Mutant,
    /// Which search found it.
    pub search: Option<BySearch>,
    /// Which seed found it, and the property that failed.
    pub simulation: Option<(u64, String)>,
    /// How long all that took.
    pub took: Duration,
}

/// A search that found a mutant.
#[derive(Clone, Debug)]
pub struct BySearch {
    /// The world that was explored.
    pub scope: Scope,
    /// The property that does not hold there.
    pub property: &'static str,
    /// How many steps it takes.
    pub steps: usize,
    /// The story of those steps.
    pub story: String,
}

impl Hunted {
    /// Whether a check found it.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.search.is_some() || self.simulation.is_some()
    }
}

/// Looks for a mutant.
#[must_use]
pub fn hunt(mutant: Mutant, effort: &Effort) -> Hunted {
    let started = Instant::now();
    let searched = if mutant.breaks_the_disk() { Vec::new() } else { search::hunt(mutant, effort.search) };
    let search = searched.last().and_then(by_search);
    let simulation = if effort.both || search.is_none() { sim::hunt(mutant, effort.seeds) } else { None };
    Hunted { mutant, search, simulation, took: started.elapsed() }
}

fn by_search(findings: &Findings) -> Option<BySearch> {
    let (property, story) = findings.violation()?;
    let is_step = |line: &&str| line.trim_start().split_once(". ").is_some_and(|(number, _)| number.parse::<usize>().is_ok());
    let steps = story.lines().filter(is_step).count();
    Some(BySearch { scope: Scope { mutant: None, ..findings.scope }, property, steps, story: story.to_owned() })
}

/// What became of all of them, as a table in Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a>(pub &'a [Hunted]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | the rule that is broken | caught by the search | caught by the simulation |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        for Hunted { mutant, search, simulation, .. } in self.0 {
            let search = search.as_ref().map_or_else(
                || String::from("–"),
                |BySearch { scope, property, steps, .. }| format!("{property}, in {steps} steps (`{scope}`)"),
            );
            let simulation =
                simulation.as_ref().map_or_else(|| String::from("–"), |(seed, property)| format!("{property}, by seed {seed}"));
            writeln!(f, "| {mutant} | {} | {search} | {simulation} |", mutant.what())?;
        }
        Ok(())
    }
}
