//! A node as a process on a simulated machine: it starts on what its disk holds, runs the production
//! machine over the production store, and dies.
//!
//! `life` has its starts and deaths, `harm` what goes wrong with it, `turn` what a running node does with
//! what happens to it, `link` its connection, `jobs` its disk, `role` what differs between the roles. The loop is the runner's in small: frames, disk,
//! people and timers give the machine its inputs; what came of a turn shares one batch of the log and
//! one write to the socket. Deliberately absent: a second protocol.

mod harm;
mod jobs;
mod life;
mod link;
mod role;
mod timers;
mod turn;

use std::collections::VecDeque;
use std::time::Duration;

use jobs::Busy;
use link::Link;
pub(super) use role::{Inhabitant, Press, Wanted};
use timers::Timers;
use twopc_proto::frame::{ClientFrames, Login};
use twopc_proto::{Boundary, LogRecord, Role, Settings, UserName, When};
use twopc_store::{Job, Opened, Place, Store, StoreError};

use super::clock::Time;
use super::disk::SimDisk;
use super::faults::{Damage, Fault};
use super::judge::Outlook;
use super::network::{Parcel, Wire};
use super::plan::{Plan, Restart};
use super::run::{Env, Event};
use crate::chance::Chance;
use crate::mutants::{Broken, Mutant};

/// How long a leaving node waits for its disk and for the relay.
const FAREWELL: Duration = Duration::from_secs(4);

/// Something that happens to a node, other than that bytes arrive.
#[derive(Clone, Debug)]
pub(super) enum Knock {
    /// Somebody starts it.
    Start,
    /// Its files are open, or cannot be.
    Opened,
    /// Its disk has done what it was asked.
    Done,
    /// A timer may be due.
    Clock,
    /// It is time to try the relay again.
    Connect,
    /// It is time to ask once more for this connection.
    Call(Wire, u32),
    /// The relay does not answer on this connection.
    Unreached(Wire),
    /// The relay may have been silent for too long.
    Silence(Wire),
    /// A person presses something.
    Press(Press),
    /// A leaving node waits no longer.
    Farewell,
}

/// A node, whatever its role.
pub(super) trait Program {
    /// Something happens to it in that life.
    fn knock(&mut self, life: u64, knock: Knock, env: &mut Env);
    /// A person presses something, whether it runs or not.
    fn press(&mut self, press: Press, env: &mut Env);
    /// Something arrives on a connection.
    fn arrive(&mut self, wire: Wire, parcel: Parcel, env: &mut Env);
    /// Something goes wrong with it.
    fn suffer(&mut self, fault: &Fault, env: &mut Env);
    /// It is frozen no longer.
    fn thaw(&mut self, env: &mut Env);
    /// Faults are over.
    fn heal(&mut self, restart: Restart, env: &mut Env);
    /// Somebody starts it, if it is down.
    fn start(&mut self, env: &mut Env);
    /// It is killed, and nobody starts it for a long while.
    fn stay_away(&mut self, env: &mut Env);
    /// When its disk is done with what it is at, if it is at something.
    fn rests_at(&self) -> Option<Time>;
    /// What its window would show.
    fn outlook(&self) -> Outlook;
    /// Its text file.
    fn text(&self) -> Option<Vec<u8>>;
    /// Its log.
    fn log(&self) -> Option<Vec<u8>>;
    /// Its disk.
    fn disk(&self) -> &SimDisk;
    /// Judges what its files hold in the end.
    fn judge_files(&self, env: &mut Env);
}

/// A node of one role.
pub(super) struct Node<M: Inhabitant> {
    who: usize,
    place: Place,
    settings: Settings,
    mutant: Option<Mutant>,
    singly: bool,
    compacts_at: Option<u64>,
    disk: SimDisk,
    chance: Chance,
    /// Rises when it starts and when it dies: what was meant for an earlier life is dropped.
    life: u64,
    process: Process<M>,
    is_frozen: bool,
    backlog: Vec<Late>,
    fuses: VecDeque<Fuse>,
    /// It dies again, at that call of its disk after the next start.
    again: Option<u64>,
    /// Its disk has had trouble in this life, so it may stop.
    was_troubled: bool,
    /// What was done to its files.
    damage: Option<Damage>,
    /// It has lost everything, its key too, and does not know it.
    is_impostor: bool,
    out: Option<&'static str>,
}

/// What a frozen node has not taken yet.
enum Late {
    Knock(u64, Knock),
    Parcel(Wire, Parcel),
}

/// A crash point that waits for its effect.
#[derive(Clone, Copy, Debug)]
struct Fuse {
    when: When,
    boundary: Boundary,
    fate: Fate,
}

/// How a node dies, and what comes after.
#[derive(Clone, Copy, Debug)]
struct Fate {
    power: bool,
    down: Duration,
    again: Option<u64>,
}

type SimStore<R> = Store<Broken<SimDisk>, R>;
type Opening<R> = Result<(SimStore<R>, Opened<R>), StoreError>;

enum Process<M: Inhabitant> {
    Down,
    /// The files are being opened since then.
    Opening {
        since: Time,
        until: Time,
        files: Option<Box<Opening<M::Record>>>,
    },
    Up(Box<Running<M>>),
}

/// A node that runs.
struct Running<M: Inhabitant> {
    machine: M,
    store: SimStore<M::Record>,
    login: Login,
    frames: ClientFrames,
    timers: Timers<M::Timer>,
    /// When its clock wakes it next.
    wakes: Option<Time>,
    jobs: VecDeque<Job<M::Record>>,
    busy: Option<Busy>,
    /// Every record of its log, durable or not.
    written: Vec<M::Record>,
    /// How many of them it was told are durable.
    durable: usize,
    link: Link,
    /// How long it waits before the next attempt but one.
    patience: Duration,
    /// It has been in the room in this life.
    was_in: bool,
    /// What it says in this turn.
    out: Vec<u8>,
    /// It leaves, and is started again after that.
    leaves: Option<Duration>,
    request: Option<Press>,
    /// When a vote was heard last, and when a timer ended the time for one.
    voted: Time,
    timed_out: Time,
}

impl<M: Inhabitant> Node<M> {
    /// A node that has never run.
    pub(super) fn new(plan: &Plan, who: usize, user: UserName) -> Self {
        let place = Place { dir: "/home/data".into(), user, role: M::ROLE };
        let mut chance = Chance::of(plan.seed, 100 + who as u64);
        let disk = SimDisk::new(Chance::new(chance.number()), plan.habits.pace, place.text());
        Self {
            who,
            place,
            settings: Settings { grace: plan.habits.grace, expect: 1 },
            mutant: plan.mutant,
            singly: plan.habits.singly,
            compacts_at: plan.habits.compacts_at,
            disk,
            chance,
            life: 0,
            process: Process::Down,
            is_frozen: false,
            backlog: Vec::new(),
            fuses: VecDeque::new(),
            again: None,
            was_troubled: false,
            damage: None,
            is_impostor: false,
            out: None,
        }
    }

    fn name(&self) -> &UserName {
        &self.place.user
    }

    fn running(&mut self) -> Option<&mut Running<M>> {
        match &mut self.process {
            Process::Up(running) => Some(running),
            Process::Down | Process::Opening { .. } => None,
        }
    }

    fn knock_at(&self, at: Time, knock: Knock, env: &mut Env) {
        env.agenda.add(at, Event::Knock(self.who, self.life, knock));
    }
}

impl<M: Inhabitant> Program for Node<M> {
    fn knock(&mut self, life: u64, knock: Knock, env: &mut Env) {
        if life != self.life {
            return;
        }
        if self.is_frozen {
            self.backlog.push(Late::Knock(life, knock));
            return;
        }
        match knock {
            Knock::Start => self.begin(env),
            Knock::Opened => self.on_opened(env),
            Knock::Done => self.on_done(env),
            Knock::Clock => self.on_clock(env),
            Knock::Connect => self.connect(env),
            Knock::Call(wire, tries) => self.call(wire, tries, env),
            Knock::Unreached(wire) => self.on_unreached(wire, env),
            Knock::Silence(wire) => self.on_silence(wire, env),
            Knock::Press(press) => self.on_press(press, env),
            Knock::Farewell => self.go(env),
        }
        self.end_turn(env);
    }

    fn press(&mut self, press: Press, env: &mut Env) {
        if matches!(self.process, Process::Up(_)) {
            let life = self.life;
            self.knock(life, Knock::Press(press), env);
        } else {
            self.press_later(press, env);
        }
    }

    fn arrive(&mut self, wire: Wire, parcel: Parcel, env: &mut Env) {
        if self.is_frozen {
            self.backlog.push(Late::Parcel(wire, parcel));
            return;
        }
        self.on_parcel(wire, parcel, env);
        self.end_turn(env);
    }

    fn suffer(&mut self, fault: &Fault, env: &mut Env) {
        self.be_harmed(fault, env);
    }

    fn thaw(&mut self, env: &mut Env) {
        if !std::mem::take(&mut self.is_frozen) {
            return;
        }
        env.tell(|| format!("{} is thawed", self.name()));
        let mut backlog = std::mem::take(&mut self.backlog);
        // The loop takes frames first, then the disk, people, timers; now and then another order.
        if self.chance.percent(70) {
            backlog.sort_by_key(|late| match late {
                Late::Parcel(..) => 0,
                Late::Knock(_, Knock::Done | Knock::Opened) => 1,
                Late::Knock(_, Knock::Press(_)) => 2,
                Late::Knock(..) => 3,
            });
        }
        for late in backlog {
            match late {
                Late::Knock(life, knock) => self.knock(life, knock, env),
                Late::Parcel(wire, parcel) => self.arrive(wire, parcel, env),
            }
        }
    }

    fn heal(&mut self, restart: Restart, env: &mut Env) {
        self.disk.heal();
        self.fuses.clear();
        self.again = None;
        self.thaw(env);
        let power = match restart {
            Restart::Nobody => None,
            Restart::Mixed => Some(self.chance.percent(50)),
            Restart::Killed => Some(false),
            Restart::PowerCut => Some(true),
        };
        if let Some(power) = power {
            self.die(Fate { power, down: Duration::from_millis(1), again: None }, env);
        }
    }

    fn start(&mut self, env: &mut Env) {
        self.begin(env);
    }

    fn stay_away(&mut self, env: &mut Env) {
        self.die(Fate { power: false, down: Duration::from_secs(100_000), again: None }, env);
        self.life += 1;
    }

    fn rests_at(&self) -> Option<Time> {
        match &self.process {
            Process::Down => None,
            Process::Opening { until, .. } => Some(*until),
            Process::Up(running) => running.busy.as_ref().map(|busy| busy.until),
        }
    }

    fn outlook(&self) -> Outlook {
        let (is_up, open) = match &self.process {
            Process::Up(running) => (running.link.is_in(), running.machine.open_votes()),
            Process::Down | Process::Opening { .. } => (false, Vec::new()),
        };
        Outlook { user: self.name().clone(), is_up, is_away: self.out.is_some(), open }
    }

    fn text(&self) -> Option<Vec<u8>> {
        self.disk.see(&self.place.text()?)
    }

    fn log(&self) -> Option<Vec<u8>> {
        self.disk.see(&self.place.log())
    }

    fn disk(&self) -> &SimDisk {
        &self.disk
    }

    fn judge_files(&self, env: &mut Env) {
        if self.out.is_some() {
            return;
        }
        if M::ROLE == Role::Participant {
            env.judge.on_end(self.who, self.text().as_deref());
        }
        let Some(log) = self.log() else {
            return env.judge.violated("durable means durable", format!("the log of {} is gone", self.name()));
        };
        match twopc_proto::log::read_log::<M::Record>(&log) {
            Ok(read) => {
                let records: Vec<M::Record> = read.records.into_iter().map(|logged| logged.record).collect();
                if env.judge.has_lost(self.who, &records) {
                    env.judge.violated("durable means durable", format!("the log of {} lacks a record at the end", self.name()));
                }
            }
            Err(damage) => env.judge.violated("durable means durable", format!("the log of {} is damaged: {damage}", self.name())),
        }
    }
}

/// What a record is about, as a crash point names it.
fn boundary_of<R: LogRecord>(job: &Job<R>) -> Boundary {
    match job {
        Job::Persist { record, .. } => Boundary::Log(record.kind()),
        Job::Apply { .. } => Boundary::Apply,
    }
}
