//! Cooperative termination: the questions of a participant in doubt, and its answers to others.
//!
//! A participant in READY may not decide. Somebody who has decided settles it, and so does a
//! participant that has not voted: being asked makes it abort. As long as everybody who can be
//! reached is in READY it stays blocked, however long that takes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use super::voting::answer;
use super::{Out, Participant, Stage, Timer, Txn, send};
use crate::machine::{Effect, Ignored, Notice};
use crate::message::{Message, PeerState, Reason};
use crate::name::{Role, UserName};
use crate::patience::Patience;
use crate::record::Decision;
use crate::txn::TxnId;

/// How long those who were asked have to answer before it is said that nobody may decide.
const ANSWERS_DUE: Duration = Duration::from_secs(1);

/// What a participant in doubt has asked and heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Inquiry {
    /// The other participants are asked too, not the coordinator alone.
    pub(super) everyone: bool,
    /// The last answer of each that said it has no decision.
    pub(super) answers: BTreeMap<UserName, PeerState>,
    /// It was said that nobody who can be reached may decide.
    pub(super) blocked: bool,
    patience: Patience,
}

impl Participant {
    pub(super) fn on_grace(&mut self, txn: &TxnId, out: &mut Out) {
        match self.open.get(txn) {
            Some(Txn { stage: Stage::Ready, .. }) => self.ask_afresh(txn, true, out),
            Some(Txn { stage: Stage::Readying, overdue: true, .. }) => {
                out.push(Effect::SetTimer { timer: Timer::Grace(txn.clone()), after: self.grace });
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn on_ask_status(&mut self, txn: &TxnId, out: &mut Out) {
        match self.open.get(txn) {
            Some(entry) if self.may_ask(txn, entry) => self.ask_afresh(txn, true, out),
            Some(_) | None => self.press_ignored(txn, out),
        }
    }

    /// Whether a person may ask now: in READY, once the coordinator is not there or the vote's
    /// timeout has passed.
    pub(super) fn may_ask(&self, txn: &TxnId, entry: &Txn) -> bool {
        matches!(entry.stage, Stage::Ready) && (entry.overdue || !self.is_here(txn.coordinator(), Role::Coordinator))
    }

    pub(super) fn on_ask_again(&mut self, txn: &TxnId, out: &mut Out) {
        if let Some(Txn { stage: Stage::Ready, inquiry: Some(_), .. }) = self.open.get(txn) {
            self.ask(txn, out);
        }
    }

    pub(super) fn on_answers_due(&mut self, txn: &TxnId, out: &mut Out) {
        if self.link_up {
            self.assess(txn, true, out);
        }
    }

    /// The link is up: a doubt from before a restart is asked about at once, one that was being
    /// asked about is asked about again.
    pub(super) fn resume_inquiry(&mut self, txn: &TxnId, out: &mut Out) {
        let entry = &self.open[txn];
        if entry.restarted || entry.inquiry.is_some() {
            let everyone = !self.is_here(txn.coordinator(), Role::Coordinator);
            self.ask_afresh(txn, everyone, out);
        }
    }

    /// Somebody came: if a doubt is being asked about, it is asked at once.
    pub(super) fn on_joined(&mut self, txn: &TxnId, user: &UserName, role: Role, out: &mut Out) {
        let me = self.me.clone();
        let entry = self.open_mut(txn);
        let can_tell = user == txn.coordinator() && role == Role::Coordinator;
        let may_tell = role == Role::Participant && *user != me && entry.participants.contains(user);
        let Some(inquiry) = &mut entry.inquiry else { return };
        if can_tell || (may_tell && inquiry.everyone) {
            inquiry.patience = Patience::default();
            let after = inquiry.patience.next_wait();
            let question = Message::DecisionRequest { txn: txn.clone(), participants: entry.participants.clone() };
            send(user, question, out);
            out.push(Effect::Notify(Notice::Asked { txn: txn.clone(), whom: [user.clone()].into() }));
            out.push(Effect::SetTimer { timer: Timer::AskAgain(txn.clone()), after });
            out.push(Effect::SetTimer { timer: Timer::Answers(txn.clone()), after: ANSWERS_DUE });
        }
    }

    /// Somebody is not there: its answer counts no more, and once the coordinator is gone the others
    /// are asked. `was_here`: it was in the room until now.
    pub(super) fn on_gone(&mut self, txn: &TxnId, user: &UserName, was_here: bool, out: &mut Out) {
        let Some(inquiry) = &mut self.open_mut(txn).inquiry else { return };
        inquiry.answers.remove(user);
        if user == txn.coordinator() && (was_here || !inquiry.everyone) {
            self.ask_afresh(txn, true, out);
        } else {
            self.assess(txn, false, out);
        }
    }

    /// Asks, with the first of the waits ahead: whoever says nothing for a second is out of reach.
    fn ask_afresh(&mut self, txn: &TxnId, everyone: bool, out: &mut Out) {
        let inquiry = self.open_mut(txn).inquiry.get_or_insert_default();
        inquiry.patience = Patience::default();
        inquiry.everyone |= everyone;
        self.ask(txn, out);
        out.push(Effect::SetTimer { timer: Timer::Answers(txn.clone()), after: ANSWERS_DUE });
    }

    /// DECISION_REQUEST to the coordinator and, once it has come to that, to every other participant.
    fn ask(&mut self, txn: &TxnId, out: &mut Out) {
        let me = self.me.clone();
        let entry = self.open_mut(txn);
        let Some(inquiry) = &mut entry.inquiry else { return };
        let after = inquiry.patience.next_wait();
        let others = entry.participants.iter().filter(|name| inquiry.everyone && **name != me && *name != txn.coordinator());
        let whom: Vec<UserName> = core::iter::once(txn.coordinator()).chain(others).cloned().collect();
        for name in &whom {
            send(name, Message::DecisionRequest { txn: txn.clone(), participants: entry.participants.clone() }, out);
        }
        out.push(Effect::Notify(Notice::Asked { txn: txn.clone(), whom }));
        out.push(Effect::SetTimer { timer: Timer::AskAgain(txn.clone()), after });
    }

    /// Says that the participant is blocked, once that is known: the coordinator gives no answer and
    /// everybody who does is in READY. `all_in`: who has not answered by now counts as out of reach.
    fn assess(&mut self, txn: &TxnId, all_in: bool, out: &mut Out) {
        let Some(Txn { stage: Stage::Ready, inquiry: Some(inquiry), participants, .. }) = self.open.get(txn) else { return };
        let coordinator = txn.coordinator();
        let coordinator_undecided = inquiry.answers.get(coordinator) == Some(&PeerState::Wait);
        let unanswered = |name: &UserName, role: Role| self.is_here(name, role) && !inquiry.answers.contains_key(name);
        let awaited = unanswered(coordinator, Role::Coordinator)
            || participants.iter().any(|name| *name != self.me && unanswered(name, Role::Participant));
        let blocked = inquiry.everyone && !coordinator_undecided && (all_in || !awaited);
        if blocked && !inquiry.blocked {
            let asked = core::iter::once(coordinator).chain(participants.iter().filter(|name| **name != self.me && *name != coordinator));
            out.push(Effect::Notify(Notice::Blocked { txn: txn.clone(), asked: asked.cloned().collect() }));
            if let Some(inquiry) = &mut self.open_mut(txn).inquiry {
                inquiry.blocked = true;
            }
        }
    }

    /// Somebody else is in doubt. Who has not voted decides now, and says so when the disk has it.
    pub(super) fn on_decision_request(
        &mut self,
        from: &UserName,
        role: Role,
        txn: &TxnId,
        participants: BTreeSet<UserName>,
        out: &mut Out,
    ) -> Result<(), Ignored> {
        if role != Role::Participant {
            return Err(Ignored::NotAParticipant);
        }
        let known = self.open.get(txn).map(|entry| &entry.participants).filter(|names| !names.is_empty());
        let names = known.unwrap_or(&participants);
        if !names.contains(from) {
            return Err(Ignored::NotAParticipant);
        }
        if !names.contains(&self.me) || *from == self.me {
            return Err(Ignored::NotConcerned);
        }
        if let Some(decision) = self.outcome(txn) {
            send(from, Message::DecisionReply { txn: txn.clone(), state: decision.into() }, out);
            return Ok(());
        }
        if !self.open.contains_key(txn) {
            let entry = self.fresh(None, participants, Duration::ZERO, Stage::Asked);
            self.open.insert(txn.clone(), entry);
        }
        let entry = self.open_mut(txn);
        match entry.stage {
            Stage::Ready => answer(&[from.clone()].into(), txn, PeerState::Ready, out),
            Stage::Readying | Stage::Aborting { .. } | Stage::Committing { .. } | Stage::Applying { .. } => {
                entry.askers.insert(from.clone());
            }
            Stage::Asked => {
                entry.askers.insert(from.clone());
                // A vote is owed to whoever asked for one; a transaction never heard of has no such.
                entry.owes_vote = entry.string.is_some();
                self.abort(txn, Some(Reason::Asked), Some(from.clone()), out);
            }
        }
        Ok(())
    }

    pub(super) fn on_decision_reply(
        &mut self,
        from: &UserName,
        role: Role,
        txn: &TxnId,
        state: PeerState,
        out: &mut Out,
    ) -> Result<(), Ignored> {
        let Some(entry) = self.open.get_mut(txn) else {
            let held = self.outcomes.decision(txn).ok_or(Ignored::Unknown)?;
            return self.settled_already(from, txn, held, state, out);
        };
        let its_coordinator = from == txn.coordinator() && role == Role::Coordinator;
        // A decision that came before any request left no participants to compare with.
        let may_be_its_participant = entry.participants.is_empty() || entry.participants.contains(from);
        let its_participant = may_be_its_participant && role == Role::Participant && *from != self.me;
        if !its_coordinator && !its_participant {
            return Err(Ignored::NotAParticipant);
        }
        if let Some(held) = entry.stage.decision() {
            return self.settled_already(from, txn, held, state, out);
        }
        match (&entry.stage, state.decision()) {
            (Stage::Ready, Some(Decision::Commit)) => {
                self.commit(txn, out);
                Ok(())
            }
            (Stage::Ready, Some(Decision::Abort)) => {
                entry.owes_ack = true;
                self.abort(txn, None, None, out);
                Ok(())
            }
            (Stage::Ready, None) => {
                if let Some(inquiry) = &mut entry.inquiry {
                    inquiry.answers.insert(from.clone(), state);
                    inquiry.blocked &= !(its_coordinator && state == PeerState::Wait);
                    self.assess(txn, false, out);
                }
                Ok(())
            }
            // Nobody can have been asked, and a commit without this vote is a contradiction.
            (_, Some(Decision::Commit)) => {
                self.contradicts(from, txn, Decision::Commit, out);
                Ok(())
            }
            (_, Some(Decision::Abort) | None) => Err(Ignored::Stale),
        }
    }

    /// An answer to what is settled by now: stale if it agrees or says nothing, else an alarm.
    fn settled_already(&self, from: &UserName, txn: &TxnId, held: Decision, state: PeerState, out: &mut Out) -> Result<(), Ignored> {
        match state.decision() {
            Some(said) if said != held => {
                self.contradicts(from, txn, said, out);
                Ok(())
            }
            Some(_) | None => Err(Ignored::Stale),
        }
    }
}
