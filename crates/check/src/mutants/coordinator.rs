//! The coordinator, broken on purpose.

use twopc_proto::coordinator::Timer;
use twopc_proto::{
    Coordinator, CoordinatorRecord, Decision, Effect, Identity, Input, Machine, Message, PeerState, Role, Settings, State, TxnId, UserName,
};

use super::{Mutant, Twist};

type Effects = Vec<Effect<Coordinator>>;

impl Twist for Coordinator {
    fn twisted_recovery(
        mutant: Mutant,
        me: &Identity,
        settings: &Settings,
        incarnation: u64,
        log: &[CoordinatorRecord],
    ) -> (Self, Effects) {
        let incarnation = if mutant == Mutant::M29 { 1 } else { incarnation };
        Self::recover(me, settings, incarnation, log)
    }

    fn twisted_step(&mut self, mutant: Mutant, input: Input<Self>) -> Effects {
        let repeats = matches!(input, Input::TimerFired(_) | Input::Peer(..) | Input::Link(_));
        let mut effects = match mutant {
            Mutant::M12 => count_missing_votes(self, input),
            Mutant::M15 => take_one_ack_for_all(self, input),
            Mutant::M17 => count_twice(self, input),
            Mutant::M28 => count_strangers(self, input),
            Mutant::M32 => self.step(take_no_for_yes(input)),
            Mutant::M36 => count_for_all(self, input),
            _ => self.step(input),
        };
        match mutant {
            Mutant::M3 => say_before_durable(self, &mut effects),
            Mutant::M6 => commit_by_majority(self, &mut effects),
            Mutant::M7 => answer_instead(&mut effects, |_, state| if state == PeerState::Wait { PeerState::Commit } else { state }),
            Mutant::M8 => effects.retain(|effect| !is_said_of_a_restart(self, effect)),
            Mutant::M25 => answer_instead(&mut effects, |txn, state| {
                let unknown = self.ballot(txn).is_none() && self.outcome(txn).is_none();
                if unknown && state == PeerState::Abort { PeerState::Commit } else { state }
            }),
            Mutant::M31 if repeats => effects.retain(|effect| decision_said(effect).is_none()),
            _ => {}
        }
        effects
    }
}

/// A vote, as if that participant had just sent it.
fn forged(txn: &TxnId, from: &UserName, message: fn(TxnId) -> Message) -> Input<Coordinator> {
    Input::Received { from: from.clone(), role: Role::Participant, message: message(txn.clone()) }
}

fn yes(txn: TxnId) -> Message {
    Message::VoteCommit { txn }
}

fn ack(txn: TxnId) -> Message {
    Message::Ack { txn }
}

/// Those whose vote is missing, while nothing is decided.
fn missing(machine: &Coordinator, txn: &TxnId) -> Vec<UserName> {
    let waiting = machine.ballot(txn).filter(|ballot| ballot.decision.is_none());
    waiting.map_or_else(Vec::new, |ballot| ballot.participants.iter().filter(|name| !ballot.votes.contains_key(name)).cloned().collect())
}

fn say_before_durable(machine: &Coordinator, effects: &mut Effects) {
    let mut said = Vec::new();
    for effect in effects.iter() {
        let Effect::Persist { record, .. } = effect else { continue };
        let message = match record {
            CoordinatorRecord::Commit { txn } => Message::GlobalCommit { txn: txn.clone() },
            CoordinatorRecord::Abort { txn, .. } => Message::GlobalAbort { txn: txn.clone(), reason: None, by: None },
            _ => continue,
        };
        let Some(ballot) = machine.ballot(message.txn()) else { continue };
        said.extend(ballot.participants.iter().map(|to| Effect::Send { to: to.clone(), message: message.clone() }));
    }
    effects.extend(said);
}

fn commit_by_majority(machine: &mut Coordinator, effects: &mut Effects) {
    let won: Vec<TxnId> = machine
        .ballots()
        .iter()
        .filter(|ballot| {
            let yes = ballot.votes.values().filter(|(vote, _)| *vote == Decision::Commit).count();
            ballot.decision.is_none() && 2 * yes > ballot.participants.len()
        })
        .map(|ballot| ballot.txn.clone())
        .collect();
    for txn in won {
        for name in missing(machine, &txn) {
            effects.extend(machine.step(forged(&txn, &name, yes)));
        }
    }
}

fn count_missing_votes(machine: &mut Coordinator, input: Input<Coordinator>) -> Effects {
    let Input::TimerFired(Timer::Votes(txn)) = &input else { return machine.step(input) };
    let mut effects = Vec::new();
    for name in missing(machine, txn) {
        effects.extend(machine.step(forged(txn, &name, yes)));
    }
    effects
}

fn take_one_ack_for_all(machine: &mut Coordinator, input: Input<Coordinator>) -> Effects {
    let mut others = Vec::new();
    if let Input::Received { message: Message::Ack { txn }, .. } = &input
        && let Some(ballot) = machine.ballot(txn).filter(|ballot| ballot.state == State::Commit)
    {
        others.extend(ballot.participants.iter().map(|name| forged(txn, name, ack)));
    }
    let mut effects = machine.step(input);
    for forged in others {
        effects.extend(machine.step(forged));
    }
    effects
}

fn count_twice(machine: &mut Coordinator, input: Input<Coordinator>) -> Effects {
    let twice = match &input {
        Input::Received { from, message: Message::VoteCommit { txn }, .. } => machine
            .ballot(txn)
            .filter(|ballot| ballot.votes.contains_key(from))
            .and_then(|_| missing(machine, txn).first().map(|name| forged(txn, name, yes))),
        _ => None,
    };
    machine.step(twice.unwrap_or(input))
}

fn count_strangers(machine: &mut Coordinator, input: Input<Coordinator>) -> Effects {
    let counted = match &input {
        Input::Received { from, message: Message::VoteCommit { txn }, .. } => {
            let stranger = machine.ballot(txn).is_some_and(|ballot| !ballot.participants.contains(from));
            missing(machine, txn).first().filter(|_| stranger).map(|name| forged(txn, name, yes))
        }
        _ => None,
    };
    machine.step(counted.unwrap_or(input))
}

fn count_for_all(machine: &mut Coordinator, input: Input<Coordinator>) -> Effects {
    let mut others = Vec::new();
    if let Input::Received { from, role: Role::Participant, message: Message::VoteCommit { txn } } = &input {
        let ballots = machine.ballots();
        let waiting = ballots.iter().filter(|ballot| ballot.txn != txn && missing(machine, ballot.txn).contains(from));
        others.extend(waiting.map(|ballot| forged(ballot.txn, from, yes)));
    }
    let mut effects = machine.step(input);
    for forged in others {
        effects.extend(machine.step(forged));
    }
    effects
}

fn take_no_for_yes(input: Input<Coordinator>) -> Input<Coordinator> {
    match input {
        Input::Received { from, role, message: Message::VoteAbort { txn, .. } } => {
            Input::Received { from, role, message: Message::VoteCommit { txn } }
        }
        _ => input,
    }
}

fn answer_instead(effects: &mut Effects, answer: impl Fn(&TxnId, PeerState) -> PeerState) {
    for effect in effects {
        if let Effect::Send { message: Message::DecisionReply { txn, state }, .. } = effect {
            *state = answer(txn, *state);
        }
    }
}

/// The transaction whose decision is said by this, if it is one.
fn decision_said(effect: &Effect<Coordinator>) -> Option<&TxnId> {
    match effect {
        Effect::Send { message: Message::GlobalCommit { txn } | Message::GlobalAbort { txn, .. }, .. } => Some(txn),
        _ => None,
    }
}

/// Whether something is said of a transaction that was aborted before any vote was counted, as one is
/// after a restart in WAIT. (Why it was aborted is for people: two machines that differ in nothing else
/// are the same to a search.)
fn is_said_of_a_restart(machine: &Coordinator, effect: &Effect<Coordinator>) -> bool {
    let Effect::Send { message, .. } = effect else { return false };
    machine.ballot(message.txn()).is_some_and(|ballot| ballot.decision == Some(Decision::Abort) && ballot.votes.is_empty())
}
