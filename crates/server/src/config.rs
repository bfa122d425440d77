//! What a relay can be told, and the measures it keeps.
//!
//! Deliberately absent: where it listens (it is handed a listener) and how flags are spelled.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// How a relay is to be run.
pub struct Config {
    /// The folder of `room.http` and `names.json`; made if it is not there.
    pub logs: PathBuf,
    /// What an observer must show; `None`: there are no observers.
    pub lab: Option<String>,
    /// How many may be logged in.
    pub max_users: usize,
    /// Whether guests and readers are welcome though the relay listens beyond loopback.
    pub guests: bool,
    /// How long it waits for what.
    pub times: Times,
    /// How much it holds of what.
    pub limits: Limits,
    /// Where it prints what a person at the relay sees.
    pub screen: Box<dyn Write + Send>,
}

/// How long a relay waits.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When a connection that has not logged in is closed because it asks for nothing.
    pub idle: Duration,
    /// When a head, or a body, that has begun and does not end is refused.
    pub unfinished: Duration,
    /// When a client is pinged to which nothing went, or from which nothing came.
    pub ping: Duration,
    /// When a client from which nothing comes is taken as gone.
    pub gone: Duration,
    /// When a client for which something waits, and which takes no byte of it, is dropped.
    pub stuck: Duration,
    /// When a connection that is being closed is closed whatever still comes.
    pub linger: Duration,
    /// When a stream of events gets a comment, so that its end is noticed.
    pub comment: Duration,
}

/// How much a relay holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that may wait for one client.
    pub waiting: usize,
    /// Bytes that may wait for all clients together.
    pub waiting_in_all: usize,
    /// Connections that are not logged in.
    pub strangers: usize,
    /// Names that are kept for those who claimed them.
    pub names: usize,
    /// Connections of all kinds: what the system allows, less what files need.
    pub connections: usize,
}

impl Config {
    /// The defaults, writing to this folder and printing on standard output.
    #[must_use]
    pub fn new(logs: impl Into<PathBuf>) -> Self {
        Self {
            logs: logs.into(),
            lab: None,
            max_users: 1024,
            guests: false,
            times: Times::default(),
            limits: Limits::default(),
            screen: Box::new(std::io::stdout()),
        }
    }
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            idle: seconds(30),
            unfinished: seconds(10),
            ping: seconds(10),
            gone: seconds(30),
            stuck: seconds(10),
            linger: seconds(1),
            comment: seconds(15),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { waiting: 16 * MIB, waiting_in_all: 128 * MIB, strangers: 1024, names: 10_000, connections: usize::MAX }
    }
}
