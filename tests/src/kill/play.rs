//! A cycle, from the blow to the moment when everybody is back and nothing is unfinished.
//!
//! Deliberately absent: what the files say; they are judged when the room is over.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use twopc_runner::crash::CrashPoint;

use super::plan::{Actor, Blow, Cycle, Meanwhile, Round, Setting};
use super::scene::{PATIENCE, Scene};

/// How long a vote's beginning may take before the trial goes on without it.
const BEGINNING: Duration = Duration::from_secs(2);

/// How long a program may take to come to its point once everything is ready for it, on top of the
/// timeouts. Then it is killed from outside, and the point does not count.
const REACH: Duration = Duration::from_secs(3);

/// How many votes are begun at most while some time passes: more would only be more of the same.
const MOST_VOTES: usize = 30;

impl Scene<'_> {
    /// Everybody comes into the room.
    pub(super) fn begin(&mut self) -> Result<(), String> {
        self.settle()
    }

    /// Plays one cycle.
    pub(super) fn play(&mut self, cycle: &Cycle) -> Result<(), String> {
        let (kind, victims) = match &cycle.blow {
            Blow::Point { victim, point, setting } => (self.point(*victim, *point, setting, &cycle.rounds)?, vec![*victim]),
            Blow::Kill(victims) => (self.kill_at(victims, &cycle.rounds)?, victims.iter().map(|(victim, _)| *victim).collect()),
            Blow::Freeze { victim, after, lasts } => (self.freeze_at(*victim, *after, *lasts, &cycle.rounds)?, vec![*victim]),
        };
        self.meanwhile(cycle.meanwhile, cycle.rounds.last())?;
        self.tally.is_recovering = true;
        if let (Some(point), Some(victim)) = (cycle.again, victims.first())
            && !self.is_alive(*victim)
        {
            self.bring_back(*victim, Some(point))?;
        }
        self.settle()?;
        self.tally.is_recovering = false;
        self.tally.cycle(kind);
        Ok(())
    }

    /// Somebody dies at a point. What happened, in words.
    fn point(&mut self, victim: Actor, point: CrashPoint, setting: &Setting, rounds: &[Round]) -> Result<String, String> {
        if self.armed(victim) != Some(point) {
            self.quit(victim)?;
            self.start(victim, Some(point))?;
            self.settle()?;
        }
        match setting {
            Setting::Votes => self.vote_until_dead(victim, rounds)?,
            Setting::InDoubt { chair_dies_at, alone } => {
                self.die_in_doubt(victim, *chair_dies_at, &rounds[0])?;
                if *alone {
                    return self.manage_alone(victim);
                }
            }
            Setting::Returning(voter) => self.die_when_asked(victim, *voter, &rounds[0])?,
        }
        let who = role_of(victim);
        if self.is_alive(victim) {
            self.kill(victim)?;
            return Ok(format!("{who} killed, not having come to its point"));
        }
        Ok(match setting {
            Setting::Votes => format!("{who} at a point"),
            Setting::InDoubt { .. } | Setting::Returning(_) => format!("{who} at a point, another one dead before"),
        })
    }

    /// Votes on one string after the other until somebody has died of it.
    fn vote_until_dead(&mut self, victim: Actor, rounds: &[Round]) -> Result<(), String> {
        for round in rounds {
            if !self.is_alive(victim) {
                break;
            }
            self.request(round)?;
            self.settle_or_lose(Some(victim))?;
        }
        Ok(())
    }

    /// Everybody has been asked and votes, the coordinator falls, and those in doubt ask each other.
    fn die_in_doubt(&mut self, victim: Actor, chair_dies_at: Option<CrashPoint>, round: &Round) -> Result<(), String> {
        if chair_dies_at.is_some() {
            self.quit(Actor::Chair)?;
            self.start(Actor::Chair, chair_dies_at)?;
            self.settle()?;
        }
        let before = self.asked_of_all();
        self.hold_votes();
        self.request(round)?;
        self.until(BEGINNING, |scene| scene.asked_of_all().iter().zip(&before).all(|(now, before)| now > before))?;
        if chair_dies_at.is_none() {
            self.kill(Actor::Chair)?;
        }
        self.release(None);
        self.until(self.reach(), |scene| !scene.is_alive(victim))?;
        Ok(())
    }

    /// The coordinator is gone and stays so for now: if anybody is not in doubt, nobody stays in doubt;
    /// else all of them say that they are blocked. What happened, in words.
    fn manage_alone(&mut self, victim: Actor) -> Result<String, String> {
        let died = !self.is_alive(victim);
        let voters: Vec<usize> = (0..self.plan.voters).collect();
        loop {
            for voter in &voters {
                if !self.is_alive(Actor::Voter(*voter)) {
                    self.bring_back(Actor::Voter(*voter), None)?;
                }
            }
            // It did not come to its point, and so leads the others itself.
            if self.is_alive(Actor::Chair) {
                break;
            }
            let is_dead = |scene: &Self| voters.iter().any(|voter| !scene.is_alive(Actor::Voter(*voter)));
            let are_clear = |scene: &Self| {
                voters.iter().all(|voter| scene.is_in(Actor::Voter(*voter)))
                    && (voters.iter().all(|voter| !scene.is_in_doubt(*voter)) || voters.iter().all(|voter| scene.is_blocked(*voter)))
            };
            if !self.until(PATIENCE, |scene| is_dead(scene) || are_clear(scene))? {
                return Err(format!("Without the coordinator not everybody has come as far as possible. {}", self.unsettled()));
            }
            if !is_dead(self) {
                break;
            }
        }
        Ok(format!("{} {}, the others alone for a while", role_of(victim), if died { "at a point" } else { "not at its point" }))
    }

    /// A participant has promised, dies, and comes back to ask the coordinator, which dies of that.
    fn die_when_asked(&mut self, victim: Actor, voter: usize, round: &Round) -> Result<(), String> {
        self.hold_votes();
        self.request(round)?;
        self.until(BEGINNING, |scene| !scene.open_of(Actor::Voter(voter)).is_empty())?;
        self.release(Some(voter));
        self.until(BEGINNING, |scene| scene.is_in_doubt(voter))?;
        self.kill(Actor::Voter(voter))?;
        self.bring_back(Actor::Voter(voter), None)?;
        self.until(self.reach(), |scene| !scene.is_alive(victim))?;
        self.release(None);
        Ok(())
    }

    fn reach(&self) -> Duration {
        self.plan.vote_timeout + self.plan.grace + REACH
    }

    fn asked_of_all(&self) -> Vec<u64> {
        (0..self.plan.voters).map(|voter| self.asked(voter)).collect()
    }

    /// Kills from outside, each so long after the first request.
    fn kill_at(&mut self, victims: &[(Actor, Duration)], rounds: &[Round]) -> Result<String, String> {
        let began = Instant::now();
        let mut killed = Vec::new();
        for (victim, after) in victims {
            self.vote_for(after.saturating_sub(began.elapsed()), rounds)?;
            // Somebody who came back with a point may have died of it already.
            if self.kill(*victim)? {
                killed.push(role_of(*victim));
            }
        }
        Ok(match killed.as_slice() {
            [] => String::from("dead before it could be killed"),
            [one] => format!("{one} killed"),
            [..] => String::from("two killed"),
        })
    }

    /// Stops somebody so long after the first request, for so long.
    fn freeze_at(&mut self, victim: Actor, after: Duration, lasts: Duration, rounds: &[Round]) -> Result<String, String> {
        self.vote_for(after, rounds)?;
        let was_frozen = self.freeze(victim);
        match victim {
            Actor::Voter(_) => self.vote_for(lasts, rounds)?,
            // Nobody else can begin a vote, or nobody would hear of it.
            Actor::Chair | Actor::Relay => self.let_pass(lasts)?,
        }
        self.thaw(victim);
        Ok(if was_frozen { format!("{} frozen", role_of(victim)) } else { String::from("dead before it could be frozen") })
    }

    /// Lets so much time pass, in which one string after the other is voted on, each as soon as the
    /// one before is decided, acknowledged or not.
    fn vote_for(&mut self, time: Duration, rounds: &[Round]) -> Result<(), String> {
        let end = Instant::now() + time;
        for round in rounds.iter().cycle().take(MOST_VOTES) {
            if !self.until(end.saturating_duration_since(Instant::now()), Self::is_free)? {
                return Ok(());
            }
            self.request(round)?;
        }
        self.let_pass(end.saturating_duration_since(Instant::now()))
    }

    /// Asks for a vote on this string; `false` if none has begun.
    fn request(&mut self, round: &Round) -> Result<bool, String> {
        self.round = round.clone();
        let (begun, refused) = (self.begun(), self.refused());
        self.types(Actor::Chair, &format!("string: {}", round.string));
        self.types(Actor::Chair, "request");
        self.until(BEGINNING, |scene| scene.begun() > begun || scene.refused() > refused || !scene.is_in(Actor::Chair))?;
        Ok(self.begun() > begun)
    }

    fn meanwhile(&mut self, meanwhile: Meanwhile, round: Option<&Round>) -> Result<(), String> {
        match (meanwhile, round) {
            (Meanwhile::Nothing, _) => {}
            (Meanwhile::Wait(time), _) => self.let_pass(time)?,
            (Meanwhile::Vote, Some(round)) if self.is_in(Actor::Relay) && self.is_in(Actor::Chair) => {
                if self.request(round)? {
                    self.until(PATIENCE, |scene| scene.is_free() || !scene.is_in(Actor::Chair))?;
                }
            }
            (Meanwhile::Vote, _) => {}
        }
        Ok(())
    }

    /// Starts somebody who is dead, and waits until it is in the room, or dead again.
    fn bring_back(&mut self, actor: Actor, point: Option<CrashPoint>) -> Result<(), String> {
        if actor != Actor::Relay && !self.is_alive(Actor::Relay) {
            self.bring_back(Actor::Relay, None)?;
        }
        self.start(actor, point)?;
        if self.until(PATIENCE, |scene| scene.is_in(actor) || !scene.is_alive(actor))? {
            return Ok(());
        }
        Err(format!("{actor} was started and did not come into the room within {PATIENCE:?}"))
    }

    /// Brings everybody back, as often as that is needed, until nobody has anything unfinished.
    fn settle(&mut self) -> Result<(), String> {
        self.settle_or_lose(None)
    }

    /// The same, but over as soon as this one is dead, who is not brought back.
    fn settle_or_lose(&mut self, victim: Option<Actor>) -> Result<(), String> {
        let everybody = self.everybody();
        let is_lost = |scene: &Self| victim.is_some_and(|victim| !scene.is_alive(victim));
        while !is_lost(self) {
            for actor in &everybody {
                // Who came back with a point may have died of it meanwhile.
                if !self.is_alive(*actor) {
                    self.start(*actor, None)?;
                }
            }
            if !self.until(PATIENCE, |scene| scene.is_settled() || everybody.iter().any(|actor| !scene.is_alive(*actor)))? {
                return Err(self.unsettled());
            }
            if self.is_settled() {
                break;
            }
        }
        Ok(())
    }

    /// Who is not done, for whoever looks into it.
    fn unsettled(&self) -> String {
        let mut words = vec![format!("Not everything is settled after {PATIENCE:?}:")];
        for actor in self.everybody() {
            let open = self.open_of(actor);
            if !self.is_in(actor) {
                words.push(format!("{actor} is not in the room;"));
            } else if !open.is_empty() {
                words.push(format!("{actor} has not finished {};", open.iter().cloned().collect::<Vec<_>>().join(", ")));
            }
        }
        words.join(" ")
    }

    /// The end of a room: a coordinator that proposes by itself, then everybody ends. How that
    /// coordinator ended.
    pub(super) fn close(&mut self) -> Result<ExitStatus, String> {
        self.quit(Actor::Chair)?;
        let closing = self.plan.closing.clone();
        self.round = closing.round;
        self.start_proposal()?;
        if let Some((victim, after)) = closing.victim {
            let begun = self.begun();
            self.until(PATIENCE, |scene| scene.begun() > begun || !scene.is_alive(Actor::Chair))?;
            self.let_pass(after)?;
            self.kill(Actor::Voter(victim))?;
        }
        let voters: Vec<Actor> = (0..self.plan.voters).map(Actor::Voter).collect();
        loop {
            for voter in &voters {
                if !self.is_alive(*voter) {
                    self.start(*voter, None)?;
                }
            }
            let is_over = |scene: &Self| {
                !scene.is_alive(Actor::Chair) && voters.iter().all(|voter| scene.is_in(*voter) && scene.open_of(*voter).is_empty())
            };
            if !self.until(2 * PATIENCE, |scene| is_over(scene) || voters.iter().any(|voter| !scene.is_alive(*voter)))? {
                return Err(self.unsettled());
            }
            if is_over(self) {
                break;
            }
        }
        for voter in voters {
            self.quit(voter)?;
        }
        self.quit(Actor::Relay)?;
        self.ended(Actor::Chair).ok_or_else(|| String::from("the coordinator's end was not seen"))
    }
}

fn role_of(actor: Actor) -> &'static str {
    match actor {
        Actor::Relay => "relay",
        Actor::Chair => "coordinator",
        Actor::Voter(_) => "participant",
    }
}
