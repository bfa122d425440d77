//! The room: who comes and goes, and what is passed on to whom.
//!
//! Everything that has an order happens under one lock: a frame gets its number, is put into every
//! outbox that it belongs in and into the record before the next one does, so all windows show one
//! order. Under the lock nothing waits, and nothing is read or written.
//!
//! Deliberately absent: what a protocol message says. Of its body the room knows the length.

mod bench;
mod history;
mod members;
mod traffic;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{Local, Utc};
use tokio::sync::Notify;
use twopc_proto::frame::{DATE, ErrorCode, Frame, Person, Refusal, RelayFrames, Stamp, Welcome};
use twopc_proto::text::Shown;
use twopc_proto::{Role, UserName};

use crate::beside::Beside;
use crate::chronicle::Chronicle;
use crate::names::KeyHash;
use crate::outbox::{Debt, Delivery, End, Outbox, Totals};
use crate::screen::Print;
use bench::Bench;
use history::History;
use members::{Member, Members};

/// The room.
#[derive(Debug)]
pub(crate) struct Room {
    state: Mutex<State>,
    frames: RelayFrames,
    doors: Doors,
    totals: Arc<Totals>,
    /// How much of its own a sender may have under way.
    window: AtomicUsize,
    record: Beside<Arc<[u8]>>,
    screen: Beside<Print>,
    opened: Instant,
    /// Told when a delayed message is the next to go on.
    delayed: Notify,
}

/// Who may come in.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Tells this life of the relay from others.
    pub(crate) room: String,
    pub(crate) max_users: usize,
    /// Whether observers may come.
    pub(crate) has_lab: bool,
}

#[derive(Debug, Default)]
struct State {
    members: Members,
    /// The last number given to a frame.
    seq: u64,
    /// The last number given to a login.
    tickets: u64,
    history: History,
    chronicle: Chronicle,
    bench: Bench,
}

/// A place in the room: what a connection holds after its login.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) name: UserName,
    pub(crate) role: Role,
    pub(crate) outbox: Arc<Outbox>,
    ticket: u64,
}

/// Who says a chat line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker<'a> {
    /// Somebody who is logged in.
    Member(&'a Seat),
    /// Somebody who is not, over plain HTTP.
    Guest(&'a UserName),
}

/// Why somebody is taken out of the room.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    ByItself,
    TooSlow,
    Replaced,
}

impl Room {
    /// An empty room; `host` is the address that the relay listens on.
    pub(crate) fn new(doors: Doors, host: &str, totals: Arc<Totals>, record: Beside<Arc<[u8]>>, screen: Beside<Print>) -> Self {
        let (frames, opened, delayed) = (RelayFrames::new(host), Instant::now(), Notify::new());
        Self { state: Mutex::default(), frames, doors, totals, window: AtomicUsize::new(window(0)), record, screen, opened, delayed }
    }

    /// The writer of the relay's own frames.
    pub(crate) fn frames(&self) -> &RelayFrames {
        &self.frames
    }

    pub(crate) fn doors(&self) -> &Doors {
        &self.doors
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Whether whoever has this much under way has to wait before adding to it.
    pub(crate) fn is_too_fast(&self, debt: &Debt) -> bool {
        debt.bytes() >= self.window.load(Ordering::Relaxed) || self.totals.are_congested()
    }

    /// Whether somebody who shows this key could come in under this name now.
    pub(crate) fn admit(&self, name: &UserName, key: &str) -> Result<(), Refusal> {
        self.lock().members.admit(name, key, self.doors.max_users)
    }

    /// Whether the name is in use.
    pub(crate) fn holds(&self, name: &UserName) -> bool {
        self.lock().members.contain(name)
    }

    /// Comes in: an older connection of the same name is told and ended, everyone else is told,
    /// and the welcome and the history wait in the new one's outbox. `hash` is the key's.
    pub(crate) fn enter(&self, person: &Person, key: &str, hash: KeyHash) -> Result<Seat, Refusal> {
        let Person { user: name, role } = person;
        let mut state = self.lock();
        state.members.admit(name, key, self.doors.max_users)?;
        let mut late = self.remove(&mut state, name, Leaving::Replaced);
        late.extend(state.members.tell_all(&Delivery::own(self.frames.joined(person))));
        state.tickets += 1;
        let seat = Seat { name: name.clone(), role: *role, outbox: Outbox::new(&self.totals), ticket: state.tickets };
        let member = Member { role: *role, ticket: seat.ticket, key: hash, outbox: Arc::clone(&seat.outbox) };
        state.members.add(name, member);
        self.welcome(&mut state, &seat);
        self.say(&mut state, format!("Client ({name}) connected"));
        if *role == Role::Coordinator {
            self.say(&mut state, "Coordinator discovered".into());
        }
        self.settle(&mut state, late);
        Ok(seat)
    }

    /// Goes out. Nothing happens if the seat is somebody else's by now, or nobody's.
    pub(crate) fn leave(&self, seat: &Seat) {
        let mut state = self.lock();
        if state.members.seat(seat) {
            let late = self.remove(&mut state, &seat.name, Leaving::ByItself);
            self.settle(&mut state, late);
        }
    }

    /// Passes a chat line on to everybody. `frame` is what came; its body is one line of text.
    pub(crate) fn chat(&self, speaker: Speaker<'_>, frame: &Frame, debt: &Arc<Debt>) -> Result<(), Refusal> {
        let (from, role, mark) = match speaker {
            Speaker::Member(seat) => (&seat.name, seat.role, ""),
            Speaker::Guest(name) => (name, Role::Guest, " (guest)"),
        };
        let line = format!("[{from}{mark}]: {}", Shown::new(&String::from_utf8_lossy(frame.body())));
        let print = Print::Message(frame.clone(), Local::now());
        let date = Utc::now().format(DATE).to_string();
        let mut state = self.lock();
        match speaker {
            Speaker::Member(seat) if !state.members.seat(seat) => return Ok(()),
            Speaker::Guest(name) if state.members.contain(name) => return Err(name_taken(name)),
            Speaker::Member(_) | Speaker::Guest(_) => {}
        }
        state.seq += 1;
        let stamp = Stamp { from, role, seq: state.seq };
        let stamped: Arc<[u8]> = self.frames.chat(&stamp, role == Role::Coordinator, &date, frame.body()).into();
        let late = state.members.tell_all(&Delivery::owed(Arc::clone(&stamped), debt));
        state.history.add(Arc::clone(&stamped));
        state.chronicle.add(line.into());
        self.record.put(stamped.len(), stamped);
        self.screen.put(print.size(), print);
        self.settle(&mut state, late);
        Ok(())
    }

    /// Passes on to the observers what a node says that it does.
    pub(crate) fn trace(&self, seat: &Seat, body: &[u8], debt: &Arc<Debt>) {
        let mut state = self.lock();
        if state.members.seat(seat) {
            let late = state.members.tell_observers(&Delivery::owed(self.frames.trace(&seat.name, seat.role, body), debt));
            self.settle(&mut state, late);
        }
    }

    /// Everybody who is logged in.
    pub(crate) fn people(&self) -> Vec<Person> {
        self.lock().members.people()
    }

    /// The chat and the notices of this life, oldest first.
    pub(crate) fn lines(&self) -> Vec<Arc<str>> {
        self.lock().chronicle.lines()
    }

    /// From now on every line of chat and every notice also goes there.
    pub(crate) fn follow(&self) -> Arc<Outbox> {
        let follower = Outbox::new(&self.totals);
        self.lock().chronicle.follow(Arc::clone(&follower));
        follower
    }

    /// An outbox for what somebody is to have who is not in the room. Nobody is made to wait for it.
    pub(crate) fn lend(&self, pieces: Vec<Vec<u8>>) -> Arc<Outbox> {
        let reader = Outbox::new(&self.totals);
        reader.wait_for_it(false);
        for piece in pieces {
            reader.push(Delivery::own(piece));
        }
        reader
    }

    /// What was lent has not been taken at once: it is the room's to cut off where too much waits.
    pub(crate) fn keep(&self, reader: &Arc<Outbox>) {
        let mut state = self.lock();
        state.chronicle.lend(Arc::clone(reader));
        self.settle(&mut state, Vec::new());
    }

    /// Nothing more goes to somebody who followed the room, or to whom something was lent.
    pub(crate) fn stop(&self, reader: &Arc<Outbox>) {
        self.lock().chronicle.leave(reader);
    }

    /// A line for people at the relay only.
    pub(crate) fn print(&self, line: String) {
        self.screen.put(line.len(), Print::Line(line));
    }

    /// Writes and prints what is still to be written and printed.
    pub(crate) fn close(&self, patience: Duration) {
        self.record.finish(patience);
        self.screen.finish(patience);
    }

    /// Puts into a newcomer's outbox who is here, for an observer what holds, and what was said.
    fn welcome(&self, state: &mut State, seat: &Seat) {
        self.window.store(window(state.members.count()), Ordering::Relaxed);
        let (room, users, trace) = (self.doors.room.clone(), state.members.people(), self.doors.has_lab);
        let welcome = Welcome { user: seat.name.clone(), role: seat.role, room, users, seq: state.seq, trace };
        seat.outbox.push(Delivery::own(self.frames.welcome(&welcome)));
        if seat.role == Role::Observer {
            seat.outbox.push(Delivery::own(self.frames.lab(&state.bench.rules())));
        }
        for frame in state.history.frames() {
            seat.outbox.push(Delivery::own(frame));
        }
    }

    /// A notice: printed, and part of what `/log` and `/events` show.
    fn say(&self, state: &mut State, notice: String) {
        state.chronicle.add(notice.as_str().into());
        self.print(notice);
    }

    /// Takes somebody out and tells the others; returns those of them for whom too much waits now.
    fn remove(&self, state: &mut State, name: &UserName, leaving: Leaving) -> Vec<UserName> {
        let Some(member) = state.members.remove(name) else { return Vec::new() };
        self.window.store(window(state.members.count()), Ordering::Relaxed);
        match leaving {
            Leaving::ByItself => {}
            Leaving::TooSlow => member.outbox.end(End::Cut),
            Leaving::Replaced => {
                let message = format!("{name} has logged in again elsewhere, so this connection ends.");
                let refusal = Refusal::closing(409, ErrorCode::Replaced, message);
                member.outbox.push(Delivery::own(self.frames.error(&refusal)));
                member.outbox.end(End::Finish);
            }
        }
        self.say(state, format!("Client ({name}) is offline"));
        let person = Person { user: name.clone(), role: member.role };
        state.members.tell_all(&Delivery::own(self.frames.left(&person)))
    }

    /// What follows from whatever has just happened: without observers nothing is held; those for whom
    /// too much waits are dropped, and, while too much waits in all, the largest.
    fn settle(&self, state: &mut State, mut late: Vec<UserName>) {
        loop {
            if !state.members.are_watched() && !state.bench.is_clear() {
                late.extend(self.clear_bench(state));
            }
            if late.is_empty() && self.totals.are_over() {
                let largest = state.members.largest().map(|(name, waiting)| (name.clone(), waiting));
                if state.chronicle.cut_largest(largest.as_ref().map_or(0, |(_, waiting)| *waiting)) {
                    continue;
                }
                late.extend(largest.map(|(name, _)| name));
            }
            let Some(name) = late.pop() else { return };
            late.extend(self.remove(state, &name, Leaving::TooSlow));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of its own a sender may have under way: less, the more people are in the room, so that
/// all of them together stay far below what may wait for one.
fn window(people: usize) -> usize {
    const TOGETHER: usize = 4 * 1024 * 1024;
    (TOGETHER / people.max(1)).clamp(16 * 1024, 256 * 1024)
}

/// The refusal of a name that is somebody else's.
pub(crate) fn name_taken(name: &UserName) -> Refusal {
    let message = format!(
        "The name {name} is taken; choose another. If it is yours and its key is lost, whoever keeps the room frees it: \
         twopc-server --forget {name}"
    );
    Refusal::new(409, ErrorCode::NameTaken, message)
}
