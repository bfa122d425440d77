//! Real processes, killed and frozen, thousands of times: does what they leave on the disk agree?
//!
//! A *cycle* is one process (now and then two) that is killed or frozen and brought back on its
//! files, while votes go on: by SIGKILL from outside at some moment, by SIGKILL at a named point
//! (`--crash-at`), or by SIGSTOP until every timeout is over. It ends when everybody is back and
//! nothing is unfinished, which has a deadline. Ten cycles make a room; then everybody ends, and all
//! files are judged. Several rooms run side by side, since most of a cycle is waiting.
//!
//! - [`plan`]: what happens in a room, from the seed and the room's number alone.
//! - `scene`: a room at work, with its `player`s, each a `child` process; `hearing`: what they say.
//! - `play`: a cycle. [`verdict`]: the files at the end. `tally`: the counts.
//!
//! A seed repeats the plan, and not what the machine makes of it: which instruction a process dies at
//! depends on the scheduler. Deliberately absent: a missing sync, which no SIGKILL can show, since
//! the system keeps what a dead process has written.

mod chance;
mod child;
mod hearing;
pub mod plan;
mod play;
mod player;
mod scene;
mod tally;
pub mod verdict;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::builder::RangedU64ValueParser;
use tempfile::TempDir;

use self::plan::{CYCLES, RoomPlan, fingerprint};
use self::scene::Scene;
use self::tally::Tally;
use crate::finding::Finding;

/// How many rooms run side by side. On two cores half as many take half as long again, and half as many more
/// gain little.
const ROOMS: usize = 12;

/// From so many cycles on every named point must have been died at [`DEATHS_A_POINT`] times.
const MANY: u64 = 10_000;

/// See [`MANY`].
const DEATHS_A_POINT: u64 = 100;

/// How many rooms may fail before the trial stops: the rest would say the same.
const MOST_FAILURES: usize = 5;

/// How often progress is said.
const PROGRESS: Duration = Duration::from_secs(10);

/// The trial's flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many times a process is killed or frozen and brought back
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub cycles: u64,
    /// Where every choice comes from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// How many rooms run side by side
    #[arg(long, value_name = "R", default_value_t = ROOMS, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub rooms: usize,
    /// Plays this room of the plan alone
    #[arg(long, value_name = "ROOM")]
    pub room: Option<u64>,
    /// Keeps the folder of every room here, not only of those that failed
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// The program of the suite [default: twopc-suite beside this program]
    #[arg(long, value_name = "PATH")]
    pub suite: Option<PathBuf>,
}

/// What a room came to.
struct Outcome {
    tally: Tally,
    failure: Option<String>,
}

/// What all rooms have in common.
struct Trial<'a> {
    args: &'a Args,
    suite: PathBuf,
    /// Where the rooms' folders are.
    folder: PathBuf,
    /// The cycles of each room.
    rooms: Vec<u64>,
    /// The next room that nobody plays yet.
    next: AtomicU64,
    /// Nothing more is to be begun.
    is_over: AtomicBool,
}

/// Runs the trial; `progress` takes a line now and then.
pub fn run(args: &Args, progress: &mut dyn FnMut(&str)) -> Finding {
    let mut finding = Finding::new("kill");
    match Trial::prepare(args) {
        Ok((trial, temporary)) => {
            trial.run(&mut finding, progress);
            if let (Some(temporary), false) = (temporary, finding.is_ok()) {
                // Whoever looks into a failure wants the files.
                let _ = temporary.keep();
            }
        }
        Err(sentence) => finding.failures.push(sentence),
    }
    finding
}

impl<'a> Trial<'a> {
    fn prepare(args: &'a Args) -> Result<(Self, Option<TempDir>), String> {
        let suite = match &args.suite {
            Some(suite) => suite.clone(),
            None => beside_this_program("twopc-suite")?,
        };
        let no_folder = |error: std::io::Error| format!("There is no folder for the rooms: {error}");
        let no_suite = |error| format!("{} cannot be started ({error}): build it with cargo build -p twopc-tests.", suite.display());
        let suite = suite.canonicalize().map_err(no_suite)?;
        let (folder, temporary) = match &args.keep {
            Some(folder) => (folder.clone(), None),
            None => {
                let temporary = TempDir::with_prefix("twopc-kill-").map_err(no_folder)?;
                (temporary.path().to_path_buf(), Some(temporary))
            }
        };
        fs::create_dir_all(&folder).map_err(no_folder)?;
        let folder = folder.canonicalize().map_err(no_folder)?;
        let rooms = (0..args.cycles.div_ceil(CYCLES)).map(|number| CYCLES.min(args.cycles - number * CYCLES)).collect();
        let next = AtomicU64::new(args.room.unwrap_or(0));
        Ok((Self { args, suite, folder, rooms, next, is_over: AtomicBool::new(false) }, temporary))
    }

    fn run(&self, finding: &mut Finding, progress: &mut dyn FnMut(&str)) {
        let began = Instant::now();
        let fingerprint = format!("{:016x}", fingerprint(self.args.seed, &self.rooms));
        progress(&format!("kill: {} cycles, seed {}, plan {fingerprint}", self.args.cycles, self.args.seed));
        let (mut sum, mut said) = (Tally::default(), Instant::now());
        thread::scope(|scope| {
            let (outcomes_in, outcomes) = channel();
            for _ in 0..self.args.rooms.max(1) {
                let outcomes = outcomes_in.clone();
                scope.spawn(move || self.play_rooms(&outcomes));
            }
            drop(outcomes_in);
            for Outcome { tally, failure } in outcomes {
                sum.add(&tally);
                finding.failures.extend(failure);
                if finding.failures.len() >= MOST_FAILURES {
                    self.is_over.store(true, Ordering::Relaxed);
                }
                if said.elapsed() >= PROGRESS {
                    said = Instant::now();
                    let (seconds, failures) = (began.elapsed().as_secs(), finding.failures.len());
                    progress(&format!("kill: {} of {} cycles, {seconds} s, {failures} failures", sum.cycles, self.args.cycles));
                }
            }
        });
        if self.args.room.is_none() && sum.cycles < self.args.cycles.max(1) && finding.failures.is_empty() {
            finding.failures.push(format!("{} cycles were played, not {}", sum.cycles, self.args.cycles));
        }
        if self.args.room.is_some() && sum.cycles == 0 && finding.failures.is_empty() {
            finding.failures.push(String::from("the plan has no room of that number"));
        }
        let (rarest, deaths) = sum.rarest_point();
        if self.args.room.is_none() && self.args.cycles >= MANY && deaths < DEATHS_A_POINT {
            finding.failures.push(format!("{rarest}: died at {deaths} times, not {DEATHS_A_POINT}"));
        }
        sum.figures().into_iter().for_each(|(name, value)| finding.figure(name, value));
        finding.figure("seed", self.args.seed);
        finding.figure("plan", fingerprint);
        finding.figure("seconds", began.elapsed().as_secs_f64().round());
    }

    /// Plays rooms until there is none left.
    fn play_rooms(&self, outcomes: &Sender<Outcome>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            let is_wanted = self.args.room.is_none_or(|room| room == number);
            let Some(cycles) = self.rooms.get(index).filter(|_| is_wanted) else { return };
            // The trial is over when nobody takes what a room came to.
            let _ = outcomes.send(self.play_room(&RoomPlan::new(self.args.seed, number, *cycles)));
        }
    }

    /// Plays one room, and judges it.
    fn play_room(&self, plan: &RoomPlan) -> Outcome {
        let folder = self.folder.join(format!("room-{}", plan.number));
        let mut cycle = 0;
        let (mut tally, mut failure) = (Tally::default(), None);
        let result = fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display())).and_then(|()| {
            let mut scene = Scene::open(plan, &self.suite, &folder)?;
            let played = play_all(&mut scene, &mut cycle, &folder);
            tally = scene.tally.clone();
            if played.is_err() || self.args.keep.is_some() {
                scene.keep_transcript();
            }
            played
        });
        if let Err(what) = result {
            failure = Some(self.failure(plan, cycle, &folder, &what));
        } else if self.args.keep.is_none() {
            // What stays behind is removed with the folder above it.
            let _ = fs::remove_dir_all(&folder);
        }
        Outcome { tally, failure }
    }

    /// What was wrong in a room, and how to see it again.
    fn failure(&self, plan: &RoomPlan, cycle: usize, folder: &Path, what: &str) -> String {
        let Args { cycles, seed, .. } = self.args;
        let blow = plan.cycles.get(cycle).map_or_else(|| String::from("the end of the room"), |cycle| format!("{:?}", cycle.blow));
        format!(
            "{what}\n  in room {} at cycle {cycle}: {blow}\n  files and transcript: {}\n  the same plan again: twopc-trials kill --cycles \
             {cycles} --seed {seed} --room {}",
            plan.number,
            folder.display(),
            plan.number,
        )
    }
}

/// Plays all cycles of a room, ends it, and judges what it left.
fn play_all(scene: &mut Scene<'_>, cycle: &mut usize, folder: &Path) -> Result<(), String> {
    let plan = scene.plan;
    scene.begin()?;
    for planned in &plan.cycles {
        scene.note(plan::Actor::Relay, &format!("--- cycle {cycle}: {planned:?}"));
        scene.play(planned)?;
        *cycle += 1;
    }
    let status = scene.close()?;
    let settled = verdict::of_room(plan, folder, status)?;
    scene.tally.settle(settled);
    Ok(())
}

/// The path of another program in this program's folder.
fn beside_this_program(name: &str) -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| format!("The system does not tell where this program is ({error})."))?;
    Ok(this.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
