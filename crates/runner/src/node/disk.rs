//! The log's thread: it has the files, and brings them up to date with what the machine asks.
//!
//! The loop never waits for a disk. Whatever has come together while the last batch was written is
//! the next batch, so writes and syncs are shared by all that wait. A sync that hangs holds up the
//! node's promises and nothing else. Deliberately absent: a future, which could be cancelled
//! half-way through a write.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use twopc_proto::{Boundary, LogRecord, When};
use twopc_store::{Job, Lock, Opened, Outcome, Place, Store, StoreError};

use crate::crash::{Fuse, die};

/// The loop's end of the log's thread.
#[derive(Debug)]
pub(crate) struct Disk<R> {
    orders: Sender<Order<R>>,
    reports: UnboundedReceiver<(u64, Report<R>)>,
    /// Which opening of files the loop cares for: completions of an earlier one are dropped.
    life: u64,
}

/// What the loop asks of the thread.
enum Order<R> {
    /// Let go of the files that are open, if any, and open these.
    Open { life: u64, place: Place },
    /// Do these jobs, in order.
    Perform { jobs: Vec<Job<R>>, done: Option<oneshot::Sender<()>>, is_watched: bool },
}

/// What the thread tells the loop.
#[derive(Debug)]
pub(crate) enum Report<R> {
    /// The files are open.
    Opened(Box<Files<R>>),
    /// They could not be opened: a sentence.
    NotOpened(String),
    /// What became of jobs.
    Done(Vec<Outcome>),
    /// The same at the crash point, just after its effect, for a node that is watched: it tells that and
    /// dies, and if it does not, the thread does it.
    Dying(Vec<Outcome>),
    /// A person has changed the text file: these are its lines now.
    Text(Vec<String>),
    /// The disk failed: a sentence. Nothing more is written.
    Failed(String),
}

/// A name's files, as they were opened.
#[derive(Debug)]
pub(crate) struct Files<R> {
    pub(crate) key: String,
    pub(crate) text_path: Option<PathBuf>,
    pub(crate) opened: Opened<R>,
}

impl<R: LogRecord + Send + 'static> Disk<R> {
    /// Starts the thread, on this disk. With a fuse, it dies at the boundary that the fuse is about.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start<D: twopc_store::Disk + Clone>(disk: D, fuse: Option<Fuse>) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let (outbox, reports) = unbounded_channel();
        thread::Builder::new().name("log".into()).spawn(move || Thread { disk, outbox, fuse, life: 0, open: None }.run(&inbox))?;
        Ok(Self { orders, reports, life: 0 })
    }

    /// Opens the files of a name, in place of those that are open. The answer is a report.
    pub(crate) fn open(&mut self, place: Place) {
        self.life += 1;
        self.order(Order::Open { life: self.life, place });
    }

    /// Asks for jobs to be done; reports say what became of them. `is_watched`: at a crash point, what has
    /// happened is reported before the end.
    pub(crate) fn submit(&mut self, jobs: Vec<Job<R>>, is_watched: bool) {
        self.order(Order::Perform { jobs, done: None, is_watched });
    }

    /// Asks for jobs to be done, and waits until they are.
    pub(crate) async fn perform(&mut self, jobs: Vec<Job<R>>) {
        let (done, is_done) = oneshot::channel();
        self.order(Order::Perform { jobs, done: Some(done), is_watched: false });
        // Where the thread has stopped, its last report says why.
        let _ = is_done.await;
    }

    fn order(&mut self, order: Order<R>) {
        // Where the thread has stopped, its last report says why.
        let _ = self.orders.send(order);
    }

    /// The next report. Cancelling the wait loses nothing.
    pub(crate) async fn report(&mut self) -> Report<R> {
        loop {
            match self.reports.recv().await {
                Some((life, report)) if life == self.life => return report,
                Some(_) => {}
                None => return Report::Failed(FAULT.into()),
            }
        }
    }

    /// A report that is there already.
    pub(crate) fn try_report(&mut self) -> Option<Report<R>> {
        loop {
            let (life, report) = self.reports.try_recv().ok()?;
            if life == self.life {
                return Some(report);
            }
        }
    }

    /// Lets the thread finish what it was asked, and waits until it has let go of the files.
    pub(crate) async fn close(self) {
        let Self { orders, mut reports, life: _ } = self;
        drop(orders);
        while reports.recv().await.is_some() {}
    }
}

/// Said when the thread is gone, which only a fault of ours makes it be.
const FAULT: &str = "This program has a fault and its log was closed. Nothing that was committed is lost: start it again.";

/// How long a node that is watched may take to tell its last, at its crash point.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The thread's own state.
struct Thread<D: twopc_store::Disk, R: LogRecord> {
    disk: D,
    outbox: UnboundedSender<(u64, Report<R>)>,
    fuse: Option<Fuse>,
    life: u64,
    open: Option<OpenFiles<D, R>>,
}

/// Open files, and the lock that keeps others from them. The store goes first.
struct OpenFiles<D: twopc_store::Disk, R: LogRecord> {
    store: Store<D, R>,
    _lock: Lock,
}

impl<D: twopc_store::Disk + Clone, R: LogRecord + Send + 'static> Thread<D, R> {
    fn run(mut self, inbox: &Receiver<Order<R>>) {
        let mut next = inbox.recv().ok();
        while let Some(order) = next.take() {
            match order {
                Order::Open { life, place } => self.open(life, &place),
                Order::Perform { mut jobs, done, mut is_watched } => {
                    let mut waiting: Vec<oneshot::Sender<()>> = done.into_iter().collect();
                    loop {
                        match inbox.try_recv() {
                            Ok(Order::Perform { jobs: more, done, is_watched: too }) => {
                                jobs.extend(more);
                                is_watched |= too;
                                waiting.extend(done);
                            }
                            Ok(order @ Order::Open { .. }) => {
                                next = Some(order);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.perform(jobs, is_watched);
                    // Whoever waited may be gone.
                    waiting.into_iter().for_each(|done| _ = done.send(()));
                }
            }
            next = next.or_else(|| inbox.recv().ok());
        }
        // Before the outbox is closed, which is what says that the files are free.
        self.open = None;
    }

    fn open(&mut self, life: u64, place: &Place) {
        self.life = life;
        self.open = None;
        match open(self.disk.clone(), place) {
            Ok((files, open)) => {
                self.open = Some(open);
                self.tell(Report::Opened(Box::new(files)));
            }
            Err(sentence) => self.tell(Report::NotOpened(sentence)),
        }
    }

    /// Does jobs as one; with a crash point set, one by one.
    fn perform(&mut self, jobs: Vec<Job<R>>, is_watched: bool) {
        let Some(OpenFiles { store, .. }) = &mut self.open else { return };
        let done = match &mut self.fuse {
            None => store.perform(jobs),
            Some(fuse) => match perform_singly(store, fuse, jobs) {
                Ok(Singly { outcomes, is_over: false }) => Ok(outcomes),
                Ok(Singly { outcomes, is_over: true }) => return self.end(outcomes, is_watched),
                Err(error) => Err(error),
            },
        };
        match done {
            Ok(outcomes) if outcomes.is_empty() => {}
            Ok(outcomes) => {
                // Whatever is reported while a program runs is about the text file.
                let is_changed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Report(_)));
                let lines = is_changed.then(|| store.lines());
                self.tell(Report::Done(outcomes));
                match lines {
                    Some(Ok(lines)) => self.tell(Report::Text(lines)),
                    Some(Err(error)) => self.fail(&error),
                    None => {}
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The crash point's effect has happened.
    fn end(&self, outcomes: Vec<Outcome>, is_watched: bool) {
        if is_watched && !outcomes.is_empty() {
            self.tell(Report::Dying(outcomes));
            thread::sleep(LAST_WORDS);
        }
        die()
    }

    /// The disk failed: nothing more is written.
    fn fail(&mut self, error: &StoreError) {
        self.open = None;
        self.tell(Report::Failed(error.to_string()));
    }

    fn tell(&self, report: Report<R>) {
        // The loop is gone when nobody listens.
        let _ = self.outbox.send((self.life, report));
    }
}

/// What became of jobs that were done one by one.
struct Singly {
    outcomes: Vec<Outcome>,
    /// The crash point is reached: nothing more is done.
    is_over: bool,
}

/// The effect that doing this job is.
pub(crate) fn boundary_of<R: LogRecord>(job: &Job<R>) -> Boundary {
    match job {
        Job::Persist { record, .. } => Boundary::Log(record.kind()),
        Job::Apply { .. } => Boundary::Apply,
    }
}

/// Does jobs one by one, up to the one that the fuse is about; dies before that one if the fuse says so.
fn perform_singly<D: twopc_store::Disk, R: LogRecord>(
    store: &mut Store<D, R>,
    fuse: &mut Fuse,
    jobs: Vec<Job<R>>,
) -> Result<Singly, StoreError> {
    let mut outcomes = Vec::new();
    for job in jobs {
        let side = fuse.on_effect(boundary_of(&job));
        if side == Some(When::Before) {
            die();
        }
        outcomes.extend(store.perform(vec![job])?);
        if side == Some(When::After) {
            return Ok(Singly { outcomes, is_over: true });
        }
    }
    Ok(Singly { outcomes, is_over: false })
}

/// Takes the lock and opens the files.
fn open<D: twopc_store::Disk, R: LogRecord>(disk: D, place: &Place) -> Result<(Files<R>, OpenFiles<D, R>), String> {
    let mut key_material = [0; 32];
    getrandom::fill(&mut key_material).map_err(|error| format!("This system gives no random bytes for a key ({error}); try again."))?;
    let lock = Lock::take(place).map_err(|error| error.to_string())?;
    let (store, opened) = Store::open(disk, place, key_material).map_err(|error| error.to_string())?;
    let files = Files { key: store.key().text().into(), text_path: store.text_path().map(Into::into), opened };
    Ok((files, OpenFiles { store, _lock: lock }))
}
