//! A room of real windows: who opens one, with which flags, and what all of them do alike.
//!
//! Deliberately absent: the protocol. A test says who presses what.

use std::process::Command;

use crate::ports::free_ports;
use twopc_tests::Room;

use crate::display::Display;
use crate::window::Window;

/// The pane of the strings that were committed.
pub(crate) const STRINGS: &str = "Committed strings";

/// A relay, and windows on a display.
pub(crate) struct Hall<'d> {
    pub(crate) room: Room,
    display: &'d Display,
}

impl<'d> Hall<'d> {
    /// A room with its relay and without windows.
    pub(crate) fn open(display: &'d Display) -> Self {
        Self { room: Room::open(env!("CARGO_BIN_EXE_twopc-suite")), display }
    }

    /// Opens a participant's window that logs in by itself.
    pub(crate) fn participant(&self, name: &str) -> Window {
        let window = self.window("participant", name, &["--server", &self.room.address(), "--user", name, "--grace", "1"]);
        window.shows("Relay: connected");
        window
    }

    /// Opens a coordinator's window that logs in by itself.
    pub(crate) fn chair(&self, more: &[&str]) -> Window {
        let window = self.window("coordinator", "chair", &[&["--server", &self.room.address(), "--user", "chair"], more].concat());
        window.shows("Relay: connected");
        window
    }

    /// Opens a window with the files and the settings in this folder of the room's.
    pub(crate) fn window(&self, role: &str, folder: &str, flags: &[&str]) -> Window {
        let mut command = self.command(folder, &[&[role], flags].concat());
        command.arg("--data-dir").arg(self.room.data(folder));
        Window::open(folder, &mut command, free_ports(1), self.display)
    }

    /// One of the suite's programs, with settings of its own.
    pub(crate) fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = self.room.command(arguments);
        command.env("TWOPC_CONFIG_DIR", self.room.data(folder).join("settings"));
        command
    }
}

/// Proposes a string and asks for the vote, as soon as everybody is in the room who is to vote.
pub(crate) fn asks_for(chair: &Window, voters: &[&str], string: &str) {
    for voter in voters {
        chair.shows_in("In the room", voter);
    }
    chair.types("Message", &format!("string: {string}"));
    chair.presses("Send");
    chair.presses("Request");
}

/// Waits until the coordinator's table says of all of them that they have acknowledged the decision.
pub(crate) fn all_know(chair: &Window, voters: &[&str]) {
    let know = vec!["acknowledged"; voters.len()];
    chair.shows_all_in("Votes", &[voters, &know].concat());
}

/// Everybody quits, the coordinator first; fails if a program does not end well.
pub(crate) fn quit(windows: impl IntoIterator<Item = Window>) {
    for window in windows {
        window.quits();
    }
}
