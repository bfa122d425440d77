//! What can happen next in a world, and what comes of it.

use std::fmt;

use twopc_proto::{Message, Role, TxnId, UserName, story};

use super::node::{Clock, Inhabitant, Node, Outcomes};
use super::said::{Envelope, Said};
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
    /// A node comes back; of what was not synced, this much survived.
    Restart {
        /// Which.
        who: Who,
        /// Records.
        records: usize,
        /// Lines of the text file.
        lines: usize,
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
    /// Its disk has appended a line to the text file.
    Append,
    /// It is told so.
    Appended,
    /// A timer fires, whether it was set or not.
    Timer(Clock, Shared<TxnId>),
    /// It logs in.
    Login,
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
            let (records, lines) = node.disk.at_risk();
            for (records, lines) in (0..=records).flat_map(|records| (0..=lines).map(move |lines| (records, lines))) {
                let world = self.put(who, node.restarted(records, lines), self.said.clone());
                next.push((Action::Restart { who, records, lines }, world));
            }
            return;
        }
        if self.crashes_left > 0 {
            let world = self.put(who, node.crashed(), self.said.clone());
            next.push((Action::Crash(who), world.after_crash(node)));
        }
        let room = self.room();
        for kick in self.kicks(who, node) {
            let Some(Outcomes { node: then, said, crashes }) = node.kicked(&kick, &room, &self.said) else { continue };
            if self.crashes_left > 0 {
                for (cut, crashed, said) in crashes {
                    let world = self.put(who, crashed, said).after_crash(node);
                    next.push((Action::Step { who, kick: kick.clone(), cut: Some(cut) }, world));
                }
            }
            let mut world = self.put(who, then, said);
            if let Kick::Request(left) = kick {
                world.requests_left = left;
            }
            if kick == Kick::Login {
                world = world.with_news(&Kick::Joined(node.me.clone(), M::ROLE), who);
            }
            next.push((Action::Step { who, kick, cut: None }, world));
        }
    }

    /// This world after a node crashed in it: the others learn that it is gone.
    fn after_crash<M: Inhabitant>(mut self, was: &Node<M>) -> Self {
        self.crashes_left -= 1;
        if !was.online {
            return self;
        }
        let who = self.everybody().find(|who| *self.name(*who) == was.me);
        self.with_news(&Kick::Left(was.me.clone()), who.unwrap_or(Who::Coordinator))
    }

    /// This world after everybody who is logged in, but one, has learnt something about that one.
    fn with_news(self, news: &Kick, but: Who) -> Self {
        let room = self.room();
        let mut world = self;
        for who in world.everybody().filter(|who| *who != but) {
            match who {
                Who::Coordinator if world.coordinator.online => {
                    let learnt = world.coordinator.kicked(news, &room, &world.said);
                    world = learnt.map(|Outcomes { node, said, .. }| world.put(who, node, said)).unwrap_or(world);
                }
                Who::Participant(place) if world.participants[place].online => {
                    let learnt = world.participants[place].kicked(news, &room, &world.said);
                    world = learnt.map(|Outcomes { node, said, .. }| world.put(who, node, said)).unwrap_or(world);
                }
                Who::Coordinator | Who::Participant(_) => {}
            }
        }
        world
    }

    /// What may happen to a node that is up.
    fn kicks<M: Inhabitant>(&self, who: Who, node: &Node<M>) -> Vec<Kick> {
        let mut kicks = Vec::new();
        if node.online {
            kicks.extend(self.said.iter().filter(|envelope| envelope.to == node.me).cloned().map(Kick::Hear));
        } else {
            kicks.push(Kick::Login);
        }
        // Where no crash can come any more, nobody can tell whether what need not wait is synced.
        if node.disk.someone_waits() || (node.disk.at_risk().0 > 0 && self.crashes_left > 0) {
            kicks.push(Kick::Synced);
        }
        if !node.to_append.is_empty() {
            kicks.push(Kick::Append);
        }
        if !node.appended.is_empty() {
            kicks.push(Kick::Appended);
        }
        match who {
            Who::Coordinator => {
                kicks.extend(self.requests_left.checked_sub(1).map(Kick::Request));
                kicks.extend(self.transactions.iter().map(|txn| Kick::Timer(Clock::Deadline, txn.clone())));
            }
            Who::Participant(_) => {
                for txn in &self.transactions {
                    kicks.push(Kick::PressCommit(txn.clone()));
                    let clocks = if node.may_vote(txn) { &[Clock::Deadline][..] } else { &[Clock::Grace, Clock::Answers] };
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
            Action::Restart { who, records, lines } => {
                format!("{} restarts; of what was not synced, {records} records and {lines} lines survived", self.name(*who))
            }
        }
    }
}

/// Putting a node of a role back into a world.
trait Put<M: Inhabitant>: Sized {
    /// This world with that node in its place, and with what was said by then.
    fn put(&self, who: Who, node: Node<M>, said: Said) -> Self;
}

impl Put<twopc_proto::Coordinator> for World {
    fn put(&self, _: Who, node: Node<twopc_proto::Coordinator>, said: Said) -> Self {
        let mut world = self.clone();
        // Only a coordinator's VOTE_REQUEST makes a transaction known.
        if said.len() != self.said.len() {
            for envelope in said.iter().filter(|envelope| matches!(envelope.message, Message::VoteRequest { .. })) {
                if !world.transactions.iter().any(|txn| **txn == *envelope.message.txn()) {
                    world.transactions.push(Shared::new(envelope.message.txn().clone()));
                }
            }
            world.transactions.sort_by_key(|txn| txn.numbers());
        }
        world.coordinator = Shared::new(node);
        world.said = said;
        world
    }
}

impl Put<twopc_proto::Participant> for World {
    fn put(&self, who: Who, node: Node<twopc_proto::Participant>, said: Said) -> Self {
        let mut world = self.clone();
        if let Who::Participant(place) = who {
            world.participants[place] = Shared::new(node);
        }
        world.said = said;
        world
    }
}

impl fmt::Display for Kick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hear(envelope) => write!(f, "hears from {}: {}", envelope.from, story::message(&envelope.message)),
            Self::Synced => f.write_str("has all that it wrote on its disk"),
            Self::Append => f.write_str("has a line appended to its text file"),
            Self::Appended => f.write_str("is told that the line stands there"),
            Self::Timer(clock, txn) => write!(f, "waits no longer ({clock:?} of {})", **txn),
            Self::Login => f.write_str("logs in"),
            Self::Joined(user, role) => write!(f, "learns that {user} ({role}) has logged in"),
            Self::Left(user) => write!(f, "learns that {user} is gone"),
            Self::Request(_) => f.write_str("presses Request"),
            Self::PressCommit(txn) => write!(f, "presses Commit on {}", **txn),
        }
    }
}
