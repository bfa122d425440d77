//! The two phases at the coordinator: request, votes, decision, acknowledgements.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use super::{Coordinator, Out, SPACE_RETRY, Stage, Timer, Txn, Verdict, Vote, notify_state, send};
use crate::aside::Aside;
use crate::machine::{Effect, Ignored, Lsn, Notice, State, Sync};
use crate::message::{Message, Reason};
use crate::name::{Role, UserName};
use crate::patience::Patience;
use crate::record::{CoordinatorRecord, Decision, RecordKind};
use crate::text::CommittedString;
use crate::txn::TxnId;

impl Coordinator {
    pub(super) fn on_request(&mut self, string: CommittedString, timeout: Duration, alongside: bool, out: &mut Out) {
        let allowed = if alongside { self.can_request_alongside() } else { self.can_request() };
        if let Err(refusal) = allowed {
            out.push(Effect::Notify(Notice::RequestRefused(refusal)));
            return;
        }
        let txn = TxnId::numbered(&self.me, self.incarnation, self.next_number);
        self.next_number += 1;
        let entry = Txn {
            string,
            participants: self.participants_here().cloned().collect(),
            timeout,
            start_logged: false,
            stage: Stage::Waiting,
            votes: BTreeMap::new(),
            acks: BTreeSet::new(),
            askers: BTreeSet::new(),
            patience: Patience::default(),
        };
        let everybody: Vec<UserName> = entry.participants.iter().cloned().collect();
        self.open.insert(txn.clone(), entry);
        self.waiting += 1;
        notify_state(&txn, State::Init, out);
        self.log_start(&txn, out);
        self.say_again(&txn, &everybody, out);
        out.push(Effect::SetTimer { timer: Timer::Votes(txn.clone()), after: timeout });
        notify_state(&txn, State::Wait, out);
    }

    /// START need not wait for the disk: its loss is presumed abort.
    fn log_start(&mut self, txn: &TxnId, out: &mut Out) {
        let entry = self.open_mut(txn);
        entry.start_logged = true;
        let record = CoordinatorRecord::Start {
            txn: txn.clone(),
            string: entry.string.clone(),
            participants: entry.participants.clone(),
            timeout: entry.timeout,
        };
        let lsn = self.persist(record, Sync::Later, out);
        self.in_flight.insert(lsn, txn.clone());
    }

    pub(super) fn on_vote(&mut self, from: &UserName, role: Role, txn: &TxnId, vote: Vote, out: &mut Out) -> Result<(), Ignored> {
        let Some(entry) = self.open.get_mut(txn) else {
            return Err(self.why_not_open(txn));
        };
        if role != Role::Participant || !entry.participants.contains(from) {
            return Err(Ignored::NotAParticipant);
        }
        match &entry.stage {
            Stage::Deciding { .. } => {}
            Stage::Decided(verdict) => send(from, verdict.message(txn), out),
            Stage::Waiting => match vote {
                Vote::Abort(Aside(reason)) => {
                    entry.votes.insert(from.clone(), vote);
                    self.decide(txn, Verdict::abort(reason, Some(from.clone())), out);
                }
                Vote::Commit => {
                    entry.votes.insert(from.clone(), vote);
                    if entry.votes.len() == entry.participants.len() {
                        self.decide(txn, Verdict::COMMIT, out);
                    }
                }
            },
        }
        Ok(())
    }

    pub(super) fn on_votes_due(&mut self, txn: &TxnId, out: &mut Out) {
        let Some(Txn { stage: Stage::Waiting, votes, participants, .. }) = self.open.get(txn) else { return };
        let silent = participants.iter().find(|name| !votes.contains_key(*name)).cloned();
        self.decide(txn, Verdict::abort(Reason::Timeout, silent), out);
    }

    /// The decision goes to the disk; from here on nothing changes it.
    pub(super) fn decide(&mut self, txn: &TxnId, verdict: Verdict, out: &mut Out) {
        out.push(Effect::CancelTimer(Timer::Votes(txn.clone())));
        self.log_decision(txn, verdict, out);
    }

    fn log_decision(&mut self, txn: &TxnId, verdict: Verdict, out: &mut Out) {
        if !self.open_mut(txn).start_logged {
            self.log_start(txn, out);
        }
        let lsn = self.persist(verdict.record(txn), Sync::Now, out);
        self.in_flight.insert(lsn, txn.clone());
        self.open_mut(txn).stage = Stage::Deciding { lsn: Some(lsn), verdict };
    }

    pub(super) fn on_durable(&mut self, up_to: Lsn, out: &mut Out) {
        let rest = self.in_flight.split_off(&up_to.saturating_add(1));
        for (lsn, txn) in core::mem::replace(&mut self.in_flight, rest) {
            match self.open.get(&txn).map(|entry| &entry.stage) {
                Some(Stage::Deciding { lsn: Some(decision), verdict }) if *decision == lsn => {
                    let verdict = verdict.clone();
                    self.on_decision_durable(&txn, verdict, out);
                }
                Some(Stage::Waiting | Stage::Deciding { .. } | Stage::Decided(_)) | None => {}
            }
        }
    }

    fn on_decision_durable(&mut self, txn: &TxnId, verdict: Verdict, out: &mut Out) {
        self.waiting -= 1;
        let entry = self.open_mut(txn);
        entry.stage = Stage::Decided(verdict.clone());
        let after = entry.patience.next_wait();
        let everybody: Vec<UserName> = entry.participants.iter().cloned().collect();
        let askers = core::mem::take(&mut entry.askers);
        let string = Some(entry.string.clone());
        for asker in askers {
            send(&asker, Message::DecisionReply { txn: txn.clone(), state: verdict.decision.into() }, out);
        }
        self.say_again(txn, &everybody, out);
        out.push(Effect::SetTimer { timer: Timer::Repeat(txn.clone()), after });
        notify_state(txn, verdict.decision.into(), out);
        let Verdict { decision, reason: Aside(reason), by: Aside(by) } = verdict;
        out.push(Effect::Notify(Notice::Decided { txn: txn.clone(), decision, string, reason, by }));
    }

    pub(super) fn on_ack(&mut self, from: &UserName, role: Role, txn: &TxnId, out: &mut Out) -> Result<(), Ignored> {
        let Some(entry) = self.open.get_mut(txn) else {
            return Err(self.why_not_open(txn));
        };
        if role != Role::Participant || !entry.participants.contains(from) {
            return Err(Ignored::NotAParticipant);
        }
        let Stage::Decided(Verdict { decision, .. }) = entry.stage else {
            // It learnt an abort from another participant; this coordinator will ask for the
            // acknowledgement of its own decision.
            return Err(Ignored::Stale);
        };
        entry.acks.insert(from.clone());
        if entry.acks.len() == entry.participants.len() {
            self.open.remove(txn);
            self.outcomes.insert(txn, decision);
            out.push(Effect::CancelTimer(Timer::Repeat(txn.clone())));
            self.persist(CoordinatorRecord::End { txn: txn.clone() }, Sync::Later, out);
            out.push(Effect::Notify(Notice::Done { txn: txn.clone() }));
        }
        Ok(())
    }

    pub(super) fn on_repeat(&mut self, txn: &TxnId, out: &mut Out) {
        let missing = self.missing(txn);
        let Some(entry) = self.open.get_mut(txn) else { return };
        if matches!(entry.stage, Stage::Decided(_)) {
            let after = entry.patience.next_wait();
            self.say_again(txn, &missing, out);
            out.push(Effect::SetTimer { timer: Timer::Repeat(txn.clone()), after });
        }
    }

    /// Whose vote or acknowledgement is missing, by name.
    pub(super) fn missing(&self, txn: &TxnId) -> Vec<UserName> {
        let Some(entry) = self.open.get(txn) else { return Vec::new() };
        let has_answered = |name: &UserName| match entry.stage {
            Stage::Waiting => entry.votes.contains_key(name),
            Stage::Deciding { .. } => true,
            Stage::Decided(_) => entry.acks.contains(name),
        };
        entry.participants.iter().filter(|name| !has_answered(name)).cloned().collect()
    }

    /// What this transaction has to say now, to these: the request in WAIT, the decision once it is
    /// durable, and nothing in between.
    pub(super) fn say_again(&self, txn: &TxnId, to: &[UserName], out: &mut Out) {
        let Some(entry) = self.open.get(txn) else { return };
        let message = match &entry.stage {
            Stage::Waiting => Message::VoteRequest {
                txn: txn.clone(),
                string: entry.string.clone(),
                participants: entry.participants.clone(),
                timeout: entry.timeout,
            },
            Stage::Deciding { .. } => return,
            Stage::Decided(verdict) => verdict.message(txn),
        };
        for name in to {
            send(name, message.clone(), out);
        }
    }

    /// No space. Nothing is said of a decision that could not be written; it is tried again.
    pub(super) fn on_refused(&mut self, lsn: Lsn, out: &mut Out) {
        if lsn == 0 || lsn >= self.next_lsn {
            return;
        }
        self.next_lsn = lsn;
        for (refused, txn) in self.in_flight.split_off(&lsn) {
            let Some(entry) = self.open.get_mut(&txn) else { continue };
            let record = match &mut entry.stage {
                Stage::Deciding { lsn, verdict } if *lsn == Some(refused) => {
                    *lsn = None;
                    match verdict.decision {
                        Decision::Commit => RecordKind::Commit,
                        Decision::Abort => RecordKind::Abort,
                    }
                }
                Stage::Waiting | Stage::Deciding { .. } => {
                    entry.start_logged = false;
                    RecordKind::Start
                }
                Stage::Decided(_) => continue,
            };
            out.push(Effect::Notify(Notice::NoSpace { txn, record }));
            out.push(Effect::SetTimer { timer: Timer::Space, after: SPACE_RETRY });
        }
    }

    pub(super) fn on_space(&mut self, out: &mut Out) {
        for txn in self.open.keys().cloned().collect::<Vec<_>>() {
            if let Stage::Deciding { lsn: None, verdict } = &self.open[&txn].stage {
                let verdict = verdict.clone();
                self.log_decision(&txn, verdict, out);
            }
        }
    }

    /// Why a vote or an acknowledgement of a transaction that is not open means nothing: every
    /// participant has acknowledged it, or it is unknown (that participant will ask).
    fn why_not_open(&self, txn: &TxnId) -> Ignored {
        if self.outcomes.decision(txn).is_some() { Ignored::Stale } else { Ignored::Unknown }
    }
}
