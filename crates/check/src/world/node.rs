//! One node: a machine over a disk, and what is on its way between them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use twopc_proto::audit::Holding;
use twopc_proto::{
    Coordinator, CoordinatorRecord, Effect, Input, LinkState, Lsn, Machine, Message, Notice, Participant, ParticipantRecord, Presence,
    Role, TxnId, UserName, coordinator, participant,
};

use super::action::Kick;
use super::disk::Disk;
use super::said::Envelope;
use super::{Shared, identity, settings, string};
use crate::mutants::{self, Mutant, Twist};
use crate::steps::{self, Cause, Step};

/// A node, up or down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node<M: Machine> {
    /// Its name.
    pub me: UserName,
    /// How its machine is broken, if it is.
    pub mutant: Option<Mutant>,
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
    /// Transactions that it has said to be blocked in.
    pub blocked: BTreeSet<TxnId>,
    /// It has acknowledged a commit whose line was not in its text file at that moment.
    pub acknowledged_early: bool,
    /// What was wrong with a step that it took, if something was.
    pub misstep: Option<String>,
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
pub trait Inhabitant: Twist + Cause {
    /// The input that a press or a timer is for this role, if it is one.
    fn own_input(kick: &Kick) -> Option<Input<Self>>;
    /// Whether the person is still asked about this transaction.
    fn may_vote(&self, txn: &TxnId) -> bool;
    /// Lends the outcomes that this thread has worked out for this role.
    fn known<T>(lend: impl FnOnce(&mut Known<Self>) -> T) -> T;
    /// The record without what it says for people only.
    fn plain(record: Self::Record) -> Self::Record;
}

impl<M: Inhabitant> Node<M> {
    /// Up for the first time and logged in.
    #[must_use]
    pub fn new(me: UserName, room: &BTreeMap<UserName, Role>, mutant: Option<Mutant>, lying_disk: bool) -> Self {
        let (mut machine, _) = mutants::recover::<M>(mutant, &identity(&me), &settings(), 1, &[]);
        mutants::step(mutant, &mut machine, Input::Link(LinkState::Up(room.clone())));
        Self {
            me,
            mutant,
            machine: Some(machine),
            online: true,
            incarnation: 1,
            disk: Disk::new(lying_disk),
            to_append: VecDeque::new(),
            blocked: BTreeSet::new(),
            acknowledged_early: false,
            misstep: None,
        }
    }

    /// Gone at once: what was not on the disk is forgotten.
    #[must_use]
    pub(super) fn crashed(&self) -> Self {
        Self {
            me: self.me.clone(),
            mutant: self.mutant,
            machine: None,
            online: false,
            incarnation: self.incarnation,
            disk: self.disk.clone(),
            to_append: VecDeque::new(),
            blocked: BTreeSet::new(),
            acknowledged_early: self.acknowledged_early,
            misstep: self.misstep.clone(),
        }
    }

    /// Back on what the disk has kept and logged in: the node as it is then, and every moment in which
    /// it could have crashed again on the way.
    #[must_use]
    pub(super) fn restarted(&self, keep_records: usize, keep_lines: usize, room: &BTreeMap<UserName, Role>) -> Outcome<M> {
        let mut node = self.crashed();
        node.disk.lose(keep_records, keep_lines);
        node.incarnation += 1;
        let (machine, effects) =
            mutants::recover::<M>(node.mutant, &identity(&node.me), &settings(), node.incarnation, node.disk.written());
        node.machine = Some(machine);
        let mut course = Course::new(node);
        course.perform(None, effects);
        course.node.online = true;
        let mut room = room.clone();
        room.insert(self.me.clone(), M::ROLE);
        course.input(&Input::Link(LinkState::Up(room)));
        course.outcome()
    }

    /// What comes of a kick, if anything. What a node does hangs on nothing but the node and the kick,
    /// so each pair is worked out once.
    pub(super) fn kicked(node: &Shared<Self>, kick: &Kick) -> Option<Arc<Outcome<M>>> {
        let key = (node.digest(), Shared::new(kick.clone()).digest());
        M::known(|known| known.entry(key).or_insert_with(|| node.work_out(kick).map(Arc::new)).clone())
    }

    fn work_out(&self, kick: &Kick) -> Option<Outcome<M>> {
        let mut course = Course::new(self.clone());
        let inputs = course.node.inputs(kick);
        if *kick == Kick::Append {
            // The line stands there and the machine has not been told.
            course.moments.push((0, Shared::new(course.node.crashed()), 0));
        }
        for input in inputs {
            course.input(&input);
        }
        (!course.said.is_empty() || course.node != *self).then(|| course.outcome())
    }

    /// Whether the person is still asked about a transaction.
    pub(super) fn may_vote(&self, txn: &TxnId) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.may_vote(txn))
    }

    /// What a kick is to the disk and to the machine.
    fn inputs(&mut self, kick: &Kick) -> Vec<Input<M>> {
        match kick {
            Kick::Hear(envelope) => {
                let Envelope { from, role, message, .. } = (**envelope).clone();
                vec![Input::Received { from, role, message }]
            }
            Kick::Synced => vec![Input::Durable(self.disk.sync())],
            Kick::Append => match self.to_append.pop_front() {
                Some(lsn) => {
                    self.disk.append_line(lsn);
                    vec![Input::Applied(lsn)]
                }
                None => Vec::new(),
            },
            Kick::Joined(user, role) => vec![Input::Peer(user.clone(), Presence::Joined(*role))],
            Kick::Left(user) => vec![Input::Peer(user.clone(), Presence::Left)],
            Kick::Request(_) | Kick::PressCommit(_) | Kick::Timer(..) => M::own_input(kick).into_iter().collect(),
        }
    }
}

/// What comes of something that happens to a node.
#[derive(Debug)]
pub struct Outcome<M: Machine> {
    /// The node as it is then.
    pub(super) node: Shared<Node<M>>,
    /// What it said, in order.
    pub(super) said: Vec<Shared<Envelope>>,
    /// The moments in between in which a crash leaves something else behind than one before or after:
    /// how many things it had done by then, the node then, and how much of the above it had said.
    pub(super) moments: Vec<(usize, Shared<Node<M>>, usize)>,
}

/// A node on its way through what happens to it.
struct Course<M: Machine> {
    node: Node<M>,
    said: Vec<Shared<Envelope>>,
    moments: Vec<(usize, Shared<Node<M>>, usize)>,
    done: usize,
}

impl<M: Inhabitant> Course<M> {
    fn new(node: Node<M>) -> Self {
        Self { node, said: Vec::new(), moments: Vec::new(), done: 0 }
    }

    fn input(&mut self, input: &Input<M>) {
        let mutant = self.node.mutant;
        let Some(machine) = &mut self.node.machine else { return };
        let effects = mutants::step(mutant, machine, input.clone());
        self.perform(Some(input), effects);
    }

    /// Carries out what came of an input, or of a recovery if there was none.
    fn perform(&mut self, input: Option<&Input<M>>, effects: Vec<Effect<M>>) {
        let Node { me, disk, incarnation, .. } = &self.node;
        let holding = Holding { user: me, log: M::log(disk.durable(), *incarnation) };
        if let Err(violation) = steps::judge(&Step { holding, input, effects: &effects }) {
            self.node.misstep.get_or_insert(violation.to_string());
        }
        for effect in effects {
            if matches!(effect, Effect::Persist { .. } | Effect::Send { .. }) {
                // A crash before the first of them is no different from one before it all.
                if self.done > 0 {
                    self.moments.push((self.done, Shared::new(self.node.crashed()), self.said.len()));
                }
                self.done += 1;
            }
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<M>) {
        let node = &mut self.node;
        match effect {
            Effect::Persist { record, sync, .. } => node.disk.write(M::plain(record), sync),
            Effect::Apply { lsn, .. } => node.to_append.push_back(lsn),
            Effect::Send { to, message } => {
                if node.online {
                    node.acknowledged_early |= matches!(&message, Message::Ack { txn } if !node.disk.has_line_of(txn));
                    self.said.push(Shared::new(Envelope { from: node.me.clone(), role: M::ROLE, to, message: plain(message) }));
                }
            }
            Effect::Notify(Notice::Blocked { txn, .. }) => {
                node.blocked.insert(txn);
            }
            // A timer may fire at any moment here, set or not.
            Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Notify(_) => {}
        }
    }

    fn outcome(self) -> Outcome<M> {
        Outcome { node: Shared::new(self.node), said: self.said, moments: self.moments }
    }
}

/// Outcomes by the digests of node and kick; `None` where nothing comes of it.
pub type Known<M> = HashMap<(u64, u64), Option<Arc<Outcome<M>>>>;

thread_local! {
    static COORDINATORS: RefCell<Known<Coordinator>> = RefCell::default();
    static PARTICIPANTS: RefCell<Known<Participant>> = RefCell::default();
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

    fn known<T>(lend: impl FnOnce(&mut Known<Self>) -> T) -> T {
        COORDINATORS.with_borrow_mut(lend)
    }

    fn plain(record: CoordinatorRecord) -> CoordinatorRecord {
        match record {
            CoordinatorRecord::Abort { txn, .. } => CoordinatorRecord::Abort { txn, reason: None, by: None },
            CoordinatorRecord::Start { .. }
            | CoordinatorRecord::Commit { .. }
            | CoordinatorRecord::End { .. }
            | CoordinatorRecord::Decided(_) => record,
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
            | Kick::Joined(..)
            | Kick::Left(_) => None,
        }
    }
}

impl Inhabitant for Participant {
    fn may_vote(&self, txn: &TxnId) -> bool {
        self.standings().iter().any(|standing| standing.txn == txn && standing.may_vote)
    }

    fn known<T>(lend: impl FnOnce(&mut Known<Self>) -> T) -> T {
        PARTICIPANTS.with_borrow_mut(lend)
    }

    fn plain(record: ParticipantRecord) -> ParticipantRecord {
        match record {
            ParticipantRecord::Abort { txn, .. } => ParticipantRecord::Abort { txn, reason: None },
            ParticipantRecord::Ready { .. }
            | ParticipantRecord::Commit { .. }
            | ParticipantRecord::Applied { .. }
            | ParticipantRecord::Decided(_) => record,
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
            Kick::Request(_) | Kick::Hear(_) | Kick::Synced | Kick::Append | Kick::Joined(..) | Kick::Left(_) => None,
        }
    }
}
