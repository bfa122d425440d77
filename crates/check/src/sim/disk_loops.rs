//! The disk, to the last byte: a commit and an abort on three nodes, with every call of every node's disk
//! going wrong in every way, once and for good; every recovery cut off at each of its own calls; every
//! log that a run leaves cut at every length and flipped at every bit.
//!
//! Each case is a whole run with everything that the judge asks, then healed and brought to rest.
//! Deliberately absent: chance in what goes wrong, since there is nothing left out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use twopc_proto::log::read_log;
use twopc_proto::{Boundary, CoordinatorRecord, LogRecord, ParticipantRecord, When};

use super::coverage::Coverage;
use super::disk::{Call, Trouble};
use super::faults::{Fault, Point};
use super::plan::{Plan, Restart, Votes, role};
use super::run::{Files, Run, run};

/// What a loop does, and how it is run.
type Named = (&'static str, fn() -> Loop);

/// The loops.
pub const ALL: [Named; 3] = [
    ("every call of every disk fails, in every way, once and for good", every_call_fails),
    ("every recovery from every crash point is cut off at each of its calls", every_recovery_is_cut_off),
    ("every log of a run is cut at every length and flipped at every bit", || every_log_is_damaged(LOGS)),
];

/// The runs whose logs are damaged.
const LOGS: Range<u64> = 0..4;

/// What a call does instead of what it should, in all ways.
const TROUBLES: [Trouble; 8] = [
    Trouble::NoSpace,
    Trouble::Quota,
    Trouble::Broken,
    Trouble::ReadOnly,
    Trouble::TooManyOpen,
    Trouble::ShortNoSpace,
    Trouble::ShortBroken,
    Trouble::Hangs(Duration::from_secs(60)),
];

/// A commit, and an abort that one of two participants brings about.
const VOTES: [Votes; 2] = [Votes::AllCommit, Votes::OneRefuses(2)];

/// Node 0 is the coordinator.
const NODES: usize = 3;

/// What came of a loop over cases.
#[derive(Clone, Debug, Default)]
pub struct Loop {
    /// How many cases there were.
    pub cases: u64,
    /// How often each kind of call went wrong or was the last one before a crash.
    pub by_call: BTreeMap<Call, u64>,
    /// Cases that broke a property, in words.
    pub failures: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// What happened.
    pub coverage: Coverage,
}

/// Every call of every node of a run, times every trouble, once and for good, with a power cut when
/// it is over and without.
#[must_use]
pub fn every_call_fails() -> Loop {
    let mut plans = Vec::new();
    for votes in VOTES {
        let calls: Vec<Vec<Call>> =
            files_of(&Plan::of_three(votes, Vec::new(), Restart::Nobody)).into_iter().map(|files| files.calls).collect();
        for (node, calls) in calls.iter().enumerate() {
            for skip in 0..calls.len() as u64 {
                for trouble in TROUBLES {
                    for for_good in [false, true] {
                        plans.push((votes, vec![Fault::Disk { node, call: None, skip, trouble, for_good }]));
                    }
                }
            }
            // A write that is cut back, and a cutting back that fails.
            let appends = calls.iter().filter(|call| **call == Call::Append).count() as u64;
            for (skip, trouble, for_good) in product(appends) {
                let short = Fault::Disk { node, call: Some(Call::Append), skip, trouble: Trouble::ShortNoSpace, for_good: false };
                plans.push((votes, vec![short, Fault::Disk { node, call: Some(Call::Truncate), skip: 0, trouble, for_good }]));
            }
        }
    }
    let restarts = [Restart::Killed, Restart::PowerCut];
    let with_restarts = plans.iter().flat_map(|(votes, faults)| restarts.map(|restart| Plan::of_three(*votes, faults.clone(), restart)));
    let mut all = run_all(&with_restarts.collect::<Vec<Plan>>());
    let never: Vec<String> =
        all.by_call.iter().filter(|(_, count)| **count == 0).map(|(call, _)| format!("{call:?} never failed")).collect();
    all.failures.extend(never);
    all
}

fn product(appends: u64) -> impl Iterator<Item = (u64, Trouble, bool)> {
    let troubles = [Trouble::NoSpace, Trouble::Broken, Trouble::ReadOnly];
    (0..appends).flat_map(move |skip| troubles.into_iter().flat_map(move |trouble| [false, true].map(move |good| (skip, trouble, good))))
}

/// Every crash point of every role, with a power cut and without, and a second crash at each call of the
/// disk in the recovery that follows, until the recovery is over.
#[must_use]
pub fn every_recovery_is_cut_off() -> Loop {
    let mut plans = Vec::new();
    for votes in VOTES {
        for node in 0..NODES {
            for &boundary in Boundary::of(role(node == 0)) {
                for (when, power) in [(When::Before, false), (When::Before, true), (When::After, false), (When::After, true)] {
                    for again in 0..MOST_CALLS_OF_A_RECOVERY {
                        let point = Point::Effect(when, boundary);
                        let fault = Fault::Crash { node, point, power, down: Duration::from_millis(700), again: Some(again) };
                        plans.push(Plan::of_three(votes, vec![fault], Restart::Nobody));
                    }
                }
            }
        }
    }
    let mut all = run_all(&plans);
    if all.cut_off() == all.cases {
        all.failures.push("no crash came too late, so a recovery has more steps than were tried".into());
    }
    all
}

/// More calls than a recovery and what it does first ever take: some crash comes too late.
const MOST_CALLS_OF_A_RECOVERY: u64 = 40;

/// The logs that runs of both roles leave, cut at every length and flipped at every bit: what is read is
/// a prefix of the history, or the damage is named.
#[must_use]
pub fn every_log_is_damaged(seeds: Range<u64>) -> Loop {
    let began = Instant::now();
    let mut all = Loop::default();
    for seed in seeds {
        let plan = Plan::of(seed, None);
        for (node, files) in files_of(&plan).into_iter().enumerate() {
            let wrong = if node < plan.coordinators {
                damaged::<CoordinatorRecord>(&files.log, &mut all.cases)
            } else {
                damaged::<ParticipantRecord>(&files.log, &mut all.cases)
            };
            all.failures.extend(wrong.map(|wrong| format!("node {node} of seed {seed}: {wrong}")));
        }
    }
    all.took = began.elapsed();
    all
}

/// What is wrong with the reading of a log that was changed, if anything.
fn damaged<R: LogRecord>(log: &[u8], cases: &mut u64) -> Option<String> {
    let records = |bytes: &[u8]| read_log::<R>(bytes).map(|read| read.records.into_iter().map(|logged| logged.record).collect::<Vec<R>>());
    // A run may have left a torn tail, or a log that was damaged on purpose.
    let whole = read_log::<R>(log).ok()?;
    let log = &log[..whole.len as usize];
    let history = records(log).ok()?;
    // A compacted log was put in its place whole, so that what it begins with cannot be missing.
    let is_compacted = history.iter().any(|record| record.decided().is_some());
    for length in 0..log.len() {
        *cases += 1;
        match records(&log[..length]) {
            Ok(found) if history.starts_with(&found) => {}
            Ok(found) => return Some(format!("cut to {length} bytes it reads as {found:?}")),
            Err(damage) if log[..length].contains(&b'\n') && !is_compacted => {
                return Some(format!("cut to {length} bytes it is damaged: {damage}"));
            }
            Err(_) => {}
        }
    }
    for bit in 0..log.len() * 8 {
        *cases += 1;
        let mut flipped = log.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = records(&flipped) {
            return Some(format!("with bit {bit} flipped it reads as {found:?}"));
        }
    }
    None
}

fn files_of(plan: &Plan) -> Vec<Files> {
    Run::new(plan, false).files_at_the_end()
}

/// Runs every plan, on all processors.
fn run_all(plans: &[Plan]) -> Loop {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Loop::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Loop::default();
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    mine.run(plan);
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).add(mine);
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.failures.sort();
    all.took = began.elapsed();
    for call in Call::ALL {
        all.by_call.insert(call, all.coverage.count(&format!("trouble at {call:?}")));
    }
    all
}

impl Loop {
    /// How many recoveries were cut off.
    #[must_use]
    pub fn cut_off(&self) -> u64 {
        self.coverage.count("second crash in recovery")
    }

    fn run(&mut self, plan: &Plan) {
        let report = run(plan, false);
        self.cases += 1;
        self.coverage.add(report.coverage);
        self.failures.extend(report.violation.map(|violation| format!("{violation}\n{plan}")));
    }

    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.coverage.add(other.coverage);
        self.failures.extend(other.failures);
    }
}
