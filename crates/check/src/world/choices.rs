//! What may happen to a node that is up, given all that was said to it.

use std::hash::Hasher;
use std::rc::Rc;

use twopc_proto::{Decision, LogRecord, Message, PeerState, Role, TxnId, UserName};

use super::action::Kick;
use super::course::Outcome;
use super::inhabitant::{Clock, Inhabitant};
use super::landmarks::Landmarks;
use super::node::Node;
use super::said::{self, Envelope, Inbox};
use super::shared::{Fold, Shared};
use super::{End, NAMES, Who, chair, name, string, who_is};

/// What may happen to a node that changes it, or says something where that makes a difference.
#[derive(Debug)]
pub(super) struct Choices<M: Inhabitant>(pub(super) Vec<(Kick, Rc<Outcome<M>>)>);

/// What a node may say at any time without becoming another one, where that counts as said.
#[derive(Debug)]
pub(super) struct Echoes {
    pub(super) said: Vec<Shared<Envelope>>,
    /// What it then did that a search must have seen.
    pub(super) landmarks: Landmarks,
}

/// What is known to the world that a node is in.
pub(super) struct Surroundings<'a> {
    pub(super) who: Who,
    pub(super) inbox: &'a Shared<Inbox>,
    pub(super) transactions: &'a Shared<Vec<TxnId>>,
    pub(super) requests_left: u8,
    /// The coordinator is gone for good, so what is sent to it comes back.
    pub(super) bounces: bool,
}

impl Surroundings<'_> {
    /// The digest of a node's surroundings.
    fn digest(&self) -> u64 {
        let mut fold = Fold::default();
        fold.add(self.inbox.digest());
        fold.add(self.transactions.digest());
        fold.add(if self.who == Who::Coordinator { self.requests_left.into() } else { u64::MAX });
        fold.add(self.bounces.into());
        fold.finish()
    }
}

impl<M: Inhabitant> Choices<M> {
    /// Of this node in these surroundings; each pair is worked out once.
    pub(super) fn of(node: &Shared<Node<M>>, around: &Surroundings<'_>) -> Rc<Self> {
        let key = (node.digest(), around.digest());
        if let Some(known) = M::notes(|notes| notes.choices.get(key)) {
            return known;
        }
        let mut steps = Vec::new();
        each_outcome(node, around, |happening, outcome| {
            if !is_echo(node, outcome) {
                steps.push((happening.into_kick(), outcome.clone()));
            }
        });
        let choices = Rc::new(Self(steps));
        M::notes(|notes| notes.choices.insert(key, choices.clone()));
        choices
    }
}

impl Echoes {
    /// Of this node in these surroundings; each pair is worked out once.
    pub(super) fn of<M: Inhabitant>(node: &Shared<Node<M>>, around: &Surroundings<'_>) -> Rc<Self> {
        let key = (node.digest(), around.digest());
        if let Some(known) = M::notes(|notes| notes.echoes.get(key)) {
            return known;
        }
        let mut echoes = Self { said: Vec::new(), landmarks: Landmarks::default() };
        each_outcome(node, around, |_, outcome| {
            if is_echo(node, outcome) {
                echoes.landmarks.add_all(outcome.landmarks);
                for envelope in &outcome.said {
                    if !echoes.said.contains(envelope) {
                        echoes.said.push(envelope.clone());
                    }
                }
            }
        });
        let echoes = Rc::new(echoes);
        M::notes(|notes| notes.echoes.insert(key, echoes.clone()));
        echoes
    }
}

/// Whether a node does this at any time without becoming another one, where that counts as done.
fn is_echo<M: Inhabitant>(node: &Shared<Node<M>>, outcome: &Outcome<M>) -> bool {
    node.scope.eager && outcome.node == *node
}

/// Something that may happen to a node. What is heard is lent, since most of it changes nothing.
enum Happening<'a> {
    Hear(&'a Shared<Envelope>),
    Kick(Kick),
}

impl Happening<'_> {
    fn into_kick(self) -> Kick {
        match self {
            Self::Hear(envelope) => Kick::Hear(envelope.clone()),
            Self::Kick(kick) => kick,
        }
    }
}

/// Everything that may happen to a node in these surroundings, with what comes of it, where something does.
fn each_outcome<M: Inhabitant>(node: &Shared<Node<M>>, around: &Surroundings<'_>, mut take: impl FnMut(Happening<'_>, &Rc<Outcome<M>>)) {
    let outcomes = Node::outcomes(node);
    for envelope in around.inbox.iter() {
        if let Some(outcome) = Node::heard(&outcomes, node, envelope) {
            take(Happening::Hear(envelope), &outcome);
        }
    }
    for kick in kicks(node, around) {
        if let Some(outcome) = Node::kicked_among(&outcomes, node, &kick) {
            take(Happening::Kick(kick), &outcome);
        }
    }
}

/// What may happen to a node that is up, but for what was said to it.
///
/// A press on Abort is missing because the deadline does the same; Ask status and the timer that asks
/// again because the grace does: it asks everybody, and what was asked stays asked; the deadline in
/// READY because it only leads to the grace; and the timer that repeats a decision because what it
/// says was said before. Where a search goes to the end, all timers that are set may fire instead.
fn kicks<M: Inhabitant>(node: &Node<M>, around: &Surroundings<'_>) -> Vec<Kick> {
    let mut kicks = Vec::new();
    // What nobody waits for need not be synced: a crash that keeps it all is the same.
    if node.disk.someone_waits() {
        kicks.push(Kick::Synced);
    }
    if !node.to_append.is_empty() {
        kicks.push(Kick::Append);
    }
    match around.who {
        Who::Coordinator => kicks.extend(around.requests_left.checked_sub(1).map(Kick::Request)),
        Who::Participant(_) => kicks.extend(around.transactions.iter().cloned().map(Kick::PressCommit)),
    }
    kicks.extend(clocks(node, around));
    if around.bounces {
        kicks.push(Kick::NotHere(chair()));
    }
    if node.scope.stranger {
        kicks.extend(said_by_strangers(around.who).map(|envelope| Kick::Hear(said::once(envelope))));
    }
    if node.scope.contradiction {
        kicks.extend(contradictions(node, around.who).map(|envelope| Kick::Hear(said::once(envelope))));
    }
    kicks
}

fn clocks<M: Inhabitant>(node: &Node<M>, around: &Surroundings<'_>) -> Vec<Kick> {
    match (node.scope.end, around.who) {
        (Some(end), _) => {
            let set = node.timers.iter().filter_map(M::clock);
            let in_time = |clock: Clock| end == End::Committed && clock == Clock::Deadline;
            set.filter(|(clock, _)| !in_time(*clock)).map(|(clock, txn)| Kick::Timer(clock, txn.clone())).collect()
        }
        (None, Who::Coordinator) => around.transactions.iter().map(|txn| Kick::Timer(Clock::Deadline, txn.clone())).collect(),
        (None, Who::Participant(_)) => {
            // The last one only says that it is blocked, which is told apart only where answers that
            // settle nothing are.
            let in_doubt: &[Clock] = match (node.scope.patient, node.scope.hints) {
                (true, _) => &[],
                (false, true) => &[Clock::Grace, Clock::Answers],
                (false, false) => &[Clock::Grace],
            };
            let of = |txn| if node.may_vote(txn) { &[Clock::Deadline][..] } else { in_doubt };
            around.transactions.iter().flat_map(|txn| of(txn).iter().map(|clock| Kick::Timer(*clock, txn.clone()))).collect()
        }
    }
}

/// What people with no right to it say of the first transaction. A question is not among it: who asks
/// as a participant is answered as one.
fn said_by_strangers(to: Who) -> impl Iterator<Item = Envelope> {
    let txn = TxnId::numbered(&chair(), 1, 1);
    let mallory = || name("mallory");
    let peer = |role| NAMES.into_iter().map(move |user| (name(user), role)).find(|(user, _)| who_is(user) != Some(to));
    let speakers: Vec<(UserName, Role)> = match to {
        // The coordinator by name, but logged in as something else.
        Who::Participant(_) => [(mallory(), Role::Coordinator), (mallory(), Role::Participant), (chair(), Role::Participant)]
            .into_iter()
            .chain(peer(Role::Participant))
            .chain(peer(Role::Coordinator))
            .collect(),
        Who::Coordinator => {
            [(mallory(), Role::Participant), (mallory(), Role::Coordinator)].into_iter().chain(peer(Role::Coordinator)).collect()
        }
    };
    let decided = |state| Message::DecisionReply { txn: txn.clone(), state };
    let messages = match to {
        Who::Participant(place) => vec![
            Message::VoteRequest {
                txn: txn.clone(),
                string: string(u8::MAX),
                participants: [name(NAMES[place])].into(),
                timeout: std::time::Duration::from_secs(20),
            },
            Message::GlobalCommit { txn: txn.clone() },
            Message::GlobalAbort { txn: txn.clone(), reason: None, by: None },
            decided(PeerState::Commit),
            decided(PeerState::Abort),
        ],
        Who::Coordinator => vec![
            Message::VoteCommit { txn: txn.clone() },
            Message::VoteAbort { txn: txn.clone(), reason: None },
            Message::Ack { txn: txn.clone() },
        ],
    };
    // A participant may answer a question.
    let may_say = |(user, role): &(UserName, Role), message: &Message| {
        *role == Role::Participant && NAMES.contains(&user.as_str()) && matches!(message, Message::DecisionReply { .. })
    };
    let pairs = speakers.iter().flat_map(|speaker| messages.iter().map(move |message| (speaker, message)));
    let pairs = pairs.filter(|(speaker, message)| !may_say(speaker, message));
    let said = pairs.map(|((from, role), message)| Envelope::new(from.clone(), *role, to, message.clone()));
    said.collect::<Vec<Envelope>>().into_iter()
}

/// The opposite of what a participant has written down, in its coordinator's name.
fn contradictions<M: Inhabitant>(node: &Node<M>, to: Who) -> impl Iterator<Item = Envelope> {
    let records = if to == Who::Coordinator { &[] } else { node.disk.written() };
    let mut txns: Vec<&TxnId> = Vec::new();
    for record in records {
        if !txns.contains(&record.txn()) {
            txns.push(record.txn());
        }
    }
    let mut said = Vec::new();
    for txn in txns {
        let held = M::log(node.disk.written(), node.incarnation);
        let Some(held) = (twopc_proto::audit::Holding { user: &node.me, log: held }).decision(txn) else { continue };
        let messages = match held {
            Decision::Commit => [
                Message::GlobalAbort { txn: txn.clone(), reason: None, by: None },
                Message::DecisionReply { txn: txn.clone(), state: PeerState::Abort },
            ],
            Decision::Abort => {
                [Message::GlobalCommit { txn: txn.clone() }, Message::DecisionReply { txn: txn.clone(), state: PeerState::Commit }]
            }
        };
        said.extend(messages.map(|message| Envelope::new(txn.coordinator().clone(), Role::Coordinator, to, message)));
    }
    said.into_iter()
}
