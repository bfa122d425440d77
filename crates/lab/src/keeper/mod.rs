//! The loop that keeps a room: it starts the programs, hears of them, and ends them in order.
//!
//! It runs on one thread, which lives until the last program has ended: the system ends a child of
//! the lab with the thread that started it. What happens to a program, and what is done to one, is
//! noted in the run. Deliberately absent: how a process is started and ended ([`crate::child`]), what is
//! said of one that has ([`crate::life`]), and what the programs say to each other
//! ([`crate::observer`]).

mod deeds;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use twopc_proto::UserName;
use twopc_ui::opened::{STARTED_BY, WINDOW_IS_OPEN};
use twopc_ui::place::Place;

use crate::child::{self, Launch, News, Order, Running, until};
use crate::error::OpenError;
use crate::found;
use crate::inspection;
use crate::life::{End, Fate, Life};
use crate::member::{Common, Member, Part};
use crate::observer::{self, Observer};
use crate::printer::Printer;
use crate::room::{Program, RoomView};
use crate::run::journal::Journal;
use crate::run::moment::Written;
use crate::run::{Deed, Happening, LabKey, Stage};

/// What the relay's first line begins with; its address follows.
const LISTENING: &str = "Listening on ";
/// How long the relay may take until it listens.
const RELAY_STARTS: Duration = Duration::from_secs(10);
/// How long the next window waits for one that does not come.
const WINDOW_OPENS: Duration = Duration::from_secs(3);
/// The variable in which the relay finds the lab's key; nobody else is to have it.
const LAB_KEY: &str = "TWOPC_LAB";
/// The most participants in a room; each is a process with a window.
pub(crate) const MOST_PARTICIPANTS: usize = 64;
/// How long what a killed program told last may take on its way, should nobody say that it has left.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The name under which the lab itself prints.
const LAB: &str = "lab";

/// What the room is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Press {
    Admit(Vec<Place>, Pace),
    Do(Deed),
    Close,
    Kill,
}

/// How those who wait are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// All at once.
    Together,
    /// Each when the window of the one before is on the screen, or fails to come: the last one is
    /// then in front of the others.
    OneByOne,
}

/// Who is told of the room.
pub(crate) struct Outside {
    /// Takes what the programs print.
    pub(crate) printer: Printer,
    /// What is seen of it.
    pub(crate) publish: watch::Sender<Arc<RoomView>>,
    /// Called after each publication.
    pub(crate) wake: Arc<dyn Fn() + Send + Sync>,
    /// What was seen and done.
    pub(crate) journal: Journal,
    /// Told once whether the relay listens.
    pub(crate) opened: Option<oneshot::Sender<Result<(), OpenError>>>,
}

/// Keeps a room until it is closed and empty.
pub(crate) fn run(start: Start, presses: UnboundedReceiver<Press>, outside: Outside) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            if let Some(opened) = outside.opened {
                // Nobody to tell: the room is being dropped.
                let _ = opened.send(Err(error.into()));
            }
            return;
        }
    };
    let printer = outside.printer.clone();
    runtime.block_on(Keeper::new(start, outside).keep(presses));
    // Ends the tasks that still hold a clone of the printer.
    drop(runtime);
    printer.finish();
}

/// What a room begins with.
pub(crate) struct Start {
    /// The program that is every program of the room.
    pub(crate) program: PathBuf,
    pub(crate) common: Common,
    pub(crate) members: Vec<Member>,
    pub(crate) key: LabKey,
}

/// A program and its process.
struct Row {
    member: Member,
    /// The number of its last process.
    process: u64,
    life: Life,
    running: Option<Running>,
    /// What the lab has in mind for it.
    fate: Fate,
    /// How many records stood in its stable log when it was started, and the last of them.
    records: u64,
    began_with: Option<Written>,
    /// It is to be started again as soon as it has ended, to die there.
    next: Option<Option<String>>,
    /// It was killed, and what it told last may still be on its way: until then.
    untold_until: Option<Instant>,
    /// Where its window is to stand when it next starts.
    place: Option<Place>,
}

impl Row {
    fn seen(&self) -> Program {
        Program { member: self.member.clone(), life: self.life.clone(), began_with: self.began_with.clone() }
    }

    fn new(member: Member) -> Self {
        Self {
            member,
            process: 0,
            life: Life::Waiting,
            running: None,
            fate: Fate::Its,
            records: 0,
            began_with: None,
            next: None,
            untold_until: None,
            place: None,
        }
    }

    fn tell(&self, order: Order) {
        if let Some(running) = &self.running {
            running.tell(order);
        }
    }
}

struct Keeper {
    program: PathBuf,
    common: Common,
    rows: Vec<Row>,
    outside: Outside,
    key: LabKey,
    observer: Option<Observer>,
    leave: UnboundedSender<UserName>,
    left: UnboundedReceiver<UserName>,
    /// By the number of the row's process: rows come and go.
    hear: UnboundedSender<(u64, News)>,
    heard: UnboundedReceiver<(u64, News)>,
    /// The last number given to a process.
    processes: u64,
    /// Those who are let in after the one whose turn it is, by name.
    queue: VecDeque<String>,
    /// Whose window is awaited, and until when.
    turn: Option<(String, Instant)>,
    is_closing: bool,
}

impl Keeper {
    fn new(start: Start, outside: Outside) -> Self {
        let Start { program, common, members, key } = start;
        let (hear, heard) = unbounded_channel();
        let (leave, left) = unbounded_channel();
        Self {
            program,
            common,
            rows: members.into_iter().map(Row::new).collect(),
            outside,
            key,
            observer: None,
            leave,
            left,
            hear,
            heard,
            processes: 0,
            queue: VecDeque::new(),
            turn: None,
            is_closing: false,
        }
    }

    async fn keep(mut self, mut presses: UnboundedReceiver<Press>) {
        let late = Instant::now() + RELAY_STARTS;
        for relay in self.names_of(|row| row.member.part == Part::Relay) {
            self.start(&relay, None);
        }
        self.publish();
        while !(self.is_closing && self.rows.iter().all(|row| row.running.is_none())) {
            tokio::select! {
                biased;
                Some((process, news)) = self.heard.recv() => self.on_news(process, news),
                Some(press) = presses.recv() => self.on_press(press),
                Some(who) = self.left.recv() => self.note_untold(|row| row.member.name == who.as_str()),
                () = until(self.rows.iter().filter_map(|row| row.untold_until).min()) => {
                    let now = Instant::now();
                    self.note_untold(|row| row.untold_until.is_some_and(|until| until <= now));
                }
                () = sleep_until(late), if self.outside.opened.is_some() => self.tell_opened(Err(OpenError::RelayLate)),
                () = until(self.turn.as_ref().map(|(_, until)| *until)) => self.next_turn(),
            }
            self.publish();
        }
    }

    fn on_press(&mut self, press: Press) {
        match press {
            Press::Admit(places, pace) => self.admit(places, pace),
            Press::Do(deed) if !self.is_closing => self.act(deed),
            Press::Do(_) => {}
            Press::Close if self.is_closing => self.close(),
            Press::Close => self.act(Deed::Close),
            Press::Kill => {
                // Whoever kills everybody has seen what there was to see.
                self.note_untold(|_| true);
                self.outside.journal.end();
                self.is_closing = true;
                for row in self.rows.iter_mut().filter(|row| row.running.is_some()) {
                    row.fate = Fate::Killed;
                    row.tell(Order::Kill);
                }
            }
        }
    }

    fn on_news(&mut self, process: u64, news: News) {
        let Some(row) = self.rows.iter_mut().find(|row| row.process == process) else { return };
        let name = row.member.name.clone();
        match news {
            News::Ready(rest) => {
                row.life.on_ready();
                self.outside.journal.note(Happening::Process { program: name.clone(), stage: Stage::Ready });
                match row.member.part {
                    Part::Relay => self.on_listening(rest.split_whitespace().next().unwrap_or_default()),
                    Part::Participant | Part::Coordinator => {}
                }
            }
            News::Ended(status, said) => {
                row.running = None;
                row.life.on_exit(status, said, &row.fate);
                self.on_ended(&name);
                let next = self.row(&name).and_then(|row| row.next.take()).filter(|_| !self.is_closing);
                if let Some(crash_at) = next {
                    self.start(&name, crash_at);
                }
            }
        }
        if self.is_closing {
            self.close();
        } else if self.turn.as_ref().is_some_and(|(whose, _)| *whose == name) {
            self.next_turn();
        }
    }

    /// The relay says where it listens.
    fn on_listening(&mut self, address: &str) {
        self.common.on_listening(address);
        if self.observer.is_none() {
            let (journal, leave) = (self.outside.journal.clone(), self.leave.clone());
            self.observer = Some(observer::watch(self.common.relay.clone(), self.key.clone(), journal, leave));
        }
        // Whoever opened the room finds the address in what is seen of it.
        self.publish();
        self.tell_opened(Ok(()));
    }

    fn on_ended(&mut self, name: &str) {
        let Some(row) = self.rows.iter().find(|row| row.member.name == name) else { return };
        let Life::Ended(end) = &row.life else { return };
        let stage = Stage::Ended { killed: end.was_killed(), how: end.sentence() };
        self.outside.journal.note(Happening::Process { program: name.into(), stage });
        let was_killed = end.was_killed();
        match end {
            // What it said has been printed in its own name; what was wanted is seen in the window.
            End::Stopped | End::Left | End::Failed(_) | End::AtPoint(_) | End::KilledHere => {}
            End::Overdue | End::Status(_) | End::Killed(_) | End::Untold | End::NotStarted(_) => {
                self.outside.printer.print(LAB, &format!("{}: {}", row.member.name, end.sentence()));
            }
        }
        if row.member.part == Part::Relay {
            let error = match end {
                End::Failed(said) => OpenError::Refused(said.clone()),
                End::Stopped
                | End::Overdue
                | End::Left
                | End::AtPoint(_)
                | End::KilledHere
                | End::Status(_)
                | End::Killed(_)
                | End::Untold
                | End::NotStarted(_) => OpenError::RelayEnded(end.clone()),
            };
            self.tell_opened(Err(error));
        }
        if was_killed && let Some(row) = self.row(name) {
            row.untold_until = Some(Instant::now() + LAST_WORDS);
        }
    }

    /// Notes what stands in the logs of those who were killed, now that their last words are here.
    fn note_untold(&mut self, whose: impl Fn(&Row) -> bool) {
        for row in self.rows.iter_mut().filter(|row| row.untold_until.is_some() && whose(row)) {
            row.untold_until = None;
            found::note_untold(&row.member, &self.common.data_dir, row.records, &self.outside.journal);
        }
    }

    fn tell_opened(&mut self, result: Result<(), OpenError>) {
        if let Some(opened) = self.outside.opened.take() {
            // Nobody to tell: the room is being dropped.
            let _ = opened.send(result);
        }
    }

    fn admit(&mut self, places: Vec<Place>, pace: Pace) {
        let waiting = self.names_of(|row| row.life == Life::Waiting);
        let mut places = places.into_iter();
        for row in self.rows.iter_mut().filter(|row| row.life == Life::Waiting && row.member.part.has_window()) {
            row.place = places.next();
        }
        if self.is_closing {
            return;
        }
        match pace {
            Pace::Together => waiting.iter().for_each(|name| self.start(name, None)),
            Pace::OneByOne => {
                self.queue.extend(waiting);
                self.next_turn();
            }
        }
    }

    /// Lets the next one in, who has some time to show its window.
    fn next_turn(&mut self) {
        self.turn = self.queue.pop_front().map(|name| (name, Instant::now() + WINDOW_OPENS));
        if let Some((name, _)) = self.turn.clone() {
            self.start(&name, None);
        }
    }

    fn row(&mut self, name: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.member.name == name)
    }

    fn start(&mut self, name: &str, crash_at: Option<String>) {
        let Some(index) = self.rows.iter().position(|row| row.member.name == name && row.running.is_none()) else { return };
        let window = self.rows.iter().take(index).filter(|row| row.member.part.has_window()).count();
        self.processes += 1;
        let process = self.processes;
        let row = &mut self.rows[index];
        row.process = process;
        if row.untold_until.take().is_some() {
            found::note_untold(&row.member, &self.common.data_dir, row.records, &self.outside.journal);
        }
        row.fate = crash_at.clone().map_or(Fate::Its, Fate::CrashAt);
        let records = found::records_of(&row.member, &self.common.data_dir);
        row.records = records.len() as u64;
        row.began_with = records.into_iter().next_back().map(|(record, txn)| Written { lsn: row.records, record, txn });
        let has_window = row.member.part.has_window();
        let lab_inspection = std::env::var(inspection::VARIABLE).ok().filter(|_| has_window);
        let launch = Launch {
            name: row.member.name.clone(),
            program: self.program.clone(),
            arguments: row.member.arguments(&self.common, crash_at.as_deref()),
            variables: vec![
                (STARTED_BY, Some(std::process::id().to_string())),
                (inspection::VARIABLE, inspection::of_window(lab_inspection.as_deref(), window)),
                (Place::VARIABLE, row.place.take().map(|place| place.to_string())),
                (LAB_KEY, (row.member.part == Part::Relay).then(|| String::from(self.key.text()))),
            ],
            is_typed_to: self.common.headless && has_window,
            ready: match row.member.part {
                Part::Relay => Some(LISTENING),
                Part::Participant | Part::Coordinator => (!self.common.headless).then_some(WINDOW_IS_OPEN),
            },
        };
        let hear = self.hear.clone();
        let news = move |news| {
            // The room is gone, and this process with it.
            let _ = hear.send((process, news));
        };
        match child::start(&launch, &self.outside.printer, news) {
            Ok(running) => {
                let note = |stage| self.outside.journal.note(Happening::Process { program: name.into(), stage });
                note(Stage::Started { pid: running.pid, crash_at });
                row.life = Life::Starting { pid: running.pid };
                row.running = Some(running);
                if launch.ready.is_none() {
                    row.life.on_ready();
                    note(Stage::Ready);
                }
            }
            Err(error) => {
                row.life = Life::Ended(End::NotStarted(error.to_string()));
                self.on_ended(name);
            }
        }
    }

    fn stop(&mut self, name: &str) {
        let Some(row) = self.row(name) else { return };
        if let (Some(running), Ok(())) = (&row.running, row.life.can_stop()) {
            running.tell(Order::End);
            row.life.on_stop();
        }
    }

    /// Asks those to end whose turn it is: the relay is the last, so that the others can say goodbye.
    fn close(&mut self) {
        self.is_closing = true;
        self.queue.clear();
        self.turn = None;
        let talking = self.names_of(|row| row.running.is_some() && row.member.part != Part::Relay);
        if talking.is_empty() {
            self.observer = None;
        }
        let turn = if talking.is_empty() { self.names_of(|_| true) } else { talking };
        for name in turn {
            // Whoever is frozen cannot say goodbye.
            if let Some(row) = self.row(&name).filter(|row| matches!(row.life, Life::Frozen { .. })) {
                row.tell(Order::Thaw);
                row.life.on_thaw();
            }
            self.stop(&name);
        }
    }

    fn names_of(&self, which: impl Fn(&Row) -> bool) -> Vec<String> {
        self.rows.iter().filter(|row| which(row)).map(|row| row.member.name.clone()).collect()
    }

    fn publish(&mut self) {
        let programs = self.rows.iter().map(Row::seen).collect();
        let view = RoomView { relay: self.common.relay.clone(), programs };
        let is_new = self.outside.publish.send_if_modified(|seen| {
            let is_new = **seen != view;
            *seen = Arc::new(view);
            is_new
        });
        if is_new {
            (self.outside.wake)();
        }
    }
}
