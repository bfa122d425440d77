//! The loop that keeps a room: it starts the programs, hears of them, and ends them in order.
//!
//! It runs on one thread, which lives until the last program has ended: the system ends a child of
//! the lab with the thread that started it. Deliberately absent: how a process is started and ended
//! ([`crate::child`]), and what is said of one that has ([`crate::life`]).

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use twopc_ui::opened::{STARTED_BY, WINDOW_IS_OPEN};
use twopc_ui::place::Place;

use crate::child::{self, Launch, News, Order, Running, until};
use crate::error::OpenError;
use crate::inspection;
use crate::life::{End, Life};
use crate::member::{Common, Member, Part};
use crate::printer::Printer;
use crate::room::{Program, RoomView};

/// What the relay's first line begins with; its address follows.
const LISTENING: &str = "Listening on ";
/// How long the relay may take until it listens.
const RELAY_STARTS: Duration = Duration::from_secs(10);
/// How long the next window waits for one that does not come.
const WINDOW_OPENS: Duration = Duration::from_secs(3);
/// The name under which the lab itself prints.
const LAB: &str = "lab";

/// What the room is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Press {
    Admit(Vec<Place>, Pace),
    Start(usize),
    Stop(usize),
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
    pub(crate) wake: Box<dyn Fn() + Send>,
    /// Told once whether the relay listens.
    pub(crate) opened: Option<oneshot::Sender<Result<(), OpenError>>>,
}

/// Keeps a room until it is closed and empty.
pub(crate) fn run(program: PathBuf, common: Common, members: Vec<Member>, presses: UnboundedReceiver<Press>, outside: Outside) {
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
    runtime.block_on(Keeper::new(program, common, members, outside).keep(presses));
    // Ends the tasks that still hold a clone of the printer.
    drop(runtime);
    printer.finish();
}

/// A program and its process.
struct Row {
    member: Member,
    life: Life,
    running: Option<Running>,
    /// Where its window is to stand when it next starts.
    place: Option<Place>,
}

struct Keeper {
    program: PathBuf,
    common: Common,
    rows: Vec<Row>,
    outside: Outside,
    hear: UnboundedSender<(usize, News)>,
    heard: UnboundedReceiver<(usize, News)>,
    /// Those who are let in after the one whose turn it is.
    queue: VecDeque<usize>,
    /// Whose window is awaited, and until when.
    turn: Option<(usize, Instant)>,
    is_closing: bool,
}

impl Keeper {
    fn new(program: PathBuf, common: Common, members: Vec<Member>, outside: Outside) -> Self {
        let (hear, heard) = unbounded_channel();
        let rows = members.into_iter().map(|member| Row { member, life: Life::Waiting, running: None, place: None }).collect();
        Self { program, common, rows, outside, hear, heard, queue: VecDeque::new(), turn: None, is_closing: false }
    }

    async fn keep(mut self, mut presses: UnboundedReceiver<Press>) {
        let late = Instant::now() + RELAY_STARTS;
        for index in self.indices_of(|row| row.member.part == Part::Relay) {
            self.start(index);
        }
        self.publish();
        while !(self.is_closing && self.rows.iter().all(|row| row.running.is_none())) {
            tokio::select! {
                biased;
                Some((index, news)) = self.heard.recv() => self.on_news(index, news),
                Some(press) = presses.recv() => self.on_press(press),
                () = sleep_until(late), if self.outside.opened.is_some() => self.tell_opened(Err(OpenError::RelayLate)),
                () = until(self.turn.map(|(_, until)| until)) => self.next_turn(),
            }
            self.publish();
        }
    }

    fn on_press(&mut self, press: Press) {
        match press {
            Press::Admit(places, pace) => self.admit(places, pace),
            Press::Start(index) if !self.is_closing => self.start(index),
            Press::Start(_) => {}
            Press::Stop(index) => self.stop(index),
            Press::Close => self.close(),
            Press::Kill => {
                self.is_closing = true;
                for running in self.rows.iter().filter_map(|row| row.running.as_ref()) {
                    running.tell(Order::Kill);
                }
            }
        }
    }

    fn on_news(&mut self, index: usize, news: News) {
        let Some(row) = self.rows.get_mut(index) else { return };
        match news {
            News::Ready(rest) => {
                row.life.on_ready();
                match row.member.part {
                    Part::Relay => self.on_listening(rest.split_whitespace().next().unwrap_or_default()),
                    Part::Participant | Part::Coordinator => {}
                }
            }
            News::Ended(status, said) => {
                row.running = None;
                row.life.on_exit(status, said);
                self.on_ended(index);
            }
        }
        if self.is_closing {
            self.close();
        } else if self.turn.is_some_and(|(whose, _)| whose == index) {
            self.next_turn();
        }
    }

    /// The relay says where it listens.
    fn on_listening(&mut self, address: &str) {
        self.common.on_listening(address);
        // Whoever opened the room finds the address in what is seen of it.
        self.publish();
        self.tell_opened(Ok(()));
    }

    fn on_ended(&mut self, index: usize) {
        let row = &self.rows[index];
        let Life::Ended(end) = &row.life else { return };
        match end {
            // What it said has been printed in its own name.
            End::Stopped | End::Left | End::Failed(_) => {}
            End::Overdue | End::Status(_) | End::Killed(_) | End::Untold | End::NotStarted(_) => {
                self.outside.printer.print(LAB, &format!("{}: {}", row.member.name, end.sentence()));
            }
        }
        if row.member.part == Part::Relay {
            let error = match end {
                End::Failed(said) => OpenError::Refused(said.clone()),
                End::Stopped | End::Overdue | End::Left | End::Status(_) | End::Killed(_) | End::Untold | End::NotStarted(_) => {
                    OpenError::RelayEnded(end.clone())
                }
            };
            self.tell_opened(Err(error));
        }
    }

    fn tell_opened(&mut self, result: Result<(), OpenError>) {
        if let Some(opened) = self.outside.opened.take() {
            // Nobody to tell: the room is being dropped.
            let _ = opened.send(result);
        }
    }

    fn admit(&mut self, places: Vec<Place>, pace: Pace) {
        let waiting = self.indices_of(|row| row.life == Life::Waiting);
        let mut places = places.into_iter();
        for &index in &waiting {
            if self.rows[index].member.part.has_window() {
                self.rows[index].place = places.next();
            }
        }
        if self.is_closing {
            return;
        }
        match pace {
            Pace::Together => waiting.into_iter().for_each(|index| self.start(index)),
            Pace::OneByOne => {
                self.queue.extend(waiting);
                self.next_turn();
            }
        }
    }

    /// Lets the next one in, who has some time to show its window.
    fn next_turn(&mut self) {
        self.turn = self.queue.pop_front().map(|index| (index, Instant::now() + WINDOW_OPENS));
        if let Some((index, _)) = self.turn {
            self.start(index);
        }
    }

    fn start(&mut self, index: usize) {
        let window = self.rows.iter().take(index).filter(|row| row.member.part.has_window()).count();
        let Some(row) = self.rows.get_mut(index).filter(|row| row.running.is_none()) else { return };
        let has_window = row.member.part.has_window();
        let lab_inspection = std::env::var(inspection::VARIABLE).ok().filter(|_| has_window);
        let launch = Launch {
            name: row.member.name.clone(),
            program: self.program.clone(),
            arguments: row.member.arguments(&self.common),
            variables: vec![
                (STARTED_BY, Some(std::process::id().to_string())),
                (inspection::VARIABLE, inspection::of_window(lab_inspection.as_deref(), window)),
                (Place::VARIABLE, row.place.take().map(|place| place.to_string())),
            ],
            ready: match row.member.part {
                Part::Relay => Some(LISTENING),
                Part::Participant | Part::Coordinator => (!self.common.headless).then_some(WINDOW_IS_OPEN),
            },
        };
        let hear = self.hear.clone();
        let news = move |news| {
            // The room is gone, and this process with it.
            let _ = hear.send((index, news));
        };
        match child::start(&launch, &self.outside.printer, news) {
            Ok(running) => {
                row.life = Life::Starting { pid: running.pid };
                row.running = Some(running);
                if launch.ready.is_none() {
                    row.life.on_ready();
                }
            }
            Err(error) => {
                row.life = Life::Ended(End::NotStarted(error.to_string()));
                self.on_ended(index);
            }
        }
    }

    fn stop(&mut self, index: usize) {
        let Some(row) = self.rows.get_mut(index) else { return };
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
        let talking = self.indices_of(|row| row.running.is_some() && row.member.part != Part::Relay);
        let turn = if talking.is_empty() { self.indices_of(|_| true) } else { talking };
        for index in turn {
            self.stop(index);
        }
    }

    fn indices_of(&self, which: impl Fn(&Row) -> bool) -> Vec<usize> {
        self.rows.iter().enumerate().filter(|(_, row)| which(row)).map(|(index, _)| index).collect()
    }

    fn publish(&mut self) {
        let programs = self.rows.iter().map(|row| Program { member: row.member.clone(), life: row.life.clone() }).collect();
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
