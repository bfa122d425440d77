//! The steps of a scenario, one after another, in a room of real programs without windows.
//!
//! What a person would press is typed; whether it had its effect is seen in the room's journal, and the
//! next step waits for that. At the end everybody is killed where they stand, so that the files show how it
//! came out, and not how the programs said goodbye. Deliberately absent: judgement.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use chrono::Local;
use twopc_proto::bench::{Command, Rule};
use twopc_proto::frame::Protocol;
use twopc_proto::{TxnId, UserName};

use super::step::{Condition, Handling, Press, Step, Which, Whom};
use super::text::Scenario;
use crate::error::OpenError;
use crate::member::Part;
use crate::room::{Plan, Record, Room};
use crate::run::moment::Standing;
use crate::run::{Deed, Event, Moment, Stage};

/// The longest that one step may take, beside what it waits for by itself.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where a scenario is played.
#[derive(Clone)]
pub struct Theatre {
    /// The program that is every program of the room.
    pub program: PathBuf,
    /// Where the folder of the run is made.
    pub runs: PathBuf,
    /// Called whenever something was seen.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// What came of the steps.
#[derive(Clone, Debug)]
pub struct Played {
    /// The folder of the run.
    pub dir: PathBuf,
    /// Everything that was seen and done.
    pub events: Vec<Event>,
    /// Which event each step began after, with the number of its line.
    pub began: Vec<(usize, usize)>,
    /// The participants.
    pub participants: Vec<String>,
    /// How everything stood after the last step.
    pub end: Moment,
    /// The step that could not be done, and why.
    pub stuck: Option<(usize, String)>,
}

/// Plays a scenario. What the programs print goes to `out`; `on_step` is told of each step, by the
/// number of its line, before it is done, and of the journal before the first.
///
/// # Errors
/// If the room cannot be opened at all.
pub fn play(
    scenario: &Scenario,
    theatre: &Theatre,
    out: impl Write + Send + 'static,
    on_step: &dyn Fn(usize, &Room),
) -> Result<Played, OpenError> {
    let dir = folder_for(scenario, &theatre.runs)?;
    let (wake, woken) = channel();
    let plan = Plan {
        program: theatre.program.clone(),
        listen: String::from("127.0.0.1:0"),
        data_dir: dir.join("data"),
        logs: dir.join("relay"),
        participants: scenario.participants,
        headless: true,
        tempo: scenario.tempo,
        key: None,
        record: Record::In(dir.clone(), Some(scenario.source.clone())),
    };
    let audience = theatre.wake.clone();
    let room = Room::open(plan, out, move || {
        // At the very end nobody waits any more.
        let _ = wake.send(());
        audience();
    })?;
    let mut player = Player::new(room, woken);
    let stuck = player.perform(scenario, on_step).err();
    player.catch_up();
    let began = std::mem::take(&mut player.began);
    let (room, end) = player.leave();
    let participants = names(&room, Part::Participant);
    let journal = room.journal().clone();
    room.remote().kill();
    drop(room);
    Ok(Played { dir, events: journal.since(0), began, participants, end, stuck })
}

/// A new folder, named by the scenario and the moment.
fn folder_for(scenario: &Scenario, runs: &Path) -> Result<PathBuf, OpenError> {
    let slug: String = scenario.title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
    let name = format!("{}-{}", Local::now().format("%Y-%m-%d-%H%M%S-%3f"), slug.join("-"));
    let dir = runs.join(name);
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn names(room: &Room, part: Part) -> Vec<String> {
    room.view().programs.iter().filter(|program| program.member.part == part).map(|program| program.member.name.clone()).collect()
}

/// Somebody who does things in a room, and waits for what comes of them.
pub(crate) struct Player {
    pub(crate) room: Room,
    woken: Receiver<()>,
    pub(crate) moment: Moment,
    /// How many events are in it.
    seen: usize,
    rules: Vec<Rule>,
    participants: Vec<String>,
    coordinator: String,
    began: Vec<(usize, usize)>,
}

impl Player {
    pub(crate) fn new(room: Room, woken: Receiver<()>) -> Self {
        let participants = names(&room, Part::Participant);
        let coordinator = names(&room, Part::Coordinator).pop().unwrap_or_default();
        Self { room, woken, moment: Moment::default(), seen: 0, rules: Vec::new(), participants, coordinator, began: Vec::new() }
    }

    /// The room, and how everything stands in it.
    pub(crate) fn leave(self) -> (Room, Moment) {
        (self.room, self.moment)
    }

    /// Everybody comes in, then every step.
    ///
    /// # Errors
    /// The line of the step that could not be done, and why.
    fn perform(&mut self, scenario: &Scenario, on_step: &dyn Fn(usize, &Room)) -> Result<(), (usize, String)> {
        self.enter(scenario).map_err(|why| (1, why))?;
        for (line, step) in &scenario.steps {
            self.catch_up();
            self.began.push((self.seen, *line));
            on_step(*line, &self.room);
            self.step(step).map_err(|why| (*line, why))?;
        }
        Ok(())
    }

    fn enter(&mut self, scenario: &Scenario) -> Result<(), String> {
        self.wait("the lab sees the relay", |player| player.moment.is_watching)?;
        let crash_of = |program: &String| scenario.crashes.iter().find(|(who, _)| who == program).map(|(_, point)| point.clone());
        // The coordinator comes last: it finds everybody there, and its Request asks all of them.
        for group in [self.participants.clone(), vec![self.coordinator.clone()]] {
            for program in &group {
                self.room.act(Deed::Start { program: program.clone(), crash_at: crash_of(program) });
            }
            self.wait("everybody has logged in", |player| group.iter().all(|who| player.moment.of(who).is_at_work))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Press(whom, press) => {
                for who in self.those(whom) {
                    self.press(&who, press)?;
                }
                Ok(())
            }
            Step::Start(who, crash_at) => self.start(who, crash_at.as_ref()),
            Step::Stop(who) => {
                self.room.act(Deed::Stop { program: who.clone() });
                self.wait(&format!("{who} has ended"), |player| player.is_gone(who))
            }
            Step::Kill(who) => {
                self.room.act(Deed::Kill { program: who.clone() });
                self.wait(&format!("{who} is killed"), |player| player.is_gone(who))
            }
            Step::Freeze(who) => {
                self.room.act(Deed::Freeze { program: who.clone() });
                self.wait(&format!("{who} is frozen"), |player| player.moment.of(who).is_frozen)
            }
            Step::Thaw(who) => {
                self.room.act(Deed::Thaw { program: who.clone() });
                self.wait(&format!("{who} goes on"), |player| !player.moment.of(who).is_frozen)
            }
            Step::Rules(rules) => {
                self.rules.splice(0..0, rules.iter().cloned());
                self.put_rules()
            }
            Step::Heal => {
                self.rules.clear();
                self.put_rules()
            }
            Step::Handle(handling, which) => self.handle(*handling, which),
            Step::Release => {
                self.room.act(Deed::Bench { command: Command::Release });
                self.wait("nothing is kept any more", |player| player.moment.held.is_empty())
            }
            Step::Until(condition) => self.wait(&told(condition), |player| player.holds(condition)),
            Step::Wait(time) => {
                let until = Instant::now() + *time;
                while self.woken.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
                Ok(())
            }
        }
    }

    fn press(&mut self, who: &str, press: &Press) -> Result<(), String> {
        let line = match press {
            Press::Say(text) if text.to_lowercase().starts_with("string:") => text.clone(),
            Press::Say(text) => format!("say {text}"),
            Press::Request => String::from("request"),
            Press::Commit => format!("commit {}", self.asked(who, "INIT")?),
            Press::Abort => format!("abort {}", self.asked(who, "INIT")?),
            Press::Ask => format!("ask {}", self.asked(who, "READY")?),
        };
        self.room.act(Deed::Press { program: who.into(), line });
        Ok(())
    }

    /// The transaction that somebody is asked about.
    fn asked(&mut self, who: &str, state: &str) -> Result<TxnId, String> {
        let open = |player: &Self| {
            let standing = player.moment.of(who);
            standing.transactions.iter().rev().find(|(_, stand)| stand.state == state).map(|(txn, _)| txn.clone())
        };
        self.wait(&format!("{who} is asked"), |player| open(player).is_some())?;
        open(self).ok_or(format!("{who} is not asked any more"))
    }

    fn start(&mut self, who: &str, crash_at: Option<&String>) -> Result<(), String> {
        self.wait(&format!("{who} does not run"), |player| player.is_gone(who))?;
        self.room.act(Deed::Start { program: who.into(), crash_at: crash_at.cloned() });
        if who == RELAY {
            return self.wait("the relay is back", |player| player.moment.is_watching);
        }
        // Whoever dies on the way back never logs in.
        self.wait(&format!("{who} has logged in"), |player| player.moment.of(who).is_at_work || (crash_at.is_some() && player.is_gone(who)))
    }

    fn put_rules(&mut self) -> Result<(), String> {
        let rules = self.rules.clone();
        self.room.act(Deed::Rules { rules: rules.clone() });
        self.wait("the relay follows the rules", |player| player.moment.rules == rules)
    }

    fn handle(&mut self, handling: Handling, which: &Which) -> Result<(), String> {
        self.wait(&format!("{which} is held"), |player| player.held(which).is_some())?;
        let Some(seq) = self.held(which) else { return Err(format!("{which} is not held")) };
        let command = match handling {
            Handling::Deliver => Command::Deliver { seq },
            Handling::Lose => Command::Drop { seq },
            Handling::Repeat => Command::Duplicate { seq },
        };
        self.room.act(Deed::Bench { command });
        match handling {
            Handling::Deliver | Handling::Lose => self.wait(&format!("{which} is gone"), |player| !player.moment.held.contains_key(&seq)),
            Handling::Repeat => Ok(()),
        }
    }

    /// The oldest of these that is kept.
    fn held(&self, which: &Which) -> Option<u64> {
        self.moment.held.iter().find(|(_, protocol)| is_one(which, protocol)).map(|(seq, _)| *seq)
    }

    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Is(whom, state) => self.those(whom).iter().all(|who| self.is(who, state)),
            Condition::Held(which) => self.held(which).is_some(),
            Condition::Done => {
                let standing = self.moment.of(&self.coordinator);
                last_transaction(&self.moment).and_then(|txn| standing.of(&txn).cloned()).is_some_and(|stand| stand.is_done)
            }
        }
    }

    fn is(&self, who: &str, state: &str) -> bool {
        let standing = self.moment.of(who);
        let stand = last_transaction(&self.moment).and_then(|txn| standing.of(&txn).cloned());
        match state {
            "blocked" => stand.and_then(|stand| stand.doubt).is_some_and(|doubt| doubt.is_blocked),
            "online" => standing.is_online,
            "offline" => !standing.is_online,
            "gone" => self.is_gone(who),
            state => stand.is_some_and(|stand| stand.state == state),
        }
    }

    pub(crate) fn is_gone(&self, who: &str) -> bool {
        matches!(self.moment.of(who), Standing { stage: None | Some(Stage::Ended { .. }), .. })
    }

    fn those(&self, whom: &Whom) -> Vec<String> {
        match whom {
            Whom::Everybody => self.participants.clone(),
            Whom::One(who) => vec![who.clone()],
        }
    }

    /// Takes what was noted since.
    pub(crate) fn catch_up(&mut self) {
        let news = self.room.journal().since(self.seen);
        self.seen += news.len();
        news.iter().for_each(|event| self.moment.take(event));
    }

    /// Waits until this is so.
    ///
    /// # Errors
    /// A sentence that says how everybody stands instead.
    pub(crate) fn wait(&mut self, what: &str, until: impl Fn(&Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.catch_up();
            if until(self) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.woken.recv_timeout(left) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(format!("it did not come to pass within {} s that {what}; {}", PATIENCE.as_secs(), self.told()));
                }
            }
        }
    }

    /// How everybody stands, in a sentence.
    fn told(&self) -> String {
        let txn = last_transaction(&self.moment);
        let stands = self.moment.programs.iter().filter(|(name, _)| *name != RELAY).map(|(name, standing)| {
            let state = txn.as_ref().and_then(|txn| standing.of(txn)).map_or("not asked", |stand| stand.state.as_str());
            let blocked = if self.is(name, "blocked") { ", blocked" } else { "" };
            let process = if self.is_gone(name) { ", not running" } else { "" };
            format!("{name} is {state}{blocked}{process}")
        });
        stands.collect::<Vec<_>>().join("; ")
    }
}

/// What the relay is called in the list.
const RELAY: &str = "relay";

/// The transaction that was begun last.
#[must_use]
pub(super) fn last_transaction(moment: &Moment) -> Option<TxnId> {
    let known = moment.programs.values().flat_map(|standing| standing.transactions.iter().map(|(txn, _)| txn));
    known.max_by_key(|txn| txn.numbers()).cloned()
}

fn is_one(which: &Which, protocol: &Protocol) -> bool {
    let is = |wanted: &Option<UserName>, is: &UserName| wanted.as_ref().is_none_or(|wanted| wanted == is);
    which.kind.is_none_or(|kind| protocol.kind() == Some(kind)) && is(&which.from, &protocol.from) && is(&which.to, &protocol.to)
}

fn told(condition: &Condition) -> String {
    match condition {
        Condition::Is(Whom::Everybody, state) => format!("everybody is {state}"),
        Condition::Is(Whom::One(who), state) => format!("{who} is {state}"),
        Condition::Held(which) => format!("{which} is held"),
        Condition::Done => String::from("everybody has acknowledged"),
    }
}
