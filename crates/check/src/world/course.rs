//! What a node does with one thing that happens to it, step by step, and where it could crash in
//! between.

use std::sync::OnceLock;

use twopc_proto::audit::Holding;
use twopc_proto::{Effect, Input, LinkState, LogRecord, Message, Notice, RecordKind, State, TxnId};

use super::disk::Disk;
use super::inhabitant::Inhabitant;
use super::landmarks::{Landmark, Landmarks, Point};
use super::node::{Node, Origin};
use super::said::{self, Envelope};
use super::shared::Beside;
use super::{Shared, who_is};
use crate::mutants;
use crate::steps::{self, Step};

/// What comes of something that happens to a node.
#[derive(Debug)]
pub(super) struct Outcome<M: Inhabitant> {
    /// The node as it is then.
    pub(super) node: Shared<Node<M>>,
    /// What it said, in order.
    pub(super) said: Vec<Shared<Envelope>>,
    /// The moments in between in which it could crash.
    pub(super) moments: Vec<Moment<M>>,
    /// What it did that a search must have seen.
    pub(super) landmarks: Landmarks,
}

/// A moment in which a crash leaves something else behind than one before or after all of it.
#[derive(Debug)]
pub(super) struct Moment<M: Inhabitant> {
    pub(super) cut: Cut,
    pub(super) node: Shared<Node<M>>,
    /// How much it had said by then.
    pub(super) said: usize,
}

/// Where in a step a node crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// How many things it has done by then.
    pub after: usize,
    /// What it would have done next.
    pub before: Point,
}

/// A node on its way through what happens to it.
pub(super) struct Course<M: Inhabitant> {
    node: Node<M>,
    online: bool,
    said: Vec<Shared<Envelope>>,
    moments: Vec<(Cut, Node<M>, usize)>,
    landmarks: Landmarks,
    done: usize,
    /// What was in the log when it began.
    before: Disk<M::Record>,
}

impl<M: Inhabitant> Course<M> {
    /// Of a node that is up.
    pub(super) fn new(mut node: Node<M>) -> Self {
        node.look = Beside(OnceLock::new());
        let before = (*node.disk).clone();
        Self { node, online: true, said: Vec::new(), moments: Vec::new(), landmarks: Landmarks::default(), done: 0, before }
    }

    /// Of a node that comes back and logs in.
    pub(super) fn restarting(node: Node<M>, effects: Vec<Effect<M>>, room: LinkState) -> Self {
        let mut course = Self { online: false, ..Self::new(node) };
        course.perform(None, effects);
        if course.node.scope.prompt_disks {
            course.run_the_disk_dry();
        }
        course.online = true;
        course.input(&Input::Link(room));
        course
    }

    pub(super) fn node_mut(&mut self) -> &mut Node<M> {
        &mut self.node
    }

    /// Lets the machine take one input.
    pub(super) fn input(&mut self, input: &Input<M>) {
        let mutant = self.node.scope.mutant;
        let Some(machine) = &mut self.node.machine else { return };
        let effects = mutants::step(mutant, machine, input.clone());
        self.perform(Some(input), effects);
    }

    /// The disk has synced all that is written.
    pub(super) fn sync(&mut self) {
        let lsn = self.change_disk(Disk::sync);
        self.input(&Input::Durable(lsn));
    }

    /// The next line stands in the text file.
    pub(super) fn append(&mut self) {
        if let Some(lsn) = self.node.to_append.pop_front() {
            self.thing(Point::Apply);
            self.change_disk(|disk| disk.append_line(lsn));
            self.input(&Input::Applied(lsn));
        }
    }

    /// A disk that answers at once.
    fn run_the_disk_dry(&mut self) {
        loop {
            if self.node.disk.someone_waits() {
                self.moment(Point::Sync);
                self.sync();
            } else if self.node.to_append.is_empty() {
                return;
            } else {
                self.append();
            }
        }
    }

    fn change_disk<T>(&mut self, change: impl FnOnce(&mut Disk<M::Record>) -> T) -> T {
        let mut disk = (*self.node.disk).clone();
        let result = change(&mut disk);
        self.node.disk = M::notes(|notes| notes.disks.one(disk));
        result
    }

    /// Carries out what came of an input, or of a recovery if there was none.
    fn perform(&mut self, input: Option<&Input<M>>, effects: Vec<Effect<M>>) {
        let Node { me, disk, incarnation, .. } = &self.node;
        let holding = Holding { user: me, log: M::log(disk.durable(), *incarnation) };
        if let Err(violation) = steps::judge(&Step { holding, input, effects: &effects }) {
            self.node.misstep.get_or_insert(violation);
        }
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<M>) {
        match effect {
            Effect::Persist { record, sync, .. } => {
                self.thing(Point::Log(record.kind()));
                self.change_disk(|disk| disk.write(M::plain(record), sync));
            }
            Effect::Apply { lsn, .. } => self.node.to_append.push_back(lsn),
            Effect::Send { to, message } if self.online => {
                self.thing(Point::Send(message.kind()));
                self.node.acknowledged_early |= matches!(&message, Message::Ack { txn } if !self.node.disk.has_line_of(txn));
                let settles = !matches!(&message, Message::DecisionReply { state, .. } if state.decision().is_none());
                if let Some(to) = who_is(&to).filter(|_| settles || self.node.scope.hints) {
                    let envelope = Envelope::new(self.node.me.clone(), M::ROLE, to, plain(message));
                    self.said.push(said::once(envelope));
                }
            }
            Effect::SetTimer { timer, .. } if self.node.scope.end.is_some() => {
                self.node.timers.insert(timer);
            }
            Effect::CancelTimer(timer) => {
                self.node.timers.remove(&timer);
            }
            Effect::Notify(Notice::Blocked { .. }) => self.landmarks.add(Landmark::Blocked),
            Effect::Notify(Notice::Alarm { .. }) => self.landmarks.add(Landmark::Alarm),
            // Where timers are not kept, each may fire at any moment, set or not.
            Effect::SetTimer { .. } | Effect::Send { .. } | Effect::Notify(_) => {}
        }
    }

    /// It is about to do one more thing.
    fn thing(&mut self, point: Point) {
        self.moment(point);
        self.landmarks.add(Landmark::Before(M::ROLE, point));
        self.landmarks.add(Landmark::After(M::ROLE, point));
        self.done += 1;
    }

    /// It could crash now. A crash before the first thing is no different from one before it all.
    fn moment(&mut self, before: Point) {
        if self.done > 0 {
            self.moments.push((Cut { after: self.done, before }, self.node.crashed(), self.said.len()));
        }
    }

    /// Ends: what has come of it all.
    pub(super) fn outcome(mut self, origin: impl Fn(Option<usize>) -> Option<Origin<M>>) -> Outcome<M> {
        if self.node.scope.prompt_disks {
            self.run_the_disk_dry();
        }
        self.note_passages();
        if self.node.scope.eager {
            self.forget_what_loss_covers();
        }
        let moments = self.moments.into_iter().enumerate().map(|(place, (cut, mut node, said))| {
            node.origin.0 = origin(Some(place));
            Moment { cut, node: M::notes(|notes| notes.nodes.one(node)), said }
        });
        let moments = moments.collect();
        self.node.origin.0 = origin(None);
        Outcome { node: M::notes(|notes| notes.nodes.one(self.node)), said: self.said, moments, landmarks: self.landmarks }
    }

    /// Of the moments in which a crash leaves the same disk behind only the last counts, in which most
    /// was said: whatever was not said in the others may be lost just as well. If that is the end of
    /// it all, it is a crash after the step.
    fn forget_what_loss_covers(&mut self) {
        let mut later = vec![self.node.crashed()];
        self.moments.reverse();
        self.moments.retain(|(_, node, _)| {
            let new = !later.contains(node);
            if new {
                later.push(node.clone());
            }
            new
        });
        self.moments.reverse();
    }

    fn note_passages(&mut self) {
        let after = &self.node.disk;
        let known: Vec<&TxnId> = after.written().iter().map(LogRecord::txn).collect();
        for txn in known {
            let (from, to) = (state_of(&self.before, txn), state_of(after, txn));
            if from != to {
                self.landmarks.add(Landmark::Passage(M::ROLE, from, to));
            }
        }
        let ended = |disk: &Disk<M::Record>| disk.written().iter().any(|record| record.kind() == RecordKind::End);
        if ended(after) && !ended(&self.before) {
            self.landmarks.add(Landmark::End);
        }
    }
}

/// The book's state of a transaction by what is on a disk. START need not be durable for its
/// transaction to be waited for.
fn state_of<R: LogRecord>(disk: &Disk<R>, txn: &TxnId) -> State {
    let asked = disk.written().iter().any(|record| record.txn() == txn && record.kind() == RecordKind::Start);
    let durable = disk.durable().iter().filter(|record| record.txn() == txn);
    durable.fold(if asked { State::Wait } else { State::Init }, |state, record| match record.kind() {
        RecordKind::Start | RecordKind::End | RecordKind::Applied | RecordKind::Decided => state,
        RecordKind::Ready => State::Ready,
        RecordKind::Commit => State::Commit,
        RecordKind::Abort => State::Abort,
    })
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
