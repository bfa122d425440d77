//! The command `mutants`.

use std::process::ExitCode;
use std::time::Duration;

use super::{Effort, Hunted, Mutant, Table, hunt};

/// Breaks the machines and their disks on purpose, and says which check notices.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// These alone, such as M4; all of them if none is given.
    mutants: Vec<Mutant>,
    /// How many seeds the simulation tries at most.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// How many seconds each search may take.
    #[arg(long, default_value_t = 120)]
    limit: u64,
    /// Prints the story of what a search found, too.
    #[arg(long)]
    stories: bool,
}

/// Hunts, prints the table, and fails if one gets away.
#[must_use]
pub fn command(args: &Args) -> ExitCode {
    let effort = Effort { search: Duration::from_secs(args.limit), seeds: args.seeds, both: true };
    let wanted = if args.mutants.is_empty() { Mutant::ALL } else { &args.mutants };
    let hunted: Vec<Hunted> = wanted.iter().map(|mutant| tell(hunt(*mutant, &effort))).collect();
    print!("{}", Table(&hunted));
    for story in hunted.iter().filter_map(|hunted| hunted.search.as_ref()).filter(|_| args.stories) {
        print!("\n{}", story.story);
    }
    let away: Vec<String> = hunted.iter().filter(|hunted| !hunted.is_caught()).map(|hunted| hunted.mutant.to_string()).collect();
    if away.is_empty() {
        println!("\n{} of {} caught", hunted.len(), hunted.len());
        return ExitCode::SUCCESS;
    }
    println!("\nnot caught: {}", away.join(", "));
    ExitCode::FAILURE
}

/// A line as soon as it is known.
fn tell(hunted: Hunted) -> Hunted {
    let how = match (&hunted.search, &hunted.simulation) {
        (Some(_), Some(_)) => "caught twice",
        (Some(_), None) => "caught by a search",
        (None, Some(_)) => "caught by the simulation",
        (None, None) => "NOT CAUGHT",
    };
    eprintln!("{}: {how}, {:.1} s", hunted.mutant, hunted.took.as_secs_f64());
    hunted
}
