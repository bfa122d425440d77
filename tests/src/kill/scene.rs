//! A room at work: its programs, what they say, and what the trial types.
//!
//! Everything that happens comes through one channel and is taken in by the one loop of
//! [`Scene::until`], which also casts the votes. So nothing sleeps: the trial waits for what it wants
//! to see, or for a moment that the plan names. Two nodes that say different decisions, an alarm and
//! a program that ends unasked are failures wherever they are met. Deliberately absent: the order of
//! a cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use twopc_runner::crash::CrashPoint;

use super::child::{Child, Said};
use super::plan::{Actor, RoomPlan, Round, Vote};
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
    folder: &'a Path,
    port: u16,
    players: Vec<Player>,
    said_in: Sender<Said>,
    said: Receiver<Said>,
    /// What is voted on now, and how.
    pub(super) round: Round,
    /// Votes that wait for [`Scene::release`], while they are held back.
    held: Option<Vec<(usize, String)>>,
    /// Votes that are due later.
    late: Vec<(Instant, usize, String)>,
    /// The decision on each transaction, and who said it first.
    decided: BTreeMap<String, (String, Actor)>,
    /// The last thing that is not as it must be.
    broken: Option<String>,
    pub(super) tally: Tally,
    started: Instant,
    /// Everything that was said and done, for whoever looks into a failure.
    pub(super) transcript: Vec<String>,
}

/// A program with its lives.
struct Player {
    actor: Actor,
    child: Option<Child>,
    lives: u64,
    /// Where this life is to end by itself.
    armed: Option<CrashPoint>,
    /// The relay has let it in, or the relay itself listens.
    is_in: bool,
    /// Who has joined since then, as this one has heard.
    met: BTreeSet<String>,
    /// What it has begun and not finished.
    open: BTreeSet<String>,
    /// Transactions for which it has said READY and nothing later.
    ready: BTreeSet<String>,
    counts: Counts,
    /// How it ended, if it is not running.
    ended: Option<ExitStatus>,
}

/// What somebody has said so far, over all its lives.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Participant: a vote was asked for.
    asked: u64,
    /// Coordinator: a vote began, was refused, was decided.
    begun: u64,
    refused: u64,
    decided: u64,
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

    fn player(&self, actor: Actor) -> &Player {
        &self.players[place_of(actor)]
    }

    fn player_mut(&mut self, actor: Actor) -> &mut Player {
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

    /// How many decisions of its own the coordinator has written.
    pub(super) fn decided_by_chair(&self) -> u64 {
        self.player(Actor::Chair).counts.decided
    }

    /// The transactions that somebody has not finished.
    pub(super) fn open_of(&self, actor: Actor) -> &BTreeSet<String> {
        &self.player(actor).open
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
            // One that was to die at a point may have come to it on the way out.
            Some(status) if status.success() || self.armed(actor).is_some() => Ok(()),
            status => Err(format!("{actor} was asked to end and did so with {status:?}: {}", self.last_complaint(actor))),
        }
    }

    fn may_end(&mut self, actor: Actor) {
        if let Some(child) = &mut self.player_mut(actor).child {
            child.may_end = true;
        }
    }

    fn last_complaint(&self, actor: Actor) -> String {
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

    fn vote(&mut self, voter: usize, txn: &str) {
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

    fn take(&mut self, Said { actor, life, line }: Said) {
        if self.player(actor).lives != life {
            return;
        }
        match line {
            None => self.on_end(actor),
            Some(line) => {
                self.note(actor, &line);
                match serde_json::from_str::<Value>(&line) {
                    Ok(event) if actor != Actor::Relay => self.on_event(actor, &event),
                    // The relay is a program for people; it says one thing that matters here.
                    Ok(_) | Err(_) => self.player_mut(actor).is_in |= actor == Actor::Relay && line.starts_with("Listening on"),
                }
            }
        }
    }

    /// Somebody has ended: as it was asked to, by the trial's hand, at its point, or by a fault.
    fn on_end(&mut self, actor: Actor) {
        let player = self.player_mut(actor);
        let Some(child) = player.child.take() else { return };
        let (was_killed, may_end) = (child.was_killed, child.may_end);
        player.is_in = false;
        player.open.clear();
        player.ready.clear();
        let armed = player.armed;
        let ending = child.ending();
        player.ended = ending.as_ref().ok().copied();
        // Whoever is gone has to join again before anybody counts on it.
        for other in &mut self.players {
            other.met.remove(actor.name());
        }
        self.late.retain(|(_, voter, _)| Actor::Voter(*voter) != actor);
        if let Some(held) = &mut self.held {
            held.retain(|(voter, _)| Actor::Voter(*voter) != actor);
        }
        let by_kill = ending.as_ref().is_ok_and(|status| status.signal() == Some(Signal::KILL.as_raw()));
        match (armed, by_kill) {
            (_, true) if was_killed => self.note(actor, "is dead"),
            (Some(point), true) => {
                self.note(actor, &format!("has died at {point}"));
                self.tally.died_at(actor, point);
                if let Err(sentence) = super::verdict::stopped_at(self.folder, actor, point) {
                    self.broken = Some(sentence);
                }
            }
            (_, _) if may_end => self.note(actor, "has ended"),
            (_, _) => {
                let complaint = self.last_complaint(actor);
                self.broken = Some(format!("{actor} ended unasked, with {ending:?}: {complaint}"));
            }
        }
    }

    fn on_event(&mut self, actor: Actor, event: &Value) {
        let text = |member: &str| event[member].as_str().unwrap_or_default();
        let txn = text("txn");
        match text("event") {
            "login" => {
                let player = self.player_mut(actor);
                player.is_in = true;
                player.met.clear();
            }
            "disconnected" => {
                let player = self.player_mut(actor);
                player.is_in = false;
                player.met.clear();
            }
            "joined" => _ = self.player_mut(actor).met.insert(text("user").into()),
            "left" => _ = self.player_mut(actor).met.remove(text("user")),
            "vote_request" => self.on_vote_request(actor, txn),
            "state" => self.on_state(actor, txn, text("state")),
            "decision" => self.on_decision(actor, txn, text("decision")),
            "applied" | "done" => _ = self.player_mut(actor).open.remove(txn),
            "blocked" => self.tally.blocked += 1,
            "notice" if actor == Actor::Chair => self.player_mut(actor).counts.refused += u64::from(is_refusal(text("message"))),
            "alarm" | "error" => self.broken = Some(format!("{actor} says {event}")),
            // Chat, proposals, notices, the summary.
            _ => {}
        }
    }

    fn on_vote_request(&mut self, actor: Actor, txn: &str) {
        let Actor::Voter(voter) = actor else { return };
        let player = self.player_mut(actor);
        player.counts.asked += 1;
        player.open.insert(txn.into());
        match &mut self.held {
            Some(held) => held.push((voter, txn.into())),
            None => self.vote(voter, txn),
        }
    }

    fn on_state(&mut self, actor: Actor, txn: &str, state: &str) {
        let player = self.player_mut(actor);
        player.ready.remove(txn);
        match (actor, state) {
            (Actor::Chair, "INIT") => {
                player.counts.begun += 1;
                player.open.insert(txn.into());
            }
            (Actor::Voter(_), "READY") => {
                player.ready.insert(txn.into());
                player.open.insert(txn.into());
            }
            // A participant says its decision next, which ends the transaction there.
            (Actor::Voter(_), "ABORT") => {}
            (_, _) => _ = player.open.insert(txn.into()),
        }
    }

    fn on_decision(&mut self, actor: Actor, txn: &str, decision: &str) {
        if decision == "abort" && actor != Actor::Chair {
            self.player_mut(actor).open.remove(txn);
        }
        self.player_mut(actor).counts.decided += 1;
        let (first, by) = self.decided.entry(txn.into()).or_insert_with(|| (decision.into(), actor));
        if first != decision {
            self.broken = Some(format!("{by} says {first} of {txn}, and {actor} says {decision}"));
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

impl Player {
    fn new(actor: Actor) -> Self {
        Self {
            actor,
            child: None,
            lives: 0,
            armed: None,
            is_in: false,
            met: BTreeSet::new(),
            open: BTreeSet::new(),
            ready: BTreeSet::new(),
            counts: Counts::default(),
            ended: None,
        }
    }
}

fn place_of(actor: Actor) -> usize {
    match actor {
        Actor::Relay => 0,
        Actor::Chair => 1,
        Actor::Voter(index) => 2 + index,
    }
}

/// Whether a coordinator's notice says that a Request has begun no vote.
fn is_refusal(message: &str) -> bool {
    ["There is no link", "A vote is open", "Waiting for"].iter().any(|beginning| message.starts_with(beginning))
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}
