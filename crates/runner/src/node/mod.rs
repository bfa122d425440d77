//! A node: one machine with its store, its link, its clock, and the person in front of it.
//!
//! [`Node::start`] gives a handle; the loop runs on a thread of its own and the log on one more, so
//! that neither a window nor a slow disk ever holds up a vote. Deliberately absent: anything drawn
//! and anything printed. A window reads [`Node::snapshot`], a program without one takes the
//! [`Event`]s.

mod acting;
mod conversation;
mod core;
mod disk;
mod effects;
mod entering;
mod frames;
mod oddities;
mod publishing;
mod recorder;
mod role;
mod telling;
mod timers;
pub(crate) mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use twopc_proto::{Settings, UserName};
use twopc_store::{Disk, RealDisk};

use self::core::Core;
use self::publishing::first_snapshot;
use crate::crash::CrashPoint;
use crate::event::Event;
use crate::snapshot::{Action, Snapshot};

pub use role::{NodeRole, Scene, TextFile};
pub use timers::Timers;

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The relay's address, as typed: `host`, `host:port`, `[v6]:port`; a port left out is 1337.
    pub server: String,
    /// The name to log in under at once; without one the person is asked.
    pub user: Option<UserName>,
    /// Where the files are; made if it is not there.
    pub data_dir: PathBuf,
    /// What the machine goes by.
    pub settings: Settings,
    /// What a coordinator's window starts its field for the vote's timeout with.
    pub vote_timeout: Duration,
    /// What a participant answers by itself.
    pub auto_vote: AutoVote,
    /// Where to die, if anywhere. Valid for this node's role.
    pub crash_at: Option<CrashPoint>,
}

/// What a participant answers to a vote request without being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoVote {
    /// Commit, at once.
    Commit,
    /// Abort, at once.
    Abort,
    /// Nothing, ever: the deadline aborts.
    Silent,
    /// Nothing: a person decides.
    Ask,
}

/// Who is in front of a node.
pub struct Front {
    /// Called after each new snapshot, from the node's thread; must not block.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Where events go, if anybody takes them.
    pub events: Option<UnboundedSender<Event>>,
    /// A person looks. The whole snapshot is kept up to date, at most every 16 ms, and a refused
    /// login can be corrected. Otherwise only who is in the room and where the link stands are
    /// published, when they change, and a first login that is refused ends the node.
    pub window: bool,
}

impl Front {
    /// A window, woken by `wake`.
    #[must_use]
    pub fn window(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { wake, events: None, window: true }
    }

    /// A program without a window, which takes the events.
    #[must_use]
    pub fn headless(events: UnboundedSender<Event>) -> Self {
        Self { wake: Arc::new(|| ()), events: Some(events), window: false }
    }
}

/// Why a node is no longer running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to quit, and said goodbye if it could.
    Quit,
    /// The same name logged in elsewhere with the same key: that one goes on in its place.
    Replaced,
    /// It could not go on: a sentence that says what to do.
    Failed(String),
}

/// The handle of a running node. Dropping it without [`Node::wait`] tells the node to quit.
pub struct Node<R: NodeRole> {
    actions: UnboundedSender<Action<R::Press>>,
    shared: Arc<Shared<R::View>>,
    thread: JoinHandle<()>,
}

/// What the node's thread leaves for whoever holds the handle.
pub(crate) struct Shared<V> {
    /// The last snapshot.
    snapshot: Mutex<Arc<Snapshot<V>>>,
    /// Why the node ended, once it has.
    ending: OnceLock<Ending>,
}

impl<R: NodeRole> Node<R> {
    /// Starts a node. It returns at once; what becomes of it is in the snapshot and the events.
    ///
    /// # Panics
    /// When the system gives no thread.
    #[must_use]
    pub fn start(config: NodeConfig, front: Front) -> Self {
        Self::start_on(RealDisk, config, front)
    }

    /// The same on a disk of the caller's, for whoever wants to see what a node does while its disk is
    /// at fault. The lock is this machine's all the same.
    ///
    /// # Panics
    /// When the system gives no thread.
    #[must_use]
    pub fn start_on(disk: impl Disk + Clone, config: NodeConfig, front: Front) -> Self {
        let (actions, inbox) = unbounded_channel();
        let shared = Arc::new(Shared::new(first_snapshot::<R>(&config)));
        let thread = thread::Builder::new().name(format!("{} node", R::ROLE)).spawn({
            let shared = shared.clone();
            move || {
                let wake = front.wake.clone();
                let run = AssertUnwindSafe(|| run::<R>(disk, config, front, inbox, &shared));
                let ending = catch_unwind(run).unwrap_or_else(|_| {
                    Ending::Failed("This program has a fault and stopped. Nothing that was committed is lost: start it again.".into())
                });
                shared.end(ending);
                wake();
            }
        });
        Self { actions, shared, thread: thread.expect("the system gives a thread") }
    }

    /// What a window shows now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot<R::View>> {
        self.shared.snapshot()
    }

    /// Does what the person did. After the node has ended this does nothing.
    pub fn act(&self, action: Action<R::Press>) {
        // The receiver is gone only when the node has ended.
        let _ = self.actions.send(action);
    }

    /// Why the node has ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<Ending> {
        self.shared.ending.get().cloned()
    }

    /// Waits until the node ends. It does not tell it to: that is [`Action::Quit`].
    #[must_use]
    pub fn wait(self) -> Ending {
        let Self { actions, shared, thread } = self;
        // The node's thread catches its own panics, so it always leaves an ending.
        let _ = thread.join();
        drop(actions);
        shared.ending.get().cloned().unwrap_or(Ending::Quit)
    }
}

impl<V> Shared<V> {
    fn snapshot(&self) -> Arc<Snapshot<V>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a new snapshot in the place of the last one.
    pub(crate) fn publish(&self, snapshot: Snapshot<V>) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    fn new(snapshot: Snapshot<V>) -> Self {
        Self { snapshot: Mutex::new(Arc::new(snapshot)), ending: OnceLock::new() }
    }

    fn end(&self, ending: Ending) {
        // Set once: only the node's thread does it, as its last act.
        let _ = self.ending.set(ending);
    }
}

/// Runs the loop on this thread until the node ends.
fn run<R: NodeRole>(
    disk: impl Disk + Clone,
    config: NodeConfig,
    front: Front,
    inbox: UnboundedReceiver<Action<R::Press>>,
    shared: &Arc<Shared<R::View>>,
) -> Ending {
    let span = tracing::info_span!("node", role = %R::ROLE, user = tracing::field::Empty);
    let _entered = span.enter();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Ending::Failed(format!(
                "The system gives this program no event loop ({error}); close other programs, then start it again."
            ));
        }
    };
    let ending = runtime.block_on(async {
        match Core::<R>::new(disk, config, front, inbox, shared.clone()) {
            Ok(core) => core.run().await,
            Err(sentence) => Ending::Failed(sentence),
        }
    });
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
    ending
}
