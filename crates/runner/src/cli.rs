//! The flags that both roles share, and what their programs do alike at the edge: reading seconds
//! and addresses, finding the data directory, saying in one line why they failed.
//!
//! Deliberately absent: the flags of one role only (its own crate has them) and what a flag does.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use tracing_subscriber::EnvFilter;
use twopc_proto::UserName;
use twopc_proto::text::{Shown, shown_lines};

use crate::link::Address;

/// Where the relay is unless a flag or the person says otherwise.
pub const DEFAULT_RELAY: &str = "127.0.0.1:1337";

/// How long a vote may take unless a flag or the person says otherwise.
pub const VOTE_TIMEOUT: Duration = Duration::from_secs(20);

/// The exit status of wrong usage, which is clap's too.
const WRONG_USAGE: u8 = 2;

/// The shortest and the longest time that a flag takes, in seconds.
const SECONDS: std::ops::RangeInclusive<f64> = 0.001..=86_400.0;

/// The flags of every program that logs in.
#[derive(Clone, Debug, clap::Args)]
pub struct NodeArgs {
    /// The relay's address [default: 127.0.0.1:1337, in a window the one used last]
    #[arg(long, env = "TWOPC_SERVER", value_name = "ADDR", value_parser = address)]
    pub server: Option<String>,
    /// The name to log in under; a window asks for it when it is left out
    #[arg(long, env = "TWOPC_USER", value_name = "NAME", value_parser = UserName::parse, required_if_eq("headless", "true"))]
    pub user: Option<UserName>,
    /// Where the stable log, the text file and the key are [default: data]
    #[arg(long, env = "TWOPC_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// No window: commands on standard input, events as JSON on standard output
    #[arg(long, env = "TWOPC_HEADLESS", value_parser = BoolishValueParser::new())]
    pub headless: bool,
}

impl NodeArgs {
    /// The relay's address: the flag's, else the default.
    #[must_use]
    pub fn relay(&self) -> String {
        self.server.clone().unwrap_or_else(|| String::from(DEFAULT_RELAY))
    }

    /// The data directory: the flag's, else the default for where the program was started.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(default_data_dir)
    }
}

/// `./data` when that folder or a `Cargo.toml` stands in the current one (a checkout, or a room
/// that was used here before), else the system's folder for a user's data.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    let here = Path::new("data");
    if here.is_dir() || Path::new("Cargo.toml").is_file() {
        return here.to_path_buf();
    }
    // Without a home directory there is no such folder; then the current one is the only place left.
    directories::ProjectDirs::from("", "", "twopc").map_or_else(|| here.to_path_buf(), |dirs| dirs.data_dir().to_path_buf())
}

/// Reads a number of seconds, fractions allowed, to the millisecond (what travels is milliseconds).
///
/// # Errors
/// A sentence, when it is no number or not within 0.001 and 86,400.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim().parse::<f64>() {
        Ok(seconds) if SECONDS.contains(&seconds) => Ok(Duration::from_secs_f64((seconds * 1_000.0).round() / 1_000.0)),
        Ok(_) | Err(_) => Err(String::from("A time is a number of seconds from 0.001 to 86400, such as 20 or 1.5.")),
    }
}

/// Reads a relay's address; it is not looked up yet, and stays as it was typed.
///
/// # Errors
/// A sentence that says how an address is written.
pub fn address(text: &str) -> Result<String, String> {
    Address::parse(text).map(|_| String::from(text.trim()))
}

/// Why no window can be shown here, if that is known beforehand: a sentence to act on.
#[must_use]
pub fn without_display() -> Option<&'static str> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let can_show = !cfg!(all(unix, not(target_os = "macos"))) || ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].into_iter().any(is_set);
    (!can_show).then_some("There is no display for a window: set DISPLAY or WAYLAND_DISPLAY, or run this program with --headless.")
}

/// Writes the diary to standard error if `TWOPC_LOG` is set, to what it filters by (`info`,
/// `twopc_runner=debug`); otherwise standard error stays empty.
///
/// # Errors
/// A sentence, when what is set is no filter.
pub fn start_log() -> Result<(), String> {
    let Some(filter) = env::var_os("TWOPC_LOG").filter(|filter| !filter.is_empty()) else { return Ok(()) };
    let filter = filter.to_str().and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.ok_or("TWOPC_LOG is no filter: write a level such as info, or twopc_runner=debug.")?;
    // Several programs in one process (tests) share the first one's diary.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
    Ok(())
}

/// Says in one line on standard error what is wrong with the way the program was started, and gives
/// status 2.
pub fn wrong_usage(sentence: impl Display) -> ExitCode {
    failed(sentence);
    ExitCode::from(WRONG_USAGE)
}

/// Reads a program's flags; the first argument is the program's own name.
///
/// # Errors
/// The exit status, when there is nothing to run: help was asked for, or what was given is wrong.
pub fn flags<P: clap::Parser, T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<P, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    P::try_parse_from(&arguments).map_err(|error| {
        let variables = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOPC_")).map(|(_, value)| value);
        let typed: Vec<String> = arguments.iter().cloned().chain(variables).map(|text| text.to_string_lossy().into_owned()).collect();
        // What follows `--flag=` is repeated by itself.
        let values = typed.iter().filter_map(|text| text.split_once('=')).map(|(_, value)| value);
        let text = error.render().to_string();
        let shown = shown_lines(&text, typed.iter().map(String::as_str).chain(values));
        if shown.trim_end() == text.trim_end() {
            // In colours, where there are some. If nobody reads it, nothing is missed.
            let _ = error.print();
        } else {
            eprint!("{shown}");
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG_USAGE))
    })
}

/// Says in one line on standard error why the program failed, and gives status 1.
pub fn failed(sentence: impl Display) -> ExitCode {
    // A relay's own words may stand in the sentence: whatever steers a terminal is made visible.
    eprintln!("{}", Shown::new(&sentence.to_string()));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        node: NodeArgs,
    }

    fn parse(args: &[&str]) -> Result<NodeArgs, clap::Error> {
        Program::try_parse_from([&["program"], args].concat()).map(|program| program.node)
    }

    #[test]
    fn flags_left_out_have_the_defaults_of_the_table() {
        let node = parse(&[]).unwrap();
        assert_eq!(node.relay(), "127.0.0.1:1337");
        assert_eq!((node.user.clone(), node.headless), (None, false));
        assert_eq!(node.data_dir(), Path::new("data"), "tests run beside a Cargo.toml");
    }

    #[test]
    fn flags_are_taken_as_given() {
        let node = parse(&["--server", "relay.example:7", "--user", "Alice", "--data-dir", "/d", "--headless"]).unwrap();
        assert_eq!(node.relay(), "relay.example:7");
        assert_eq!(node.user.as_ref().map(UserName::as_str), Some("alice"));
        assert_eq!((node.data_dir(), node.headless), (PathBuf::from("/d"), true));
    }

    #[test]
    fn wrong_usage_ends_with_status_2() {
        for args in [&["--headless"][..], &["--user", "a b"], &["--server", ":1"], &["--server", "h:0"], &["--nonsense"]] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
    }

    #[test]
    fn seconds_run_from_a_millisecond_to_a_day() {
        for (text, millis) in [("0.001", 1), ("1.5", 1_500), ("20", 20_000), ("0.3", 300), ("86400", 86_400_000), (" 5 ", 5_000)] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["0", "0.0009", "86400.1", "-1", "NaN", "inf", "", "5s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
