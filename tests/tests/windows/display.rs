//! A display without a screen: an X server that draws into memory, and a window manager.
//!
//! Deliberately absent: a display that a person looks at; the windows would stand in the way, and
//! the person in theirs.

use std::env;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use twopc_tests::Process;

/// What has to be installed. The last one presses keys as a keyboard does.
pub(crate) const PROGRAMS: [&str; 3] = ["Xvfb", "openbox", "xdotool"];

/// How often a window is asked to the front, and how long it may take, in seconds.
const TRIES: usize = 5;
const PATIENCE: &str = "5";

/// How long a window may take to close.
const CLOSES: Duration = Duration::from_secs(3);

/// How long the window manager may take to begin.
const MANAGED: Duration = Duration::from_secs(20);

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
        // A window that comes before the manager may never be one that it takes care of.
        let is_managed = || {
            let mut asked = Command::new("xdotool");
            Process::start("xdotool", asked.arg("get_desktop").env("DISPLAY", &name)).ends().success()
        };
        let since = Instant::now();
        while !is_managed() {
            assert!(since.elapsed() < MANAGED, "openbox does not manage {name}");
            thread::sleep(Duration::from_millis(20));
        }
        Self { name, _programs: Mutex::new([manager, server]), _home: home }
    }

    /// Has a program open its windows here, drawn without a graphics card.
    pub(crate) fn show(&self, command: &mut Command) {
        command.env("DISPLAY", &self.name).env("LIBGL_ALWAYS_SOFTWARE", "1").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    }

    /// Presses Alt F4 in the window with this title, as a person closes it who has a keyboard.
    pub(crate) fn close(&self, title: &str) {
        // Without the window in front no key is pressed: a window that has just opened may keep it from
        // getting there, or have the key. And who closes a window may wait for it for ever.
        let title = format!("^{title}$");
        let is_closed = (0..TRIES).any(|_| {
            let mut keys = Command::new("timeout");
            keys.args([PATIENCE, "xdotool", "search", "--sync", "--onlyvisible", "--name", &title]);
            keys.args(["windowactivate", "--sync", "key", "--clearmodifiers", "alt+F4"]);
            Process::start("xdotool", keys.env("DISPLAY", &self.name)).ends();
            let since = Instant::now();
            while self.has(&title) {
                if since.elapsed() > CLOSES {
                    return false;
                }
                thread::sleep(Duration::from_millis(50));
            }
            true
        });
        assert!(is_closed, "{title} does not close");
    }

    /// Whether there is a window with such a title.
    fn has(&self, title: &str) -> bool {
        let mut search = Command::new("xdotool");
        Process::start("xdotool", search.args(["search", "--name", title]).env("DISPLAY", &self.name)).ends().success()
    }
}

/// Whether a program of this name is found.
pub(crate) fn is_installed(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
