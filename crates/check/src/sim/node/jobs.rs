//! A node's disk at work: one batch at a time, each taking the time that its calls take.

use std::time::Duration;

use twopc_proto::{Boundary, Input, Role, When};
use twopc_store::{Outcome, StoreError};

use super::{Fate, Fuse, Inhabitant, Knock, Node, Process, Running, boundary_of};
use crate::sim::clock::Time;
use crate::sim::coverage::crash_point;
use crate::sim::run::Env;

/// A hang is at least this long.
const LONG: Duration = Duration::from_secs(30);

/// A batch that is under way.
pub(super) struct Busy {
    pub(super) since: Time,
    pub(super) until: Time,
    outcome: Result<Vec<Outcome>, StoreError>,
    /// The node dies when it is done, before it is told.
    fate: Option<Fate>,
}

impl Busy {
    /// Whether the disk hangs.
    pub(super) fn is_hanging(&self) -> bool {
        self.until - self.since >= LONG
    }
}

impl<M: Inhabitant> Node<M> {
    /// Hands what waits to the disk, if that has nothing to do.
    pub(super) fn hand_over_jobs(&mut self, env: &mut Env) {
        let has_fuse = self.fuses.iter().any(|fuse| matches!(fuse.boundary, Boundary::Log(_) | Boundary::Apply));
        let Process::Up(running) = &mut self.process else { return };
        if running.busy.is_some() || running.jobs.is_empty() {
            return;
        }
        let count = if has_fuse || self.singly { 1 } else { running.jobs.len() };
        let jobs: Vec<_> = running.jobs.drain(..count).collect();
        let mut fate = None;
        if has_fuse && let Some(fuse) = self.take_fuse(boundary_of(&jobs[0]), env) {
            match fuse.when {
                When::Before => return self.die(fuse.fate, env),
                When::After => fate = Some(fuse.fate),
            }
        }
        let Process::Up(running) = &mut self.process else { return };
        self.disk.begin();
        let outcome = running.store.perform(jobs);
        let until = env.now + self.disk.spent();
        running.busy = Some(Busy { since: env.now, until, outcome, fate });
        self.knock_at(until, Knock::Done, env);
    }

    /// The crash point that waits for this effect, if there is one. It does so once.
    pub(super) fn take_fuse(&mut self, boundary: Boundary, env: &mut Env) -> Option<Fuse> {
        let place = self.fuses.iter().position(|fuse| fuse.boundary == boundary)?;
        let fuse = self.fuses.remove(place)?;
        env.coverage.note(crash_point(M::ROLE == Role::Coordinator, fuse.when, boundary));
        env.tell(|| format!("{} is at the crash point {}:{boundary}", self.name(), fuse.when));
        Some(fuse)
    }

    /// The disk has done what it was asked.
    pub(super) fn on_done(&mut self, env: &mut Env) {
        let Some(busy) = self.running().and_then(|running| running.busy.take()) else { return };
        self.note_troubles(env);
        if self.disk.is_dead() {
            return self.die_again(env);
        }
        if let Some(fate) = busy.fate {
            return self.die(fate, env);
        }
        match busy.outcome {
            Ok(outcomes) => {
                for outcome in outcomes {
                    self.on_outcome(outcome, env);
                }
            }
            Err(error) => self.on_failed(&error, env),
        }
    }

    fn on_outcome(&mut self, outcome: Outcome, env: &mut Env) {
        let who = self.who;
        let Some(running) = self.running() else { return };
        match outcome {
            Outcome::Durable(lsn) => {
                let Running { written, durable, .. } = &mut *running;
                let through = (lsn as usize).min(written.len());
                for record in &written[*durable..through.max(*durable)] {
                    env.judge.on_durable(who, record);
                }
                *durable = through.max(*durable);
                self.take(Input::Durable(lsn), env);
            }
            Outcome::Applied { lsn } => self.take(Input::Applied(lsn), env),
            Outcome::Refused(lsn) => {
                if lsn as usize > running.durable {
                    running.written.truncate(lsn as usize - 1);
                }
                env.coverage.note("no space, said");
                env.judge.excuse_node(who);
                self.take(Input::Refused(lsn), env);
            }
            Outcome::Report(report) => self.note_report(&report, env),
        }
    }

    /// The disk failed: the program ends with one sentence, and somebody starts it again.
    fn on_failed(&mut self, error: &StoreError, env: &mut Env) {
        env.tell(|| format!("{} stops: {error}", self.name()));
        env.coverage.note("stopped by its disk");
        if !self.was_troubled {
            env.judge.violated("goes on as long as its disk does", format!("{} stops: {error}", self.name()));
        }
        let down = Duration::from_millis(300 + self.chance.below(4_000));
        let power = self.chance.percent(30);
        self.die(Fate { power, down, again: None }, env);
    }
}
