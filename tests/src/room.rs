//! A room: a relay and the programs that meet there, on a free port and in a folder of its own.
//!
//! Deliberately absent: what happens in it.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;
use tempfile::TempDir;
use twopc_proto::{CoordinatorRecord, Decision, UserName};

use crate::files::{self, CoordinatorLog, Left, ParticipantLog};
use crate::process::Process;

/// A relay, its port, and the folder of everybody in the room. The programs that it starts are
/// those of `twopc-suite`, whose path a test gets from Cargo.
#[derive(Debug)]
pub struct Room {
    suite: PathBuf,
    folder: TempDir,
    port: u16,
    relay: Option<Process>,
}

impl Room {
    /// An empty room with its relay running.
    #[must_use]
    pub fn open(suite: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let mut room = Self { suite: PathBuf::from(suite), folder, port: free_port(), relay: None };
        room.start_relay();
        room
    }

    /// The relay's address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The relay, to see what it prints.
    pub fn relay(&mut self) -> &mut Process {
        self.relay.as_mut().expect("the relay runs")
    }

    /// Starts the relay, on the same port and with the same files as before.
    pub fn start_relay(&mut self) {
        let mut command = self.command(&["server", "--listen", &self.address(), "--logs"]);
        let mut relay = Process::start("relay", command.arg(self.logs()));
        relay.line(&self.address());
        self.relay = Some(relay);
    }

    /// Kills the relay, at once.
    pub fn kill_relay(&mut self) {
        self.relay().kill();
        self.relay = None;
    }

    /// One of the suite's programs, without any of the variables that could stand for a flag.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.suite);
        command.args(arguments).current_dir(self.folder.path());
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("TWOPC_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Starts a participant without a window, which answers a vote in this way.
    #[must_use]
    pub fn participant(&self, name: &str, vote: &str, more: &[&str]) -> Process {
        self.node("participant", name, name, &[&["--vote", vote, "--grace", "0.3"], more].concat())
    }

    /// Starts a coordinator without a window.
    #[must_use]
    pub fn coordinator(&self, name: &str, more: &[&str]) -> Process {
        self.node("coordinator", name, name, more)
    }

    /// Starts a node without a window, with its files in this folder of the room's.
    #[must_use]
    pub fn node(&self, role: &str, name: &str, folder: &str, more: &[&str]) -> Process {
        let mut command = self.command(&[role, "--headless", "--server", &self.address(), "--user", name, "--data-dir"]);
        Process::start(name, command.arg(self.data(folder)).args(more))
    }

    /// Where a node's files are.
    #[must_use]
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the relay's files are.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// The room's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The lines of a participant's text file; none if there is no file.
    #[must_use]
    pub fn strings(&self, name: &str) -> Vec<String> {
        let path = self.data(name).join(format!("{name}.txt"));
        match fs::read_to_string(&path) {
            Ok(text) => files::whole_lines(&path, &text),
            Err(_) => Vec::new(),
        }
    }

    /// What stands in a participant's stable log.
    #[must_use]
    pub fn participant_log(&self, name: &str) -> ParticipantLog {
        files::read(&self.data(name).join(format!("{name}.participant.dtlog")))
    }

    /// What stands in a coordinator's stable log.
    #[must_use]
    pub fn coordinator_log(&self, name: &str) -> CoordinatorLog {
        files::read(&self.data(name).join(format!("{name}.coordinator.dtlog")))
    }

    /// What a participant left on the disk.
    #[must_use]
    pub fn left_by(&self, name: &str) -> Left {
        Left { name: String::from(name), log: self.participant_log(name), lines: self.strings(name) }
    }

    /// What a coordinator decided, in the order of its log.
    #[must_use]
    pub fn decisions(&self, coordinator: &str) -> Vec<Decision> {
        let decision = |record: CoordinatorRecord| match record {
            CoordinatorRecord::Commit { .. } => Some(Decision::Commit),
            CoordinatorRecord::Abort { .. } => Some(Decision::Abort),
            CoordinatorRecord::Start { .. } | CoordinatorRecord::End { .. } => None,
        };
        self.coordinator_log(coordinator).into_iter().filter_map(decision).collect()
    }

    /// Compares everything that a room with one coordinator left, and gives the lines that stand in
    /// every participant's text file. See [`files::audit`].
    ///
    /// # Panics
    /// When the files are not as they must be, or not the same for every participant.
    pub fn audit(&self, coordinator: &str, participants: &[&str]) -> Vec<String> {
        let participants: Vec<Left> = participants.iter().map(|name| self.left_by(name)).collect();
        files::audit(&self.coordinator_log(coordinator), &participants);
        for pair in participants.windows(2) {
            assert_eq!(pair[0].lines, pair[1].lines, "the text files of {} and {}", pair[0].name, pair[1].name);
        }
        participants.into_iter().next().map(|left| left.lines).unwrap_or_default()
    }
}

/// Waits until this node is in the room.
pub fn is_in(node: &mut Process) {
    let user = UserName::parse(node.name()).expect("tests use valid names");
    node.event(&json!({"event": "login", "user": user.as_str()}));
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    free_ports(1)
}

/// The first of so many ports in a row that nobody listens on. Below the range that systems give to
/// outgoing connections, so that a relay finds its port still free when it is started again.
#[must_use]
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at once begin at different places.
    let begin = u16::try_from(process::id() % 190).unwrap_or(0) * 100;
    loop {
        let first = 10_000 + (begin + NEXT.fetch_add(count, Ordering::Relaxed)) % 19_000;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}
