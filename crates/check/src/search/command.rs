//! The commands `search` and `replay`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::replay;
use super::scopes::{self, Named};
use crate::mutants::Mutant;
use crate::progress::ProgressLine;
use crate::world::Scope;

/// The exit status of wrong usage, as clap has it, and of a story that cannot be run.
const WRONG_USAGE: u8 = 2;

/// Explores worlds completely.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The world, such as `participants=3 crashes=1 eager prompt-disks`; without it, a named share.
    scope: Vec<String>,
    /// Which worlds, where none is given.
    #[arg(long, value_enum, default_value_t = Share::Commit)]
    share: Share,
    /// Breaks every machine in this way, and looks for it where mutants are looked for.
    #[arg(long)]
    mutant: Option<Mutant>,
    /// Gives up on a world after this many seconds.
    #[arg(long, default_value_t = 3_600)]
    limit: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Share {
    /// The share of the tests.
    Commit,
    /// What is run to fill the table.
    All,
    /// The largest.
    Release,
}

/// Runs a story again.
#[derive(Debug, ClapArgs)]
pub struct ReplayArgs {
    /// The story, as a search has told it.
    file: PathBuf,
}

/// Explores what it is told to, a line for each world.
pub fn search(args: &Args) -> ExitCode {
    let worlds = match worlds(args) {
        Ok(worlds) => worlds,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let mut clean = true;
    for world in worlds {
        let line = ProgressLine::new();
        let findings = world.explored(Duration::from_secs(args.limit), &|states| line.show(format_args!("{states} states")));
        drop(line);
        print!("{findings}");
        clean &= findings.is_clean();
        if args.mutant.is_some() && findings.violation().is_some() {
            break;
        }
    }
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn worlds(args: &Args) -> Result<Vec<Named>, String> {
    let one = |scope| Named { name: "the given world", scope, states: None };
    if !args.scope.is_empty() {
        let scope: Scope = args.scope.join(" ").parse()?;
        return Ok(vec![one(scope.broken(args.mutant.or(scope.mutant)))]);
    }
    Ok(match (args.mutant, args.share) {
        (Some(mutant), _) => scopes::for_mutants().into_iter().map(|scope| one(scope.broken(Some(mutant)))).collect(),
        (None, Share::Commit) => scopes::commit(),
        (None, Share::All) => scopes::all(),
        (None, Share::Release) => scopes::release(),
    })
}

/// Runs a story again and says what holds at its end: 0 if everything does, 1 if something does not, 2
/// if the machines do not go that way.
pub fn replay_file(args: &ReplayArgs) -> ExitCode {
    let story = match std::fs::read_to_string(&args.file) {
        Ok(story) => story,
        Err(error) => {
            eprintln!("{}: {error}", args.file.display());
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match replay(&story) {
        Ok(replayed) => {
            print!("in a world of {}\n{}", replayed.scope, replayed.told);
            if replayed.violations.is_empty() {
                println!("everything holds at the end");
                return ExitCode::SUCCESS;
            }
            for violation in replayed.violations {
                println!("does not hold at the end: {violation}");
            }
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(WRONG_USAGE)
        }
    }
}
