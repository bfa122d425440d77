//! A room: a relay and the programs that meet there, on a free port and in a folder of its own.
//!
//! Deliberately absent: what happens in it.

use std::env;
use std::ffi::OsString;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;
use tempfile::TempDir;
use twopc_proto::UserName;

use crate::files::{self, Coordinator, Participant, StableLog};
use crate::process::Process;

/// How many ports are tried for a room: another program may take one first.
const PORTS: usize = 10;

/// A relay, its port, and the folder of everybody in the room. The programs that it starts are
/// those of `twopc-suite`, whose path a test gets from Cargo.
#[derive(Debug)]
pub struct Room {
    suite: PathBuf,
    folder: TempDir,
    port: u16,
    relay: Option<Process>,
    /// What the relay is started with beside its flags.
    variables: Vec<(&'static str, OsString)>,
}

impl Room {
    /// An empty room with its relay running.
    #[must_use]
    pub fn open(suite: &str) -> Self {
        Self::open_with(suite, &[])
    }

    /// The same, with these variables in the relay's environment.
    #[must_use]
    pub fn open_with(suite: &str, variables: &[(&'static str, OsString)]) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let mut room = Self { suite: PathBuf::from(suite), folder, port: 0, relay: None, variables: variables.to_vec() };
        for _ in 0..PORTS {
            room.port = free_ports(1);
            room.relay = room.relay_that_listens();
            if room.relay.is_some() {
                return room;
            }
        }
        panic!("none of {PORTS} ports takes a relay");
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

    /// Starts the relay again, on the same port and with the same files as before.
    pub fn start_relay(&mut self) {
        self.relay = self.relay_that_listens();
        assert!(self.relay.is_some(), "{} was taken while the relay was gone", self.address());
    }

    /// A relay on this room's port; `None` if somebody else has the port.
    fn relay_that_listens(&self) -> Option<Process> {
        let mut command = self.command(&["server", "--listen", &self.address(), "--logs"]);
        let mut relay = Process::start("relay", command.arg(self.logs()).envs(self.variables.iter().cloned()));
        relay.says_before_its_end(&self.address()).then_some(relay)
    }

    /// Kills the relay, at once.
    pub fn kill_relay(&mut self) {
        self.relay().kill();
        self.relay = None;
    }

    /// One of the suite's programs, without any of the variables that could stand for a flag.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.suite, self.folder.path(), arguments)
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
        Process::start(name, self.node_command(role, name, folder).args(more))
    }

    /// What starts a node without a window.
    #[must_use]
    pub fn node_command(&self, role: &str, name: &str, folder: &str) -> Command {
        let mut command = self.command(&[role, "--headless", "--server", &self.address(), "--user", name, "--data-dir"]);
        command.arg(self.data(folder));
        command
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
        files::lines(&self.data(name).join(format!("{name}.txt")))
    }

    /// What a participant has on the disk.
    #[must_use]
    pub fn files_of_participant(&self, name: &str) -> Participant {
        let log = StableLog::read(&self.data(name).join(format!("{name}.participant.dtlog")));
        Participant { user: user(name), log, lines: self.strings(name) }
    }

    /// What a coordinator has on the disk.
    #[must_use]
    pub fn files_of_coordinator(&self, name: &str) -> Coordinator {
        Coordinator { user: user(name), log: StableLog::read(&self.data(name).join(format!("{name}.coordinator.dtlog"))) }
    }

    /// Judges everything that a room with one coordinator left ([`files::judge`]), and gives the
    /// lines that stand in every participant's text file.
    ///
    /// # Panics
    /// When the files are not as they must be, or not the same for every participant.
    pub fn audit(&self, coordinator: &str, participants: &[&str]) -> Vec<String> {
        let participants: Vec<Participant> = participants.iter().map(|name| self.files_of_participant(name)).collect();
        files::judge(&self.files_of_coordinator(coordinator), &participants);
        for pair in participants.windows(2) {
            assert_eq!(pair[0].lines, pair[1].lines, "the text files of {} and {}", pair[0].user, pair[1].user);
        }
        participants.into_iter().next().map(|participant| participant.lines).unwrap_or_default()
    }
}

/// One of the suite's programs, run in this folder, without any of the variables that could stand for a
/// flag.
#[must_use]
pub fn command(suite: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(suite);
    command.args(arguments).current_dir(folder);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TWOPC_") {
            command.env_remove(name);
        }
    }
    command
}

/// Waits until this node is in the room.
pub fn is_in(node: &mut Process) {
    let user = user(node.name());
    node.event(&json!({"event": "login", "user": user.as_str()}));
}

fn user(name: &str) -> UserName {
    UserName::parse(name).expect("tests use valid names")
}

/// The first of so many ports in a row that nobody listens on. Below the range that systems give to
/// outgoing connections, so that a relay finds its port still free when it is started again.
///
/// Tried by connecting: a socket that listened here would, for a moment, live on in any process that
/// is started meanwhile.
#[must_use]
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at once begin at different places.
    let begin = u16::try_from(process::id() % 190).unwrap_or(0) * 100;
    loop {
        let first = 10_000 + begin.wrapping_add(NEXT.fetch_add(count, Ordering::Relaxed)) % 19_000;
        if (first..first + count).all(|port| TcpStream::connect(("127.0.0.1", port)).is_err()) {
            return first;
        }
    }
}
