//! A display without a screen: an X server that draws into memory, and a window manager.
//!
//! Deliberately absent: a display that a person looks at; the windows would stand in the way, and
//! the person in theirs.

use std::env;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;
use twopc_tests::Process;

/// What has to be installed. The last one presses keys as a keyboard does.
pub(crate) const PROGRAMS: [&str; 3] = ["Xvfb", "openbox", "xdotool"];

/// How often a window is asked to the front.
const TRIES: usize = 5;

/// A display. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Display {
    name: String,
    /// The window manager and the server, in the order in which they end. Nobody asks them anything;
    /// tests on several threads share them.
    _programs: Mutex<[Process; 2]>,
    _home: TempDir,
}

impl Display {
    /// Starts the server on a number that is free, and the window manager with its own settings.
    pub(crate) fn start() -> Self {
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = Process::start("Xvfb", &mut server);
        let name = format!(":{}", server.line("").trim());
        let home = tempfile::tempdir().expect("there is a folder for temporary files");
        let mut manager = Command::new("openbox");
        manager.arg("--sm-disable").env("DISPLAY", &name).env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        let manager = Process::start("openbox", &mut manager);
        Self { name, _programs: Mutex::new([manager, server]), _home: home }
    }

    /// Has a program open its windows here, drawn without a graphics card.
    pub(crate) fn show(&self, command: &mut Command) {
        command.env("DISPLAY", &self.name).env("LIBGL_ALWAYS_SOFTWARE", "1").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    }

    /// Presses Alt F4 in the window with this title, as a person closes it who has a keyboard.
    pub(crate) fn close(&self, title: &str) {
        // Without the window in front no key is pressed: a window that has just opened may keep it from
        // getting there.
        let pressed = (0..TRIES).any(|_| {
            let mut keys = Command::new("xdotool");
            let title = format!("^{title}$");
            keys.args(["search", "--sync", "--onlyvisible", "--name", &title]);
            keys.args(["windowactivate", "--sync", "key", "--clearmodifiers", "alt+F4"]);
            Process::start("xdotool", keys.env("DISPLAY", &self.name)).ends().success()
        });
        assert!(pressed, "{title} does not come to the front");
    }
}

/// Whether a program of this name is found.
pub(crate) fn is_installed(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
