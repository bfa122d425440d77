//! Who is logged in, and what waits for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twopc_proto::frame::{ErrorCode, Person, Refusal};
use twopc_proto::{Role, UserName};

use super::{Seat, name_taken};
use crate::names::KeyHash;
use crate::outbox::{Delivery, Outbox};

/// Everybody in the room.
#[derive(Debug, Default)]
pub(super) struct Members {
    all: BTreeMap<UserName, Member>,
    /// Those of them who get a copy of every protocol frame.
    observers: BTreeSet<UserName>,
}

/// Somebody who is logged in.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) role: Role,
    /// Tells this login from an earlier one of the same name.
    pub(super) ticket: u64,
    pub(super) key: KeyHash,
    pub(super) outbox: Arc<Outbox>,
}

impl Members {
    /// Whether somebody who shows this key could come in under this name.
    pub(super) fn admit(&self, name: &UserName, key: &str, most: usize) -> Result<(), Refusal> {
        match self.all.get(name) {
            Some(member) if member.key.is_of(key) => Ok(()),
            Some(_) => Err(name_taken(name)),
            None if self.all.len() >= most => {
                Err(Refusal::new(503, ErrorCode::RoomFull, "The room is full; try again when somebody has left."))
            }
            None => Ok(()),
        }
    }

    pub(super) fn add(&mut self, name: &UserName, member: Member) {
        if member.role == Role::Observer {
            self.observers.insert(name.clone());
        }
        self.all.insert(name.clone(), member);
    }

    pub(super) fn remove(&mut self, name: &UserName) -> Option<Member> {
        self.observers.remove(name);
        self.all.remove(name)
    }

    pub(super) fn contain(&self, name: &UserName) -> bool {
        self.all.contains_key(name)
    }

    /// What somebody is in the room.
    pub(super) fn role(&self, name: &UserName) -> Option<Role> {
        self.all.get(name).map(|member| member.role)
    }

    /// Whether there is an observer.
    pub(super) fn are_watched(&self) -> bool {
        !self.observers.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Whether that login is still the one of its name.
    pub(super) fn seat(&self, seat: &Seat) -> bool {
        self.all.get(&seat.name).is_some_and(|member| member.ticket == seat.ticket)
    }

    pub(super) fn people(&self) -> Vec<Person> {
        self.all.iter().map(|(name, member)| Person { user: name.clone(), role: member.role }).collect()
    }

    /// Gives a frame to everybody. Returns those for whom too much waits now.
    #[must_use]
    pub(super) fn tell_all(&self, delivery: &Delivery) -> Vec<UserName> {
        tell(self.all.iter(), delivery)
    }

    /// Gives a frame to this one; `None` if nobody of that name is here.
    #[must_use]
    pub(super) fn tell_one(&self, one: &UserName, delivery: &Delivery) -> Option<Vec<UserName>> {
        let member = self.all.get_key_value(one)?;
        Some(tell([member].into_iter(), delivery))
    }

    /// Gives a frame to the observers, and to this one too.
    #[must_use]
    pub(super) fn tell_one_and_observers(&self, one: &UserName, delivery: &Delivery) -> Vec<UserName> {
        let others = self.observers.iter().filter(|observer| *observer != one);
        tell(others.chain([one]).filter_map(|name| self.all.get_key_value(name)), delivery)
    }

    #[must_use]
    pub(super) fn tell_observers(&self, delivery: &Delivery) -> Vec<UserName> {
        tell(self.observers.iter().filter_map(|name| self.all.get_key_value(name)), delivery)
    }

    /// For whom most waits, if anything waits for anybody.
    pub(super) fn largest(&self) -> Option<(&UserName, usize)> {
        let waiting = self.all.iter().map(|(name, member)| (name, member.outbox.waiting()));
        waiting.filter(|(_, waiting)| *waiting > 0).max_by_key(|(_, waiting)| *waiting)
    }
}

fn tell<'a>(to: impl Iterator<Item = (&'a UserName, &'a Member)>, delivery: &Delivery) -> Vec<UserName> {
    to.filter(|(_, member)| !member.outbox.push(delivery.clone())).map(|(name, _)| name.clone()).collect()
}
