//! What can happen next in a world, and what comes of it.

use std::fmt;
use std::rc::Rc;

use twopc_proto::{Coordinator, Message, Participant, Role, TxnId, UserName, story};

use super::choices::{Choices, Echoes, Surroundings};
use super::course::{Cut, Outcome};
use super::inhabitant::{Clock, Inhabitant};
use super::landmarks::Seen;
use super::node::{Node, Survived};
use super::renaming::Alike;
use super::said::Envelope;
use super::shared::digest;
use super::{End, Seat, Shared, Who, World, who_is};
use crate::refinement;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Something happens to a node that is up.
    Step {
        /// To whom.
        who: Who,
        /// What.
        kick: Kick,
        /// Where it crashes on its way through it, if it does.
        cut: Option<Cut>,
    },
    /// A node crashes between two steps.
    Crash(Who),
    /// A node comes back and logs in.
    Restart {
        /// Which.
        who: Who,
        /// What survived of what was not synced.
        survived: Survived,
        /// Where it crashes again on its way back, if it does.
        cut: Option<Cut>,
    },
}

/// What can happen to a node that is up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kick {
    /// It hears something.
    Hear(Shared<Envelope>),
    /// Its disk has synced all that is written.
    Synced,
    /// Its disk has appended a line to the text file, and it is told so.
    Append,
    /// A timer fires.
    Timer(Clock, TxnId),
    /// It learns that somebody has logged in.
    Joined(UserName, Role),
    /// It learns that somebody is gone.
    Left(UserName),
    /// It learns that what it sent to somebody could not be delivered: nobody of that name is here.
    NotHere(UserName),
    /// Coordinator: the person presses Request, with this many requests left after it.
    Request(u8),
    /// Participant: the person presses Commit.
    PressCommit(TxnId),
}

impl Kick {
    /// The node by which it happens, if it is another one's doing.
    fn by(&self) -> Option<Who> {
        match self {
            Self::Hear(envelope) => who_is(&envelope.from),
            Self::Joined(user, _) | Self::Left(user) | Self::NotHere(user) => who_is(user),
            Self::Synced | Self::Append | Self::Timer(..) | Self::Request(_) | Self::PressCommit(_) => None,
        }
    }

    /// Its hash. What is heard was hashed when it was said.
    pub(super) fn digest(&self) -> u64 {
        match self {
            Self::Hear(envelope) => Self::digest_of_hearing(envelope),
            Self::Synced
            | Self::Append
            | Self::Timer(..)
            | Self::Joined(..)
            | Self::Left(_)
            | Self::NotHere(_)
            | Self::Request(_)
            | Self::PressCommit(_) => digest(self),
        }
    }

    /// The hash of hearing this.
    pub(super) fn digest_of_hearing(envelope: &Shared<Envelope>) -> u64 {
        envelope.digest().rotate_left(1)
    }
}

/// Something that happens, and the world that comes of it.
pub type Successor = (Action, World);

impl World {
    /// Everything that may happen next, each with the world that comes of it, if that is another one.
    /// What was come by on the way is noted.
    pub fn successors(&self, seen: &Seen, next: &mut Vec<Successor>) {
        self.look_ahead(Alike::nobody(), seen, next);
    }

    /// The same where worlds count as one that differ only in who is who: of what leads to one of those,
    /// one thing.
    pub fn successors_up_to_names(&self, seen: &Seen, next: &mut Vec<Successor>) {
        self.look_ahead(Alike::of(self), seen, next);
    }

    fn look_ahead(&self, alike: Alike, seen: &Seen, next: &mut Vec<Successor>) {
        let mut ahead = Ahead { world: self, disks: self.disks(), alike, seen, next };
        ahead.around(Who::Coordinator, &self.coordinator);
        for (place, seat) in self.participants.iter().enumerate() {
            let who = Who::Participant(place);
            if !ahead.alike.covers(who) {
                ahead.around(who, seat);
            }
        }
    }

    /// Whether nothing is left to happen but crashes.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let coordinator = if self.coordinator.node.is_up() {
            self.choices(Who::Coordinator, &self.coordinator).0.is_empty()
        } else {
            self.coordinator.node.scope.end == Some(End::Orphaned)
        };
        coordinator
            && self
                .participants
                .iter()
                .enumerate()
                .all(|(place, seat)| seat.node.is_up() && self.choices(Who::Participant(place), seat).0.is_empty())
    }

    /// One line for an action, in the protocol's words; no two of a world's actions have the same.
    #[must_use]
    pub fn tell(&self, action: &Action) -> String {
        let crashes = |cut: &Option<Cut>, again: &str| {
            cut.map_or(String::new(), |Cut { after, before }| format!("; it crashes {again}after {after} of what follows, before {before}"))
        };
        match action {
            Action::Step { who, kick, cut } => format!("{} {kick}{}", self.name(*who), crashes(cut, "")),
            Action::Crash(who) => format!("{} crashes", self.name(*who)),
            Action::Restart { who, survived: Survived { records, lines }, cut } => {
                let survived = format!("{records} records and {lines} lines survived");
                format!("{} restarts; of what was not synced, {survived}{}", self.name(*who), crashes(cut, "again "))
            }
        }
    }

    /// This world with that node in its place, which has said this; and whatever may be said at any
    /// time now was said, too.
    fn put<M: Inhabitant>(&self, who: Who, node: &Shared<Node<M>>, said: &[Shared<Envelope>]) -> Self
    where
        Self: Place<M>,
    {
        let mut world = self.clone();
        world.place(who, node.clone());
        world.deliver(said);
        world
    }

    /// Adds what was said. Only a coordinator's VOTE_REQUEST makes a transaction known.
    fn deliver(&mut self, said: &[Shared<Envelope>]) {
        self.deliver_each(said, |_| ());
    }

    /// Adds what was said, and tells each thing that had not been said before.
    fn deliver_each(&mut self, said: &[Shared<Envelope>], mut news: impl FnMut(&Shared<Envelope>)) {
        for envelope in said {
            let txn = envelope.message.txn();
            if matches!(envelope.message, Message::VoteRequest { .. }) && !self.transactions.contains(txn) {
                let mut transactions = (*self.transactions).clone();
                transactions.push(txn.clone());
                transactions.sort_by_key(TxnId::numbers);
                self.transactions = Shared::new(transactions);
            }
            let inbox = match envelope.to {
                Who::Coordinator => Some(&mut self.coordinator.inbox),
                Who::Participant(place) => self.participants.get_mut(place).map(|seat| &mut seat.inbox),
            };
            let Some(inbox) = inbox else { continue };
            if let Some(fuller) = super::said::filled(inbox, envelope) {
                *inbox = fuller;
                news(envelope);
            }
        }
    }

    /// Lets everybody say what can be said at any time; in the world before, they had.
    ///
    /// So a node that is the same as it was then has more to say only of what it was told since.
    fn settle(&mut self, before: &Self, seen: &Seen) {
        if !self.coordinator.node.scope.eager {
            return;
        }
        let mut told: Vec<Shared<Envelope>> = Vec::new();
        let as_before = self.transactions == before.transactions;
        for who in self.everybody() {
            let echoes = match who {
                Who::Coordinator => self.echoes_since(who, &self.coordinator, &before.coordinator, as_before, &mut told),
                Who::Participant(place) => {
                    self.echoes_since(who, &self.participants[place], &before.participants[place], as_before, &mut told)
                }
            };
            let Some(echoes) = echoes else { continue };
            seen.add(echoes.landmarks, self.crashes_left);
            self.deliver_each(&echoes.said, |news| told.push(news.clone()));
        }
        while let Some(envelope) = told.pop() {
            let news = |news: &Shared<Envelope>| told.push(news.clone());
            match envelope.to {
                Who::Coordinator => {
                    let Some(echo) = echo(&self.coordinator.node, &envelope) else { continue };
                    seen.add(echo.landmarks, self.crashes_left);
                    self.deliver_each(&echo.said, news);
                }
                Who::Participant(place) => {
                    let Some(echo) = echo(&self.participants[place].node, &envelope) else { continue };
                    seen.add(echo.landmarks, self.crashes_left);
                    self.deliver_each(&echo.said, news);
                }
            }
        }
    }

    /// What a node can say at any time; of one that is the same as it was before, only what it was told since.
    fn echoes_since<M: Inhabitant>(
        &self,
        who: Who,
        seat: &Seat<M>,
        was: &Seat<M>,
        as_before: bool,
        told: &mut Vec<Shared<Envelope>>,
    ) -> Option<Rc<Echoes>> {
        if !seat.node.is_up() {
            return None;
        }
        if as_before && seat.node == was.node {
            if seat.inbox != was.inbox {
                told.extend(seat.inbox.since(&was.inbox).cloned());
            }
            return None;
        }
        Some(Echoes::of(&seat.node, &self.surroundings(who, seat)))
    }

    fn choices<M: Inhabitant>(&self, who: Who, seat: &Seat<M>) -> Rc<Choices<M>> {
        Choices::of(&seat.node, &self.surroundings(who, seat))
    }

    fn surroundings<'a, M: Inhabitant>(&'a self, who: Who, seat: &'a Seat<M>) -> Surroundings<'a> {
        // Elsewhere only what a node says of being blocked hangs on it.
        let bounces = seat.node.scope.end == Some(End::Orphaned) && !self.coordinator.node.is_up();
        let Self { transactions, requests_left, .. } = self;
        Surroundings { who, inbox: &seat.inbox, transactions, requests_left: *requests_left, bounces }
    }

    /// This world after everybody who is up, but one, has learnt something about that one.
    fn with_news(self, news: &Kick, but: Who) -> Self {
        let mut world = self;
        for who in world.everybody().filter(|who| *who != but) {
            match who {
                Who::Coordinator if world.coordinator.node.is_up() => {
                    if let Some(outcome) = Node::kicked(&world.coordinator.node, news) {
                        world = world.put(who, &outcome.node, &outcome.said);
                    }
                }
                Who::Participant(place) if world.participants[place].node.is_up() => {
                    if let Some(outcome) = Node::kicked(&world.participants[place].node, news) {
                        world = world.put(who, &outcome.node, &outcome.said);
                    }
                }
                Who::Coordinator | Who::Participant(_) => {}
            }
        }
        world
    }
}

/// What comes of it when a node that is up hears this, where that leaves it as it is.
fn echo<M: Inhabitant>(node: &Shared<Node<M>>, envelope: &Shared<Envelope>) -> Option<Rc<Outcome<M>>> {
    let outcome = node.is_up().then(|| Node::heard(&Node::outcomes(node), node, envelope))??;
    (outcome.node == *node).then_some(outcome)
}

/// What lies ahead of a world.
struct Ahead<'a> {
    world: &'a World,
    /// The digest of its disks.
    disks: u64,
    /// Of whom one stands for all.
    alike: Alike,
    seen: &'a Seen,
    next: &'a mut Vec<Successor>,
}

impl Ahead<'_> {
    fn around<M: Inhabitant>(&mut self, who: Who, seat: &Seat<M>)
    where
        World: Place<M>,
    {
        let node = &seat.node;
        if !node.is_up() {
            if !(who == Who::Coordinator && node.scope.end == Some(End::Orphaned)) {
                self.restarts(who, node);
            }
            return;
        }
        let may_crash = self.world.crashes_left > 0 && (node.scope.end != Some(End::Orphaned) || who == Who::Coordinator);
        if may_crash {
            let world = self.crashed(who, node, &Node::crash(node), &[]);
            self.push(Action::Crash(who), world);
        }
        let choices = self.world.choices(who, seat);
        for (kick, outcome) in &choices.0 {
            if kick.by().is_some_and(|by| self.alike.covers_beside(who, by)) {
                continue;
            }
            // A Request that is cut short was made all the same.
            let requests_left = if let Kick::Request(left) = kick { *left } else { self.world.requests_left };
            self.seen.add(outcome.landmarks, if may_crash { self.world.crashes_left } else { 0 });
            for moment in outcome.moments.iter().filter(|_| may_crash) {
                let mut world = self.crashed(who, node, &moment.node, &outcome.said[..moment.said]);
                world.requests_left = requests_left;
                self.push(Action::Step { who, kick: kick.clone(), cut: Some(moment.cut) }, world);
            }
            let mut world = self.world.put(who, &outcome.node, &outcome.said);
            world.requests_left = requests_left;
            self.push(Action::Step { who, kick: kick.clone(), cut: None }, world);
        }
    }

    /// A node that is down comes back: with any part of what was not synced, as far as any moment.
    fn restarts<M: Inhabitant>(&mut self, who: Who, node: &Shared<Node<M>>)
    where
        World: Place<M>,
    {
        let room = self.world.room();
        let (records, lines) = node.disk.at_risk();
        for (records, lines) in (0..=records).flat_map(|records| (0..=lines).map(move |lines| (records, lines))) {
            let survived = Survived { records, lines };
            let outcome = Node::restarted(node, survived, &room);
            self.seen.add(outcome.landmarks, self.world.crashes_left);
            for moment in outcome.moments.iter().filter(|_| self.world.crashes_left > 0) {
                let mut world = self.world.put(who, &moment.node, &outcome.said[..moment.said]);
                world.crashes_left -= 1;
                self.push(Action::Restart { who, survived, cut: Some(moment.cut) }, world);
            }
            let world = self.world.put(who, &outcome.node, &outcome.said);
            let world = world.with_news(&Kick::Joined(node.me.clone(), M::ROLE), who);
            self.push(Action::Restart { who, survived, cut: None }, world);
        }
    }

    /// The world after a node that was up crashed, having said this: the others learn that it is gone.
    fn crashed<M: Inhabitant>(&self, who: Who, was: &Node<M>, crashed: &Shared<Node<M>>, said: &[Shared<Envelope>]) -> World
    where
        World: Place<M>,
    {
        let mut world = self.world.put(who, crashed, said);
        world.crashes_left -= 1;
        world.with_news(&Kick::Left(was.me.clone()), who)
    }

    /// One thing that may happen, unless it leaves the world as it is.
    fn push(&mut self, action: Action, mut world: World) {
        world.settle(self.world, self.seen);
        world.strayed |= !refinement::explains(self.world, self.disks, &world, self.seen);
        if world != *self.world {
            self.next.push((action, world));
        }
    }
}

/// Putting a node of a role back into its place.
pub(super) trait Place<M: Inhabitant> {
    fn place(&mut self, who: Who, node: Shared<Node<M>>);
}

impl Place<Coordinator> for World {
    fn place(&mut self, _: Who, node: Shared<Node<Coordinator>>) {
        self.coordinator.node = node;
    }
}

impl Place<Participant> for World {
    fn place(&mut self, who: Who, node: Shared<Node<Participant>>) {
        if let Who::Participant(place) = who {
            self.participants[place].node = node;
        }
    }
}

impl fmt::Display for Kick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hear(envelope) => write!(f, "hears from {} ({}): {}", envelope.from, envelope.role, story::message(&envelope.message)),
            Self::Synced => f.write_str("has all that it wrote on its disk"),
            Self::Append => f.write_str("has a line appended to its text file"),
            Self::Timer(clock, txn) => write!(f, "waits no longer ({clock:?} of {txn})"),
            Self::Joined(user, role) => write!(f, "learns that {user} ({role}) has logged in"),
            Self::Left(user) => write!(f, "learns that {user} is gone"),
            Self::NotHere(user) => write!(f, "learns that what it sent to {user} could not be delivered"),
            Self::Request(_) => f.write_str("presses Request"),
            Self::PressCommit(txn) => write!(f, "presses Commit on {txn}"),
        }
    }
}
