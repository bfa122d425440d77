//! Everything that was ever said, as a set that only grows.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use twopc_proto::{Message, Role, UserName};

use super::shared::Shared;

/// Something that was said: it may arrive any time, any number of times.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Envelope {
    /// Who said it.
    pub from: UserName,
    /// As the relay stamps it.
    pub role: Role,
    /// To whom.
    pub to: UserName,
    /// What.
    pub message: Message,
}

/// The set. Copying it copies a pointer; its hash is kept up to date as it grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Sorted.
    envelopes: Arc<Vec<Shared<Envelope>>>,
    /// The sum of the members' hashes, which does not depend on the order of arrival.
    digest: u64,
    /// Answers that settle nothing are kept too; else all of them are lost.
    hints: bool,
}

impl Said {
    pub(super) fn new(hints: bool) -> Self {
        Self { hints, ..Self::default() }
    }

    /// Adds what was said, unless it was said before.
    pub(super) fn insert(&mut self, envelope: &Shared<Envelope>) {
        let hint = matches!(&envelope.message, Message::DecisionReply { state, .. } if state.decision().is_none());
        if hint && !self.hints {
            return;
        }
        if let Err(place) = self.envelopes.binary_search(envelope) {
            self.digest = self.digest.wrapping_add(envelope.digest());
            Arc::make_mut(&mut self.envelopes).insert(place, envelope.clone());
        }
    }

    /// How many of the timers of a participant in doubt matter: the last one only says that it is
    /// blocked, which is told apart only where answers that settle nothing are.
    pub(super) fn clocks_in_doubt(&self) -> usize {
        if self.hints { 2 } else { 1 }
    }

    /// Everything, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Shared<Envelope>> {
        self.envelopes.iter()
    }

    /// How much was said.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }
}

impl Hash for Said {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}
