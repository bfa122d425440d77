//! What a running node does: inputs into the machine, effects run in their order, what is left at the
//! end of a turn.

use std::time::Duration;

use twopc_proto::story::{self};
use twopc_proto::{Boundary, Effect, Input, LogRecord, Message, Notice, PeerState, RecordKind, Role, UserName, When};
use twopc_store::Job;

use super::{FAREWELL, Fate, Inhabitant, Knock, Link, Node, Press, Process};
use crate::mutants;
use crate::sim::network::Way;
use crate::sim::run::{Env, Event};

impl<M: Inhabitant> Node<M> {
    /// Gives the machine an input, and runs what it asks for.
    pub(super) fn take(&mut self, input: Input<M>, env: &mut Env) {
        let (who, mutant) = (self.who, self.mutant);
        if self.running().is_none() {
            return;
        }
        env.tell(|| format!("{}: {}", self.name(), story::input(&input)));
        let is_reply = |role: &Role, message: &Message| *role == Role::Participant && matches!(message, Message::DecisionReply { .. });
        let heard_from_peer = matches!(&input, Input::Received { role, message, .. } if is_reply(role, message));
        let (about, contradicts) = match &input {
            Input::Received { from, role, message } => {
                env.judge.on_heard(who, from, *role, message);
                self.note_vote(message, env);
                (Some(message.txn().clone()), env.judge.contradicts(who, from, *role, message))
            }
            Input::Command(_)
            | Input::Durable(_)
            | Input::Applied(_)
            | Input::Refused(_)
            | Input::TimerFired(_)
            | Input::Link(_)
            | Input::Peer(..) => (None, false),
        };
        let Process::Up(running) = &mut self.process else { return };
        let effects = mutants::step(mutant, &mut running.machine, input);
        if contradicts {
            let is_alarm = |effect: &Effect<M>| matches!(effect, Effect::Notify(Notice::Alarm { .. }));
            if effects.iter().any(is_alarm) {
                env.coverage.note("alarm");
            } else {
                env.judge.violated(
                    "a contradiction is an alarm",
                    format!("{} was told the contrary of what it holds and raised none", self.place.user),
                );
            }
        }
        if let Some(txn) = about {
            if heard_from_peer && effects.iter().any(|effect| matches!(effect, Effect::Persist { .. })) {
                env.coverage.note("decided without the coordinator");
            }
            for effect in &effects {
                if let Some(other) = self.txn_of(effect) {
                    env.judge.on_effect_of(who, &txn, &other);
                }
            }
        }
        self.run_effects(effects, env);
    }

    /// The transaction that an effect is about, if it is about one.
    fn txn_of(&self, effect: &Effect<M>) -> Option<twopc_proto::TxnId> {
        let Process::Up(running) = &self.process else { return None };
        match effect {
            Effect::Persist { record, .. } => Some(record.txn().clone()),
            Effect::Apply { lsn, .. } => running.written.get(*lsn as usize - 1).map(|record| record.txn().clone()),
            Effect::Send { message, .. } => Some(message.txn().clone()),
            Effect::SetTimer { timer, .. } | Effect::CancelTimer(timer) => M::txn_of(timer).cloned(),
            Effect::Notify(_) => None,
        }
    }

    /// A vote and the end of its time in one moment, either way round.
    fn note_vote(&mut self, message: &Message, env: &mut Env) {
        let now = env.now;
        let Some(running) = self.running() else { return };
        if matches!(message, Message::VoteCommit { .. } | Message::VoteAbort { .. }) {
            running.voted = now;
            if running.timed_out == now {
                env.coverage.note("vote and timeout in one moment");
            }
        }
    }

    /// Runs effects in their order, as long as the node lives.
    pub(super) fn run_effects(&mut self, effects: Vec<Effect<M>>, env: &mut Env) {
        let life = self.life;
        for effect in effects {
            if self.life != life {
                return;
            }
            env.tell(|| format!("{}    → {}", self.name(), story::effect(&effect)));
            let who = self.who;
            let Some(running) = self.running() else { return };
            match effect {
                Effect::Persist { lsn, record, sync } => {
                    if running.leaves.is_some() && record.kind() == RecordKind::Abort {
                        env.judge.excuse(record.txn());
                    }
                    env.judge.on_written(who, &record);
                    running.written.truncate((lsn as usize).saturating_sub(1).max(running.durable));
                    running.written.push(record.clone());
                    running.jobs.push_back(Job::Persist { lsn, record, sync });
                }
                Effect::Apply { lsn, string } => running.jobs.push_back(Job::Apply { lsn, string }),
                Effect::Send { to, message } => self.say(&to, &message, env),
                Effect::SetTimer { timer, after } => running.timers.set(timer, env.now + after),
                Effect::CancelTimer(timer) => running.timers.cancel(&timer),
                Effect::Notify(notice) => self.on_notice(&notice, env),
            }
        }
    }

    /// A message. Without a link it is dropped.
    fn say(&mut self, to: &UserName, message: &Message, env: &mut Env) {
        let Process::Up(running) = &mut self.process else { return };
        if !running.link.is_in() {
            return;
        }
        let fuse = if self.fuses.is_empty() { None } else { self.take_fuse(Boundary::Send(message.kind()), env) };
        if let Some(fuse) = fuse.filter(|fuse| fuse.when == When::Before) {
            self.flush(env);
            return self.die(fuse.fate, env);
        }
        let (disk, text) = (&self.disk, self.place.text());
        let presumes = matches!(message, Message::DecisionReply { state: PeerState::Abort, .. }) && M::ROLE == Role::Coordinator;
        if presumes && env.judge.books[self.who].decision(message.txn()).is_none() {
            env.coverage.note("presumed abort");
        }
        env.judge.on_said(self.who, message, || text.and_then(|text| disk.see(&text)));
        let Process::Up(running) = &mut self.process else { return };
        let frame = running.frames.message(to, message);
        running.out.extend_from_slice(&frame);
        if let Some(fuse) = fuse {
            self.flush(env);
            self.die(fuse.fate, env);
        }
    }

    fn on_notice(&mut self, notice: &Notice, env: &mut Env) {
        env.judge.on_notice(self.who, notice);
        match notice {
            Notice::Decided { decision, .. } => env.coverage.note(decision.as_str()),
            Notice::Done { .. } => env.coverage.note("END"),
            Notice::Blocked { .. } => env.coverage.note("blocked"),
            Notice::RequestRefused(_) => {
                if let Some(press) = self.running().and_then(|running| running.request.take()) {
                    self.press_later(press, env);
                }
            }
            Notice::Ignored { from, .. } if from.as_str() == "mallory" => env.coverage.note("stranger ignored"),
            Notice::State { .. }
            | Notice::VoteRequested { .. }
            | Notice::Asked { .. }
            | Notice::Applied { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => {}
        }
        if let Some(wanted) = M::wanted(notice) {
            for (wait, press) in env.people.presses(self.who, &wanted) {
                self.knock_at(env.now + wait, Knock::Press(press), env);
            }
        }
    }

    /// A Request that cannot be made now is pressed again later, a few times.
    pub(super) fn press_later(&self, press: Press, env: &mut Env) {
        if let Press::Request { string, timeout, alongside, patience } = press
            && patience > 0
        {
            let press = Press::Request { string, timeout, alongside, patience: patience - 1 };
            let at = env.now + env.people.tries_again_after();
            env.agenda.add(at, Event::Press(self.who, press));
        }
    }

    pub(super) fn on_press(&mut self, press: Press, env: &mut Env) {
        match &press {
            Press::Abort(txn) => env.judge.excuse(txn),
            Press::AskStatus(_) => env.coverage.note("asked by a person"),
            Press::Quit => {
                env.coverage.note("quit");
                env.judge.excuse_node(self.who);
                self.knock_at(env.now + FAREWELL, Knock::Farewell, env);
            }
            Press::Request { .. } | Press::Commit(_) => {}
        }
        let Some(command) = M::pressed(&press) else { return };
        let Some(running) = self.running() else { return };
        running.request = Some(press);
        self.take(Input::Command(command), env);
        if let Some(running) = self.running() {
            running.request = None;
        }
    }

    /// Timers that are due.
    pub(super) fn on_clock(&mut self, env: &mut Env) {
        let now = env.now;
        if let Some(running) = self.running() {
            running.wakes = None;
        }
        while let Some(timer) = self.running().and_then(|running| running.timers.take_due(now)) {
            if M::ends_vote(&timer) {
                if let Some(txn) = M::txn_of(&timer) {
                    env.judge.excuse(txn);
                }
                if let Some(running) = self.running() {
                    running.timed_out = now;
                    if running.voted == now {
                        env.coverage.note("vote and timeout in one moment");
                    }
                }
            }
            self.take(Input::TimerFired(timer), env);
        }
    }

    /// What is left at the end of a turn: a batch for the disk, bytes for the relay, the clock to set.
    pub(super) fn end_turn(&mut self, env: &mut Env) {
        self.hand_over_jobs(env);
        self.flush(env);
        let now = env.now;
        let Some(running) = self.running() else { return };
        if let Some(next) = running.timers.next()
            && running.wakes.is_none_or(|wakes| wakes > next)
        {
            running.wakes = Some(next);
            self.knock_at(next.max(now), Knock::Clock, env);
        }
        self.leave_if_done(env);
    }

    fn leave_if_done(&mut self, env: &mut Env) {
        let Some(running) = self.running() else { return };
        if running.leaves.is_some() && running.machine.is_at_rest() && running.busy.is_none() && running.jobs.is_empty() {
            self.go(env);
        }
    }

    /// A leaving node says goodbye and goes.
    pub(super) fn go(&mut self, env: &mut Env) {
        let now = env.now;
        let Some(running) = self.running() else { return };
        let Some(down) = running.leaves.take() else { return };
        if let Link::Up { wire, is_in: true, .. } = running.link {
            let logout = running.frames.logout();
            env.network.send(wire, Way::Up, logout, now, &mut env.agenda);
        }
        self.die(Fate { power: false, down: down.max(Duration::from_millis(1)), again: None }, env);
    }
}
