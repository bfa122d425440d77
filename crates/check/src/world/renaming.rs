//! Worlds that differ only in which participant is which.
//!
//! The participants' names mean nothing to the protocol but an order in which things are said, so a
//! world in which two of them have changed places can do whatever it could do before, under the other
//! names; and what is asked of worlds names nobody. It is then enough to explore one of them. (The
//! order in which one step's messages leave does show in a crash between two of them. An `eager` world
//! has no such crash: it stands for all of them that all were said.)
//!
//! A machine's names are inside, and what ships needs no way to change them. So a node is called by
//! another name by doing again, with a machine of that name, what was done with it: each node knows
//! what it comes from, and each step of the way is worked out once for each renaming.
//!
//! [`representative`] puts the participants in an order that does not hang on their names. Where it
//! leaves two as they were although they differ, two worlds are explored instead of one, and no harm
//! is done. Where participants are so much alike that a world is the same if they change places, what
//! happens to one of them stands for what happens to the others ([`Alike`]).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use twopc_proto::{Coordinator, Message, Participant, Role, UserName};

use super::action::Kick;
use super::inhabitant::Inhabitant;
use super::node::{Node, Origin};
use super::said::{self, Envelope, Inbox};
use super::shared::{Fold, Memo, Shared, digest};
use super::{NAMES, Seat, Who, World, name, who_is};

/// Who gets whose place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Renaming {
    /// The new place of each participant.
    places: [u8; NAMES.len()],
}

impl Renaming {
    /// Gives each participant the place that its old one has in `order`.
    fn to_order(order: &[usize]) -> Self {
        let mut places = [0, 1, 2, 3, 4, 5, 6, 7];
        for (place, old) in order.iter().enumerate() {
            // A world has at most eight participants.
            places[*old] = u8::try_from(place).unwrap_or(u8::MAX);
        }
        Self { places }
    }

    /// Lets two participants that stand beside each other change places.
    fn swap(place: usize) -> Self {
        let mut places = [0, 1, 2, 3, 4, 5, 6, 7];
        places.swap(place, place + 1);
        Self { places }
    }

    /// Whether a world is the same under the other names.
    fn leaves(self, world: &World) -> bool {
        let everybody = world.participants.len();
        let new = |place: usize| &world.participants[usize::from(self.places[place])];
        let mut seats = world.participants.iter().enumerate();
        world.coordinator.inbox.is_under(self.places, &world.coordinator.inbox)
            && seats.clone().all(|(place, seat)| seat.inbox.is_under(self.places, &new(place).inbox))
            && self.node(&world.coordinator.node, everybody) == world.coordinator.node
            && seats.all(|(place, seat)| self.node(&seat.node, everybody) == new(place).node)
    }

    fn changes_nothing(self) -> bool {
        self.places == [0, 1, 2, 3, 4, 5, 6, 7]
    }

    fn key(self) -> u64 {
        u64::from_le_bytes(self.places)
    }

    fn who(self, who: Who) -> Who {
        match who {
            Who::Coordinator => who,
            Who::Participant(place) => Who::Participant(self.places[place].into()),
        }
    }

    fn user(self, user: &UserName) -> UserName {
        match who_is(user) {
            Some(Who::Participant(place)) => name(NAMES[usize::from(self.places[place])]),
            Some(Who::Coordinator) | None => user.clone(),
        }
    }

    fn users(self, users: &BTreeSet<UserName>) -> BTreeSet<UserName> {
        users.iter().map(|user| self.user(user)).collect()
    }

    fn room(self, room: &BTreeMap<UserName, Role>) -> BTreeMap<UserName, Role> {
        room.iter().map(|(user, role)| (self.user(user), *role)).collect()
    }

    fn message(self, message: &Message) -> Message {
        match message {
            Message::VoteRequest { txn, string, participants, timeout } => {
                Message::VoteRequest { txn: txn.clone(), string: string.clone(), participants: self.users(participants), timeout: *timeout }
            }
            Message::DecisionRequest { txn, participants } => {
                Message::DecisionRequest { txn: txn.clone(), participants: self.users(participants) }
            }
            Message::VoteCommit { .. }
            | Message::VoteAbort { .. }
            | Message::GlobalCommit { .. }
            | Message::GlobalAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionReply { .. } => message.clone(),
        }
    }

    fn envelope(self, envelope: &Shared<Envelope>) -> Shared<Envelope> {
        let key = (envelope.digest(), self.key());
        if let Some(known) = ENVELOPES.with_borrow_mut(|envelopes| envelopes.get(key)) {
            return known;
        }
        let Envelope { from, role, to, message, .. } = &**envelope;
        let renamed = said::once(Envelope::new(self.user(from), *role, self.who(*to), self.message(message)));
        ENVELOPES.with_borrow_mut(|envelopes| envelopes.insert(key, renamed.clone()));
        renamed
    }

    fn kick(self, kick: &Kick) -> Kick {
        match kick {
            Kick::Hear(envelope) => Kick::Hear(self.envelope(envelope)),
            Kick::Joined(user, role) => Kick::Joined(self.user(user), *role),
            Kick::Left(user) => Kick::Left(self.user(user)),
            Kick::NotHere(user) => Kick::NotHere(self.user(user)),
            Kick::Synced | Kick::Append | Kick::Timer(..) | Kick::Request(_) | Kick::PressCommit(_) => kick.clone(),
        }
    }

    fn inbox(self, inbox: &Shared<Inbox>) -> Shared<Inbox> {
        said::inbox_under(self.places, inbox, |envelope| self.envelope(envelope))
    }

    /// The node as it is under the other names: what happened to it happens to another one.
    fn node<M: Inhabitant>(self, node: &Shared<Node<M>>, everybody: usize) -> Shared<Node<M>> {
        let key = (node.digest(), self.key());
        if let Some(known) = M::notes(|notes| notes.renamed.get(key)) {
            return known;
        }
        let renamed = match &node.origin.0 {
            None => {
                let room = NAMES[..everybody].iter().map(|who| (name(who), Role::Participant));
                let room = room.chain([(super::chair(), Role::Coordinator)]).collect();
                let first = Node::new(self.user(&node.me), &room, &node.scope);
                M::notes(|notes| notes.nodes.one(first))
            }
            Some(Origin::Crash(was)) => Node::crash(&self.node(was, everybody)),
            Some(Origin::Kick(was, kick, moment)) => {
                let was = self.node(was, everybody);
                match (Node::kicked(&was, &self.kick(kick)), moment) {
                    (None, _) => was,
                    (Some(outcome), None) => outcome.node.clone(),
                    (Some(outcome), Some(moment)) => outcome.moments[*moment].node.clone(),
                }
            }
            Some(Origin::Restart(was, survived, room, moment)) => {
                let outcome = Node::restarted(&self.node(was, everybody), *survived, &self.room(room));
                moment.map_or_else(|| outcome.node.clone(), |moment| outcome.moments[moment].node.clone())
            }
        };
        M::notes(|notes| notes.renamed.insert(key, renamed.clone()));
        renamed
    }

    fn seat<M: Inhabitant>(self, seat: &Seat<M>, everybody: usize) -> Seat<M> {
        Seat { node: self.node(&seat.node, everybody), inbox: self.inbox(&seat.inbox) }
    }

    /// The world under the other names.
    pub(super) fn world(self, world: &World) -> World {
        let everybody = world.participants.len();
        let from = |place: usize| self.places.iter().position(|new| usize::from(*new) == place).unwrap_or(place);
        World {
            coordinator: self.seat(&world.coordinator, everybody),
            participants: (0..everybody).map(|place| self.seat(&world.participants[from(place)], everybody)).collect(),
            transactions: world.transactions.clone(),
            requests_left: world.requests_left,
            crashes_left: world.crashes_left,
            strayed: world.strayed,
        }
    }
}

thread_local! {
    static ENVELOPES: RefCell<Memo<Shared<Envelope>>> = RefCell::default();
}

/// The world that stands for this one and for those that differ from it only in who is who.
#[must_use]
pub fn representative(world: &World) -> World {
    let looks: Vec<u64> = (0..world.participants.len()).map(|place| look(world, place)).collect();
    let mut order: Vec<usize> = (0..looks.len()).collect();
    order.sort_by_key(|place| looks[*place]);
    let renaming = Renaming::to_order(&order);
    if renaming.changes_nothing() { world.clone() } else { renaming.world(world) }
}

/// Which participants of a world are so much alike that it is the same if they change places.
///
/// What happens to one of them, or to somebody else because of one of them, leads to worlds that differ
/// only in who is who from those to which it leads with another one. So one of them stands for all.
pub(super) struct Alike {
    /// The first of those whom each one is like.
    first: [usize; NAMES.len()],
}

impl Alike {
    /// Everybody is somebody else.
    pub(super) fn nobody() -> Self {
        Self { first: [0, 1, 2, 3, 4, 5, 6, 7] }
    }

    /// In a world whose nodes know what they come from.
    pub(super) fn of(world: &World) -> Self {
        let mut alike = Self::nobody();
        let looks: Vec<u64> = (0..world.participants.len()).map(|place| look(world, place)).collect();
        // A representative has those who look alike beside each other.
        for (place, looks) in looks.windows(2).enumerate() {
            if looks[0] == looks[1] && Renaming::swap(place).leaves(world) {
                alike.first[place + 1] = alike.first[place];
            }
        }
        alike
    }

    /// Whether somebody else stands for this one.
    pub(super) fn covers(&self, who: Who) -> bool {
        matches!(who, Who::Participant(place) if self.first[place] != place)
    }

    /// Whether somebody else stands for the one by whom something happens to this one, who stays who it is.
    pub(super) fn covers_beside(&self, who: Who, by: Who) -> bool {
        let Who::Participant(by) = by else { return false };
        (0..by).any(|earlier| self.first[earlier] == self.first[by] && Who::Participant(earlier) != who)
    }
}

/// The world under every renaming of its participants, itself among them. Its nodes must know what they
/// come from: they do where the scope has `symmetry`.
#[must_use]
pub fn namesakes(world: &World) -> Vec<World> {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for place in 0..world.participants.len() {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, place);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders.iter().map(|order| Renaming::to_order(order).world(world)).collect()
}

/// What a participant looks like to somebody who cannot read names: by itself, and to the coordinator.
fn look(world: &World, place: usize) -> u64 {
    let Seat { node, inbox } = &world.participants[place];
    let coordinator = &world.coordinator;
    let mut fold = Fold::default();
    fold.add(*node.look.0.get_or_init(|| look_of_participant(node)));
    fold.add(inbox.look());
    let looks = coordinator.node.look.0.get_or_init(|| NAMES.map(|who| look_to_coordinator(&coordinator.node, &name(who))));
    fold.add(looks[place]);
    fold.add(coordinator.inbox.look_of(place));
    fold.finish()
}

fn look_of_participant(node: &Node<Participant>) -> u64 {
    let records: Vec<_> =
        node.disk.written().iter().map(|record| (twopc_proto::LogRecord::kind(record), twopc_proto::LogRecord::txn(record))).collect();
    let machine = node.machine.as_ref().map(|machine| {
        let standings = machine.standings().into_iter().map(|standing| {
            let doubt = standing.doubt.map(|doubt| {
                let answers: Option<Vec<_>> = doubt.answers.map(|answers| answers.values().collect());
                (doubt.asked, doubt.asked_everyone, doubt.blocked, digest(&answers))
            });
            digest(&(standing.txn, standing.state, standing.writing, standing.overdue, standing.participants.len(), doubt))
        });
        standings.collect::<Vec<u64>>()
    });
    digest(&(records, node.disk.at_risk(), node.disk.lines(), machine, node.incarnation, &node.to_append))
}

fn look_to_coordinator(node: &Node<Coordinator>, who: &UserName) -> u64 {
    let ballots = node.machine.as_ref().map(|machine| {
        let ballots = machine.ballots().into_iter().map(|ballot| {
            let vote = ballot.votes.get(who).map(|(vote, _)| *vote);
            (ballot.txn.clone(), ballot.participants.contains(who), vote, ballot.acknowledged.contains(who))
        });
        ballots.collect::<Vec<_>>()
    });
    digest(&ballots)
}
