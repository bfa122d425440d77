//! The participant's flags, and the choice between its window and standard input.
//!
//! Deliberately absent: what a participant does. The node does it, whoever is in front of it.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use twopc_proto::participant::Participant;
use twopc_proto::{Role, Settings};
use twopc_runner::cli::{self, NodeArgs};
use twopc_runner::crash::CrashPoint;
use twopc_runner::headless::{self, ByHand};
use twopc_runner::node::{AutoVote, NodeConfig};

/// Votes on strings, and keeps the committed ones in a text file.
#[derive(Clone, Debug, Parser)]
#[command(name = "twopc-participant", version)]
pub struct Args {
    /// The flags that both roles have.
    #[command(flatten)]
    pub node: NodeArgs,
    /// What to answer to a vote request
    #[arg(long, env = "TWOPC_VOTE", value_name = "ANSWER", value_enum, default_value_t = Vote::Ask)]
    pub vote: Vote,
    /// How long after the vote's timeout to wait before asking the others
    #[arg(long, env = "TWOPC_GRACE", value_name = "SECONDS", value_parser = cli::seconds, default_value = "5")]
    pub grace: Duration,
    /// Die there, as if killed (for tests)
    #[arg(long, env = "TWOPC_CRASH_AT", value_name = "WHEN:EFFECT[:N]", value_parser = crash_point)]
    pub crash_at: Option<CrashPoint>,
}

/// What a participant answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Vote {
    /// Commit, at once.
    Commit,
    /// Abort, at once.
    Abort,
    /// Nothing: the timeout aborts.
    Silent,
    /// A person decides, in the window or with a line on standard input.
    Ask,
}

impl From<Vote> for AutoVote {
    fn from(vote: Vote) -> Self {
        match vote {
            Vote::Commit => Self::Commit,
            Vote::Abort => Self::Abort,
            Vote::Silent => Self::Silent,
            Vote::Ask => Self::Ask,
        }
    }
}

/// Runs a participant until it is told to quit.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    if let Err(sentence) = cli::start_log() {
        return cli::wrong_usage(sentence);
    }
    let config = NodeConfig {
        server: args.node.relay(),
        data_dir: args.node.data_dir(),
        user: args.node.user,
        settings: Settings { grace: args.grace, ..Settings::default() },
        vote_timeout: cli::VOTE_TIMEOUT,
        auto_vote: args.vote.into(),
        crash_at: args.crash_at,
    };
    if args.node.headless {
        return headless::run::<Participant>(config, ByHand);
    }
    match cli::without_display() {
        Some(sentence) => cli::failed(sentence),
        None => crate::window::run(config, args.node.server.is_some()),
    }
}

fn crash_point(text: &str) -> Result<CrashPoint, String> {
    CrashPoint::parse(text, Role::Participant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["twopc-participant"], args].concat())
    }

    #[test]
    fn flags_left_out_have_the_defaults_of_the_table() {
        let args = parse(&[]).unwrap();
        assert_eq!((args.vote, args.grace, args.crash_at), (Vote::Ask, Duration::from_secs(5), None));
    }

    #[test]
    fn flags_are_taken_as_given() {
        let args = parse(&["--vote", "silent", "--grace", "0.3", "--crash-at", "after:log:READY:2"]).unwrap();
        assert_eq!((args.vote, args.grace), (Vote::Silent, Duration::from_millis(300)));
        assert_eq!(args.crash_at.unwrap().to_string(), "after:log:READY:2");
    }

    #[test]
    fn wrong_usage_ends_with_status_2() {
        for args in [["--vote", "maybe"], ["--grace", "0"], ["--crash-at", "before:log:START"], ["--vote-timeout", "3"]] {
            assert_eq!(parse(&args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
