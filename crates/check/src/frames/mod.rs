//! Frames, bodies, logs and texts, as hostile as chance makes them.
//!
//! [`strict`] is the wire's rules for messages written a second time, [`compare`] holds the decoder
//! that ships against it, [`make`] makes streams that break every one of its [`rows`]. [`oracles`]
//! judge what is not a frame: login bodies, protocol bodies, logs, texts. [`hunt()`] asks all of them
//! with as many inputs as one likes, and a fuzzer asks them one by one.
//!
//! Deliberately absent: sockets. What the relay does with a connection is tried on real ones.

pub mod compare;
pub mod cuts;
pub mod hunt;
pub mod make;
pub mod oracles;
pub mod rows;
pub mod seen;
pub mod show;
pub mod strict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::chance::Chance;
use crate::progress::ProgressLine;
pub use hunt::{Findings, Plan, hunt};
use make::Maker;
use oracles::Oracle;

/// What `twopc-check frames` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many frames at least.
    #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// Where chance begins: the same seed judges the same frames.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Judges nothing, and writes inputs for a fuzzer to begin with into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub corpus: Option<PathBuf>,
}

/// Judges frames with a progress line, prints what was found, and fails if anything was wrong.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    if let Some(folder) = &args.corpus {
        return match write_corpus(folder, args.seed) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("The inputs cannot be written into {}: {error}.", folder.display());
                ExitCode::FAILURE
            }
        };
    }
    let plan = Plan { frames: args.count, seed: args.seed };
    let line = ProgressLine::new();
    let findings = hunt(plan, &|frames| line.show(format_args!("{frames} of {} frames", plan.frames)));
    drop(line);
    print!("{findings}");
    if findings.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Inputs of each kind, in a folder of the name of the fuzzer's target.
fn write_corpus(folder: &Path, seed: u64) -> std::io::Result<()> {
    const EACH: usize = 300;
    let write = |target: &str, inputs: &mut dyn FnMut() -> Vec<u8>| {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)?;
        (0..EACH).try_for_each(|number| std::fs::write(folder.join(format!("made-{number}")), inputs()))
    };
    let mut maker = Maker::new(seed);
    write("frames", &mut || maker.stream(Vec::new()).bytes)?;
    let mut chance = Chance::new(seed);
    Oracle::ALL.into_iter().try_for_each(|oracle| write(oracle.target(), &mut || oracle.make(&mut chance)))
}
