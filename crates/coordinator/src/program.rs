//! The coordinator's flags, and the choice between its window, standard input and a proposal.
//!
//! Deliberately absent: what a coordinator does. The node does it, whoever is in front of it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use twopc_proto::coordinator::Coordinator;
use twopc_proto::message::MAX_PARTICIPANTS;
use twopc_proto::{Role, Settings};
use twopc_runner::cli::{self, NodeArgs};
use twopc_runner::crash::CrashPoint;
use twopc_runner::headless::{self, ByHand, Many, Proposing};
use twopc_runner::node::{AutoVote, NodeConfig};

/// Proposes strings, asks everybody in the room to vote on them, and decides.
#[derive(Clone, Debug, Parser)]
#[command(name = "twopc-coordinator", version)]
pub struct Args {
    /// The flags that both roles have.
    #[command(flatten)]
    pub node: NodeArgs,
    /// How long a vote may take
    #[arg(long, env = "TWOPC_VOTE_TIMEOUT", value_name = "SECONDS", value_parser = cli::seconds, default_value = "20")]
    pub vote_timeout: Duration,
    /// How many participants a vote needs at least
    #[arg(long, env = "TWOPC_EXPECT", value_name = "N", value_parser = at_least_one(MAX_PARTICIPANTS as u64), default_value = "1")]
    pub expect: u64,
    /// Propose this string, vote on it and end: status 0 committed, 3 aborted
    #[arg(long, env = "TWOPC_PROPOSE", value_name = "STRING", requires = "headless")]
    pub propose: Option<String>,
    /// How long --propose waits for the participants
    #[arg(long, env = "TWOPC_WAIT", value_name = "SECONDS", value_parser = cli::seconds, default_value = "60", requires = "propose")]
    pub wait: Duration,
    /// With --propose: this many transactions; an n in braces in the string becomes the number
    #[arg(long, env = "TWOPC_COUNT", value_name = "N", value_parser = at_least_one(u64::MAX), requires = "propose")]
    pub count: Option<u64>,
    /// With --count: how many are open at a time
    #[arg(long, env = "TWOPC_CONCURRENCY", value_name = "C", value_parser = at_least_one(u64::MAX), default_value = "1", requires = "count")]
    pub concurrency: u64,
    /// Die there, as if killed (for tests)
    #[arg(long, env = "TWOPC_CRASH_AT", value_name = "WHEN:EFFECT[:N]", value_parser = crash_point)]
    pub crash_at: Option<CrashPoint>,
}

/// Runs a coordinator until it is told to quit, or its proposal is settled.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    if let Err(sentence) = cli::start_log() {
        return cli::wrong_usage(sentence);
    }
    let expect = usize::try_from(args.expect).unwrap_or(usize::MAX);
    let config = NodeConfig {
        server: args.node.relay(),
        data_dir: args.node.data_dir(),
        user: args.node.user,
        settings: Settings { expect, ..Settings::default() },
        vote_timeout: args.vote_timeout,
        auto_vote: AutoVote::Ask,
        crash_at: args.crash_at,
    };
    if let Some(string) = &args.propose {
        let many = args.count.map(|count| Many { count, concurrency: args.concurrency });
        return match Proposing::new(string, many, expect, args.wait, args.vote_timeout) {
            Ok(script) => headless::run::<Coordinator>(config, script),
            Err(sentence) => cli::wrong_usage(sentence),
        };
    }
    if args.node.headless {
        return headless::run::<Coordinator>(config, ByHand);
    }
    match cli::without_display() {
        Some(sentence) => cli::failed(sentence),
        None => crate::window::run(config, args.node.server.is_some()),
    }
}

/// A whole number from 1 to `most`.
fn at_least_one(most: u64) -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(1..=most)
}

fn crash_point(text: &str) -> Result<CrashPoint, String> {
    CrashPoint::parse(text, Role::Coordinator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["twopc-coordinator"], args].concat())
    }

    #[test]
    fn flags_left_out_have_the_defaults_of_the_table() {
        let args = parse(&[]).unwrap();
        assert_eq!((args.vote_timeout, args.expect), (Duration::from_secs(20), 1));
        assert_eq!((args.propose, args.wait, args.count, args.concurrency), (None, Duration::from_secs(60), None, 1));
    }

    #[test]
    fn a_proposal_is_taken_as_given() {
        let headless = ["--headless", "--user", "chair", "--propose", "line {n}"];
        let args = parse(&[&headless[..], &["--count", "1000", "--concurrency", "64", "--expect", "3", "--wait", "1.5"]].concat()).unwrap();
        assert_eq!(args.propose.as_deref(), Some("line {n}"));
        assert_eq!((args.count, args.concurrency, args.expect, args.wait), (Some(1000), 64, 3, Duration::from_millis(1_500)));
    }

    #[test]
    fn wrong_usage_ends_with_status_2() {
        for args in [
            &["--propose", "x"][..],
            &["--headless", "--user", "chair", "--count", "2"],
            &["--headless", "--user", "chair", "--propose", "x", "--concurrency", "2"],
            &["--headless", "--user", "chair", "--wait", "2"],
            &["--headless", "--user", "chair", "--propose", "x", "--count", "0"],
            &["--expect", "0"],
            &["--expect", "1001"],
            &["--vote-timeout", "86401"],
            &["--crash-at", "before:log:READY"],
            &["--grace", "3"],
        ] {
            assert_eq!(parse(args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
