//! The lab's flags, and the choice between the lab itself and the program that it is asked to be.
//!
//! `twopc-lab` is the front door; `twopc-lab participant …` is the participant, with the same flags
//! as `twopc-participant`, and so on for the others: the lab starts the room's programs by calling
//! itself, so that nothing else has to be built or found. Variables reach the programs as they are:
//! `TWOPC_VOTE=commit twopc-lab` opens a room in which every participant votes commit by itself.
//! Deliberately absent: what any of the programs does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use twopc_runner::cli;

use crate::keeper::MOST_PARTICIPANTS;
use crate::member::Tempo;
use crate::room::{Plan, Record};
use crate::{parent, replay, scenario, verdict, window};

/// Opens a room: a relay, participants and a coordinator, each a program with a window of its own.
#[derive(Debug, Parser)]
#[command(name = "twopc-lab", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    program: Option<Program>,
    #[command(flatten)]
    lab: Args,
}

/// A program to be instead of the lab.
#[derive(Debug, Subcommand)]
enum Program {
    /// The relay alone: twopc-server
    Server(Box<twopc_server::program::Args>),
    /// One participant: twopc-participant
    Participant(Box<twopc_participant::program::Args>),
    /// One coordinator: twopc-coordinator
    Coordinator(Box<twopc_coordinator::program::Args>),
    /// Shows a recorded run; no program is started
    Open {
        /// Its folder
        #[arg(value_name = "DIR")]
        run: PathBuf,
    },
    /// Plays scenarios on real processes, and judges what came of them
    Scenario(Box<scenario::command::Args>),
    /// Does a recorded run again on live processes
    Replay(Box<replay::command::Args>),
    /// Judges the files of a run: ATOMIC, IN DOUBT or VIOLATED
    Verify(verdict::command::Args),
}

/// The lab's own flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where the room's relay is to listen
    #[arg(long, env = "TWOPC_SERVER", value_name = "ADDR", default_value = cli::DEFAULT_RELAY)]
    pub server: String,
    /// Where the stable logs and the text files are [default: data]
    #[arg(long, env = "TWOPC_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How many participants there are
    #[arg(long, env = "TWOPC_PARTICIPANTS", value_name = "N", value_parser = at_most(MOST_PARTICIPANTS as u64), default_value = "3")]
    pub participants: u64,
    /// The key with which others may watch and steer the room's messages, too [default: a secret one]
    #[arg(long, env = "TWOPC_LAB", value_name = "KEY", hide_env_values = true)]
    pub lab: Option<String>,
}

/// Runs the lab, or the program that the arguments name; the first argument is the program's own
/// name.
pub fn run<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> ExitCode {
    let cli: Cli = match cli::flags(arguments) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let Some(program) = cli.program else { return open(&cli.lab, None) };
    if !parent::follow() {
        return ExitCode::FAILURE;
    }
    match program {
        Program::Replay(args) => match itself() {
            Ok(program) => replay::command::run(&args, program),
            Err(status) => status,
        },
        Program::Scenario(args) if args.headless => match itself() {
            Ok(program) => scenario::command::run(&args, program),
            Err(status) => status,
        },
        Program::Scenario(args) => {
            let server = args.server.iter().flat_map(|server| ["--server", server]);
            match (scenario::command::gathered(&args.files), Cli::try_parse_from(["twopc-lab"].into_iter().chain(server))) {
                (Ok(scenarios), Ok(cli)) => open(&cli.lab, Some(scenarios)),
                (Err(error), _) => cli::failed(error),
                (Ok(_), Err(error)) => cli::failed(error),
            }
        }
        Program::Open { run } => look_at(&run),
        Program::Verify(args) => verdict::command::run(&args),
        Program::Server(args) => twopc_server::program::run(*args),
        Program::Participant(args) => twopc_participant::program::run(*args),
        Program::Coordinator(args) => twopc_coordinator::program::run(*args),
    }
}

/// Opens the room, with the lab's window in front.
fn open(args: &Args, brought: Option<Vec<scenario::Scenario>>) -> ExitCode {
    let program = match before_a_window() {
        Ok(program) => program,
        Err(status) => return status,
    };
    let logs = logs_of_the_relay();
    let plan = Plan {
        program,
        listen: args.server.clone(),
        data_dir: args.data_dir.clone().unwrap_or_else(cli::default_data_dir),
        record: Record::Among(logs.join("runs")),
        logs,
        participants: usize::try_from(args.participants).unwrap_or(usize::MAX),
        headless: false,
        tempo: Tempo::default(),
        key: args.lab.clone(),
    };
    window::run(plan, brought)
}

/// Shows a recorded run.
fn look_at(run: &Path) -> ExitCode {
    match before_a_window() {
        Ok(program) => window::look_at(run, program, logs_of_the_relay().join("runs")),
        Err(status) => status,
    }
}

/// This program, if there is a display for windows.
fn before_a_window() -> Result<PathBuf, ExitCode> {
    if cli::without_display().is_some() {
        let instead = window::INSTEAD;
        return Err(cli::failed(format_args!("There is no display for windows: set DISPLAY or WAYLAND_DISPLAY, or {instead}.")));
    }
    itself()
}

/// This program, which is every program of a room.
fn itself() -> Result<PathBuf, ExitCode> {
    std::env::current_exe()
        .map_err(|error| cli::failed(format_args!("The system does not tell where this program is ({error}): start it by its full path.")))
}

/// Where the relay is to write, read from the flags and variables as it reads them itself.
fn logs_of_the_relay() -> PathBuf {
    match Cli::try_parse_from(["twopc-lab", "server"]) {
        Ok(Cli { program: Some(Program::Server(args)), .. }) => args.logs,
        // The relay will say what is wrong with its variables.
        Ok(Cli { .. }) | Err(_) => PathBuf::from("logs"),
    }
}

fn at_most(most: u64) -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(0..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["twopc-lab"], args].concat())
    }

    #[test]
    fn flags_left_out_have_the_defaults_of_the_table() {
        let lab = parse(&[]).unwrap().lab;
        assert_eq!((lab.server.as_str(), lab.data_dir, lab.participants), ("127.0.0.1:1337", None, 3));
    }

    #[test]
    fn flags_are_taken_as_given() {
        let lab = parse(&["--server", "127.0.0.1:7", "--data-dir", "/d", "--participants", "0"]).unwrap().lab;
        assert_eq!((lab.server.as_str(), lab.data_dir, lab.participants), ("127.0.0.1:7", Some(PathBuf::from("/d")), 0));
    }

    #[test]
    fn every_program_of_the_suite_takes_its_own_flags() {
        assert!(matches!(parse(&["server", "--listen", "127.0.0.1:7"]).unwrap().program, Some(Program::Server(_))));
        let Some(Program::Participant(alice)) = parse(&["participant", "--user", "alice", "--vote", "commit"]).unwrap().program else {
            panic!()
        };
        assert_eq!(alice.vote, twopc_participant::program::Vote::Commit);
        let Some(Program::Coordinator(chair)) = parse(&["coordinator", "--user", "chair", "--expect", "2"]).unwrap().program else {
            panic!()
        };
        assert_eq!(chair.expect, 2);
    }

    #[test]
    fn wrong_usage_ends_with_status_2() {
        for args in
            [&["--participants", "65"][..], &["--participants", "-1"], &["--headless"], &["nobody"], &["--participants", "2", "server"]]
        {
            assert_eq!(parse(args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
