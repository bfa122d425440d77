//! Driving the machine: inputs in, effects run in their order.
//!
//! Records and lines go to the log's thread at the end of the turn, messages into what is written
//! to the socket then. A node whose crash point is set takes one effect at a time instead, each done
//! before the next begins, so that it dies at a boundary and not near one.

use twopc_proto::machine::Sync;
use twopc_proto::text::Shown;
use twopc_proto::{Boundary, Effect, Input, Message, Notice, UserName, When};
use twopc_store::{Job, Report};

use super::core::Core;
use super::disk::boundary_of;
use super::role::NodeRole;
use super::words;
use crate::crash::die;
use crate::event::Event;

/// The most warnings that are kept.
const MOST_WARNINGS: usize = 20;

/// The most characters of what is reported of the files; strings may stand in it.
const LONGEST_REPORT: usize = 500;

impl<R: NodeRole> Core<R> {
    /// Gives the machine an input, and runs what it asks for; then what is answered to that without
    /// a person.
    pub(super) async fn take(&mut self, input: Input<R>) {
        let mut next = Some(input);
        while let Some(input) = next {
            self.tell_input(&input);
            let touched = self.touched(&input);
            let Some(life) = &mut self.life else { return };
            tracing::trace!(?input, "step");
            let effects = life.machine.step(input);
            // A vote that changes nothing else is seen all the same.
            self.dirt.mark();
            self.tell_step(&touched, &effects);
            self.run_effects(effects).await;
            next = self.follow_ups.pop_front().map(Input::Command);
        }
    }

    /// Runs effects in their order.
    pub(super) async fn run_effects(&mut self, effects: Vec<Effect<R>>) {
        for effect in effects {
            match effect {
                Effect::Persist { lsn, record, sync } => self.on_job(Job::Persist { lsn, record, sync }).await,
                Effect::Apply { lsn, string } => self.on_job(Job::Apply { lsn, string }).await,
                Effect::Send { to, message } => self.on_send(&to, &message).await,
                Effect::SetTimer { timer, after } => {
                    if let Some((life, at)) = self.life.as_mut().zip(self.now.checked_add(after)) {
                        life.timers.set(timer, at);
                    }
                }
                Effect::CancelTimer(timer) => {
                    if let Some(life) = &mut self.life {
                        life.timers.cancel(&timer);
                    }
                }
                Effect::Notify(notice) => self.on_notice(&notice),
            }
        }
    }

    /// A record or a line. One at a time, it is handed over at once, and what nothing waits for in
    /// the protocol is waited for here.
    async fn on_job(&mut self, job: Job<R::Record>) {
        let side = self.fuse.as_mut().and_then(|fuse| fuse.on_effect(boundary_of(&job)));
        // What the log's thread dies before is not told of.
        if side != Some(When::Before) {
            self.tell_job(&job);
        }
        let Some(life) = &mut self.life else { return };
        life.jobs.push(job);
        if !self.takes_one_at_a_time() {
            return;
        }
        self.flush_whole().await;
        let Some(life) = &mut self.life else { return };
        let jobs = std::mem::take(&mut life.jobs);
        if jobs.iter().any(|job| matches!(job, Job::Persist { sync: Sync::Later, .. })) {
            self.disk.perform(jobs).await;
        } else {
            self.disk.submit(jobs, self.recorder.is_heard());
        }
    }

    /// A message. Without a link it is dropped.
    async fn on_send(&mut self, to: &UserName, message: &Message) {
        if !self.is_in || self.lost.is_some() {
            return;
        }
        if !self.takes_one_at_a_time() {
            return self.push_message(to, message);
        }
        self.flush_whole().await;
        if self.lost.is_some() {
            return;
        }
        let side = self.fuse.as_mut().and_then(|fuse| fuse.on_effect(Boundary::Send(message.kind())));
        if side == Some(When::Before) {
            die();
        }
        self.push_message(to, message);
        self.flush_whole().await;
        if side == Some(When::After) && self.lost.is_none() {
            die();
        }
    }

    /// Lets a message wait for the next write to the socket. Where somebody watches it says which event it
    /// comes from, and that event is told just before it: nobody can have received what was not yet sent.
    fn push_message(&mut self, to: &UserName, message: &Message) {
        let frame = match self.tell_sending(to, message) {
            Some(origin) => self.link.frames.message_from(to, message, origin),
            None => self.link.frames.message(to, message),
        };
        if let Some(connection) = self.link.connection() {
            connection.push(&frame);
        }
    }

    /// Whether a crash point is set.
    fn takes_one_at_a_time(&self) -> bool {
        self.config.crash_at.is_some()
    }

    /// Hands everything that waits for the relay to the kernel, however long that takes.
    pub(super) async fn flush_whole(&mut self) {
        if let Some(connection) = self.link.connection()
            && let Err(lost) = connection.flush_whole().await
        {
            self.lost.get_or_insert(lost);
        }
    }

    /// Hands the jobs of this turn to the log's thread.
    pub(super) fn hand_over_jobs(&mut self) {
        if let Some(life) = &mut self.life
            && !life.jobs.is_empty()
        {
            self.disk.submit(std::mem::take(&mut life.jobs), self.recorder.is_heard());
        }
    }

    /// The machine has something to say: to programs, to the window, and to whoever votes without
    /// a person.
    fn on_notice(&mut self, notice: &Notice) {
        tracing::debug!(?notice, "notice");
        if let Some(command) = R::auto_vote(self.config.auto_vote, notice) {
            self.follow_ups.push_back(command);
        }
        if self.front.window
            && let Some(life) = &self.life
        {
            life.machine.on_notice(&mut self.board, notice, self.now);
        }
        R::remember(&mut self.board, notice, self.now);
        self.tell_notice(notice);
        match notice {
            Notice::Ignored { from, kind, txn, why } => {
                if let Some(sentence) = self.oddities.on_ignored(R::ROLE, from, *kind, txn, *why) {
                    self.warn(sentence);
                }
            }
            Notice::Alarm { txn, from, said, held } => {
                tracing::error!(%txn, %from, %said, %held, "a contradiction was refused");
                self.show_warning(words::alarm(txn, from, *said, *held));
            }
            Notice::VoteRequested { .. }
            | Notice::State { .. }
            | Notice::Asked { .. }
            | Notice::Blocked { .. }
            | Notice::Decided { .. }
            | Notice::Applied { .. }
            | Notice::Done { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. } => {}
        }
        if self.front.events.is_some()
            && let Some(event) = words::event(notice)
        {
            self.tell(event);
        }
    }

    /// Something odd that a person should know, in a window and without one.
    pub(super) fn warn(&mut self, sentence: String) {
        tracing::warn!("{sentence}");
        self.tell_oddity(&sentence);
        self.tell(Event::Notice { message: sentence.clone() });
        self.show_warning(sentence);
    }

    /// The same of the files.
    pub(super) fn report(&mut self, report: &Report) {
        self.warn(Shown::new(&report.to_string()).at_most(LONGEST_REPORT).to_string());
    }

    /// Something that is an event already, in a window alone. A sentence that stands there already is not repeated.
    pub(super) fn show_warning(&mut self, sentence: String) {
        self.warnings.retain(|known| *known != sentence);
        if self.warnings.len() == MOST_WARNINGS {
            self.warnings.pop_front();
        }
        self.warnings.push_back(sentence);
        self.dirt.mark();
    }
}
