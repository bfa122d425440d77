//! Frames, bodies, logs and texts, as hostile as chance makes them.
//!
//! [`strict`] is the wire's rules for messages written a second time, [`compare`] holds the decoder
//! that ships against it, [`make`] makes streams that break every one of its [`rows`]. [`oracles`]
//! judge what is not a frame: login bodies, protocol bodies, logs, texts. [`hunt`] asks all of them
//! with as many inputs as one likes, and a fuzzer asks them one by one.
//!
//! Deliberately absent: sockets. What the relay does with a connection is tried on real ones.

pub mod chance;
pub mod compare;
pub mod hunt;
pub mod make;
pub mod oracles;
pub mod rows;
pub mod show;
pub mod strict;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

pub use hunt::{Findings, Plan, hunt};

/// What `twopc-check frames` is asked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// How many frames at least.
    #[arg(long, default_value_t = 5_000_000)]
    pub count: u64,
    /// Where chance begins: the same seed judges the same frames.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Judges frames with a progress line, prints what was found, and fails if anything was wrong.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let plan = Plan { frames: args.count, seed: args.seed };
    let findings = hunt(plan, &progress_line(plan));
    eprintln!();
    print!("{findings}");
    if findings.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Rewrites one line on the standard error with each hundredth of the plan.
pub fn progress_line(plan: Plan) -> impl Fn(u64) + Sync {
    let told = AtomicU64::new(0);
    move |frames| {
        let hundredths = frames.saturating_mul(100) / plan.frames.max(1);
        if told.fetch_max(hundredths, Ordering::Relaxed) < hundredths {
            eprint!("\rframes: {frames} of {}", plan.frames);
            let _ = std::io::stderr().flush();
        }
    }
}
