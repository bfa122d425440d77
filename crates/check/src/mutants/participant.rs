//! The participant, broken on purpose.

use twopc_proto::participant::{Command, Timer};
use twopc_proto::{
    CommittedString, Decision, Effect, Identity, Input, LogRecord, Lsn, Machine, Message, Notice, Participant, ParticipantRecord,
    PeerState, RecordKind, Role, Settings, State, Sync, TxnId, UserName,
};

use super::{Mutant, Twist};

type Effects = Vec<Effect<Participant>>;

impl Twist for Participant {
    fn twisted_recovery(
        mutant: Mutant,
        me: &Identity,
        settings: &Settings,
        incarnation: u64,
        log: &[ParticipantRecord],
    ) -> (Self, Effects) {
        let decided = |txn: &TxnId| log.iter().any(|record| record.txn() == txn && is_decision(record));
        let lost = |record: &ParticipantRecord| match mutant {
            Mutant::M13 => record.kind() == RecordKind::Ready && !decided(record.txn()),
            Mutant::M27 => decided(record.txn()),
            _ => false,
        };
        // A record that is lost is another one, so that the places of those behind it stay.
        let kept: Vec<ParticipantRecord> = log.iter().map(|record| if lost(record) { of_no_concern() } else { record.clone() }).collect();
        let (mut machine, mut effects) = Self::recover(me, settings, incarnation, &kept);
        if mutant == Mutant::M37 {
            believe_lines_to_stand(&mut machine, &mut effects);
        }
        (machine, effects)
    }

    fn twisted_step(&mut self, mutant: Mutant, input: Input<Self>) -> Effects {
        let answered = match mutant {
            Mutant::M1 => answer_without_moving(self, &input, true),
            Mutant::M26 => answer_without_moving(self, &input, false),
            _ => None,
        };
        if let Some(effects) = answered {
            return effects;
        }
        let before = self.clone();
        let input = match mutant {
            Mutant::M4 => when_the_grace_is_over(self, input, |txn| Message::GlobalAbort { txn, reason: None, by: None }),
            Mutant::M5 => when_the_grace_is_over(self, input, |txn| Message::GlobalCommit { txn }),
            Mutant::M18 => as_if_from_its_coordinator(input),
            Mutant::M33 => take_ready_for_commit(input),
            Mutant::M38 => abort_before_leaving(self, input),
            _ => input,
        };
        let mut effects = self.step(input);
        twist_effects(mutant, &before, self, &mut effects);
        effects
    }
}

fn twist_effects(mutant: Mutant, before: &Participant, machine: &mut Participant, effects: &mut Effects) {
    match mutant {
        Mutant::M2 => say_when_written(effects, RecordKind::Ready, |txn| Message::VoteCommit { txn }),
        Mutant::M9 => {
            for effect in effects {
                if let Effect::Send { message, .. } = effect
                    && let Message::VoteAbort { txn, .. } = message
                {
                    *message = Message::VoteCommit { txn: txn.clone() };
                }
            }
        }
        Mutant::M10 => {
            for effect in effects {
                if let Effect::Send { message: Message::DecisionReply { state, .. }, .. } = effect
                    && *state == PeerState::Ready
                {
                    *state = PeerState::Abort;
                }
            }
        }
        Mutant::M11 => obey_contradictions(machine, effects),
        Mutant::M14 => effects.retain(|effect| {
            !matches!(effect, Effect::Send { to, message: message @ Message::DecisionRequest { .. } } if to != message.txn().coordinator())
        }),
        Mutant::M16 => vote_no_without_a_record(before, machine, effects),
        Mutant::M19 => {
            let acks = effects.iter().filter_map(|effect| if let Effect::Apply { lsn, .. } = effect { Some(*lsn) } else { None });
            let acks: Effects = acks.filter_map(|lsn| Some(said(Message::Ack { txn: committed_at(machine, lsn)? }))).collect();
            effects.extend(acks);
        }
        Mutant::M30 => {
            effects.retain(|effect| !matches!(effect, Effect::Send { message: Message::DecisionRequest { .. }, .. }));
        }
        Mutant::M34 => say_when_written(effects, RecordKind::Commit, |txn| Message::Ack { txn }),
        Mutant::M35 => {
            let lines = effects.iter().filter_map(|effect| match effect {
                Effect::Persist { lsn, record, .. } => record.committed().map(|string| Effect::Apply { lsn: *lsn, string: string.clone() }),
                _ => None,
            });
            let lines: Effects = lines.collect();
            effects.extend(lines);
        }
        _ => {}
    }
}

fn is_decision(record: &ParticipantRecord) -> bool {
    matches!(record.kind(), RecordKind::Commit | RecordKind::Abort)
}

/// A transaction that nobody in a checked world asks about.
fn nobodys() -> TxnId {
    TxnId::parse("nobody.1.1").unwrap_or_else(|error| panic!("{error}"))
}

fn of_no_concern() -> ParticipantRecord {
    ParticipantRecord::Abort { txn: nobodys(), reason: None }
}

/// What a participant says to its coordinator.
fn said(message: Message) -> Effect<Participant> {
    Effect::Send { to: message.txn().coordinator().clone(), message }
}

/// The answer to a question before the vote, of a participant that stays where it is.
fn answer_without_moving(machine: &Participant, input: &Input<Participant>, unheard_too: bool) -> Option<Effects> {
    let Input::Received { from, message: Message::DecisionRequest { txn, .. }, .. } = input else { return None };
    let asked = machine.standings().iter().any(|standing| standing.txn == txn && standing.may_vote);
    let unheard = machine.outcome(txn).is_none() && machine.standings().iter().all(|standing| standing.txn != txn);
    let answer = Message::DecisionReply { txn: txn.clone(), state: PeerState::Abort };
    (asked || (unheard && unheard_too)).then(|| vec![Effect::Send { to: from.clone(), message: answer }])
}

fn when_the_grace_is_over(machine: &Participant, input: Input<Participant>, heard: fn(TxnId) -> Message) -> Input<Participant> {
    match input {
        Input::TimerFired(Timer::Grace(txn))
            if machine.standings().iter().any(|standing| *standing.txn == txn && standing.doubt.is_some()) =>
        {
            Input::Received { from: txn.coordinator().clone(), role: Role::Coordinator, message: heard(txn) }
        }
        _ => input,
    }
}

fn as_if_from_its_coordinator(input: Input<Participant>) -> Input<Participant> {
    match input {
        Input::Received { message: message @ (Message::GlobalCommit { .. } | Message::GlobalAbort { .. }), .. } => {
            Input::Received { from: message.txn().coordinator().clone(), role: Role::Coordinator, message }
        }
        _ => input,
    }
}

fn take_ready_for_commit(input: Input<Participant>) -> Input<Participant> {
    match input {
        Input::Received { from, role, message: Message::DecisionReply { txn, state: PeerState::Ready } } => {
            Input::Received { from, role, message: Message::DecisionReply { txn, state: PeerState::Commit } }
        }
        _ => input,
    }
}

/// Says something as soon as a record of this kind is on its way to the disk.
fn say_when_written(effects: &mut Effects, kind: RecordKind, message: fn(TxnId) -> Message) {
    let early: Effects = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Persist { record, .. } if record.kind() == kind => Some(said(message(record.txn().clone()))),
            _ => None,
        })
        .collect();
    effects.extend(early);
}

/// Writes the decision that was refused behind the one that is held.
fn obey_contradictions(machine: &mut Participant, effects: &mut Effects) {
    let refused: Vec<(TxnId, Decision)> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify(Notice::Alarm { txn, said, .. }) => Some((txn.clone(), *said)),
            _ => None,
        })
        .collect();
    for (txn, decision) in refused {
        let Some(lsn) = take_a_place_in_the_log(machine) else { continue };
        let record = match decision {
            Decision::Commit => ParticipantRecord::Commit { txn, string: unknown_string() },
            Decision::Abort => ParticipantRecord::Abort { txn, reason: None },
        };
        effects.push(Effect::Persist { lsn, record, sync: Sync::Now });
    }
}

/// Lets the machine count a record that another one is written in place of: it believes to abort a
/// transaction that nobody knows.
fn take_a_place_in_the_log(machine: &mut Participant) -> Option<Lsn> {
    let txn = TxnId::numbered(nobodys().coordinator(), 1, machine.open_count() as u64 + 2);
    let stranger = UserName::parse("nobody").unwrap_or_else(|error| panic!("{error}"));
    let message = Message::GlobalAbort { txn, reason: None, by: None };
    let counted = machine.step(Input::Received { from: stranger, role: Role::Coordinator, message });
    counted.into_iter().find_map(|effect| if let Effect::Persist { lsn, .. } = effect { Some(lsn) } else { None })
}

fn unknown_string() -> CommittedString {
    CommittedString::parse("?").unwrap_or_else(|error| panic!("{error}"))
}

/// A No is said as if its record were on the disk, which may lose it.
fn vote_no_without_a_record(before: &Participant, machine: &mut Participant, effects: &mut Effects) {
    let promised = |txn: &TxnId| before.standings().iter().any(|standing| standing.txn == txn && standing.state == State::Ready);
    let mut believed = None;
    for effect in effects.iter_mut() {
        if let Effect::Persist { lsn, record: ParticipantRecord::Abort { txn, .. }, sync } = effect
            && !promised(txn)
        {
            *sync = Sync::Later;
            believed = Some(*lsn);
        }
    }
    if let Some(lsn) = believed {
        effects.extend(machine.step(Input::Durable(lsn)));
    }
}

/// Takes the lines that a recovery asks for as written.
fn believe_lines_to_stand(machine: &mut Participant, effects: &mut Effects) {
    let lines: Vec<Lsn> =
        effects.iter().filter_map(|effect| if let Effect::Apply { lsn, .. } = effect { Some(*lsn) } else { None }).collect();
    effects.retain(|effect| !matches!(effect, Effect::Apply { .. }));
    for lsn in lines {
        effects.extend(machine.step(Input::Applied(lsn)));
    }
}

/// Whoever wants to leave hears first that a transaction in doubt is aborted.
fn abort_before_leaving(machine: &Participant, input: Input<Participant>) -> Input<Participant> {
    let in_doubt = machine.standings().into_iter().find(|standing| standing.state == State::Ready).map(|standing| standing.txn.clone());
    match (&input, in_doubt) {
        (Input::Command(Command::Leave), Some(txn)) => {
            let from = txn.coordinator().clone();
            Input::Received { from, role: Role::Coordinator, message: Message::GlobalAbort { txn, reason: None, by: None } }
        }
        _ => input,
    }
}

/// The transaction whose line is asked for by this place in the log.
fn committed_at(machine: &Participant, lsn: Lsn) -> Option<TxnId> {
    let mut probe = machine.clone();
    let applied = probe.step(Input::Applied(lsn));
    applied.into_iter().find_map(|effect| match effect {
        Effect::Send { message: Message::Ack { txn }, .. } => Some(txn),
        _ => None,
    })
}
