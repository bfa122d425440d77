//! The lab, opened in a folder of its own: its window, the room's windows, and the run that it leaves.
//!
//! Deliberately absent: what is done in it. A test says who presses what.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;
use twopc_tests::{Process, room};

use crate::display::Display;
use crate::ports::free_ports;
use crate::window::Window;

/// A folder in which the lab is opened, and in which it keeps its runs.
pub(crate) struct Place {
    folder: TempDir,
}

/// A lab with its window open. Dropping it ends it, and with it every program that it has started.
pub(crate) struct Lab {
    /// The lab's own window.
    pub(crate) window: Window,
    port: u16,
    participants: u16,
}

impl Place {
    /// A folder that nothing was ever done in.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is a folder for temporary files") }
    }

    /// Where the lab keeps its runs.
    pub(crate) fn runs(&self) -> PathBuf {
        self.folder.path().join("logs/runs")
    }

    /// The run that was recorded here.
    pub(crate) fn run(&self) -> PathBuf {
        let runs = fs::read_dir(self.runs()).expect("a run was kept").map(|entry| entry.expect("the folder can be read").path());
        let runs: Vec<PathBuf> = runs.collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().expect("there is one")
    }

    /// Where the room's files are.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The lab, here. No vote is over before whoever is to vote has voted, however slow the machine is.
    fn command(&self, arguments: &[&str]) -> Command {
        let suite = Path::new(env!("CARGO_BIN_EXE_twopc-suite"));
        let mut command = room::command(suite, self.folder.path(), arguments);
        command.env("TWOPC_VOTE_TIMEOUT", "600").env("TWOPC_CONFIG_DIR", self.folder.path().join("settings"));
        command
    }

    /// Opens the lab, and waits until everybody is in the room.
    pub(crate) fn opens(&self, participants: u16, display: &Display) -> Lab {
        let port = free_ports(participants + 2);
        let mut command = self.command(&["--server", "127.0.0.1:0", "--participants", &participants.to_string()]);
        command.arg("--data-dir").arg(self.data());
        let window = Window::open("lab", &mut command, port, display);
        let lab = Lab { window, port, participants };
        lab.window.shows_all_in("Programs", &vec!["running"; usize::from(participants) + 2]);
        lab
    }

    /// Opens the window of a recorded run alone.
    pub(crate) fn looks_at(&self, run: &Path, display: &Display) -> Window {
        let port = free_ports(1);
        Window::open("lab", self.command(&["open"]).arg(run), port, display)
    }

    /// Runs the lab without a window until it ends well, and gives what it printed.
    pub(crate) fn prints(&self, arguments: &[&str], path: &Path) -> Vec<String> {
        let mut lab = Process::start("lab", self.command(arguments).arg(path));
        lab.ends_with(0);
        lab.lines_so_far()
    }
}

impl Lab {
    /// The window of the participant of this name, once it is in the room.
    pub(crate) fn participant(&self, name: &str) -> Window {
        let names = ["alice", "bob", "carol"];
        let index = names.iter().position(|known| *known == name).expect("one of the first three");
        Self::joined(name, self.port + 1 + u16::try_from(index).expect("there are three"))
    }

    /// The coordinator's window, once it is in the room.
    pub(crate) fn chair(&self) -> Window {
        Self::joined("chair", self.port + 1 + self.participants)
    }

    fn joined(name: &str, port: u16) -> Window {
        let window = Window::of(name, port);
        window.shows("Relay: connected");
        window.shows_part(&format!("as {name}"));
        window
    }

    /// Waits until the list says this of a program, and gives its process if it has one.
    pub(crate) fn lists(&self, program: &str, state: &str) -> Option<Pid> {
        self.window.shows_in(program, state);
        process_of(&self.window.labels_in(program))
    }

    /// Presses a point of the menu beside a program.
    pub(crate) fn picks(&self, name: &str, item: &str) {
        self.window.presses(&format!("More for {name}"));
        self.window.presses(item);
    }

    /// Ends the lab, politely; nobody whom it has started is left.
    pub(crate) fn ends(mut self) {
        let programs: Vec<Pid> = self.window.labels_in("Programs").iter().filter_map(|label| process(label)).collect();
        assert!(programs.len() >= 2, "the relay and the coordinator run: {programs:?}");
        self.window.is_told_to_end();
        let left: Vec<Pid> = programs.into_iter().filter(|program| exists(*program)).collect();
        assert!(left.is_empty(), "the lab waits for everybody, but {left:?} are left");
    }
}

fn process_of(labels: &[String]) -> Option<Pid> {
    labels.iter().find_map(|label| process(label))
}

/// A process id as the list says it: the number alone, or behind a word where there is little space.
fn process(label: &str) -> Option<Pid> {
    Pid::from_raw(label.strip_prefix("process ").unwrap_or(label).parse().ok()?)
}

/// Whether there is such a process, be it only as a corpse that nobody has waited for.
pub(crate) fn exists(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}
