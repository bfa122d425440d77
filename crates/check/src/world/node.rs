//! One node: a machine over a disk, and what is on its way between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use twopc_proto::{
    Coordinator, CoordinatorRecord, Effect, Input, LinkState, Lsn, Machine, Message, Notice, Participant, ParticipantRecord, Presence,
    Role, TxnId, UserName, coordinator, participant,
};

use super::action::Kick;
use super::disk::Disk;
use super::said::{Envelope, Said};
use super::{identity, settings, string};

/// A node, up or down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node<M: Machine> {
    /// Its name.
    pub me: UserName,
    /// `None` while it is down.
    pub machine: Option<M>,
    /// It is logged in.
    pub online: bool,
    /// Which start this is.
    pub incarnation: u64,
    /// What it has on its disk.
    pub disk: Disk<M::Record>,
    /// Lines that the machine has asked for and that are not in the text file yet.
    pub to_append: VecDeque<Lsn>,
    /// Lines that are, of which the machine has not been told.
    pub appended: VecDeque<Lsn>,
    /// Transactions that it has said to be blocked in.
    pub blocked: BTreeSet<TxnId>,
}

/// The timers of a node, without their transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// The vote's timeout, of both roles.
    Deadline,
    /// Participant: the grace after it.
    Grace,
    /// Participant: time for answers is over.
    Answers,
}

/// A role that can be put into a world.
pub trait Inhabitant: Machine {
    /// The input that a press or a timer is for this role, if it is one.
    fn own_input(kick: &Kick) -> Option<Input<Self>>;
    /// Whether the person is still asked about this transaction.
    fn may_vote(&self, txn: &TxnId) -> bool;
    /// The record without what it says for people only.
    fn plain(record: Self::Record) -> Self::Record;
}

impl<M: Inhabitant> Node<M> {
    /// Up for the first time and logged in.
    #[must_use]
    pub fn new(me: UserName, room: &BTreeMap<UserName, Role>, lying_disk: bool) -> Self {
        let (mut machine, _) = M::recover(&identity(&me), &settings(), 1, &[]);
        machine.step(Input::Link(LinkState::Up(room.clone())));
        Self {
            me,
            machine: Some(machine),
            online: true,
            incarnation: 1,
            disk: Disk::new(lying_disk),
            to_append: VecDeque::new(),
            appended: VecDeque::new(),
            blocked: BTreeSet::new(),
        }
    }

    /// Gone at once: what was not on the disk is forgotten.
    #[must_use]
    pub(super) fn crashed(&self) -> Self {
        Self {
            me: self.me.clone(),
            machine: None,
            online: false,
            incarnation: self.incarnation,
            disk: self.disk.clone(),
            to_append: VecDeque::new(),
            appended: VecDeque::new(),
            blocked: BTreeSet::new(),
        }
    }

    /// Back on what the disk has kept, not logged in yet.
    #[must_use]
    pub(super) fn restarted(&self, keep_records: usize, keep_lines: usize) -> Self {
        let mut node = self.crashed();
        node.disk.lose(keep_records, keep_lines);
        node.incarnation += 1;
        let (machine, effects) = M::recover(&identity(&node.me), &settings(), node.incarnation, node.disk.written());
        node.machine = Some(machine);
        let mut nobody_hears = Said::default();
        for effect in effects {
            node.perform(effect, &mut nobody_hears);
        }
        node
    }

    /// What comes of a kick, if anything: the node as it is then and what was said by then; and before
    /// that, with the number of things it had done, each moment in which it could have crashed.
    pub(super) fn kicked(&self, kick: &Kick, room: &BTreeMap<UserName, Role>, before: &Said) -> Option<Outcomes<M>> {
        let (mut node, mut said) = (self.clone(), before.clone());
        let mut crashes = Vec::new();
        let mut done = 0;
        for input in node.inputs(kick, room) {
            let effects = node.machine.as_mut().map(|machine| machine.step(input)).unwrap_or_default();
            for effect in effects {
                if matches!(effect, Effect::Persist { .. } | Effect::Send { .. }) {
                    // A crash before the first of them is no different from one before the kick.
                    if done > 0 {
                        crashes.push((done, node.crashed(), said.clone()));
                    }
                    done += 1;
                }
                node.perform(effect, &mut said);
            }
        }
        (said.len() != before.len() || node != *self).then_some(Outcomes { node, said, crashes })
    }

    /// Whether the person is still asked about a transaction.
    pub(super) fn may_vote(&self, txn: &TxnId) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.may_vote(txn))
    }

    fn perform(&mut self, effect: Effect<M>, said: &mut Said) {
        match effect {
            Effect::Persist { record, sync, .. } => self.disk.write(M::plain(record), sync),
            Effect::Apply { lsn, .. } => self.to_append.push_back(lsn),
            Effect::Send { to, message } => {
                if self.online {
                    said.insert(Envelope { from: self.me.clone(), role: M::ROLE, to, message: plain(message) });
                }
            }
            Effect::Notify(Notice::Blocked { txn, .. }) => {
                self.blocked.insert(txn);
            }
            // A timer may fire at any moment here, set or not.
            Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Notify(_) => {}
        }
    }

    /// What a kick is to the disk and to the machine.
    fn inputs(&mut self, kick: &Kick, room: &BTreeMap<UserName, Role>) -> Vec<Input<M>> {
        match kick {
            Kick::Hear(envelope) => {
                let Envelope { from, role, message, .. } = (**envelope).clone();
                vec![Input::Received { from, role, message }]
            }
            Kick::Synced => vec![Input::Durable(self.disk.sync())],
            Kick::Append => {
                if let Some(lsn) = self.to_append.pop_front() {
                    self.disk.append_line(lsn);
                    self.appended.push_back(lsn);
                }
                Vec::new()
            }
            Kick::Appended => self.appended.pop_front().map(Input::Applied).into_iter().collect(),
            Kick::Login => {
                self.online = true;
                let mut room = room.clone();
                room.insert(self.me.clone(), M::ROLE);
                vec![Input::Link(LinkState::Up(room))]
            }
            Kick::Joined(user, role) => vec![Input::Peer(user.clone(), Presence::Joined(*role))],
            Kick::Left(user) => vec![Input::Peer(user.clone(), Presence::Left)],
            Kick::Request(_) | Kick::PressCommit(_) | Kick::Timer(..) => M::own_input(kick).into_iter().collect(),
        }
    }
}

/// See [`Node::kicked`].
pub(super) struct Outcomes<M: Machine> {
    pub(super) node: Node<M>,
    pub(super) said: Said,
    pub(super) crashes: Vec<(usize, Node<M>, Said)>,
}

/// The message without what it says for people only: reasons never steer, and every one of them
/// would otherwise make a world of its own.
fn plain(message: Message) -> Message {
    match message {
        Message::VoteAbort { txn, .. } => Message::VoteAbort { txn, reason: None },
        Message::GlobalAbort { txn, .. } => Message::GlobalAbort { txn, reason: None, by: None },
        Message::VoteRequest { .. }
        | Message::VoteCommit { .. }
        | Message::GlobalCommit { .. }
        | Message::Ack { .. }
        | Message::DecisionRequest { .. }
        | Message::DecisionReply { .. } => message,
    }
}

impl Inhabitant for Coordinator {
    fn may_vote(&self, _: &TxnId) -> bool {
        false
    }

    fn plain(record: CoordinatorRecord) -> CoordinatorRecord {
        match record {
            CoordinatorRecord::Abort { txn, .. } => CoordinatorRecord::Abort { txn, reason: None, by: None },
            CoordinatorRecord::Start { .. } | CoordinatorRecord::Commit { .. } | CoordinatorRecord::End { .. } => record,
        }
    }

    fn own_input(kick: &Kick) -> Option<Input<Self>> {
        match kick {
            Kick::Request(left) => Some(Input::Command(coordinator::Command::Request {
                string: string(*left),
                timeout: Duration::from_secs(20),
                alongside: true,
            })),
            // What the timer that repeats a decision would say was said before.
            Kick::Timer(Clock::Deadline, txn) => Some(Input::TimerFired(coordinator::Timer::Votes((**txn).clone()))),
            Kick::Timer(Clock::Grace | Clock::Answers, _)
            | Kick::PressCommit(_)
            | Kick::Hear(_)
            | Kick::Synced
            | Kick::Append
            | Kick::Appended
            | Kick::Login
            | Kick::Joined(..)
            | Kick::Left(_) => None,
        }
    }
}

impl Inhabitant for Participant {
    fn may_vote(&self, txn: &TxnId) -> bool {
        self.standings().iter().any(|standing| standing.txn == txn && standing.may_vote)
    }

    fn plain(record: ParticipantRecord) -> ParticipantRecord {
        match record {
            ParticipantRecord::Abort { txn, .. } => ParticipantRecord::Abort { txn, reason: None },
            ParticipantRecord::Ready { .. } | ParticipantRecord::Commit { .. } | ParticipantRecord::Applied { .. } => record,
        }
    }

    fn own_input(kick: &Kick) -> Option<Input<Self>> {
        match kick {
            Kick::PressCommit(txn) => Some(Input::Command(participant::Command::Commit((**txn).clone()))),
            Kick::Timer(clock, txn) => {
                let txn = (**txn).clone();
                Some(Input::TimerFired(match clock {
                    Clock::Deadline => participant::Timer::Deadline(txn),
                    Clock::Grace => participant::Timer::Grace(txn),
                    Clock::Answers => participant::Timer::Answers(txn),
                }))
            }
            Kick::Request(_)
            | Kick::Hear(_)
            | Kick::Synced
            | Kick::Append
            | Kick::Appended
            | Kick::Login
            | Kick::Joined(..)
            | Kick::Left(_) => None,
        }
    }
}
