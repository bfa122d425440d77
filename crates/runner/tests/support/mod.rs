//! What the tests of a node share: a relay on a free port, nodes with their folder, and waiting for
//! what a node says, with a deadline.
//!
//! Deliberately absent: sleeping. Whatever is waited for is an event or a snapshot.

#![allow(dead_code, unreachable_pub)] // each test file uses its part
#![allow(clippy::unwrap_used)] // a test may fail where it stands

pub mod observer;

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use twopc_proto::{Settings, UserName};
use twopc_runner::event::Event;
use twopc_runner::node::{AutoVote, Ending, Front, Node, NodeConfig, NodeRole};
use twopc_runner::snapshot::{Action, Snapshot};
use twopc_server::Config;
use twopc_store::{Disk, RealDisk};

/// How long anything that must happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A relay on a thread of its own.
pub struct TestRelay {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    logs: Arc<TempDir>,
}

impl TestRelay {
    pub fn start() -> Self {
        Self::with_room_for(1024)
    }

    /// One that lets observers in who show this key.
    pub fn with_lab(key: &str) -> Self {
        let key = Some(key.into());
        Self::start_with("127.0.0.1:0".parse().unwrap(), Arc::new(tempfile::tempdir().unwrap()), |config| Config { lab: key, ..config })
    }

    /// One that takes so many users.
    pub fn with_room_for(users: usize) -> Self {
        let logs = Arc::new(tempfile::tempdir().unwrap());
        Self::start_with("127.0.0.1:0".parse().unwrap(), logs, move |config| Config { max_users: users, ..config })
    }

    fn start_with(address: SocketAddr, logs: Arc<TempDir>, change: impl FnOnce(Config) -> Config + Send + 'static) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (told, listening) = channel();
        let folder = logs.path().to_path_buf();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let config = change(Config { screen: Box::new(std::io::sink()), ..Config::new(folder) });
                let shutdown = async { drop(stopped.await) };
                twopc_server::run(listener, config, shutdown).await.unwrap();
            });
        });
        let address = listening.recv_timeout(PATIENCE).unwrap();
        Self { address, stop: Some(stop), thread: Some(thread), logs }
    }

    /// Ends it, and gives what another one at the same address needs.
    pub fn stop(mut self) -> Stopped {
        self.end();
        Stopped { address: self.address, logs: self.logs.clone() }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for TestRelay {
    fn drop(&mut self) {
        self.end();
    }
}

/// A relay that was.
pub struct Stopped {
    address: SocketAddr,
    logs: Arc<TempDir>,
}

impl Stopped {
    /// The relay's next life: the same address, the same names.
    pub fn restart(self) -> TestRelay {
        self.restart_with_room_for(1024)
    }

    /// What it kept of the conversation.
    pub fn record(&self) -> String {
        std::fs::read_to_string(self.logs.path().join("room.http")).unwrap()
    }

    /// The same, with room for so many.
    pub fn restart_with_room_for(self, users: usize) -> TestRelay {
        TestRelay::start_with(self.address, self.logs, move |config| Config { max_users: users, ..config })
    }
}

pub fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

/// How a test's node is started, unless it says otherwise.
pub fn config(server: &(impl ToString + ?Sized), user: Option<&str>, data_dir: &Path) -> NodeConfig {
    NodeConfig {
        server: server.to_string(),
        user: user.map(name),
        data_dir: data_dir.into(),
        settings: Settings { grace: Duration::from_millis(200), expect: 1 },
        vote_timeout: Duration::from_secs(20),
        auto_vote: AutoVote::Ask,
        crash_at: None,
    }
}

/// A node, what it has said, and who wakes whom.
pub struct Watched<R: NodeRole> {
    node: Node<R>,
    events: Option<mpsc::UnboundedReceiver<Event>>,
    wakes: Receiver<()>,
    /// Every event so far.
    pub said: Vec<Event>,
}

impl<R: NodeRole> Watched<R> {
    /// A node without a window.
    pub fn headless(config: NodeConfig) -> Self {
        Self::start(config, false)
    }

    /// A node with a window, whose events are seen too.
    pub fn window(config: NodeConfig) -> Self {
        Self::start(config, true)
    }

    /// The same on a disk of the test's.
    pub fn window_on(disk: impl Disk + Clone, config: NodeConfig) -> Self {
        Self::start_on(disk, config, true)
    }

    fn start(config: NodeConfig, window: bool) -> Self {
        Self::start_on(RealDisk, config, window)
    }

    fn start_on(disk: impl Disk + Clone, config: NodeConfig, window: bool) -> Self {
        let (events_in, events) = mpsc::unbounded_channel();
        let (wake, wakes) = channel();
        let wake = move || {
            // The test may have let go of the node.
            let _ = wake.send(());
        };
        let front = Front { wake: Arc::new(wake), events: Some(events_in), window };
        Self { node: Node::start_on(disk, config, front), events: Some(events), wakes, said: Vec::new() }
    }

    pub fn act(&self, action: Action<R::Press>) {
        self.node.act(action);
    }

    pub fn press(&self, press: R::Press) {
        self.node.act(Action::Press(press));
    }

    pub fn snapshot(&self) -> Arc<Snapshot<R::View>> {
        self.node.snapshot()
    }

    pub fn ended(&self) -> Option<Ending> {
        self.node.ended()
    }

    /// Waits for an event that `wanted` picks something from.
    pub fn wait_for<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let events = self.events.as_mut().unwrap();
        loop {
            let next = runtime.block_on(async { tokio::time::timeout_at(deadline.into(), events.recv()).await });
            match next {
                Ok(Some(event)) => {
                    let found = wanted(&event);
                    self.said.push(event);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Ok(None) => panic!("the node ended ({:?}) without {what}; it said {:#?}", self.node.ended(), self.said),
                Err(_) => panic!("no {what} in time; the node said {:#?}", self.said),
            }
        }
    }

    /// Waits for this very event.
    pub fn wait_until_said(&mut self, event: &Event) {
        self.wait_for(&format!("{event:?}"), |said| (said == event).then_some(()));
    }

    pub fn wait_for_login(&mut self) {
        self.wait_for("login", |event| matches!(event, Event::Login { .. }).then_some(()));
    }

    /// Waits until the snapshot is such that `wanted` picks something from it.
    pub fn wait_to_see<T>(&self, what: &str, mut wanted: impl FnMut(&Snapshot<R::View>) -> Option<T>) -> T
    where
        R::View: std::fmt::Debug,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let snapshot = self.node.snapshot();
            if let Some(found) = wanted(&snapshot) {
                return found;
            }
            match self.wakes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {what} in time; the snapshot is {snapshot:#?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    // The node has ended; what it published last is there.
                    let last = self.node.snapshot();
                    return wanted(&last).unwrap_or_else(|| panic!("the node ended without {what}; the snapshot is {last:#?}"));
                }
            }
        }
    }

    /// Quits, and gives the ending.
    pub fn quit(self) -> Ending {
        self.node.act(Action::Quit);
        self.node.wait()
    }

    /// Lets go of the handle without a word.
    pub fn let_go(self) {
        drop(self.node);
    }

    /// Waits until the node ends by itself.
    pub fn wait(self) -> Ending {
        self.node.wait()
    }
}

/// A participant that votes commit by itself.
pub fn committing(config: NodeConfig) -> NodeConfig {
    NodeConfig { auto_vote: AutoVote::Commit, ..config }
}

/// What the node that dies is told, in variables.
const MORTAL: [&str; 4] = ["TWOPC_TEST_WHO", "TWOPC_TEST_POINT", "TWOPC_TEST_RELAY", "TWOPC_TEST_FOLDER"];

/// Starts this test program again, as the node that dies: its test `the_one_that_dies` alone.
pub fn spawn_mortal(relay: &TestRelay, who: &str, point: &str, folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "the_one_that_dies"]).stdout(Stdio::null()).stderr(Stdio::null());
    let told = [who, point, &relay.address.to_string(), folder.to_str().unwrap()];
    command.envs(MORTAL.into_iter().zip(told)).spawn().unwrap()
}

/// Who dies, where, at which relay and in which folder; `None` if this is no such program.
pub fn told_to_die() -> Option<(String, String, SocketAddr, PathBuf)> {
    let [who, point, relay, folder] = MORTAL.map(|name| env::var(name).ok());
    Some((who?, point?, relay?.parse().ok()?, folder?.into()))
}
