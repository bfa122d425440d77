//! The two phases at a participant: the request, the vote, the decision, and the disk in between.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::{Cause, Out, Participant, SPACE_RETRY, Stage, Timer, Txn, notify_state, send};
use crate::aside::Aside;
use crate::machine::{Effect, Ignored, Lsn, Notice, State, Sync};
use crate::message::{Message, PeerState, Reason};
use crate::name::{Role, UserName};
use crate::record::{Decision, ParticipantRecord, RecordKind};
use crate::text::CommittedString;
use crate::txn::TxnId;

impl Participant {
    #[allow(clippy::too_many_arguments)] // the message's members, and who sent it
    pub(super) fn on_vote_request(
        &mut self,
        from: &UserName,
        role: Role,
        txn: &TxnId,
        string: CommittedString,
        participants: BTreeSet<UserName>,
        timeout: Duration,
        out: &mut Out,
    ) -> Result<(), Ignored> {
        from_coordinator(from, role, txn)?;
        if !participants.contains(&self.me) {
            return Err(Ignored::NotConcerned);
        }
        if let Some(decision) = self.outcomes.decision(txn) {
            send(from, vote(txn, decision), out);
            return Ok(());
        }
        let Some(entry) = self.open.get_mut(txn) else {
            self.begin(txn, string, participants, timeout, out);
            return Ok(());
        };
        match entry.stage {
            Stage::Asked | Stage::Readying => {
                let repeated = entry.string.as_ref() == Some(&string) && entry.participants == participants;
                if repeated { Ok(()) } else { Err(Ignored::Differs) }
            }
            Stage::Ready | Stage::Committing { .. } | Stage::Applying { .. } => {
                send(from, vote(txn, Decision::Commit), out);
                Ok(())
            }
            Stage::Aborting { .. } => {
                entry.owes_vote = true;
                Ok(())
            }
        }
    }

    /// A request heard for the first time: the person is asked and the countdown starts.
    fn begin(&mut self, txn: &TxnId, string: CommittedString, participants: BTreeSet<UserName>, timeout: Duration, out: &mut Out) {
        let entry = self.fresh(Some(string.clone()), participants.clone(), timeout, Stage::Asked);
        self.open.insert(txn.clone(), entry);
        out.push(Effect::Notify(Notice::VoteRequested { txn: txn.clone(), string, participants, timeout }));
        notify_state(txn, State::Init, out);
        if self.leaving {
            self.open_mut(txn).owes_vote = true;
            self.abort(txn, Some(Reason::Left), None, out);
        } else {
            out.push(Effect::SetTimer { timer: Timer::Deadline(txn.clone()), after: timeout });
        }
    }

    pub(super) fn on_commit(&mut self, txn: &TxnId, out: &mut Out) {
        let Some(Txn { stage: Stage::Asked, string: Some(string), participants, timeout, .. }) = self.open.get(txn) else {
            return self.press_ignored(txn, out);
        };
        let record =
            ParticipantRecord::Ready { txn: txn.clone(), string: string.clone(), participants: participants.clone(), timeout: *timeout };
        self.open_mut(txn).stage = Stage::Readying;
        self.persist(txn, record, out);
    }

    pub(super) fn on_abort(&mut self, txn: &TxnId, out: &mut Out) {
        match self.open.get_mut(txn) {
            Some(entry) if matches!(entry.stage, Stage::Asked) => {
                entry.owes_vote = true;
                self.abort(txn, Some(Reason::Pressed), None, out);
            }
            Some(_) | None => self.press_ignored(txn, out),
        }
    }

    pub(super) fn on_deadline(&mut self, txn: &TxnId, out: &mut Out) {
        let grace = self.grace;
        let Some(entry) = self.open.get_mut(txn) else { return };
        match entry.stage {
            Stage::Asked => {
                entry.owes_vote = true;
                self.abort(txn, Some(Reason::Timeout), None, out);
            }
            Stage::Readying | Stage::Ready if !entry.overdue => {
                entry.overdue = true;
                out.push(Effect::SetTimer { timer: Timer::Grace(txn.clone()), after: grace });
            }
            Stage::Readying | Stage::Ready | Stage::Aborting { .. } | Stage::Committing { .. } | Stage::Applying { .. } => {}
        }
    }

    pub(super) fn on_global_commit(&mut self, from: &UserName, role: Role, txn: &TxnId, out: &mut Out) -> Result<(), Ignored> {
        from_coordinator(from, role, txn)?;
        match (self.open.get(txn).map(|entry| &entry.stage), self.outcomes.decision(txn)) {
            (Some(Stage::Ready), _) => self.commit(txn, out),
            // The ACK follows once the string is in the file.
            (Some(Stage::Committing { .. } | Stage::Applying { .. }), _) => {}
            (None, Some(Decision::Commit)) => send(from, Message::Ack { txn: txn.clone() }, out),
            (Some(Stage::Asked | Stage::Readying | Stage::Aborting { .. }), _) | (None, Some(Decision::Abort) | None) => {
                self.alarm(from, txn, Decision::Commit, out);
            }
        }
        Ok(())
    }

    pub(super) fn on_global_abort(
        &mut self,
        from: &UserName,
        role: Role,
        txn: &TxnId,
        reason: Option<Reason>,
        by: Option<UserName>,
        out: &mut Out,
    ) -> Result<(), Ignored> {
        from_coordinator(from, role, txn)?;
        match (self.open.get_mut(txn), self.outcomes.decision(txn)) {
            (Some(entry), _) => match entry.stage {
                Stage::Asked | Stage::Readying | Stage::Ready => {
                    entry.owes_ack = true;
                    self.abort(txn, reason, by, out);
                }
                Stage::Aborting { .. } => entry.owes_ack = true,
                Stage::Committing { .. } | Stage::Applying { .. } => self.alarm(from, txn, Decision::Abort, out),
            },
            (None, Some(Decision::Abort)) => send(from, Message::Ack { txn: txn.clone() }, out),
            (None, Some(Decision::Commit)) => self.alarm(from, txn, Decision::Abort, out),
            (None, None) => {
                let mut entry = self.fresh(None, BTreeSet::new(), Duration::ZERO, Stage::Asked);
                entry.owes_ack = true;
                self.open.insert(txn.clone(), entry);
                self.abort(txn, reason, by, out);
            }
        }
        Ok(())
    }

    /// The decision to commit is known, in READY: it goes to the disk.
    pub(super) fn commit(&mut self, txn: &TxnId, out: &mut Out) {
        let Some(string) = self.open_mut(txn).string.clone() else { return };
        let lsn = self.persist(txn, ParticipantRecord::Commit { txn: txn.clone(), string }, out);
        self.open_mut(txn).stage = Stage::Committing { lsn: Some(lsn) };
        self.stop_waiting(txn, out);
    }

    /// An abort is decided, by this node before its promise or by others after it: it goes to the disk.
    pub(super) fn abort(&mut self, txn: &TxnId, reason: Option<Reason>, by: Option<UserName>, out: &mut Out) {
        let promised = matches!(self.open_mut(txn).stage, Stage::Ready);
        let lsn = self.persist(txn, ParticipantRecord::Abort { txn: txn.clone(), reason }, out);
        self.open_mut(txn).stage = Stage::Aborting { lsn: Some(lsn), why: Aside(Cause { reason, by }), promised };
        self.stop_waiting(txn, out);
    }

    /// Cancels the timers of a transaction whose decision is known.
    fn stop_waiting(&mut self, txn: &TxnId, out: &mut Out) {
        let entry = self.open_mut(txn);
        let asked = entry.inquiry.take().is_some();
        let overdue = entry.overdue;
        out.push(Effect::CancelTimer(if overdue { Timer::Grace(txn.clone()) } else { Timer::Deadline(txn.clone()) }));
        if asked {
            out.push(Effect::CancelTimer(Timer::AskAgain(txn.clone())));
            out.push(Effect::CancelTimer(Timer::Answers(txn.clone())));
        }
    }

    pub(super) fn on_durable(&mut self, up_to: Lsn, out: &mut Out) {
        let rest = self.in_flight.split_off(&up_to.saturating_add(1));
        for (lsn, txn) in core::mem::replace(&mut self.in_flight, rest) {
            let Some(entry) = self.open.get(&txn) else { continue };
            match entry.stage {
                Stage::Readying => self.on_ready_durable(&txn, out),
                Stage::Aborting { lsn: Some(abort), .. } if abort == lsn => self.on_abort_durable(&txn, out),
                Stage::Committing { lsn: Some(commit) } if commit == lsn => self.on_commit_durable(&txn, lsn, out),
                // A READY that a GLOBAL_ABORT overtook: no vote any more.
                Stage::Aborting { .. } | Stage::Committing { .. } | Stage::Asked | Stage::Ready | Stage::Applying { .. } => {}
            }
        }
    }

    fn on_ready_durable(&mut self, txn: &TxnId, out: &mut Out) {
        let entry = self.open_mut(txn);
        entry.stage = Stage::Ready;
        let askers = core::mem::take(&mut entry.askers);
        notify_state(txn, State::Ready, out);
        send(txn.coordinator(), vote(txn, Decision::Commit), out);
        answer(&askers, txn, PeerState::Ready, out);
    }

    fn on_abort_durable(&mut self, txn: &TxnId, out: &mut Out) {
        let Some(entry) = self.open.remove(txn) else { return };
        let Stage::Aborting { why: Aside(Cause { reason, by }), .. } = entry.stage else { return };
        if entry.owes_vote {
            send(txn.coordinator(), Message::VoteAbort { txn: txn.clone(), reason }, out);
        }
        answer(&entry.askers, txn, PeerState::Abort, out);
        if entry.owes_ack {
            send(txn.coordinator(), Message::Ack { txn: txn.clone() }, out);
        }
        notify_state(txn, State::Abort, out);
        let (txn_id, string) = (txn.clone(), entry.string);
        out.push(Effect::Notify(Notice::Decided { txn: txn_id, decision: Decision::Abort, string, reason, by }));
        self.close(txn, Decision::Abort);
    }

    fn on_commit_durable(&mut self, txn: &TxnId, lsn: Lsn, out: &mut Out) {
        let entry = self.open_mut(txn);
        entry.stage = Stage::Applying { lsn, no_space: false };
        let askers = core::mem::take(&mut entry.askers);
        let string = entry.string.clone();
        self.applying.insert(lsn, txn.clone());
        answer(&askers, txn, PeerState::Commit, out);
        notify_state(txn, State::Commit, out);
        let decided = Notice::Decided { txn: txn.clone(), decision: Decision::Commit, string: string.clone(), reason: None, by: None };
        out.push(Effect::Notify(decided));
        if let Some(string) = string {
            out.push(Effect::Apply { lsn, string });
        }
    }

    pub(super) fn on_applied(&mut self, lsn: Lsn, out: &mut Out) {
        let Some(txn) = self.applying.get(&lsn).cloned() else { return };
        let string = self.open.get(&txn).and_then(|entry| entry.string.clone());
        self.close(&txn, Decision::Commit);
        send(txn.coordinator(), Message::Ack { txn: txn.clone() }, out);
        if let Some(string) = string {
            out.push(Effect::Notify(Notice::Applied { txn: txn.clone(), string }));
        }
        out.push(Effect::Persist { lsn: self.next_lsn, record: ParticipantRecord::Applied { txn }, sync: Sync::Later });
        self.next_lsn += 1;
    }

    /// No space. What was refused is tried again after a while; a READY is forgotten, since nothing
    /// was promised yet and the person can press again.
    pub(super) fn on_refused(&mut self, lsn: Lsn, out: &mut Out) {
        if let Some(txn) = self.applying.get(&lsn).cloned() {
            self.open_mut(&txn).stage = Stage::Applying { lsn, no_space: true };
            out.push(Effect::Notify(Notice::NoSpace { txn, record: RecordKind::Applied }));
            out.push(Effect::SetTimer { timer: Timer::Space, after: SPACE_RETRY });
            return;
        }
        if lsn == 0 || lsn >= self.next_lsn {
            return;
        }
        self.next_lsn = lsn;
        for (refused, txn) in self.in_flight.split_off(&lsn) {
            let Some(entry) = self.open.get_mut(&txn) else { continue };
            let record = match &mut entry.stage {
                Stage::Readying => {
                    entry.stage = Stage::Asked;
                    RecordKind::Ready
                }
                Stage::Aborting { lsn, .. } if *lsn == Some(refused) => {
                    *lsn = None;
                    RecordKind::Abort
                }
                Stage::Committing { lsn } if *lsn == Some(refused) => {
                    *lsn = None;
                    RecordKind::Commit
                }
                Stage::Aborting { .. } | Stage::Committing { .. } | Stage::Asked | Stage::Ready | Stage::Applying { .. } => continue,
            };
            self.after_refusal(&txn);
            out.push(Effect::Notify(Notice::NoSpace { txn, record }));
            out.push(Effect::SetTimer { timer: Timer::Space, after: SPACE_RETRY });
        }
    }

    /// A transaction that is back in INIT because READY found no space: whoever asked meanwhile, or
    /// a deadline that passed meanwhile, makes it an abort, which waits for space.
    fn after_refusal(&mut self, txn: &TxnId) {
        let entry = self.open_mut(txn);
        if matches!(entry.stage, Stage::Asked) && (entry.overdue || !entry.askers.is_empty()) {
            entry.owes_vote = true;
            let reason = Some(if entry.overdue { Reason::Timeout } else { Reason::Asked });
            entry.stage = Stage::Aborting { lsn: None, why: Aside(Cause { reason, by: None }), promised: false };
        }
    }

    pub(super) fn on_space(&mut self, out: &mut Out) {
        for (lsn, txn) in &self.applying {
            let Some(Txn { stage: Stage::Applying { no_space, .. }, string: Some(string), .. }) = self.open.get_mut(txn) else { continue };
            if core::mem::take(no_space) {
                out.push(Effect::Apply { lsn: *lsn, string: string.clone() });
            }
        }
        for txn in self.in_order_of_arrival() {
            match &self.open_mut(&txn).stage {
                Stage::Committing { lsn: None } => self.commit(&txn, out),
                Stage::Aborting { lsn: None, why, promised } => {
                    let (why, promised) = (why.clone(), *promised);
                    let record = ParticipantRecord::Abort { txn: txn.clone(), reason: why.0.reason };
                    let lsn = Some(self.persist(&txn, record, out));
                    self.open_mut(&txn).stage = Stage::Aborting { lsn, why, promised };
                }
                Stage::Asked
                | Stage::Readying
                | Stage::Ready
                | Stage::Aborting { .. }
                | Stage::Committing { .. }
                | Stage::Applying { .. } => {}
            }
        }
    }

    fn alarm(&self, from: &UserName, txn: &TxnId, said: Decision, out: &mut Out) {
        let held = match (self.open.get(txn), self.outcomes.decision(txn)) {
            (Some(entry), _) => entry.stage.decision().map_or(entry.stage.state(), State::from),
            (None, Some(decision)) => decision.into(),
            (None, None) => State::Init,
        };
        out.push(Effect::Notify(Notice::Alarm { txn: txn.clone(), from: from.clone(), said, held }));
    }

    pub(super) fn contradicts(&self, from: &UserName, txn: &TxnId, said: Decision, out: &mut Out) {
        self.alarm(from, txn, said, out);
    }

    pub(super) fn press_ignored(&self, txn: &TxnId, out: &mut Out) {
        let state = self
            .open
            .get(txn)
            .map(|entry| entry.stage.decision().map_or(entry.stage.state(), State::from))
            .or_else(|| self.outcomes.decision(txn).map(State::from));
        out.push(Effect::Notify(Notice::PressIgnored { txn: txn.clone(), state }));
    }
}

/// Only the user whose name the transaction begins with, logged in as coordinator, asks and decides.
fn from_coordinator(from: &UserName, role: Role, txn: &TxnId) -> Result<(), Ignored> {
    if role == Role::Coordinator && from == txn.coordinator() { Ok(()) } else { Err(Ignored::NotItsCoordinator) }
}

/// The vote already cast, or owed to a request that comes late.
fn vote(txn: &TxnId, decision: Decision) -> Message {
    match decision {
        Decision::Commit => Message::VoteCommit { txn: txn.clone() },
        Decision::Abort => Message::VoteAbort { txn: txn.clone(), reason: None },
    }
}

pub(super) fn answer(askers: &BTreeSet<UserName>, txn: &TxnId, state: PeerState, out: &mut Out) {
    for asker in askers {
        send(asker, Message::DecisionReply { txn: txn.clone(), state }, out);
    }
}
