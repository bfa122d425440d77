//! Many inputs on every processor, counted, and what was found.
//!
//! The work is cut into parts, each with a seed of its own, so that the same seed judges the same
//! inputs however many threads there are.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::compare;
use super::cuts::Cuts;
use super::make::{Maker, Stream};
use super::oracles::Oracle;
use super::rows::Row;
use super::seen::{Seen, Sights};
use super::show::{escaped, shrunk};
use super::strict::Reader;
use crate::chance::Chance;

/// How many frames a part has, at least.
const PART: u64 = 20_000;

/// How much to judge.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Frames, at least; the other inputs come in proportion.
    pub frames: u64,
    /// Where chance begins.
    pub seed: u64,
}

/// What was judged, and what was wrong.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Where chance began.
    pub seed: u64,
    /// Messages judged: accepted, refused, or cut short by the end of their stream.
    pub frames: u64,
    /// Messages in order, by [`Reader`].
    pub accepted: [u64; 4],
    /// Messages that broke a rule, by [`Row`] and [`Reader`].
    pub refused: [[u64; 4]; Row::ALL.len()],
    /// Streams in which each of [`Sights::NAMES`] was seen.
    pub sights: [u64; Sights::NAMES.len()],
    /// Inputs of the oracles that are not about frames, by [`Oracle`]: how many, and how many of
    /// them were in order.
    pub others: [(u64, u64); Oracle::ALL.len()],
    /// The most bytes that a decoder of the relay's held, and one of a client's, fed as from a socket.
    pub largest_buffer: [usize; 2],
    /// How long it took.
    pub took: Duration,
    /// What was wrong, each with the input that shows it and the command that repeats it.
    pub failures: Vec<String>,
}

/// Judges as many inputs as planned on every processor. `progress` hears every now and then how many
/// frames were judged so far.
///
/// What was never met, though every run of some length must meet it, is a failure, too.
#[must_use]
pub fn hunt(plan: Plan, progress: &(dyn Fn(u64) + Sync)) -> Findings {
    let started = Instant::now();
    let (next, judged, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let all = Mutex::new(Findings { seed: plan.seed, ..Findings::default() });
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Findings::default();
                while !stop.load(Ordering::Relaxed) {
                    let part = next.fetch_add(1, Ordering::Relaxed);
                    if part >= plan.frames.div_ceil(PART) {
                        break;
                    }
                    let before = mine.frames;
                    mine.part(Chance::part(plan.seed, part));
                    let frames = judged.fetch_add(mine.frames - before, Ordering::Relaxed);
                    progress(frames + mine.frames - before);
                    if !mine.failures.is_empty() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(mine);
            });
        }
    });
    let mut findings = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    findings.took = started.elapsed();
    if findings.failures.is_empty() {
        findings.failures = findings.missed();
    }
    findings
}

impl Findings {
    /// Judges one part.
    fn part(&mut self, seed: u64) {
        let mut chance = Chance::new(seed);
        let mut maker = Maker::new(chance.number());
        let mut bytes = Vec::new();
        let end = self.frames + PART;
        while self.frames < end {
            let stream = maker.stream(bytes);
            let cuts = cuts(&mut chance, &stream);
            match guarded(|| compare::check(stream.reader, &stream.bytes, &cuts)) {
                Ok(seen) => self.count(stream.reader, &seen),
                Err(why) => return self.fail_stream(seed, &stream, &cuts, &why),
            }
            bytes = stream.bytes;
            for oracle in Oracle::ALL {
                if chance.once_in(oracle.every()) {
                    let input = oracle.make(&mut chance);
                    match guarded(|| oracle.judge(&input)) {
                        Ok(in_order) => self.count_other(oracle, in_order),
                        Err(why) => return self.fail_other(seed, oracle, &input, &why),
                    }
                }
            }
        }
    }

    fn count(&mut self, reader: Reader, seen: &Seen) {
        for (all, more) in self.accepted.iter_mut().zip(seen.accepted) {
            *all += more;
            self.frames += more;
        }
        if let Some((reader, row)) = seen.refused {
            self.refused[row as usize][reader as usize] += 1;
            self.frames += 1;
        }
        self.frames += u64::from(seen.unfinished);
        for (number, count) in self.sights.iter_mut().enumerate() {
            *count += u64::from(seen.sights.0 >> number & 1);
        }
        let end = usize::from(matches!(reader, Reader::Client | Reader::Answers));
        self.largest_buffer[end] = self.largest_buffer[end].max(seen.most_held);
    }

    fn count_other(&mut self, oracle: Oracle, in_order: bool) {
        let (inputs, sound) = &mut self.others[oracle as usize];
        *inputs += 1;
        *sound += u64::from(in_order);
    }

    fn fail_stream(&mut self, seed: u64, stream: &Stream, cuts: &[Cuts], why: &str) {
        let Stream { reader, bytes } = stream;
        let small = quietly(|| shrunk(bytes, |bytes| guarded(|| compare::check(*reader, bytes, cuts)).is_err()));
        let why = quietly(|| guarded(|| compare::check(*reader, &small, cuts))).err().unwrap_or_else(|| why.to_owned());
        self.fail(seed, &format!("A stream, {}", reader.as_str()), &why, &small);
    }

    fn fail_other(&mut self, seed: u64, oracle: Oracle, input: &[u8], why: &str) {
        let small = quietly(|| shrunk(input, |input| guarded(|| oracle.judge(input)).is_err()));
        let why = quietly(|| guarded(|| oracle.judge(&small))).err().unwrap_or_else(|| why.to_owned());
        self.fail(seed, oracle.as_str(), &why, &small);
    }

    fn fail(&mut self, seed: u64, what: &str, why: &str, input: &[u8]) {
        let input = escaped(input, 4_000);
        self.failures.push(format!(
            "{what}: {why}\n  input: b\"{input}\"\n  again: cargo run --release -p twopc-check -- frames --count 1 --seed {seed}"
        ));
    }

    fn add(&mut self, other: Self) {
        self.frames += other.frames;
        add(&mut self.accepted, &other.accepted);
        for (mine, others) in self.refused.iter_mut().zip(&other.refused) {
            add(mine, others);
        }
        add(&mut self.sights, &other.sights);
        for (mine, others) in self.others.iter_mut().zip(other.others) {
            *mine = (mine.0 + others.0, mine.1 + others.1);
        }
        for (mine, others) in self.largest_buffer.iter_mut().zip(other.largest_buffer) {
            *mine = (*mine).max(others);
        }
        self.failures.extend(other.failures);
    }

    /// Frames judged in order.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.accepted.iter().sum()
    }

    /// How often a rule was broken, wherever.
    #[must_use]
    pub fn broken(&self, row: Row) -> u64 {
        self.refused[row as usize].iter().sum()
    }

    /// What a run must meet and did not.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for reader in Reader::ALL {
            if self.accepted[reader as usize] == 0 {
                missed.push(format!("never met: a message in order, {}", reader.as_str()));
            }
            for row in Row::ALL {
                if row.is_for(reader) && self.refused[row as usize][reader as usize] == 0 {
                    missed.push(format!("never met: {}, {}", row.as_str(), reader.as_str()));
                }
            }
        }
        let sights = Sights::NAMES.iter().zip(self.sights).filter(|(_, count)| *count == 0);
        missed.extend(sights.map(|(name, _)| format!("never met: {name}")));
        for oracle in Oracle::ALL {
            let (inputs, sound) = self.others[oracle as usize];
            if sound == 0 || sound == inputs {
                missed.push(format!("never met: both outcomes of {}", oracle.as_str()));
            }
        }
        missed
    }
}

fn add(mine: &mut [u64], others: &[u64]) {
    for (mine, others) in mine.iter_mut().zip(others) {
        *mine += others;
    }
}

/// Every stream is read whole and in pieces, and a short one now and then byte by byte.
fn cuts(chance: &mut Chance, stream: &Stream) -> Vec<Cuts> {
    let mut cuts = vec![Cuts::Whole, Cuts::Random(chance.number())];
    if stream.bytes.len() < 2_000 && chance.once_in(32) {
        cuts.push(Cuts::Everywhere);
    }
    // As a socket gives a long one: its pieces end anywhere but where a message does.
    if stream.bytes.len() > compare::READ_AT_ONCE {
        cuts.push(Cuts::Each(1_000 + chance.index(compare::READ_AT_ONCE - 1_000)));
    }
    cuts
}

/// A panic is a failure like another.
fn guarded<T>(judge: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|panic| {
        let told = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("It panicked: {}", told.unwrap_or("without a word")))
    })
}

/// Without a report of each panic, which shrinking may meet a thousand times.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = work();
    std::panic::set_hook(hook);
    result
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // a rate for people
        let rate = self.frames as f64 / seconds;
        let refused: u64 = Row::ALL.into_iter().map(|row| self.broken(row)).sum();
        let unfinished = self.frames - self.taken() - refused;
        writeln!(f, "{} frames in {seconds:.1} s ({rate:.0} a second), seed {}", self.frames, self.seed)?;
        writeln!(f, "{:>12}  taken", self.taken())?;
        writeln!(f, "{refused:>12}  refused")?;
        for row in Row::ALL {
            let (status, code) = row.answer();
            writeln!(f, "{:>14}    {status} {code:<15}  {}", self.broken(row), row.as_str())?;
        }
        writeln!(f, "{unfinished:>12}  cut short")?;
        for (name, count) in Sights::NAMES.iter().zip(self.sights) {
            writeln!(f, "{count:>14}    {name}")?;
        }
        for oracle in Oracle::ALL {
            let (inputs, sound) = self.others[oracle as usize];
            writeln!(f, "{inputs:>12}  {}, {sound} of them in order", oracle.as_str())?;
        }
        let [relay, client] = self.largest_buffer;
        writeln!(f, "largest buffer: {relay} bytes in the relay, {client} in a client")?;
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        Ok(())
    }
}
