//! A node's lives: it is started on what its disk holds, and dies at any moment.

use std::collections::VecDeque;
use std::time::Duration;

use twopc_proto::frame::{ClientFrames, Login};
use twopc_proto::{Identity, LogRecord, State, When};
use twopc_store::{Opened, Report, Store, StoreError};

use super::{Fate, Inhabitant, Knock, Link, Node, Opening, Process, Running, SimStore, Timers, link};
use crate::mutants::{self, Broken};
use crate::sim::clock::Time;
use crate::sim::faults::Damage;
use crate::sim::network::Way;
use crate::sim::run::Env;

impl<M: Inhabitant> Node<M> {
    /// Opens the files.
    pub(super) fn begin(&mut self, env: &mut Env) {
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
        key.fill_with(|| self.chance.number() as u8);
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
    pub(super) fn on_opened(&mut self, env: &mut Env) {
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
        if self.has_amnesia(incarnation, &records, env) {
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
                    State::Ready => "restart with READY",
                    State::Wait => "restart in WAIT",
                    State::Init | State::Commit | State::Abort => "restart with a decision to deliver",
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
    fn has_amnesia(&self, incarnation: u64, records: &[M::Record], env: &Env) -> bool {
        let forgot_lives = incarnation <= env.judge.books[self.who].incarnation;
        matches!(self.damage, Some(Damage::CutLog(_))) && (forgot_lives || env.judge.has_lost(self.who, records))
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

    pub(super) fn leave_for_good(&mut self, why: &'static str) {
        self.process = Process::Down;
        self.life += 1;
        self.out = Some(why);
    }

    /// The process ends at once, as if killed; with the power, or not.
    pub(super) fn die(&mut self, fate: Fate, env: &mut Env) {
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
    pub(super) fn die_again(&mut self, env: &mut Env) {
        if self.again.take().is_some() {
            env.coverage.note("second crash in recovery");
        }
        let power = self.chance.percent(50);
        let down = Duration::from_millis(50 + self.chance.below(3_000));
        self.die(Fate { power, down, again: None }, env);
    }

    /// What has happened to the disk: counted, and told to the judge.
    pub(super) fn note_troubles(&mut self, env: &mut Env) {
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

    pub(super) fn note_report(&self, report: &Report, env: &mut Env) {
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
}
