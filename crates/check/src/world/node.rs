//! One node: a machine over a disk, and what is on its way between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use twopc_proto::audit::Violation;
use twopc_proto::{Input, LinkState, Lsn, Presence, Role, TxnId, UserName};

use super::action::Kick;
use super::course::{Course, Outcome};
use super::disk::Disk;
use super::inhabitant::{Inhabitant, Outcomes};
use super::said::Envelope;
use super::shared::{Beside, digest};
use super::{Scope, Shared, identity, settings};
use crate::mutants;

/// A node, up or down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node<M: Inhabitant> {
    /// Its name.
    pub me: UserName,
    /// What may happen to it.
    pub scope: Scope,
    /// `None` while it is down. A node that is up is logged in.
    pub machine: Option<M>,
    /// Which start this is, as far as this role tells them apart.
    pub incarnation: u64,
    /// What it has on its disk.
    pub disk: Shared<Disk<M::Record>>,
    /// Lines that the machine has asked for and that are not in the text file yet.
    pub to_append: VecDeque<Lsn>,
    /// The timers that are set, where that is kept.
    pub timers: BTreeSet<M::Timer>,
    /// It has acknowledged a commit whose line was not in its text file at that moment.
    pub acknowledged_early: bool,
    /// What was wrong with a step that it took, if something was.
    pub misstep: Option<Violation>,
    /// Where it comes from, for calling it by another name.
    pub(super) origin: Beside<Option<Origin<M>>>,
    /// What the participants look like to it, or it to itself, for finding out who is who.
    pub(super) look: Beside<OnceLock<M::Look>>,
}

/// What a node comes from: something that happened to another one, and the moment of it in which it
/// crashed, if it did.
#[derive(Clone, Debug)]
pub(super) enum Origin<M: Inhabitant> {
    Crash(Shared<Node<M>>),
    Kick(Shared<Node<M>>, Kick, Option<usize>),
    Restart(Shared<Node<M>>, Survived, Arc<BTreeMap<UserName, Role>>, Option<usize>),
}

/// How much survived a crash of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Survived {
    /// Records, from the first.
    pub records: usize,
    /// Lines of the text file, from the first.
    pub lines: usize,
}

impl<M: Inhabitant> Node<M> {
    /// Up for the first time and logged in.
    #[must_use]
    pub(super) fn new(me: UserName, room: &BTreeMap<UserName, Role>, scope: &Scope) -> Self {
        // How much is explored is no business of a node.
        let scope = Scope { participants: 0, requests: 0, crashes: 0, ..*scope };
        let (mut machine, _) = mutants::recover::<M>(scope.mutant, &identity(&me), &settings(), 1, &[]);
        mutants::step(scope.mutant, &mut machine, Input::Link(LinkState::Up(room.clone())));
        Self {
            me,
            scope,
            machine: Some(machine),
            incarnation: 1,
            disk: M::notes(|notes| notes.disks.one(Disk::new(scope.lying_disks))),
            to_append: VecDeque::new(),
            timers: BTreeSet::new(),
            acknowledged_early: false,
            misstep: None,
            origin: Beside(None),
            look: Beside(OnceLock::new()),
        }
    }

    /// Whether it is up, and logged in.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.machine.is_some()
    }

    /// Gone at once: what was not on the disk is forgotten.
    pub(super) fn crashed(&self) -> Self {
        Self {
            me: self.me.clone(),
            scope: self.scope,
            machine: None,
            incarnation: self.incarnation,
            disk: self.disk.clone(),
            to_append: VecDeque::new(),
            timers: BTreeSet::new(),
            acknowledged_early: self.acknowledged_early,
            misstep: self.misstep.clone(),
            origin: Beside(None),
            look: Beside(OnceLock::new()),
        }
    }

    /// The same, of a node in its place.
    pub(super) fn crash(node: &Shared<Self>) -> Shared<Self> {
        let mut crashed = node.crashed();
        if node.scope.symmetry {
            crashed.origin = Beside(Some(Origin::Crash(node.clone())));
        }
        M::notes(|notes| notes.nodes.one(crashed))
    }

    /// Back on what the disk has kept and logged in: the node as it is then, and every moment in which
    /// it could have crashed again on the way.
    pub(super) fn restarted(node: &Shared<Self>, survived: Survived, room: &BTreeMap<UserName, Role>) -> Rc<Outcome<M>> {
        let (outcomes, key) = (Self::outcomes(node), digest(&(survived, room)));
        if let Some(known) = outcomes.borrow().get(&key).cloned().flatten() {
            return known;
        }
        let mut back = node.crashed();
        let mut disk = (*back.disk).clone();
        disk.lose(survived);
        back.disk = M::notes(|notes| notes.disks.one(disk));
        back.incarnation = M::next_incarnation(back.incarnation);
        let (machine, effects) =
            mutants::recover::<M>(back.scope.mutant, &identity(&back.me), &settings(), back.incarnation, back.disk.written());
        back.machine = Some(machine);
        let mut room = room.clone();
        room.insert(node.me.clone(), M::ROLE);
        let origin_room = Arc::new(room.clone());
        let outcome = Course::restarting(back, effects, LinkState::Up(room))
            .outcome(|moment| node.scope.symmetry.then(|| Origin::Restart(node.clone(), survived, origin_room.clone(), moment)));
        let outcome = Rc::new(outcome);
        outcomes.borrow_mut().insert(key, Some(outcome.clone()));
        outcome
    }

    /// What is known to come of what happens to this node.
    pub(super) fn outcomes(node: &Shared<Self>) -> Outcomes<M> {
        M::notes(|notes| {
            let key = (node.digest(), 0);
            notes.outcomes.get(key).unwrap_or_else(|| {
                let outcomes = Outcomes::default();
                notes.outcomes.insert(key, outcomes.clone());
                outcomes
            })
        })
    }

    /// What comes of a kick, if anything. What a node does hangs on nothing but the node and the kick,
    /// so each pair is worked out once.
    pub(super) fn kicked(node: &Shared<Self>, kick: &Kick) -> Option<Rc<Outcome<M>>> {
        Self::kicked_among(&Self::outcomes(node), node, kick)
    }

    /// The same, where more is asked of a node whose outcomes are these.
    pub(super) fn kicked_among(outcomes: &Outcomes<M>, node: &Shared<Self>, kick: &Kick) -> Option<Rc<Outcome<M>>> {
        Self::known_or(outcomes, kick.digest(), || Self::work_out(node, kick))
    }

    /// What comes of hearing this.
    pub(super) fn heard(outcomes: &Outcomes<M>, node: &Shared<Self>, envelope: &Shared<Envelope>) -> Option<Rc<Outcome<M>>> {
        Self::known_or(outcomes, Kick::digest_of_hearing(envelope), || Self::work_out(node, &Kick::Hear(envelope.clone())))
    }

    fn known_or(outcomes: &Outcomes<M>, key: u64, work_out: impl FnOnce() -> Option<Outcome<M>>) -> Option<Rc<Outcome<M>>> {
        if let Some(known) = outcomes.borrow().get(&key) {
            return known.clone();
        }
        let outcome = work_out().map(Rc::new);
        outcomes.borrow_mut().insert(key, outcome.clone());
        outcome
    }

    fn work_out(node: &Shared<Self>, kick: &Kick) -> Option<Outcome<M>> {
        let mut course = Course::new((**node).clone());
        match kick {
            Kick::Hear(envelope) => {
                let Envelope { from, role, message, .. } = (**envelope).clone();
                course.input(&Input::Received { from, role, message });
            }
            Kick::Synced => course.sync(),
            Kick::Append => course.append(),
            Kick::Joined(user, role) => course.input(&Input::Peer(user.clone(), Presence::Joined(*role))),
            Kick::Left(user) => course.input(&Input::Peer(user.clone(), Presence::Left)),
            Kick::NotHere(user) => course.input(&Input::Peer(user.clone(), Presence::NotHere)),
            Kick::Request(_) | Kick::PressCommit(_) => {
                if let Some(input) = M::own_input(kick) {
                    course.input(&input);
                }
            }
            Kick::Timer(clock, txn) => {
                let timer = M::timer(*clock, txn)?;
                if node.scope.end.is_some() && !course.node_mut().timers.remove(&timer) {
                    return None;
                }
                course.input(&Input::TimerFired(timer));
            }
        }
        let outcome = course.outcome(|moment| node.scope.symmetry.then(|| Origin::Kick(node.clone(), kick.clone(), moment)));
        let matters = !outcome.said.is_empty() || outcome.node != *node || !outcome.landmarks.is_empty();
        matters.then_some(outcome)
    }

    /// The digest of all but what may happen to it.
    pub(super) fn likeness(&self) -> u64 {
        let known = (&self.me, &self.machine, self.incarnation, &self.disk);
        digest(&(known, &self.to_append, &self.timers, self.acknowledged_early, &self.misstep))
    }

    /// Whether the person is still asked about a transaction.
    pub(super) fn may_vote(&self, txn: &TxnId) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.may_vote(txn))
    }
}
