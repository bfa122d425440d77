//! Everything that was ever said to a node, as a set that only grows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use twopc_proto::{Decision, Message, Role, TxnId, UserName};

use super::shared::{Beside, Pool, Shared, digest};
use super::{NAMES, Who, who_is};
use crate::chance;

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
    mark: Beside<Mark>,
}

/// All that is said, in three words: what it is without the names of participants, and those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    nameless: u64,
    from: u8,
    to: u8,
    /// Whose names are in it: a bit for each place.
    named: u8,
}

/// The place of somebody who is no participant.
const ELSEWHERE: u8 = 8;

/// Each participant where it is.
const IN_PLACE: [u8; NAMES.len()] = [0, 1, 2, 3, 4, 5, 6, 7];

impl Mark {
    fn of(from: &UserName, role: Role, to: Who, message: &Message) -> Self {
        let mut nameless = message.clone();
        let named = match &mut nameless {
            Message::VoteRequest { participants, .. } | Message::DecisionRequest { participants, .. } => std::mem::take(participants),
            Message::VoteCommit { .. }
            | Message::VoteAbort { .. }
            | Message::GlobalCommit { .. }
            | Message::GlobalAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionReply { .. } => BTreeSet::new(),
        };
        let place = |user: &UserName| who_is(user).filter(|who| *who != Who::Coordinator).map_or(ELSEWHERE, place_of);
        let strangers: Vec<&UserName> = named.iter().chain([from]).filter(|user| place(user) == ELSEWHERE).collect();
        Self {
            nameless: digest(&(role, &nameless, strangers)),
            from: place(from),
            to: place_of(to),
            named: named.iter().map(place).filter(|place| *place != ELSEWHERE).fold(0, |bits, place| bits | 1 << place),
        }
    }

    /// What it adds to the hash of an inbox, in whatever order it came, if participants have these places.
    fn weight(self, places: [u8; NAMES.len()]) -> u64 {
        let place = |place: u8| places.get(usize::from(place)).copied().unwrap_or(ELSEWHERE);
        let (mut named, mut left) = (0_u8, self.named);
        while left != 0 {
            named |= 1 << places[left.trailing_zeros() as usize];
            left &= left - 1;
        }
        let names = u64::from_le_bytes([1, place(self.from), place(self.to), named, 0, 0, 0, 0]);
        chance::mixed(self.nameless ^ names.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn place_of(who: Who) -> u8 {
    match who {
        Who::Coordinator => ELSEWHERE,
        // There are at most eight.
        Who::Participant(place) => u8::try_from(place).unwrap_or(ELSEWHERE),
    }
}

impl Envelope {
    /// Something that is said.
    #[must_use]
    pub fn new(from: UserName, role: Role, to: Who, message: Message) -> Self {
        let mark = Beside(Mark::of(&from, role, to, &message));
        Self { from, role, to, message, mark }
    }
}

/// What was said to one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    /// Sorted by digest.
    envelopes: Vec<Shared<Envelope>>,
    /// Their digests, close together: they are looked through often.
    digests: Vec<u64>,
    /// Their marks, in the same order.
    marks: Vec<Mark>,
    /// Transactions of which COMMIT was said, and those of which ABORT was.
    decided: [Vec<TxnId>; 2],
    /// What was said by each participant, and by anybody else, to somebody who cannot read names.
    looks: [u64; NAMES.len() + 1],
    /// Of the weights of all that was said: a hash that is known before the inbox is made.
    sum: u64,
}

impl Inbox {
    /// What holds all of this.
    fn of(mut envelopes: Vec<Shared<Envelope>>) -> Self {
        envelopes.sort_unstable_by_key(Shared::digest);
        let digests = envelopes.iter().map(Shared::digest).collect();
        let marks = envelopes.iter().map(|envelope| envelope.mark.0).collect();
        let mut inbox = Self { envelopes, digests, marks, ..Self::default() };
        for place in 0..inbox.envelopes.len() {
            inbox.count(&inbox.envelopes[place].clone());
        }
        inbox
    }

    /// This one with what was said now, and was not said before.
    fn with(&self, envelope: &Shared<Envelope>) -> Self {
        let mut inbox = self.clone();
        let place = self.place(envelope).unwrap_or_else(|place| place);
        inbox.envelopes.insert(place, envelope.clone());
        inbox.digests.insert(place, envelope.digest());
        inbox.marks.insert(place, envelope.mark.0);
        inbox.count(envelope);
        inbox
    }

    /// Notes what is told of all that was said.
    fn count(&mut self, envelope: &Envelope) {
        let Mark { nameless, from, .. } = envelope.mark.0;
        self.sum = self.sum.wrapping_add(envelope.mark.0.weight(IN_PLACE));
        let look = &mut self.looks[usize::from(from)];
        *look = look.wrapping_add(chance::mixed(nameless));
        if let Some(decision) = envelope.message.decision() {
            let decided = &mut self.decided[decision as usize];
            if !decided.contains(envelope.message.txn()) {
                decided.push(envelope.message.txn().clone());
            }
        }
    }

    /// Whether that was said.
    #[must_use]
    pub fn holds(&self, envelope: &Shared<Envelope>) -> bool {
        self.place(envelope).is_ok()
    }

    fn place(&self, envelope: &Shared<Envelope>) -> Result<usize, usize> {
        self.digests.binary_search(&envelope.digest())
    }

    /// What it holds and an earlier one did not.
    pub(super) fn since<'a>(&'a self, earlier: &Self) -> impl Iterator<Item = &'a Shared<Envelope>> {
        let mut known = earlier.digests.iter().peekable();
        // Both are sorted, and what was said stays.
        let new = move |envelope: &&Shared<Envelope>| known.next_if(|known| **known == envelope.digest()).is_none();
        self.envelopes.iter().filter(new)
    }

    /// Everything, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Shared<Envelope>> {
        self.envelopes.iter()
    }

    /// Whether another one holds what this one does once participants have these places.
    pub(super) fn is_under(&self, places: [u8; NAMES.len()], other: &Self) -> bool {
        self.envelopes.len() == other.envelopes.len() && self.sum_under(places) == other.sum
    }

    fn sum_under(&self, places: [u8; NAMES.len()]) -> u64 {
        self.marks.iter().fold(0, |sum: u64, mark| sum.wrapping_add(mark.weight(places)))
    }

    /// What was said, to somebody who cannot read names.
    pub(super) fn look(&self) -> u64 {
        self.looks.iter().fold(0, |sum, look| sum.wrapping_add(*look))
    }

    /// What a participant said, to somebody who cannot read names.
    pub(super) fn look_of(&self, place: usize) -> u64 {
        self.looks[place]
    }

    /// The transactions of which this decision was said.
    #[must_use]
    pub fn said_of(&self, decision: Decision) -> &[TxnId] {
        &self.decided[decision as usize]
    }
}

impl Hash for Inbox {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sum.hash(state);
    }
}

thread_local! {
    static ENVELOPES: RefCell<Pool<Envelope>> = RefCell::default();
    static INBOXES: RefCell<Pool<Inbox>> = RefCell::default();
}

/// Something that is said, kept once.
pub(super) fn once(envelope: Envelope) -> Shared<Envelope> {
    ENVELOPES.with_borrow_mut(|envelopes| envelopes.one(envelope))
}

/// Nothing was said yet.
pub(super) fn nothing() -> Shared<Inbox> {
    INBOXES.with_borrow_mut(|inboxes| inboxes.one(Inbox::default()))
}

/// What the inbox is if participants have these places, and each thing that was said is this.
pub(super) fn inbox_under(
    places: [u8; NAMES.len()],
    inbox: &Inbox,
    renamed: impl Fn(&Shared<Envelope>) -> Shared<Envelope>,
) -> Shared<Inbox> {
    let sum = inbox.sum_under(places);
    INBOXES.with_borrow_mut(|inboxes| inboxes.of(digest(&sum), || Inbox::of(inbox.iter().map(renamed).collect())))
}

/// An inbox with what was said now; `None` if it was said before.
pub(super) fn filled(inbox: &Shared<Inbox>, envelope: &Shared<Envelope>) -> Option<Shared<Inbox>> {
    if inbox.holds(envelope) {
        return None;
    }
    let sum = inbox.sum.wrapping_add(envelope.mark.0.weight(IN_PLACE));
    Some(INBOXES.with_borrow_mut(|inboxes| inboxes.of(digest(&sum), || inbox.with(envelope))))
}
