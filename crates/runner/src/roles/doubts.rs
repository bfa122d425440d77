//! What is remembered of the doubts that are open: when each began, and who was asked.
//!
//! A machine has no clock, so it cannot say since when. This is kept whether or not anybody looks, and is
//! the one source of what a window shows and of what those who watch are told. Deliberately absent: what
//! was answered, which the machine knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use twopc_proto::participant::{Doubt, Participant, Standing};
use twopc_proto::trace::Peer;
use twopc_proto::{Notice, Role, State, TxnId, UserName};

use crate::node::Scene;
use crate::snapshot::DoubtView;

/// The doubts that are open, by transaction.
#[derive(Debug, Default)]
pub(super) struct Doubts(BTreeMap<TxnId, Memory>);

/// What is remembered of one.
#[derive(Debug)]
struct Memory {
    since: Instant,
    asked_at: Option<Instant>,
    asked: BTreeSet<UserName>,
}

impl Doubts {
    /// The machine has said something.
    pub(super) fn on_notice(&mut self, notice: &Notice, now: Instant) {
        match notice {
            Notice::State { txn, state: State::Ready } => {
                self.0.insert(txn.clone(), Memory::since(now));
            }
            Notice::Asked { txn, whom } => {
                let memory = self.0.entry(txn.clone()).or_insert_with(|| Memory::since(now));
                memory.asked_at = Some(now);
                memory.asked.extend(whom.iter().cloned());
            }
            Notice::Decided { txn, .. } => {
                self.0.remove(txn);
            }
            Notice::State { .. }
            | Notice::VoteRequested { .. }
            | Notice::Blocked { .. }
            | Notice::Applied { .. }
            | Notice::Done { .. }
            | Notice::Alarm { .. }
            | Notice::NoSpace { .. }
            | Notice::RequestRefused(_)
            | Notice::PressIgnored { .. }
            | Notice::Ignored { .. } => {}
        }
    }

    /// Whether this participant has promised, and does not know the decision.
    pub(super) fn contain(&self, txn: &TxnId) -> bool {
        self.0.contains_key(txn)
    }

    /// Whom a participant in doubt could ask, and what they said.
    pub(super) fn view(&self, standing: &Standing<'_>, doubt: Doubt<'_>, scene: &Scene<'_, Participant>) -> DoubtView {
        let memory = self.0.get(standing.txn);
        let coordinator = standing.txn.coordinator();
        let others = standing.participants.iter().filter(|name| Some(*name) != scene.me).map(|name| (name, Role::Participant));
        let peers = std::iter::once((coordinator, Role::Coordinator)).chain(others).map(|(user, role)| Peer {
            user: user.clone(),
            role,
            here: scene.room.get(user) == Some(&role),
            asked: memory.is_some_and(|memory| memory.asked.contains(user)),
            answer: doubt.answers.and_then(|answers| answers.get(user)).copied(),
        });
        DoubtView {
            since: memory.map_or(scene.now, |memory| memory.since),
            asked_at: memory.and_then(|memory| memory.asked_at),
            blocked: doubt.blocked,
            peers: peers.collect(),
        }
    }
}

impl Memory {
    fn since(now: Instant) -> Self {
        Self { since: now, asked_at: None, asked: BTreeSet::new() }
    }
}
