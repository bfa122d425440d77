//! Doing it again: each thing once everything stands as it did then.
//!
//! Deliberately absent: patience without end. If it does not come to stand as it did, the two runs differ,
//! and that is said.

use std::path::{Path, PathBuf};

use twopc_proto::bench::Command;
use twopc_proto::frame::Protocol;

use super::differences::decisions;
use super::script::{Act, Script};
use crate::error::OpenError;
use crate::member::Tempo;
use crate::run::folder::{self, Recorded};
use crate::run::{Deed, Moment};
use crate::scenario::player::{Player, Setting};

/// What came of it.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// The folder of the new run.
    pub dir: PathBuf,
    /// How everything stood at the end.
    pub end: Moment,
    /// What could not be done again, and why.
    pub stuck: Option<String>,
}

/// Does a recorded run again, in a new folder among `runs`.
///
/// # Errors
/// If the room cannot be opened at all.
pub fn perform(recorded: &Recorded, script: &Script, program: PathBuf, dir: &Path) -> Result<Repeated, OpenError> {
    let before = recorded.dir.join("before");
    folder::copy_files(&before, &dir.join("data"))?;
    let told = recorded.header.tempo();
    let setting = Setting {
        program,
        dir,
        participants: recorded.header.participants.len(),
        tempo: Tempo { vote_timeout: told.vote_timeout.or(script.vote_timeout), ..told },
        scenario: recorded.header.scenario.clone(),
    };
    let mut player = Player::open(setting, std::io::sink(), || ())?;
    let stuck = again(&mut player, script).err();
    let (_, end) = player.finish();
    Ok(Repeated { dir: dir.to_path_buf(), end, stuck })
}

fn again(player: &mut Player, script: &Script) -> Result<(), String> {
    player.admit(&script.starts)?;
    for act in &script.acts {
        player.wait("everything stands as it did then", |player| has_come(&player.moment, &act.before))?;
        if !decisions(&act.before, &player.moment).is_empty() {
            return Err(String::from("it came out otherwise before everything was done again"));
        }
        let deed = translated(act, &player.moment)?;
        player.room.act(deed);
    }
    player.wait("it ends as it did then", |player| has_come(&player.moment, &script.end))
}

/// Whether it is as far as it was then, or will never come to be.
fn has_come(now: &Moment, then: &Moment) -> bool {
    covers(now, then) || !decisions(then, now).is_empty()
}

/// The deed with the numbers of this run.
fn translated(act: &Act, moment: &Moment) -> Result<Deed, String> {
    let Deed::Bench { command } = &act.deed else { return Ok(act.deed.clone()) };
    let here = || {
        let about = act.about.as_ref().ok_or("the run does not say which message that was")?;
        let held = moment.held.iter().find(|(_, message)| is_like(message, about));
        held.map(|(seq, _)| *seq).ok_or(format!("no {} from {} to {} is held", about.word, about.from, about.to))
    };
    Ok(Deed::Bench {
        command: match command {
            Command::Deliver { .. } => Command::Deliver { seq: here()? },
            Command::Drop { .. } => Command::Drop { seq: here()? },
            Command::Duplicate { .. } => Command::Duplicate { seq: here()? },
            Command::Release | Command::Rules { .. } => command.clone(),
        },
    })
}

fn is_like(one: &Protocol, other: &Protocol) -> bool {
    one.word == other.word && one.from == other.from && one.to == other.to
}

/// Whether everything is at least as far as it was then.
fn covers(now: &Moment, then: &Moment) -> bool {
    let is_kept = |wanted: &Protocol| now.held.values().any(|message| is_like(message, wanted));
    then.rules == now.rules
        && then.held.values().all(is_kept)
        && then.programs.iter().all(|(name, was)| {
            let is = now.of(name);
            let stands = was.transactions.iter().all(|(txn, stand)| {
                is.of(txn).is_some_and(|now| rank(&now.state) >= rank(&stand.state) && now.is_blocked() >= stand.is_blocked())
            });
            was.pid.is_some() == is.pid.is_some() && was.is_online == is.is_online && was.is_frozen == is.is_frozen && stands
        })
}

/// How far a transaction is.
fn rank(state: &str) -> u8 {
    match state {
        "INIT" => 1,
        "WAIT" | "READY" => 2,
        "COMMIT" | "ABORT" => 3,
        _ => 0,
    }
}
