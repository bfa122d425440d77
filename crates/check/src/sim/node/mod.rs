//! A node as a process on a simulated machine: it starts on what its disk holds, runs the production
//! machine over the production store, and dies.
//!
//! `turn` has what a running node does with what happens to it, `link` its connection, `jobs` its
//! disk, `role` what differs between the roles. The loop is the runner's in small: frames, disk,
//! people and timers give the machine its inputs; what came of a turn shares one batch of the log and
//! one write to the socket. Deliberately absent: a second protocol.

mod jobs;
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
use twopc_proto::{Identity, LogRecord, Role, Settings, UserName};
use twopc_store::{Job, Opened, Place, Report, Store, StoreError};

use super::chance::Chance;
use super::clock::Time;
use super::disk::{Armed, Call, SimDisk, Trouble};
use super::faults::{Boundary, Damage, Fault, Point, When};
use super::judge::Outlook;
use super::network::{Parcel, Way, Wire};
use super::plan::{Plan, Restart};
use super::run::{Env, Event};
use crate::mutants::{self, Broken, Mutant};

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
        let disk = SimDisk::new(Chance::new(chance.draw()), plan.habits.pace, place.text());
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

    /// Opens the files.
    fn begin(&mut self, env: &mut Env) {
        if self.out.is_some() || !matches!(self.process, Process::Down) {
            return;
        }
        self.life += 1;
        self.was_troubled = false;
        self.disk.begin();
        if let Some(call) = self.again {
            self.disk.die_at(call, When::After);
        }
        env.tell(|| format!("{} is started", self.name()));
        let mut key = [0; 32];
        key.fill_with(|| self.chance.draw() as u8);
        let files = self.open_store(key);
        let until = env.now + self.disk.spent();
        self.process = Process::Opening { since: env.now, until, files: Some(Box::new(files)) };
        self.knock_at(until, Knock::Opened, env);
    }

    fn open_store(&mut self, key: [u8; 32]) -> Opening<M::Record> {
        let disk = Broken::new(self.disk.clone(), self.mutant);
        match self.compacts_at {
            Some(bytes) => Store::open_compacting(disk, &self.place, key, bytes),
            None => Store::open(disk, &self.place, key),
        }
    }

    /// The files are open, or cannot be.
    fn on_opened(&mut self, env: &mut Env) {
        let Process::Opening { files, .. } = &mut self.process else { return };
        let Some(files) = files.take() else { return };
        self.note_troubles(env);
        if self.disk.is_dead() {
            return self.die_again(env);
        }
        match *files {
            Ok((store, opened)) => self.recover(store, opened, env),
            Err(error) => self.on_refused_start(&error, env),
        }
    }

    fn recover(&mut self, store: SimStore<M::Record>, opened: Opened<M::Record>, env: &mut Env) {
        let Opened { records, incarnation, reports, lines: _ } = opened;
        if self.has_amnesia(&records, env) {
            env.tell(|| format!("{} finds a shorter log than it had, as if its disk had lied, and is taken away", self.name()));
            return self.leave_for_good("the log truncated");
        }
        env.tell(|| format!("{} has opened its files: {} records, life {incarnation}", self.name(), records.len()));
        if records.iter().any(|record| record.decided().is_some()) {
            env.coverage.note("compacted log");
        }
        if self.damage == Some(Damage::LoseFolder) && env.judge.has_lost(self.who, &records) {
            // It has forgotten its promises, and with them the key of its name.
            self.is_impostor = true;
        } else {
            env.judge.on_start(self.who, incarnation, &records);
        }
        for report in &reports {
            self.note_report(report, env);
        }
        let mut disk = Broken::new(self.disk.clone(), self.mutant);
        // A mutant's own doing; what comes of it is what the checks are for.
        let _ = mutants::after_open(self.mutant, &mut disk, &self.place, &records);
        let identity = Identity { user: self.place.user.clone() };
        let (machine, effects) = mutants::recover::<M>(self.mutant, &identity, &self.settings, incarnation, &records);
        if incarnation > 1 {
            for open in machine.open_votes() {
                env.coverage.note(match open.state {
                    twopc_proto::State::Ready => "restart with READY",
                    twopc_proto::State::Wait => "restart in WAIT",
                    twopc_proto::State::Init | twopc_proto::State::Commit | twopc_proto::State::Abort => {
                        "restart with a decision to deliver"
                    }
                });
            }
        }
        let login = Login { user: self.place.user.as_str().into(), role: M::ROLE, key: store.key().text().into(), lab: None };
        let durable = records.len();
        self.process = Process::Up(Box::new(Running {
            machine,
            store,
            login,
            frames: ClientFrames::new("127.0.0.1:1337", "twopc-check/1"),
            timers: Timers::default(),
            wakes: None,
            jobs: VecDeque::new(),
            busy: None,
            written: records,
            durable,
            link: Link::Waiting,
            patience: link::FIRST_WAIT,
            was_in: false,
            out: Vec::new(),
            leaves: None,
            request: None,
            voted: Time(u64::MAX),
            timed_out: Time(u64::MAX),
        }));
        self.run_effects(effects, env);
        self.connect(env);
        self.end_turn(env);
    }

    /// A log that was cut back at the end of a line is a shorter log: nothing in it tells. A node to
    /// which that was done is taken away, since its disk has broken its word.
    fn has_amnesia(&self, records: &[M::Record], env: &Env) -> bool {
        matches!(self.damage, Some(Damage::CutLog(_))) && env.judge.has_lost(self.who, records)
    }

    fn on_refused_start(&mut self, error: &StoreError, env: &mut Env) {
        env.tell(|| format!("{} does not start: {error}", self.name()));
        self.process = Process::Down;
        self.life += 1;
        let refused = match (error, self.damage) {
            (StoreError::Damaged { .. }, Some(_)) => Some("damaged log refused"),
            (StoreError::LogLost { .. }, Some(_)) => Some("lost log refused"),
            (StoreError::KeyDamaged { .. }, Some(_)) => Some("damaged key refused"),
            _ => None,
        };
        if let Some(refused) = refused {
            env.coverage.note(refused);
            self.leave_for_good(refused);
        } else if self.was_troubled {
            // Somebody tries again.
            self.disk.end_life(false);
            let wait = Duration::from_millis(500 + self.chance.below(4_000));
            self.knock_at(env.now + wait, Knock::Start, env);
        } else {
            env.judge.violated("starts on what it wrote", format!("{}: {error}", self.name()));
        }
    }

    fn leave_for_good(&mut self, why: &'static str) {
        self.process = Process::Down;
        self.life += 1;
        self.out = Some(why);
    }

    /// The process ends at once, as if killed; with the power, or not.
    fn die(&mut self, fate: Fate, env: &mut Env) {
        let had = std::mem::replace(&mut self.process, Process::Down);
        match &had {
            Process::Down => return,
            Process::Opening { since, until, .. } => {
                if env.now < *until {
                    self.disk.interrupt(env.now - *since);
                }
            }
            Process::Up(running) => {
                if let Some(busy) = &running.busy
                    && env.now < busy.until
                {
                    self.disk.interrupt(env.now - busy.since);
                }
                if let Some(wire) = running.link.wire() {
                    if fate.power && self.chance.percent(50) {
                        env.network.vanish(wire, Way::Up);
                    } else {
                        env.network.close(wire, Way::Up, env.now, &mut env.agenda);
                    }
                }
            }
        }
        let at_risk = self.disk.end_life(fate.power);
        env.tell(|| {
            let how = if fate.power { "loses its power" } else { "is killed" };
            let risk = if at_risk && fate.power { ", and with it some of what was not synced" } else { "" };
            format!("{} {how}{risk}", self.name())
        });
        env.judge.excuse_node(self.who);
        self.life += 1;
        self.is_frozen = false;
        self.backlog.clear();
        self.again = fate.again;
        self.knock_at(env.now + fate.down, Knock::Start, env);
    }

    /// It died in a call of its disk.
    fn die_again(&mut self, env: &mut Env) {
        if self.again.take().is_some() {
            env.coverage.note("second crash in recovery");
        }
        let power = self.chance.percent(50);
        let down = Duration::from_millis(50 + self.chance.below(3_000));
        self.die(Fate { power, down, again: None }, env);
    }

    /// What has happened to the disk: counted, and told to the judge.
    fn note_troubles(&mut self, env: &mut Env) {
        let seen = self.disk.take_seen();
        for (call, trouble) in &seen.troubles {
            env.coverage.note(format!("trouble at {call:?}"));
            env.coverage.note(trouble.name());
            env.tell(|| format!("the disk of {}: {} at {call:?}", self.name(), trouble.name()));
        }
        if !seen.troubles.is_empty() {
            self.was_troubled = true;
            env.judge.excuse_node(self.who);
        }
        for (edit, before, after) in seen.edits {
            env.coverage.note(edit.name());
            env.tell(|| format!("a person edits the text file of {}: {edit}", self.name()));
            env.judge.on_edit(self.who, edit, &before, after.as_deref());
        }
    }

    fn note_report(&self, report: &Report, env: &mut Env) {
        env.tell(|| format!("{} reports: {report}", self.name()));
        env.coverage.note(match report {
            Report::TornTail { .. } => "torn tail",
            Report::KeyMade { .. } => "key made anew",
            Report::Edited { .. } => "text file found edited",
            Report::Rebuilt { .. } => "text file rebuilt",
            Report::Completed { .. } => "line completed",
            Report::NotCompacted { .. } => "not compacted",
        });
    }

    fn arm(&mut self, fate: Fate, point: Point, env: &mut Env) {
        match point {
            Point::Now => self.die(fate, env),
            Point::Effect(when, boundary) => self.fuses.push_back(Fuse { when, boundary, fate }),
            Point::Call(calls, when) => {
                self.disk.die_at(calls, when);
                self.again = None;
            }
        }
    }

    fn damage(&mut self, how: Damage, env: &mut Env) {
        let down = Duration::from_millis(300);
        self.die(Fate { power: true, down, again: None }, env);
        self.damage = Some(how);
        let (log, key) = (self.place.log(), self.place.key());
        let flip = |path: &std::path::Path, which: u64| {
            if let Some(mut bytes) = self.disk.see(path).filter(|bytes| !bytes.is_empty()) {
                let bit = which % (bytes.len() as u64 * 8);
                bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
                self.disk.save(path, bytes);
            }
        };
        match how {
            Damage::FlipLog(which) => flip(&log, which),
            Damage::FlipKey(which) => flip(&key, which),
            Damage::CutLog(which) => {
                if let Some(mut bytes) = self.disk.see(&log).filter(|bytes| !bytes.is_empty()) {
                    bytes.truncate((which % bytes.len() as u64) as usize);
                    self.disk.save(&log, bytes);
                }
            }
            Damage::LoseLog => self.disk.delete(&log),
            Damage::LoseFolder => {
                self.disk.delete(&log);
                self.disk.delete(&key);
                if let Some(text) = self.place.text() {
                    self.disk.delete(&text);
                }
            }
        }
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
        match fault {
            Fault::Crash { point, power, down, again, .. } => self.arm(Fate { power: *power, down: *down, again: *again }, *point, env),
            Fault::Disk { call, skip, trouble, for_good, .. } => {
                self.disk.arm(Armed { call: *call, skip: *skip, trouble: *trouble, for_good: *for_good });
            }
            Fault::Edit { edit, .. } => {
                // While its disk is at work the change comes in between its calls, before the store looks
                // at the file. Between that look and the append, some microseconds, nobody can help it.
                if self.rests_at().is_some() {
                    let trouble = Trouble::Edited(*edit);
                    self.disk.arm(Armed { call: Some(Call::Look), skip: self.chance.below(4), trouble, for_good: false });
                } else {
                    self.disk.edit(*edit);
                    self.note_troubles(env);
                }
            }
            Fault::Damage { how, .. } => self.damage(*how, env),
            Fault::Freeze { .. } => self.is_frozen = !matches!(self.process, Process::Down),
            Fault::Quit { down, .. } => {
                let life = self.life;
                if let Some(running) = self.running() {
                    running.leaves = Some(*down);
                    self.knock(life, Knock::Press(Press::Quit), env);
                }
            }
            Fault::Cut { .. }
            | Fault::Reset { .. }
            | Fault::Weather { .. }
            | Fault::Relay { .. }
            | Fault::Ghosts { .. }
            | Fault::Stranger { .. }
            | Fault::Contradiction { .. } => {}
        }
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
