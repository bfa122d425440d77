//! What can happen next in a world, and what comes of it.

use std::fmt;

use twopc_proto::{Coordinator, Message, Participant, Role, TxnId, UserName, story};

use super::node::{Clock, Inhabitant, Node};
use super::said::Envelope;
use super::{Shared, Who, World};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Something happens to a node that is up. `cut`: it crashes after this many of the things that it
    /// then does.
    Step {
        /// To whom.
        who: Who,
        /// What.
        kick: Kick,
        /// Where it crashes, if it does.
        cut: Option<usize>,
    },
    /// A node crashes between two steps.
    Crash(Who),
    /// A node comes back and logs in; of what was not synced, this much survived.
    Restart {
        /// Which.
        who: Who,
        /// Records.
        records: usize,
        /// Lines of the text file.
        lines: usize,
        /// Where it crashes again on its way back, if it does.
        cut: Option<usize>,
    },
}

/// What can happen to a node that is up.
///
/// A press on Abort is missing because the deadline does the same; Ask status and the timer that asks
/// again because the grace does: it asks everybody, and what was asked stays asked; and the deadline
/// in READY because it only leads to the grace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kick {
    /// It hears something.
    Hear(Shared<Envelope>),
    /// Its disk has synced all that is written.
    Synced,
    /// Its disk has appended a line to the text file, and it is told so.
    Append,
    /// A timer fires, whether it was set or not.
    Timer(Clock, Shared<TxnId>),
    /// It learns that somebody has logged in.
    Joined(UserName, Role),
    /// It learns that somebody is gone.
    Left(UserName),
    /// Coordinator: the person presses Request, with this many requests left after it.
    Request(u8),
    /// Participant: the person presses Commit.
    PressCommit(Shared<TxnId>),
}

impl World {
    /// Everything that may happen next, each with the world that comes of it, if that is another one.
    pub fn successors(&self, next: &mut Vec<(Action, Self)>) {
        for who in self.everybody() {
            match who {
                Who::Coordinator => self.around(who, &self.coordinator, next),
                Who::Participant(place) => self.around(who, &self.participants[place], next),
            }
        }
    }

    fn around<M: Inhabitant>(&self, who: Who, node: &Shared<Node<M>>, next: &mut Vec<(Action, Self)>)
    where
        Self: Put<M>,
    {
        if node.machine.is_none() {
            self.restarts(who, node, next);
            return;
        }
        if self.crashes_left > 0 {
            next.push((Action::Crash(who), self.crashed(who, node, Shared::new(node.crashed()), &[])));
        }
        for kick in self.kicks(who, node) {
            let Some(outcome) = Node::kicked(node, &kick) else { continue };
            // A Request that is cut short was made all the same.
            let requests_left = if let Kick::Request(left) = kick { left } else { self.requests_left };
            if self.crashes_left > 0 {
                for (cut, crashed, said) in &outcome.moments {
                    let mut world = self.crashed(who, node, crashed.clone(), &outcome.said[..*said]);
                    world.requests_left = requests_left;
                    next.push((Action::Step { who, kick: kick.clone(), cut: Some(*cut) }, world));
                }
            }
            let mut world = self.put(who, outcome.node.clone(), &outcome.said);
            world.requests_left = requests_left;
            next.push((Action::Step { who, kick, cut: None }, world));
        }
    }

    /// A node that is down comes back: with any part of what was not synced, as far as any moment.
    fn restarts<M: Inhabitant>(&self, who: Who, node: &Shared<Node<M>>, next: &mut Vec<(Action, Self)>)
    where
        Self: Put<M>,
    {
        let room = self.room();
        let (records, lines) = node.disk.at_risk();
        for (records, lines) in (0..=records).flat_map(|records| (0..=lines).map(move |lines| (records, lines))) {
            let outcome = node.restarted(records, lines, &room);
            if self.crashes_left > 0 {
                for (cut, crashed, said) in &outcome.moments {
                    let mut world = self.put(who, crashed.clone(), &outcome.said[..*said]);
                    world.crashes_left -= 1;
                    next.push((Action::Restart { who, records, lines, cut: Some(*cut) }, world));
                }
            }
            let world = self.put(who, outcome.node.clone(), &outcome.said);
            let world = world.with_news(&Kick::Joined(node.me.clone(), M::ROLE), who);
            next.push((Action::Restart { who, records, lines, cut: None }, world));
        }
    }

    /// This world after a node that was up crashed, having said this: the others learn that it is gone.
    fn crashed<M: Inhabitant>(&self, who: Who, was: &Node<M>, crashed: Shared<Node<M>>, said: &[Shared<Envelope>]) -> Self
    where
        Self: Put<M>,
    {
        let mut world = self.put(who, crashed, said);
        world.crashes_left -= 1;
        world.with_news(&Kick::Left(was.me.clone()), who)
    }

    /// This world after everybody who is up, but one, has learnt something about that one.
    fn with_news(self, news: &Kick, but: Who) -> Self {
        let mut world = self;
        for who in world.everybody().filter(|who| *who != but) {
            match who {
                Who::Coordinator => {
                    if let Some(outcome) = Node::kicked(&world.coordinator, news) {
                        world = world.put(who, outcome.node.clone(), &outcome.said);
                    }
                }
                Who::Participant(place) => {
                    if let Some(outcome) = Node::kicked(&world.participants[place], news) {
                        world = world.put(who, outcome.node.clone(), &outcome.said);
                    }
                }
            }
        }
        world
    }

    /// What may happen to a node that is up.
    fn kicks<M: Inhabitant>(&self, who: Who, node: &Node<M>) -> Vec<Kick> {
        let mut kicks = Vec::new();
        kicks.extend(self.said.iter().filter(|envelope| envelope.to == node.me).cloned().map(Kick::Hear));
        // What nobody waits for need not be synced: a crash that keeps it all is the same.
        if node.disk.someone_waits() {
            kicks.push(Kick::Synced);
        }
        if !node.to_append.is_empty() {
            kicks.push(Kick::Append);
        }
        match who {
            Who::Coordinator => {
                kicks.extend(self.requests_left.checked_sub(1).map(Kick::Request));
                kicks.extend(self.transactions.iter().map(|txn| Kick::Timer(Clock::Deadline, txn.clone())));
            }
            Who::Participant(_) => {
                for txn in &self.transactions {
                    kicks.push(Kick::PressCommit(txn.clone()));
                    let clocks = if node.may_vote(txn) {
                        &[Clock::Deadline][..]
                    } else {
                        &[Clock::Grace, Clock::Answers][..self.said.clocks_in_doubt()]
                    };
                    kicks.extend(clocks.iter().map(|clock| Kick::Timer(*clock, txn.clone())));
                }
            }
        }
        kicks
    }

    /// One line for an action, in the protocol's words.
    #[must_use]
    pub fn tell(&self, action: &Action) -> String {
        match action {
            Action::Step { who, kick, cut: None } => format!("{} {kick}", self.name(*who)),
            Action::Step { who, kick, cut: Some(cut) } => {
                format!("{} {kick}, and crashes after {cut} of the things that it does then", self.name(*who))
            }
            Action::Crash(who) => format!("{} crashes", self.name(*who)),
            Action::Restart { who, records, lines, cut } => {
                let again = cut.map_or(String::new(), |cut| format!("; it crashes again after {cut} things"));
                let survived = format!("{records} records and {lines} lines survived");
                format!("{} restarts; of what was not synced, {survived}{again}", self.name(*who))
            }
        }
    }
}

/// Putting a node of a role back into a world.
trait Put<M: Inhabitant>: Sized {
    /// This world with that node in its place, which has said this.
    fn put(&self, who: Who, node: Shared<Node<M>>, said: &[Shared<Envelope>]) -> Self;
}

impl Put<Coordinator> for World {
    fn put(&self, _: Who, node: Shared<Node<Coordinator>>, said: &[Shared<Envelope>]) -> Self {
        let mut world = self.clone();
        world.coordinator = node;
        for envelope in said {
            // Only a coordinator's VOTE_REQUEST makes a transaction known.
            let txn = envelope.message.txn();
            if matches!(envelope.message, Message::VoteRequest { .. }) && !world.transactions.iter().any(|known| **known == *txn) {
                world.transactions.push(Shared::new(txn.clone()));
                world.transactions.sort_by_key(|txn| txn.numbers());
            }
            world.said.insert(envelope);
        }
        world
    }
}

impl Put<Participant> for World {
    fn put(&self, who: Who, node: Shared<Node<Participant>>, said: &[Shared<Envelope>]) -> Self {
        let mut world = self.clone();
        if let Who::Participant(place) = who {
            world.participants[place] = node;
        }
        for envelope in said {
            world.said.insert(envelope);
        }
        world
    }
}

impl fmt::Display for Kick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hear(envelope) => write!(f, "hears from {}: {}", envelope.from, story::message(&envelope.message)),
            Self::Synced => f.write_str("has all that it wrote on its disk"),
            Self::Append => f.write_str("has a line appended to its text file"),
            Self::Timer(clock, txn) => write!(f, "waits no longer ({clock:?} of {})", **txn),
            Self::Joined(user, role) => write!(f, "learns that {user} ({role}) has logged in"),
            Self::Left(user) => write!(f, "learns that {user} is gone"),
            Self::Request(_) => f.write_str("presses Request"),
            Self::PressCommit(txn) => write!(f, "presses Commit on {}", **txn),
        }
    }
}
