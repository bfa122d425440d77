//! Everything that was ever said to a node, as a set that only grows.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use twopc_proto::{Decision, Message, Role, TxnId, UserName};

use super::Who;
use super::shared::{Memo, Shared};

/// Something that was said: it may arrive any time, any number of times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// Who said it.
    pub from: UserName,
    /// As the relay stamps it.
    pub role: Role,
    /// To whom.
    pub to: Who,
    /// What.
    pub message: Message,
}

impl Envelope {
    /// The decision that it says, if it says one.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        match &self.message {
            Message::GlobalCommit { .. } => Some(Decision::Commit),
            Message::GlobalAbort { .. } => Some(Decision::Abort),
            Message::DecisionReply { state, .. } => state.decision(),
            Message::VoteRequest { .. }
            | Message::VoteCommit { .. }
            | Message::VoteAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionRequest { .. } => None,
        }
    }
}

/// What was said to one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    /// Sorted by digest.
    envelopes: Vec<Shared<Envelope>>,
    /// Their digests, close together: they are looked through often.
    digests: Vec<u64>,
    /// Transactions of which COMMIT was said, and those of which ABORT was.
    decided: [Vec<TxnId>; 2],
}

impl Inbox {
    /// This one with what was said now; `None` if it was said before.
    pub(super) fn with(&self, envelope: &Shared<Envelope>) -> Option<Self> {
        let place = self.place(envelope).err()?;
        let mut inbox = self.clone();
        inbox.envelopes.insert(place, envelope.clone());
        inbox.digests.insert(place, envelope.digest());
        if let Some(decision) = envelope.decision() {
            let decided = &mut inbox.decided[decision as usize];
            if !decided.contains(envelope.message.txn()) {
                decided.push(envelope.message.txn().clone());
            }
        }
        Some(inbox)
    }

    /// Whether that was said.
    #[must_use]
    pub fn holds(&self, envelope: &Shared<Envelope>) -> bool {
        self.place(envelope).is_ok()
    }

    fn place(&self, envelope: &Shared<Envelope>) -> Result<usize, usize> {
        self.digests.binary_search(&envelope.digest())
    }

    /// Everything, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Shared<Envelope>> {
        self.envelopes.iter()
    }

    /// The transactions of which this decision was said.
    #[must_use]
    pub fn said_of(&self, decision: Decision) -> &[TxnId] {
        &self.decided[decision as usize]
    }
}

impl Hash for Inbox {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digests.hash(state);
    }
}

thread_local! {
    static FILLED: RefCell<Memo<Shared<Inbox>>> = RefCell::default();
}

/// An inbox with what was said now; `None` if it was said before.
pub(super) fn filled(inbox: &Shared<Inbox>, envelope: &Shared<Envelope>) -> Option<Shared<Inbox>> {
    if inbox.holds(envelope) {
        return None;
    }
    let fill = |known: &mut Memo<Shared<Inbox>>| {
        let fuller = known.entry((inbox.digest(), envelope.digest()));
        fuller.or_insert_with(|| Shared::new(inbox.with(envelope).unwrap_or_default())).clone()
    };
    Some(FILLED.with_borrow_mut(fill))
}
