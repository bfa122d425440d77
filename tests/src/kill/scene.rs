//! A room at work: its programs, what they say, and what the trial types.
//!
//! Everything that happens comes through one channel and is taken in by the one loop of
//! [`Scene::until`], which also casts the votes. So nothing sleeps: the trial waits for what it wants
//! to see, or for a moment that the plan names. Deliberately absent: the order of a cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use twopc_runner::crash::CrashPoint;

use super::child::{Child, Said};
use super::plan::{Actor, RoomPlan, Round, Vote};
use super::player::{Player, place_of};
use super::tally::Tally;
use crate::room::free_ports;

/// How long anything may take that must happen. Only ever waited out by a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How many ports are tried for a room: another program may take one first.
const PORTS: usize = 10;

/// One room of the trial.
pub(super) struct Scene<'a> {
    pub(super) plan: &'a RoomPlan,
    suite: &'a Path,
    pub(super) folder: &'a Path,
    port: u16,
    pub(super) players: Vec<Player>,
    said_in: Sender<Said>,
    said: Receiver<Said>,
    /// What is voted on now, and how.
    pub(super) round: Round,
    /// Votes that wait for [`Scene::release`], while they are held back.
    pub(super) held: Option<Vec<(usize, String)>>,
    /// Votes that are due later.
    pub(super) late: Vec<(Instant, usize, String)>,
    /// The decision on each transaction, and who said it first.
    pub(super) decided: BTreeMap<String, (String, Actor)>,
    /// The last thing that is not as it must be.
    pub(super) broken: Option<String>,
    pub(super) tally: Tally,
    started: Instant,
    /// Everything that was said and done, for whoever looks into a failure.
    pub(super) transcript: Vec<String>,
}

impl<'a> Scene<'a> {
    /// A room in this folder, with its relay running and nobody in it.
    pub(super) fn open(plan: &'a RoomPlan, suite: &'a Path, folder: &'a Path) -> Result<Self, String> {
        let (said_in, said) = channel();
        let actors = [Actor::Relay, Actor::Chair].into_iter().chain((0..plan.voters).map(Actor::Voter));
        let mut scene = Self {
            plan,
            suite,
            folder,
            port: 0,
            players: actors.map(Player::new).collect(),
            said_in,
            said,
            round: Round { string: String::new(), votes: vec![Vote::Silent; plan.voters] },
            held: None,
            late: Vec::new(),
            decided: BTreeMap::new(),
            broken: None,
            tally: Tally::default(),
            started: Instant::now(),
            transcript: Vec::new(),
        };
        for _ in 0..PORTS {
            scene.port = free_ports(1);
            scene.start(Actor::Relay, None)?;
            scene.until(PATIENCE, |scene| scene.is_in(Actor::Relay) || !scene.is_alive(Actor::Relay)).ok();
            if scene.is_in(Actor::Relay) {
                return Ok(scene);
            }
            scene.broken = None;
        }
        Err(format!("None of {PORTS} ports takes a relay."))
    }

    /// Everybody, the relay first.
    pub(super) fn everybody(&self) -> Vec<Actor> {
        self.players.iter().map(|player| player.actor).collect()
    }

    pub(super) fn player(&self, actor: Actor) -> &Player {
        &self.players[place_of(actor)]
    }

    pub(super) fn player_mut(&mut self, actor: Actor) -> &mut Player {
        &mut self.players[place_of(actor)]
    }

    pub(super) fn is_alive(&self, actor: Actor) -> bool {
        self.player(actor).child.is_some()
    }

    pub(super) fn is_in(&self, actor: Actor) -> bool {
        self.player(actor).is_in
    }

    /// Whether this life of somebody's is to end at a point.
    pub(super) fn armed(&self, actor: Actor) -> Option<CrashPoint> {
        self.player(actor).armed
    }

    pub(super) fn asked(&self, voter: usize) -> u64 {
        self.player(Actor::Voter(voter)).counts.asked
    }

    /// How many votes the coordinator has begun.
    pub(super) fn begun(&self) -> u64 {
        self.player(Actor::Chair).counts.begun
    }

    /// How often the coordinator would not begin one.
    pub(super) fn refused(&self) -> u64 {
        self.player(Actor::Chair).counts.refused
    }

    /// The transactions that somebody has not finished.
    pub(super) fn open_of(&self, actor: Actor) -> &BTreeSet<String> {
        &self.player(actor).open
    }

    /// Whether the coordinator has decided every vote that it has begun.
    pub(super) fn is_free(&self) -> bool {
        let chair = self.player(Actor::Chair);
        chair.is_in && chair.waiting.is_empty()
    }

    /// Whether this participant has promised something that is not decided.
    pub(super) fn is_in_doubt(&self, voter: usize) -> bool {
        !self.player(Actor::Voter(voter)).ready.is_empty()
    }

    /// How somebody ended who is not running.
    pub(super) fn ended(&self, actor: Actor) -> Option<ExitStatus> {
        self.player(actor).ended
    }

    /// Whether the coordinator knows this participant to be here.
    pub(super) fn chair_sees(&self, voter: Actor) -> bool {
        let (chair, other) = (self.player(Actor::Chair), self.player(voter));
        chair.is_in && other.is_in && (chair.met.contains(voter.name()) || other.met.contains(Actor::Chair.name()))
    }

    /// Whether everybody is in the room, and nobody has anything unfinished.
    pub(super) fn is_settled(&self) -> bool {
        let at_rest = |player: &Player| player.is_in && player.open.is_empty();
        self.players.iter().all(at_rest) && (0..self.plan.voters).all(|voter| self.chair_sees(Actor::Voter(voter)))
    }

    /// Whether it is in doubt and has said of all of that that nobody who can be reached may decide.
    pub(super) fn is_blocked(&self, voter: usize) -> bool {
        let player = self.player(Actor::Voter(voter));
        !player.ready.is_empty() && player.ready.is_subset(&player.blocked)
    }

    /// Starts somebody, who dies at this point if there is one.
    pub(super) fn start(&mut self, actor: Actor, point: Option<CrashPoint>) -> Result<(), String> {
        let address = format!("127.0.0.1:{}", self.port);
        let (timeout, grace) = (seconds(self.plan.vote_timeout), seconds(self.plan.grace));
        let mut arguments: Vec<String> = match actor {
            Actor::Relay => ["server", "--listen", &address, "--logs", "relay"].map(String::from).into(),
            Actor::Chair => vec!["coordinator".into(), "--vote-timeout".into(), timeout],
            Actor::Voter(_) => vec!["participant".into(), "--grace".into(), grace],
        };
        if actor != Actor::Relay {
            arguments.extend(["--headless", "--server", &address, "--user", actor.name(), "--data-dir", actor.name()].map(String::from));
        }
        if let Some(point) = point {
            arguments.extend(["--crash-at".into(), point.to_string()]);
        }
        self.start_with(actor, &arguments, point)
    }

    /// Starts the coordinator so that it proposes by itself and ends when that is done.
    pub(super) fn start_proposal(&mut self) -> Result<(), String> {
        let closing = &self.plan.closing;
        let (address, timeout) = (format!("127.0.0.1:{}", self.port), seconds(self.plan.vote_timeout));
        let (voters, count, concurrency) = (self.plan.voters.to_string(), closing.count.to_string(), closing.concurrency.to_string());
        let mut arguments = vec!["coordinator", "--headless", "--server", &address, "--user", "chair", "--data-dir", "chair"];
        arguments.extend(["--vote-timeout", &timeout, "--expect", &voters, "--propose", &closing.string]);
        arguments.extend(["--count", &count, "--concurrency", &concurrency]);
        self.start_with(Actor::Chair, &arguments.into_iter().map(String::from).collect::<Vec<_>>(), None)?;
        self.may_end(Actor::Chair);
        Ok(())
    }

    fn start_with(&mut self, actor: Actor, arguments: &[String], point: Option<CrashPoint>) -> Result<(), String> {
        self.note(actor, &format!("starts: {}", arguments.join(" ")));
        let failed = |error: std::io::Error| format!("{actor} could not be started: {error}");
        let mut command = Command::new(self.suite);
        command.args(arguments).current_dir(self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOPC_")) {
            command.env_remove(name);
        }
        let complaints = OpenOptions::new().create(true).append(true).open(self.complaints(actor)).map_err(failed)?;
        let life = self.player(actor).lives + 1;
        let child = Child::start(actor, life, &mut command, complaints, self.said_in.clone()).map_err(failed)?;
        let player = self.player_mut(actor);
        *player = Player { child: Some(child), lives: life, armed: point, counts: player.counts, ..Player::new(actor) };
        self.tally.restarts += u64::from(life > 1);
        Ok(())
    }

    /// Where somebody's standard error goes.
    fn complaints(&self, actor: Actor) -> PathBuf {
        self.folder.join(format!("{actor}.stderr"))
    }

    /// Types a line for somebody.
    pub(super) fn types(&mut self, actor: Actor, line: &str) {
        self.note(actor, &format!("is told: {line}"));
        if let Some(child) = &mut self.player_mut(actor).child {
            child.types(line);
        }
    }

    /// Kills somebody from outside; says whether it was this that ended it.
    pub(super) fn kill(&mut self, actor: Actor) -> Result<bool, String> {
        self.note(actor, "is killed");
        let was_killed = self.player_mut(actor).child.as_mut().is_some_and(Child::kill);
        self.until(PATIENCE, |scene| !scene.is_alive(actor))?;
        Ok(was_killed)
    }

    /// Stops somebody where it is; says whether there was somebody to stop.
    pub(super) fn freeze(&mut self, actor: Actor) -> bool {
        self.note(actor, "is frozen");
        self.player_mut(actor).child.as_mut().is_some_and(|child| child.signal(Signal::STOP))
    }

    /// Lets somebody go on.
    pub(super) fn thaw(&mut self, actor: Actor) -> bool {
        self.note(actor, "is thawed");
        self.player_mut(actor).child.as_mut().is_some_and(|child| child.signal(Signal::CONT))
    }

    /// Asks somebody to end, and waits for that.
    pub(super) fn quit(&mut self, actor: Actor) -> Result<(), String> {
        self.may_end(actor);
        if actor == Actor::Relay {
            self.note(actor, "is asked to end");
            self.player_mut(actor).child.as_mut().map(|child| child.signal(Signal::TERM));
        } else {
            self.types(actor, "quit");
        }
        if !self.until(PATIENCE, |scene| !scene.is_alive(actor))? {
            return Err(format!("{actor} did not end within {PATIENCE:?} of being asked to"));
        }
        match self.ended(actor) {
            // One that was to die at a point may have come to it on the way out; no exit status then.
            Some(status) if status.success() || (status.code().is_none() && self.armed(actor).is_some()) => Ok(()),
            status => Err(format!("{actor} was asked to end and did so with {status:?}: {}", self.last_complaint(actor))),
        }
    }

    fn may_end(&mut self, actor: Actor) {
        if let Some(child) = &mut self.player_mut(actor).child {
            child.may_end = true;
        }
    }

    pub(super) fn last_complaint(&self, actor: Actor) -> String {
        std::fs::read_to_string(self.complaints(actor)).ok().and_then(|text| text.lines().last().map(String::from)).unwrap_or_default()
    }

    /// Holds all votes back until [`Scene::release`].
    pub(super) fn hold_votes(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Casts the votes that were held back; those of `only`, if it is given.
    pub(super) fn release(&mut self, only: Option<usize>) {
        let Some(held) = self.held.take() else { return };
        let (now, later): (Vec<_>, Vec<_>) = held.into_iter().partition(|(voter, _)| only.is_none_or(|only| only == *voter));
        if only.is_some() {
            self.held = Some(later);
        }
        for (voter, txn) in now {
            self.vote(voter, &txn);
        }
    }

    pub(super) fn vote(&mut self, voter: usize, txn: &str) {
        match self.round.votes[voter] {
            Vote::Commit => self.types(Actor::Voter(voter), &format!("commit {txn}")),
            Vote::Abort => self.types(Actor::Voter(voter), &format!("abort {txn}")),
            Vote::Silent => {}
            Vote::Late(after) => self.late.push((Instant::now() + after, voter, String::from(txn))),
        }
    }

    /// Takes in what happens until this holds; `false` when it does not within this time.
    pub(super) fn until(&mut self, patience: Duration, holds: impl Fn(&Self) -> bool) -> Result<bool, String> {
        let deadline = Instant::now() + patience;
        loop {
            self.cast_late_votes();
            if let Some(broken) = self.broken.take() {
                return Err(broken);
            }
            if holds(self) {
                return Ok(true);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            let next_vote = self.late.iter().map(|(at, ..)| *at).min();
            let wake = next_vote.map_or(deadline, |at| at.min(deadline));
            match self.said.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(said) => self.take(said),
                // The scene holds a sender itself.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    /// Lets so much time pass, taking in what happens.
    pub(super) fn let_pass(&mut self, time: Duration) -> Result<(), String> {
        self.until(time, |_| false).map(drop)
    }

    fn cast_late_votes(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= now);
        self.late = later;
        for (_, voter, txn) in due {
            self.types(Actor::Voter(voter), &format!("commit {txn}"));
        }
    }

    /// Writes down what happened, with the milliseconds since the room was opened.
    pub(super) fn note(&mut self, actor: Actor, what: &str) {
        let at = self.started.elapsed().as_millis();
        self.transcript.push(format!("{at:>6} {actor:<6} {what}"));
    }

    /// Writes everything that was said and done into the room's folder.
    pub(super) fn keep_transcript(&self) {
        use std::io::Write;
        if let Ok(mut file) = File::create(self.folder.join("transcript.txt")) {
            // What can't be kept is not worth another failure.
            let _ = file.write_all(self.transcript.join("\n").as_bytes());
        }
    }
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}
