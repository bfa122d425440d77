//! What must hold, asked after everything that happens.
//!
//! The judge keeps a book of every record that a node was told is durable, over all its lives, and of
//! everything that was said; the properties of `twopc_proto::audit` are asked of those for the
//! transaction that something has just happened to, and what only a run can show is asked beside them:
//! one property a file. Deliberately absent: any look into a machine, but for the ends of runs, where
//! progress is judged by what its window would show.

mod alarm;
mod book;
mod kept;
mod one_vote;
mod progress;
mod reasons;
mod separate;
mod shown;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use book::{Book, Booked};
pub(super) use progress::{OpenVote, Outlook};
use twopc_proto::audit::{self, Holding, Violation};
use twopc_proto::decided::Decided;
use twopc_proto::{Decision, Message, Notice, RecordKind, Role, TxnId, UserName};

use super::disk::Edit;

/// What was said about one transaction, and what could excuse its abort.
#[derive(Debug, Default)]
struct Case {
    participants: BTreeSet<UserName>,
    /// Messages that tell a decision: one of each sender and kind.
    decisions: Vec<(UserName, Message)>,
    /// Who has said VOTE_ABORT.
    refusals: BTreeSet<UserName>,
    /// Whose VOTE_COMMIT and ACK the coordinator has heard in its present life.
    votes: BTreeSet<UserName>,
    acks: BTreeSet<UserName>,
    /// Something happened after which an abort is in order.
    is_excused: bool,
}

/// The judge of one run.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) books: Vec<Book>,
    cases: BTreeMap<TxnId, Case>,
    pub(super) violation: Option<Violation>,
}

impl Judge {
    pub(super) fn new(books: Vec<Book>) -> Self {
        Self { books, cases: BTreeMap::new(), violation: None }
    }

    /// Keeps the first violation: what follows it means little.
    pub(super) fn hold(&mut self, found: Result<(), Violation>) {
        if let (Err(violation), None) = (found, &self.violation) {
            self.violation = Some(violation);
        }
    }

    pub(super) fn violated(&mut self, property: &'static str, evidence: String) {
        self.hold(Err(Violation { property, evidence }));
    }

    /// What each node holds of one transaction.
    fn holdings(&self, txn: &TxnId) -> Vec<Holding<'_>> {
        self.books.iter().map(|book| book.holding(txn)).collect()
    }

    /// A node starts a life on these records.
    pub(super) fn on_start<R: Booked>(&mut self, node: usize, incarnation: u64, records: &[R]) {
        let found = kept::kept(&self.books[node], records);
        self.hold(found);
        self.books[node].incarnation = incarnation;
        let me = self.books[node].user.clone();
        for (txn, case) in &mut self.cases {
            if *txn.coordinator() == me {
                case.votes.clear();
                case.acks.clear();
            }
        }
        let mut survivors = BTreeMap::<&TxnId, usize>::new();
        for record in records {
            if let Some(over) = record.decided() {
                self.on_compacted::<R>(node, over);
                continue;
            }
            let seen = survivors.entry(record.txn()).or_default();
            *seen += 1;
            if *seen > self.books[node].count(record.txn()) {
                self.on_durable(node, record);
            }
            if record.kind() == RecordKind::Start {
                self.excuse(record.txn());
            }
        }
    }

    /// A compacted log calls transactions over. An ABORT among them may be one that its node was not told
    /// of.
    fn on_compacted<R: Booked>(&mut self, node: usize, over: &Decided) {
        let news = self.cases.keys().filter(|txn| over.covers(txn) && self.books[node].decision(txn).is_none());
        for txn in news.cloned().collect::<Vec<_>>() {
            self.on_durable(node, &R::abort(txn));
        }
    }

    /// Whether a log lacks something that its node was told it has.
    pub(super) fn has_lost<R: Booked>(&self, node: usize, records: &[R]) -> bool {
        kept::kept(&self.books[node], records).is_err()
    }

    /// A record is on a node's disk, as it was told.
    pub(super) fn on_durable<R: Booked>(&mut self, node: usize, record: &R) {
        record.enter(&mut self.books[node]);
        let txn = record.txn();
        let holdings = self.holdings(txn);
        let found = audit::agreement(&holdings)
            .and_then(|()| audit::validity(&holdings))
            .and_then(|()| audit::stability(&holdings[node]))
            .and_then(|()| audit::guessing(&holdings));
        self.hold(found);
        if record.kind() == RecordKind::Abort {
            let found = reasons::reasons(txn, self.cases.get(txn));
            self.hold(found);
        }
    }

    /// A record is handed to a node's disk.
    pub(super) fn on_written<R: Booked>(&mut self, node: usize, record: &R) {
        let txn = record.txn();
        match (self.books[node].role, record.kind()) {
            (Role::Coordinator, RecordKind::Start) => {
                let case = self.cases.entry(txn.clone()).or_default();
                case.participants.extend(record.participants().into_iter().flatten().cloned());
            }
            (Role::Coordinator, RecordKind::Commit) => {
                let found = one_vote::all_voted(txn, self.cases.get(txn));
                self.hold(found);
            }
            (Role::Coordinator, RecordKind::End) => {
                let found = one_vote::all_acknowledged(txn, self.cases.get(txn)).and_then(|()| {
                    let mut book = Book::new(self.books[node].user.clone(), Role::Coordinator);
                    record.enter_with(&mut book, self.books[node].records_of(txn));
                    let mut holdings = self.holdings(txn);
                    holdings[node] = book.holding(txn);
                    audit::forgetting(&holdings)
                });
                self.hold(found);
            }
            _ => {}
        }
    }

    /// A node says something. `text`: what its text file holds.
    pub(super) fn on_said(&mut self, node: usize, message: &Message, text: impl FnOnce() -> Option<Vec<u8>>) {
        let txn = message.txn();
        let book = &self.books[node];
        let found = audit::backing(&book.holding(txn), message);
        self.hold(found);
        let book = &self.books[node];
        if let Message::Ack { .. } = message
            && book.decision(txn) == Some(Decision::Commit)
        {
            let found = text::stands(book, txn, text().as_deref());
            self.hold(found);
        }
        let user = self.books[node].user.clone();
        let case = self.cases.entry(txn.clone()).or_default();
        let found = one_vote::one_vote(case, &user, message);
        match message {
            Message::VoteRequest { participants, .. } => case.participants.extend(participants.iter().cloned()),
            Message::VoteAbort { .. } => {
                case.refusals.insert(user);
            }
            Message::DecisionRequest { .. } => case.is_excused = true,
            Message::GlobalCommit { .. } | Message::GlobalAbort { .. } | Message::DecisionReply { .. } => {
                if !case.decisions.iter().any(|(sender, said)| *sender == user && said == message) {
                    case.decisions.push((user, message.clone()));
                    let constant = audit::constancy(case.decisions.iter().map(|(sender, message)| (sender, message)));
                    self.hold(constant);
                }
            }
            Message::VoteCommit { .. } | Message::Ack { .. } => {}
        }
        self.hold(found);
    }

    /// A node hears something.
    pub(super) fn on_heard(&mut self, node: usize, from: &UserName, role: Role, message: &Message) {
        if self.books[node].role != Role::Coordinator || role != Role::Participant || *message.txn().coordinator() != self.books[node].user
        {
            return;
        }
        let Some(case) = self.cases.get_mut(message.txn()) else { return };
        match message {
            Message::VoteCommit { .. } => {
                case.votes.insert(from.clone());
            }
            Message::VoteAbort { .. } => case.is_excused = true,
            Message::Ack { .. } => {
                case.acks.insert(from.clone());
            }
            Message::VoteRequest { .. }
            | Message::GlobalCommit { .. }
            | Message::GlobalAbort { .. }
            | Message::DecisionRequest { .. }
            | Message::DecisionReply { .. } => {}
        }
    }

    /// After this an abort of the transaction is in order.
    pub(super) fn excuse(&mut self, txn: &TxnId) {
        self.cases.entry(txn.clone()).or_default().is_excused = true;
    }

    /// After this an abort of every transaction of this node that was begun is in order.
    pub(super) fn excuse_node(&mut self, node: usize) {
        let user = &self.books[node].user;
        for (txn, case) in &mut self.cases {
            if txn.coordinator() == user || case.participants.contains(user) {
                case.is_excused = true;
            }
        }
    }

    /// A window shows something.
    pub(super) fn on_notice(&mut self, node: usize, notice: &Notice) {
        let found = shown::shown(&self.books[node], notice);
        self.hold(found);
    }

    /// What a message about `txn` made a node do concerns `other`.
    pub(super) fn on_effect_of(&mut self, node: usize, txn: &TxnId, other: &TxnId) {
        let found = separate::separate(&self.books[node], txn, other);
        self.hold(found);
    }

    /// Whether what a node hears contradicts what its disk has.
    pub(super) fn contradicts(&self, node: usize, from: &UserName, role: Role, message: &Message) -> bool {
        alarm::contradicts(&self.books[node], from, role, message)
    }

    /// A person has edited a text file.
    pub(super) fn on_edit(&mut self, node: usize, edit: Edit, before: &[u8], after: Option<&[u8]>) {
        self.books[node].on_edit(edit, before, after);
    }

    /// Everything is over: the text file holds what it must.
    pub(super) fn on_end(&mut self, node: usize, text: Option<&[u8]>) {
        let found = text::holds(&self.books[node], text);
        self.hold(found);
    }

    /// Everybody is quiet: nobody waits who need not.
    pub(super) fn on_rest(&mut self, outlooks: &[Outlook]) {
        let found = progress::at_rest(self, outlooks);
        self.hold(found);
    }

    /// What every coordinator has decided for certain.
    pub(super) fn decided_by_coordinators(&self) -> Vec<TxnId> {
        let coordinators = self.books.iter().filter(|book| book.role == Role::Coordinator);
        coordinators.flat_map(|book| book.transactions().filter(|txn| book.decision(txn).is_some()).cloned()).collect()
    }

    /// Everything has been well for long enough to deliver what was decided before.
    pub(super) fn on_delivery(&mut self, decided: &[TxnId], outlooks: &[Outlook]) {
        let found = progress::delivered(decided, outlooks);
        self.hold(found);
    }

    /// One more vote was asked for by `chair`, when `known` transactions were known, of these.
    pub(super) fn on_last_vote(&mut self, known: usize, chair: usize, voters: &[usize]) {
        let concerned: Vec<usize> = std::iter::once(chair).chain(voters.iter().copied()).collect();
        let found = progress::last_vote(self, known, &concerned);
        self.hold(found);
    }

    /// Nothing went wrong and everybody voted commit in time: everything is committed.
    pub(super) fn on_calm_end(&mut self) {
        let found = progress::calm(self);
        self.hold(found);
    }

    /// Every transaction that somebody was asked about.
    pub(super) fn transactions(&self) -> impl Iterator<Item = (&TxnId, &BTreeSet<UserName>)> {
        self.cases.iter().map(|(txn, case)| (txn, &case.participants))
    }
}
