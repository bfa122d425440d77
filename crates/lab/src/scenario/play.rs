//! The steps of a scenario, one after another, in a room of real programs without windows.
//!
//! What a person would press is typed; whether it had its effect is seen in the room's journal, and the
//! next step waits for that. Deliberately absent: judgement.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Local;
use twopc_proto::bench::{Command, Rule};
use twopc_proto::frame::Protocol;
use twopc_proto::{TxnId, UserName};

use super::player::{Player, Setting};
use super::step::{Condition, Handling, Press, Step, Which, Whom};
use super::text::Scenario;
use crate::error::OpenError;
use crate::member::{Part, RELAY};
use crate::room::Room;
use crate::run::moment::Stand;
use crate::run::{Deed, Event, Moment, folder};

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
    let dir = folder::fresh(&theatre.runs, Local::now(), &slug(&scenario.title))?;
    let setting = Setting {
        program: theatre.program.clone(),
        dir: &dir,
        participants: scenario.participants,
        tempo: scenario.tempo,
        scenario: Some(scenario.source.clone()),
    };
    let audience = theatre.wake.clone();
    let mut cast = Cast::of(Player::open(setting, out, move || audience())?);
    let stuck = cast.perform(scenario, on_step).err();
    let Cast { player, participants, began, .. } = cast;
    let (events, end) = player.finish();
    Ok(Played { dir, events, began, participants, end, stuck })
}

/// A title as a part of a folder's name.
fn slug(title: &str) -> String {
    let plain: String = title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    plain.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// A player, who plays whom, and how far they are.
struct Cast {
    player: Player,
    participants: Vec<String>,
    coordinator: String,
    rules: Vec<Rule>,
    began: Vec<(usize, usize)>,
}

impl Cast {
    fn of(player: Player) -> Self {
        let participants = player.names(Part::Participant);
        let coordinator = player.names(Part::Coordinator).pop().unwrap_or_default();
        Self { player, participants, coordinator, rules: Vec::new(), began: Vec::new() }
    }

    /// Everybody comes in, then every step.
    ///
    /// # Errors
    /// The line of the step that could not be done, and why.
    fn perform(&mut self, scenario: &Scenario, on_step: &dyn Fn(usize, &Room)) -> Result<(), (usize, String)> {
        self.enter(scenario).map_err(|why| (1, why))?;
        for (line, step) in &scenario.steps {
            self.player.catch_up();
            self.began.push((self.player.seen, *line));
            on_step(*line, &self.player.room);
            self.step(step).map_err(|why| (*line, why))?;
        }
        Ok(())
    }

    fn enter(&mut self, scenario: &Scenario) -> Result<(), String> {
        let crash_of = |program: &String| scenario.crashes.iter().find(|(who, _)| who == program).map(|(_, point)| point.clone());
        let everybody: Vec<_> = self.participants.iter().chain([&self.coordinator]).map(|who| (who.clone(), crash_of(who))).collect();
        self.player.admit(&everybody)
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
                Self::has_to(!self.player.is_gone(who), &format!("{who} does not run, and cannot be stopped"))?;
                self.player.room.act(Deed::Stop { program: who.clone() });
                self.player.wait(&format!("{who} has ended"), |player| player.is_gone(who))
            }
            Step::Kill(who) => {
                self.player.room.act(Deed::Kill { program: who.clone() });
                self.player.wait(&format!("{who} is killed"), |player| player.is_gone(who))
            }
            Step::Freeze(who) => {
                self.player.room.act(Deed::Freeze { program: who.clone() });
                self.player.wait(&format!("{who} is frozen"), |player| player.moment.of(who).is_frozen)
            }
            Step::Thaw(who) => {
                Self::has_to(self.player.moment.of(who).is_frozen, &format!("{who} is not frozen, and cannot be thawed"))?;
                self.player.room.act(Deed::Thaw { program: who.clone() });
                self.player.wait(&format!("{who} goes on"), |player| !player.moment.of(who).is_frozen)
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
                self.player.room.act(Deed::Bench { command: Command::Release });
                self.player.wait("nothing is kept any more", |player| player.moment.held.is_empty())
            }
            Step::Until(condition) => self.until(condition),
            Step::Wait(time) => {
                self.player.pause(*time);
                Ok(())
            }
        }
    }

    /// What would do nothing is not what the story says.
    fn has_to(is_so: bool, otherwise: &str) -> Result<(), String> {
        if is_so { Ok(()) } else { Err(otherwise.into()) }
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
        self.player.room.act(Deed::Press { program: who.into(), line });
        Ok(())
    }

    /// The transaction that somebody is asked about.
    fn asked(&mut self, who: &str, state: &str) -> Result<TxnId, String> {
        let open = |player: &Player| {
            let standing = player.moment.of(who);
            standing.transactions.iter().rev().find(|(_, stand)| stand.state == state).map(|(txn, _)| txn.clone())
        };
        self.player.wait(&format!("{who} is asked"), |player| open(player).is_some())?;
        open(&self.player).ok_or(format!("{who} is not asked any more"))
    }

    fn start(&mut self, who: &str, crash_at: Option<&String>) -> Result<(), String> {
        self.player.wait(&format!("{who} does not run"), |player| player.is_gone(who))?;
        if who == RELAY {
            self.player.room.act(Deed::Start { program: who.into(), crash_at: crash_at.cloned() });
            return self.player.wait("the relay is back", |player| player.moment.is_watching);
        }
        self.player.start(&[(who.into(), crash_at.cloned())])
    }

    fn put_rules(&mut self) -> Result<(), String> {
        let rules = self.rules.clone();
        self.player.room.act(Deed::Rules { rules: rules.clone() });
        self.player.wait("the relay follows the rules", |player| player.moment.rules == rules)
    }

    fn handle(&mut self, handling: Handling, which: &Which) -> Result<(), String> {
        self.player.wait(&format!("{which} is held"), |player| held(&player.moment, which).is_some())?;
        let Some(seq) = held(&self.player.moment, which) else { return Err(format!("{which} is not held")) };
        let command = match handling {
            Handling::Deliver => Command::Deliver { seq },
            Handling::Lose => Command::Drop { seq },
            Handling::Repeat => Command::Duplicate { seq },
        };
        self.player.room.act(Deed::Bench { command });
        match handling {
            Handling::Deliver | Handling::Lose => {
                self.player.wait(&format!("{which} is gone"), |player| !player.moment.held.contains_key(&seq))
            }
            Handling::Repeat => Ok(()),
        }
    }

    fn until(&mut self, condition: &Condition) -> Result<(), String> {
        let whom: Vec<String> = if let Condition::Is(whom, _) = condition { self.those(whom) } else { Vec::new() };
        let coordinator = self.coordinator.clone();
        self.player.wait(&told(condition), |player| holds(player, condition, &whom, &coordinator))
    }

    fn those(&self, whom: &Whom) -> Vec<String> {
        match whom {
            Whom::Everybody => self.participants.clone(),
            Whom::One(who) => vec![who.clone()],
        }
    }
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

/// Whether it is so; `whom` are those whom the condition is about.
fn holds(player: &Player, condition: &Condition, whom: &[String], coordinator: &str) -> bool {
    match condition {
        Condition::Is(_, state) => whom.iter().all(|who| is(player, who, state)),
        Condition::Held(which) => held(&player.moment, which).is_some(),
        Condition::Done => player.moment.last_stand_of(coordinator).is_some_and(|stand| stand.is_done),
    }
}

fn is(player: &Player, who: &str, state: &str) -> bool {
    let stand = player.moment.last_stand_of(who);
    match state {
        "blocked" => stand.is_some_and(Stand::is_blocked),
        "online" => player.moment.of(who).is_online,
        "offline" => !player.moment.of(who).is_online,
        "gone" => player.is_gone(who),
        state => stand.is_some_and(|stand| stand.state == state),
    }
}

/// The oldest of these that is kept.
fn held(moment: &Moment, which: &Which) -> Option<u64> {
    moment.held.iter().find(|(_, protocol)| is_one(which, protocol)).map(|(seq, _)| *seq)
}
