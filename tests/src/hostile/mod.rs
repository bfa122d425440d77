//! A relay among enemies: thousands of connections that say nothing, hundreds of heads that never
//! end, clients that never read and one that never stops talking; and an honest room that votes.
//!
//! What has to hold while that goes on: the votes are as quick as they were, the relay stays small,
//! nobody honest loses the link, and whoever shows a known name and its key is let in.

mod crowd;
mod honest;
mod memory;
mod visitor;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::finding::Finding;
use crowd::{Crowd, Sizes};
use honest::{Honest, STANDSTILL, Said};
use visitor::{Visitor, Visits};

/// What the relay holds at most, in bytes.
const MEMORY: u64 = 256 * 1024 * 1024;

/// How long the room votes alone first, to compare with.
const ALONE: Duration = Duration::from_secs(2);

/// How long the crowd has to come together.
const GATHERING: Duration = Duration::from_secs(20);

/// How often the relay is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often a line of progress is said.
const REPORT: Duration = Duration::from_secs(5);

/// Sockets that the trial needs beside the crowd's.
const BESIDES: u64 = 100;

/// The trial's flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How long the room votes among its enemies
    #[arg(long, value_name = "S", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Connections that say nothing
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub idle: usize,
    /// Connections that send a head, a byte now and then
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub slow_heads: usize,
    /// Clients that log in and never read
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub silent: usize,
    /// The length of a line that somebody says 50 times a second; 0 for silence
    #[arg(long, value_name = "BYTES", default_value_t = 8_000)]
    pub talk: usize,
    /// What 99 of 100 honest votes may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub p99_ms: u64,
    /// The program of the suite [default: twopc-suite beside this program]
    #[arg(long, value_name = "PATH")]
    pub suite: Option<PathBuf>,
}

impl Args {
    /// The whole crowd, for so many seconds.
    #[must_use]
    pub fn for_seconds(seconds: u64, suite: PathBuf) -> Self {
        Self { seconds, idle: 5_000, slow_heads: 500, silent: 100, talk: 8_000, p99_ms: 250, suite: Some(suite) }
    }
}

/// Runs the trial; `progress` takes a line now and then.
pub fn run(args: &Args, progress: &mut dyn FnMut(&str)) -> Finding {
    let mut finding = Finding::new("hostile");
    if let Err(failure) = try_run(args, &mut finding, progress) {
        finding.failures.push(failure);
    }
    finding
}

fn try_run(args: &Args, finding: &mut Finding, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
    let sizes = Sizes { idle: args.idle, slow_heads: args.slow_heads, silent: args.silent, talk: args.talk };
    allow_sockets(sizes)?;
    let suite = args.suite.clone().map_or_else(beside, Ok)?;
    let mut room = Honest::gather(&suite)?;
    room.begin(&suite)?;
    let mut watch = Watch::default();
    watch.votes_until(&mut room, Instant::now() + ALONE, &mut |_| {})?;
    let alone = watch.take_votes();
    progress(&format!("hostile: alone the room voted {} times, p99 {:.1} ms", alone.len(), millis(p99(&alone))));

    let crowd = Crowd::gather(room.address, sizes).map_err(|error| format!("the crowd does not gather: {error}"))?;
    let gathered = Instant::now() + GATHERING;
    let counts = &crowd.counts;
    while counts.idle.load(Ordering::Relaxed) * 10 < args.idle * 9 {
        watch.votes_until(&mut room, Instant::now() + LOOK, &mut |_| {})?;
        if Instant::now() > gathered {
            return Err(format!("only {} idle connections came together", counts.idle.load(Ordering::Relaxed)));
        }
    }
    let visitor = Visitor::start(room.address);
    let (before, begin) = (memory::busy(room.relay_id()), Instant::now());
    watch.votes_until(&mut room, begin + Duration::from_secs(args.seconds), &mut |watch| {
        progress(&format!(
            "hostile: {:.0} s, {} votes, p99 {:.1} ms, relay {} MiB, {} connections opened, {} idle stand",
            begin.elapsed().as_secs_f64(),
            watch.votes.len(),
            millis(p99(&watch.votes)),
            watch.largest / (1024 * 1024),
            counts.opened.load(Ordering::Relaxed),
            counts.idle.load(Ordering::Relaxed),
        ));
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    if let (Some(before), Some(after)) = (before, memory::busy(room.relay_id())) {
        finding.figure("relay_processors", rounded((after - before).as_secs_f64() / seconds));
    }
    watch.largest = watch.largest.max(memory::peak(room.relay_id()).unwrap_or_default());
    finding.figure("seconds", rounded(seconds));
    finding.figure("alone_p99_ms", rounded(millis(p99(&alone))));
    judge(args, &watch, counts, &visitor.end(), finding);
    Ok(())
}

/// Writes down the figures, and what is not as it must be.
fn judge(args: &Args, watch: &Watch, counts: &crowd::Counts, visits: &Visits, finding: &mut Finding) {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let Visits { tried, let_in, longest, refusal } = visits;
    let p99 = p99(&watch.votes);
    finding.figure("idle", args.idle);
    finding.figure("slow_heads", args.slow_heads);
    finding.figure("never_reading", args.silent);
    finding.figure("votes", watch.votes.len());
    finding.figure("p50_ms", rounded(millis(percentile(&watch.votes, 50))));
    finding.figure("p99_ms", rounded(millis(p99)));
    finding.figure("longest_ms", rounded(millis(percentile(&watch.votes, 100))));
    finding.figure("relay_peak_mib", rounded(watch.largest as f64 / (1024.0 * 1024.0)));
    finding.figure("connections_opened", count(&counts.opened));
    finding.figure("heads_refused", count(&counts.heads_ended));
    finding.figure("never_reading_dropped", count(&counts.silent_ended));
    finding.figure("lines_said", count(&counts.lines));
    finding.figure("known_logins", *tried);
    finding.figure("known_logins_let_in", *let_in);
    finding.figure("longest_login_ms", rounded(millis(*longest)));
    let mut fail_if = |is_bad: bool, why: String| {
        if is_bad {
            finding.failures.push(why);
        }
    };
    fail_if(watch.votes.is_empty(), String::from("no honest vote came to its end"));
    fail_if(p99 >= Duration::from_millis(args.p99_ms), format!("the p99 of an honest vote was {:.1} ms", millis(p99)));
    fail_if(watch.aborted > 0, format!("{} honest votes were aborted", watch.aborted));
    fail_if(watch.largest >= MEMORY, format!("the relay held {} MiB", watch.largest / (1024 * 1024)));
    fail_if(watch.largest == 0, String::from("this system does not tell how much memory the relay holds"));
    let last = refusal.as_deref().unwrap_or("none");
    fail_if(
        let_in != tried || *tried == 0,
        format!("a known name with its key was let in {let_in} times of {tried}; last refusal: {last}"),
    );
}

/// What is seen of the room and its relay.
#[derive(Debug, Default)]
struct Watch {
    open: BTreeMap<String, f64>,
    votes: Vec<Duration>,
    aborted: u64,
    /// The most memory that the relay was seen to hold, in bytes.
    largest: u64,
}

impl Watch {
    /// Listens until then. `report` is called now and then.
    ///
    /// # Errors
    /// A sentence, when somebody honest lost the link or the room stands still.
    fn votes_until(&mut self, room: &mut Honest, end: Instant, report: &mut dyn FnMut(&Self)) -> Result<(), String> {
        let (mut look, mut said, mut heard) = (Instant::now(), Instant::now(), Instant::now());
        while Instant::now() < end {
            if let Some(said) = room.hear(look.min(end)) {
                heard = Instant::now();
                self.note(said)?;
            }
            let now = Instant::now();
            if now >= look {
                look = now + LOOK;
                self.largest = self.largest.max(memory::resident(room.relay_id()).unwrap_or_default());
                if !room.relay_runs() {
                    return Err(String::from("the relay ended"));
                }
            }
            if now >= heard + STANDSTILL {
                return Err(format!("nothing was decided for {STANDSTILL:?}"));
            }
            if now >= said + REPORT {
                said = now;
                report(self);
            }
        }
        Ok(())
    }

    fn note(&mut self, said: Said) -> Result<(), String> {
        match said {
            Said::In => {}
            Said::Disconnected(name) => return Err(format!("{name}, who is honest, lost the link")),
            Said::Ended(name) => return Err(format!("{name} ended")),
            Said::Began(txn, at) => {
                self.open.insert(txn, at);
            }
            Said::Done(txn, at) => {
                if let Some(began) = self.open.remove(&txn) {
                    self.votes.push(Duration::from_secs_f64((at - began).max(0.0)));
                }
            }
            Said::Aborted => self.aborted += 1,
        }
        Ok(())
    }

    fn take_votes(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.votes)
    }
}

/// The system's limit on sockets as high as it may be.
fn allow_sockets(sizes: Sizes) -> Result<(), String> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused, the old limit is what there is.
    let _ = setrlimit(Resource::Nofile, limit);
    let needed = (sizes.idle + sizes.slow_heads + sizes.silent) as u64 + BESIDES;
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < needed => {
            Err(format!("the system allows {allowed} sockets and this needs {needed}; raise it (ulimit -Hn)"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The suite's program, which is built beside this one.
fn beside() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| format!("the system does not tell where this program is: {error}"))?;
    Ok(this.with_file_name("twopc-suite"))
}

fn p99(times: &[Duration]) -> Duration {
    percentile(times, 99)
}

/// What so many of a hundred do not exceed.
fn percentile(times: &[Duration], of_a_hundred: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * of_a_hundred).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// To two places, which is more than is known.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_what_so_many_of_a_hundred_do_not_exceed() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!([50, 99, 100].map(|of| percentile(&times, of).as_millis()), [100, 198, 200]);
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn what_this_process_takes_can_be_told() {
        let this = std::process::id();
        if cfg!(target_os = "linux") {
            assert!(memory::resident(this) > Some(0) && memory::peak(this) >= memory::resident(this) && memory::busy(this).is_some());
        }
    }
}
