//! Many runs on all processors, and what came of them together.
//!
//! Deliberately absent: printing. Whoever wants to see how far it is passes a callback.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::coverage::Coverage;
use super::plan::Plan;
use super::run::run;
use crate::mutants::Mutant;

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// How many runs there were.
    pub runs: u64,
    /// How many things happened in them.
    pub events: u64,
    /// How many seconds they took, in simulated time.
    pub simulated: f64,
    /// How long they took.
    pub took: Duration,
    /// What happened in them.
    pub coverage: Coverage,
    /// Seeds whose run broke a property, each with the property and its evidence, in order.
    pub failures: Vec<(u64, String)>,
}

/// Runs every seed of a range on all processors. `progress` is told now and then how many are done;
/// it ends early once there are `enough` failures.
#[must_use]
pub fn sail(seeds: Range<u64>, mutant: Option<Mutant>, enough: usize, progress: &(dyn Fn(u64) + Sync)) -> Findings {
    let began = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let is_enough = AtomicBool::new(false);
    let all = Mutex::new(Findings::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Findings::default();
                while !is_enough.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    mine.sail(seed, mutant);
                    let done = seed - seeds.start + 1;
                    if done.is_multiple_of(500) {
                        progress(done);
                    }
                    if mine.failures.len() >= enough {
                        is_enough.store(true, Ordering::Relaxed);
                    }
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).add(mine);
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.failures.sort();
    all.took = began.elapsed();
    all
}

/// The first seed, of so many, under which a mutant breaks a property, and that property's name.
#[must_use]
pub fn hunt(mutant: Mutant, most: u64) -> Option<(u64, String)> {
    let findings = sail(0..most, Some(mutant), 1, &|_| ());
    findings.failures.into_iter().next().map(|(seed, what)| (seed, what.split(':').next().unwrap_or_default().to_owned()))
}

impl Findings {
    fn sail(&mut self, seed: u64, mutant: Option<Mutant>) {
        let report = run(&Plan::of(seed, mutant), false);
        self.runs += 1;
        self.events += report.events;
        self.simulated += report.until.0 as f64 / 1e6;
        self.coverage.add(report.coverage);
        self.failures.extend(report.violation.map(|violation| (seed, violation.to_string())));
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.events += other.events;
        self.simulated += other.simulated;
        self.coverage.add(other.coverage);
        self.failures.extend(other.failures);
    }
}
