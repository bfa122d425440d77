//! The program around the relay: its flags, its diary, its signals, its exit status.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use tokio::net::TcpListener;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};
use twopc_proto::UserName;
use twopc_proto::text::{Shown, shown_lines};

use crate::config::{Config, Limits};
use crate::names::{NamesError, forget};
use crate::relay::{RelayError, run as run_relay};

/// The relay's own diary, in the log directory.
const DIARY: &str = "relay.log";

/// The relay's flags.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The address to listen on, HOST:PORT; port 0 takes a free one, a port left out is 1337
    #[arg(long, env = "TWOPC_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:1337", value_parser = listen_address)]
    pub listen: String,
    /// Where the record, the claimed names and the diary are kept
    #[arg(long, env = "TWOPC_LOGS", value_name = "DIR", default_value = "logs")]
    pub logs: PathBuf,
    /// Lets observers who show this key watch the traffic
    #[arg(long, env = "TWOPC_LAB", value_name = "KEY", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    pub lab: Option<String>,
    /// How many may be logged in
    #[arg(long, env = "TWOPC_MAX_USERS", value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_users: u32,
    /// Guests and readers also from beyond loopback
    #[arg(long, env = "TWOPC_GUESTS", value_parser = BoolishValueParser::new())]
    pub guests: bool,
    /// Frees a claimed name, says so, and ends
    #[arg(long, value_name = "NAME", value_parser = UserName::parse)]
    pub forget: Option<UserName>,
}

/// Reads what `--listen` is given: a host with or without a port.
fn listen_address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        // All of an IPv6 address outside of brackets is the host.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (format!("[{text}]"), "1337"),
        Some((host, port)) if !text.ends_with(']') => (host.to_owned(), port),
        Some(_) | None => (text.to_owned(), "1337"),
    };
    // A number alone was meant as a port, and no name of a computer is one.
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit());
    if is_number || port.parse::<u16>().is_err() {
        return Err("write HOST:PORT, for example 127.0.0.1:1337".to_owned());
    }
    Ok(format!("{host}:{port}"))
}

/// Why the program ends with status 1.
#[derive(Debug, thiserror::Error)]
enum ProgramError {
    #[error("{0} is in use, perhaps by another relay; stop that one, or choose another port with --listen 127.0.0.1:0")]
    InUse(String),
    #[error("the relay cannot listen on {address}: {error}; choose another address with --listen HOST:PORT")]
    Listen { address: String, error: std::io::Error },
    #[error(transparent)]
    Relay(#[from] RelayError),
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error("the system does not let the relay run: {0}")]
    System(#[from] std::io::Error),
}

/// Runs the program: until SIGINT or SIGTERM (status 0), or one line on standard error that says
/// what to do (status 1).
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match &args.forget {
        Some(name) => free(&args.logs, name).map_err(ProgramError::from),
        None => serve(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("twopc-server: {}", Shown::new(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with the flags, or what help was asked for.
#[must_use]
pub fn wrong_usage(error: &clap::Error) -> ExitCode {
    let variables = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOPC_")).map(|(_, value)| value);
    let typed: Vec<String> = std::env::args_os().chain(variables).map(|text| text.to_string_lossy().into_owned()).collect();
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
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn free(logs: &Path, name: &UserName) -> Result<(), NamesError> {
    if forget(logs, name)? {
        println!("{name} is free again: whoever logs in under that name next has it.");
    } else {
        println!("{name} was not claimed; there was nothing to do.");
    }
    Ok(())
}

fn serve(args: Args) -> Result<(), ProgramError> {
    let Args { listen, logs, lab, max_users, guests, forget: _ } = args;
    let connections = allow_many_sockets();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything is written: a second relay leaves the first one's folder alone.
        let listener = TcpListener::bind(&listen).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => ProgramError::InUse(listen.clone()),
            _ => ProgramError::Listen { address: listen.clone(), error },
        })?;
        let shutdown = told_to_end()?;
        keep_diary(&logs);
        let max_users = usize::try_from(max_users).unwrap_or(usize::MAX);
        let limits = Limits { connections, ..Limits::default() };
        run_relay(listener, Config { lab, max_users, guests, limits, ..Config::new(logs) }, shutdown).await?;
        Ok(())
    })
}

/// Returns when a person, or the system, wants the program to end.
#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler for it, ctrl-c ends the program by itself.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Raises the limit on open files as far as the system lets it: a room of a thousand, and a thousand
/// who are not in it, need more than many give unasked. Returns how many connections there may be.
fn allow_many_sockets() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        /// What the relay has open for itself, or opens for a moment: streams, diary, record, names.
        const OWN_FILES: u64 = 24;
        let limit = getrlimit(Resource::Nofile);
        // Without it there is room for fewer.
        let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
        if let Some(files) = getrlimit(Resource::Nofile).current {
            return usize::try_from(files.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX).max(1);
        }
    }
    usize::MAX
}

/// The diary in the log directory; on standard error as well, as much as `TWOPC_LOG` asks for.
fn keep_diary(logs: &Path) {
    let asked_for =
        std::env::var("TWOPC_LOG").ok().map(|asked| fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::new(asked)));
    let diary = open_diary(logs)
        .map(|file| fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(Arc::new(file)).with_filter(LevelFilter::INFO));
    // A second one in the same process would have no say; there is none.
    let _ = tracing_subscriber::registry().with(asked_for).with(diary).try_init();
}

fn open_diary(logs: &Path) -> Option<File> {
    // A folder that cannot be written to is said when the relay opens it.
    fs::create_dir_all(logs).ok()?;
    OpenOptions::new().create(true).append(true).open(logs.join(DIARY)).ok()
}
