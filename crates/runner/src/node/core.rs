//! The loop: waits until something has happened, takes all that has, and lets go of what came of it.
//!
//! A turn takes, in this order, what the relay sent, what the disk has done, what the person did, and
//! the timers that are due. So a vote that has arrived counts before the timer that would be too
//! late for it, and whatever a turn brings about shares one write to the socket and one batch of the
//! log. Deliberately absent: the protocol, which is the machine's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use twopc_proto::frame::Login;
use twopc_proto::trace::What;
use twopc_proto::{Boundary, Input, LinkState, Role, TxnId, UserName};
use twopc_store::{Job, Outcome};

use super::conversation::Conversation;
use super::disk::{Disk, Report};
use super::oddities::Oddities;
use super::recorder::Recorder;
use super::role::NodeRole;
use super::timers::Timers;
use super::{Ending, Front, NodeConfig, Shared};
use crate::crash::Fuse;
use crate::event::Event;
use crate::link::{Address, Lost, RelayLink, Stirring};
use crate::snapshot::Action;

/// The most of a person's actions, or of the disk's reports, that one turn takes.
const TURN: usize = 256;

/// How long a node that ends waits for the log's thread to let go of the files.
const CLOSING: Duration = Duration::from_secs(2);

/// Everything that the loop has in its hands.
pub(super) struct Core<R: NodeRole> {
    pub(super) config: NodeConfig,
    pub(super) front: Front,
    pub(super) shared: Arc<Shared<R::View>>,
    pub(super) inbox: UnboundedReceiver<Action<R::Press>>,
    pub(super) link: RelayLink,
    pub(super) disk: Disk<R::Record>,
    /// How far the person is on the way into the room.
    pub(super) entry: Entry,
    /// The machine and what belongs to it, once the files of a name are open.
    pub(super) life: Option<Life<R>>,
    pub(super) board: R::Board,
    pub(super) talk: Conversation,
    /// Who is logged in, this node included; empty without a link.
    pub(super) room: BTreeMap<UserName, Role>,
    /// The relay's `/welcome` has come on this link: what is sent now counts as sent.
    pub(super) is_in: bool,
    /// A link that broke in the middle of a turn; dealt with at its end.
    pub(super) lost: Option<Lost>,
    /// The loss of the link was said, and nothing better since.
    pub(super) said_disconnected: bool,
    pub(super) oddities: Oddities,
    pub(super) warnings: VecDeque<String>,
    /// Why a line could not be said, until another one could.
    pub(super) unsayable: Option<String>,
    /// Why the last attempt to log in failed, until the next one.
    pub(super) refusal: Option<String>,
    /// Dies at a message, if its crash point is one; else it foresees where the log's thread will.
    pub(super) fuse: Option<Fuse>,
    /// Counts what happens, for those who watch.
    pub(super) recorder: Recorder,
    /// What was told last of each doubt.
    pub(super) told_doubts: BTreeMap<TxnId, What>,
    /// What the machine has said that has not been acted upon yet.
    pub(super) follow_ups: VecDeque<R::Command>,
    /// The moment of this turn.
    pub(super) now: Instant,
    /// When a leaving node goes, whatever is unfinished.
    pub(super) leaves_by: Option<Instant>,
    pub(super) ending: Option<Ending>,
    pub(super) dirt: Dirt,
}

/// How far the person is on the way into the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nobody has pressed Login.
    Offline,
    /// The relay is asked for its question, or the question waits for a name.
    Asking { question: Option<String> },
    /// A name was given; its files are being opened.
    Opening { user: UserName, question: Option<String> },
    /// The files are open; the relay has not let this name in yet.
    LoggingIn { question: Option<String> },
    /// The relay has let this name in at least once.
    Member,
}

/// One incarnation of a machine.
pub(super) struct Life<R: NodeRole> {
    pub(super) user: UserName,
    pub(super) key: String,
    pub(super) machine: R,
    pub(super) timers: Timers<R::Timer>,
    /// What is to be handed to the log's thread at the end of this turn.
    pub(super) jobs: Vec<Job<R::Record>>,
}

/// What has changed since the last snapshot.
#[derive(Debug)]
pub(super) struct Dirt {
    /// Anything.
    pub(super) any: bool,
    /// Who is in the room, or where the link stands.
    pub(super) room: bool,
    /// When the last one was published.
    pub(super) published: Option<Instant>,
}

/// What woke the loop.
enum Woken<R: NodeRole> {
    Link(Stirring),
    Disk(Report<R::Record>),
    Person(Option<Action<R::Press>>),
    Clock,
}

impl<R: NodeRole> Core<R> {
    /// # Errors
    /// A sentence, when the system gives no thread for the log.
    pub(super) fn new(
        disk: impl twopc_store::Disk + Clone,
        config: NodeConfig,
        front: Front,
        inbox: UnboundedReceiver<Action<R::Press>>,
        shared: Arc<Shared<R::View>>,
    ) -> Result<Self, String> {
        let fuse = config.crash_at.map(Fuse::new);
        let at_message = config.crash_at.is_some_and(|point| matches!(point.boundary, Boundary::Send(_)));
        let disk = Disk::start(disk, fuse.clone().filter(|_| !at_message))
            .map_err(|error| format!("The system gives no thread for the log ({error}); close other programs."))?;
        let address = Address::parse(&config.server).unwrap_or_default();
        Ok(Self {
            link: RelayLink::new(address, format!("twopc-{}/{}", R::ROLE, env!("CARGO_PKG_VERSION"))),
            board: R::board(&config),
            talk: Conversation::new(R::ROLE),
            config,
            front,
            shared,
            inbox,
            disk,
            entry: Entry::Offline,
            life: None,
            room: BTreeMap::new(),
            is_in: false,
            lost: None,
            said_disconnected: false,
            oddities: Oddities::default(),
            warnings: VecDeque::new(),
            unsayable: None,
            refusal: None,
            fuse,
            recorder: Recorder::start(),
            told_doubts: BTreeMap::new(),
            follow_ups: VecDeque::new(),
            now: Instant::now(),
            leaves_by: None,
            ending: None,
            dirt: Dirt { any: true, room: true, published: None },
        })
    }

    /// Runs until the node ends.
    pub(super) async fn run(mut self) -> Ending {
        self.begin();
        loop {
            self.turn().await;
            if let Some(ending) = self.ending.take() {
                return self.end(ending).await;
            }
            let woken = self.wait().await;
            self.now = Instant::now();
            match woken {
                Woken::Link(stirring) => self.on_stirring(stirring),
                Woken::Disk(report) => self.on_report(report).await,
                Woken::Person(Some(action)) => self.on_action(action).await,
                // Nobody holds the handle any more.
                Woken::Person(None) => self.on_action(Action::Quit).await,
                Woken::Clock => {}
            }
        }
    }

    /// Waits until something has happened.
    async fn wait(&mut self) -> Woken<R> {
        let clock = self.next_wake();
        let person = !self.inbox.is_closed() || !self.inbox.is_empty() || self.leaves_by.is_none();
        tokio::select! {
            biased;
            stirring = self.link.stirs() => Woken::Link(stirring),
            report = self.disk.report() => Woken::Disk(report),
            action = self.inbox.recv(), if person => Woken::Person(action),
            () = sleep_until(clock) => Woken::Clock,
        }
    }

    /// When the clock alone gives something to do.
    fn next_wake(&self) -> Option<Instant> {
        let timer = self.life.as_ref().and_then(|life| life.timers.next());
        [timer, self.leaves_by, self.publishes_at()].into_iter().flatten().min()
    }

    /// Takes all that has happened, and lets go of all that came of it.
    async fn turn(&mut self) {
        self.take_frames().await;
        self.take_reports().await;
        self.take_actions().await;
        self.take_due_timers().await;
        self.hand_over_jobs();
        self.flush();
        self.settle_loss().await;
        self.leave_if_done().await;
        self.publish_if_due();
    }

    async fn take_reports(&mut self) {
        for _ in 0..TURN {
            match self.disk.try_report() {
                Some(report) => self.on_report(report).await,
                None => break,
            }
        }
    }

    async fn take_actions(&mut self) {
        for _ in 0..TURN {
            match self.inbox.try_recv() {
                Ok(action) => self.on_action(action).await,
                Err(_) => break,
            }
        }
    }

    async fn take_due_timers(&mut self) {
        // Timers that are set meanwhile wait for their time, even if that is now.
        let now = self.now;
        while let Some(timer) = self.life.as_mut().and_then(|life| life.timers.take_due(now)) {
            self.take(Input::TimerFired(timer)).await;
        }
    }

    /// Hands what waits for the relay to the kernel.
    fn flush(&mut self) {
        if let Some(connection) = self.link.connection()
            && let Err(lost) = connection.flush()
        {
            self.lost.get_or_insert(lost);
        }
    }

    /// Deals with a link that broke in this turn.
    async fn settle_loss(&mut self) {
        let Some(lost) = self.lost.take() else { return };
        tracing::info!(why = %lost, "the link is lost");
        let was_in = std::mem::take(&mut self.is_in);
        self.room.clear();
        self.link.wait(self.now, lost.to_string());
        self.say_disconnected();
        self.tell_loss(was_in);
        if was_in {
            self.take(Input::Link(LinkState::Down)).await;
            self.hand_over_jobs();
        }
    }

    /// Says once for each loss that there is no link.
    pub(super) fn say_disconnected(&mut self) {
        if !std::mem::replace(&mut self.said_disconnected, true) {
            self.tell(Event::Disconnected);
        }
        self.dirt.mark_room();
    }

    /// What a login sends, once the files are open.
    pub(super) fn login(&self) -> Option<Login> {
        self.life.as_ref().map(|life| Login { user: life.user.as_str().into(), role: R::ROLE, key: life.key.clone(), lab: None })
    }

    async fn on_report(&mut self, report: Report<R::Record>) {
        match report {
            Report::Opened(files) => self.on_opened(*files).await,
            Report::NotOpened(sentence) => self.on_entry_refused(sentence),
            Report::Text(lines) if self.front.window => {
                R::on_text(&mut self.board, lines);
                self.dirt.mark();
            }
            Report::Text(_) => {}
            Report::Failed(sentence) => self.ending = Some(Ending::Failed(sentence)),
            Report::Dying(outcomes) => self.die_after(outcomes).await,
            Report::Done(outcomes) => {
                for outcome in outcomes {
                    match outcome {
                        Outcome::Durable(lsn) => self.take(Input::Durable(lsn)).await,
                        Outcome::Applied { lsn } => self.take(Input::Applied(lsn)).await,
                        Outcome::Refused(lsn) => self.take(Input::Refused(lsn)).await,
                        Outcome::Report(report) => self.report(&report),
                    }
                }
            }
        }
    }

    /// The node ends: the files are let go of, and what is seen last is published.
    async fn end(mut self, ending: Ending) -> Ending {
        if let Ending::Failed(sentence) = &ending {
            tracing::error!(sentence, "the node has stopped");
            self.tell_oddity(sentence);
            self.flush();
        }
        self.link.close();
        self.is_in = false;
        self.publish_last(&ending);
        let _ = tokio::time::timeout(CLOSING, self.disk.close()).await;
        ending
    }

    /// Tells whoever takes events.
    pub(super) fn tell(&self, event: Event) {
        if let Some(events) = &self.front.events {
            // Whoever took them is gone when the program ends.
            let _ = events.send(event);
        }
    }
}

impl Dirt {
    /// Something changed that a window shows.
    pub(super) fn mark(&mut self) {
        self.any = true;
    }

    /// Something changed that programs look at, too.
    pub(super) fn mark_room(&mut self) {
        self.any = true;
        self.room = true;
    }
}

/// Sleeps until then; without a time, for ever.
async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
