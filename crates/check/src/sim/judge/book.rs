//! Everything that one node was told is durable, over all its lives, and what people did to its file.

use std::collections::{BTreeMap, BTreeSet};

use twopc_proto::audit::{Holding, Log};
use twopc_proto::{CoordinatorRecord, Decision, LogRecord, ParticipantRecord, Role, TxnId, UserName};

use crate::sim::disk::Edit;

/// One node's book.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) user: UserName,
    pub(crate) role: Role,
    pub(crate) incarnation: u64,
    pub(super) participant: BTreeMap<TxnId, Vec<ParticipantRecord>>,
    pub(super) coordinator: BTreeMap<TxnId, Vec<CoordinatorRecord>>,
    /// The committed strings in the order of their records.
    pub(super) commits: Vec<(TxnId, String)>,
    /// A person has changed the text file.
    pub(super) was_edited: bool,
    /// What a person typed into it and did not take out.
    pub(super) typed: Vec<String>,
    /// Strings that a person took out.
    pub(super) taken_out: BTreeSet<String>,
    /// Strings that were not known to stand, synced, when a person moved what was before them: they
    /// may stand twice.
    pub(super) moved: BTreeSet<String>,
}

/// A record that can be entered.
pub(crate) trait Booked: LogRecord {
    /// Enters it.
    fn enter(&self, book: &mut Book);
    /// Enters it after those.
    fn enter_with(&self, book: &mut Book, earlier: &[CoordinatorRecord]);
    /// Those of a transaction in a book.
    fn of<'a>(book: &'a Book, txn: &TxnId) -> &'a [Self];
    /// Every transaction of this role in a book.
    fn all(book: &Book) -> Vec<(&TxnId, &[Self])>;
    /// One that says ABORT.
    fn abort(txn: TxnId) -> Self;
    /// Whom it names.
    fn participants(&self) -> Option<&BTreeSet<UserName>>;
}

impl Booked for ParticipantRecord {
    fn enter(&self, book: &mut Book) {
        if let Self::Commit { txn, string } = self {
            book.commits.push((txn.clone(), string.as_str().to_owned()));
        }
        book.participant.entry(self.txn().clone()).or_default().push(self.clone());
    }

    fn enter_with(&self, book: &mut Book, _: &[CoordinatorRecord]) {
        self.enter(book);
    }

    fn of<'a>(book: &'a Book, txn: &TxnId) -> &'a [Self] {
        book.participant.get(txn).map_or(&[], Vec::as_slice)
    }

    fn all(book: &Book) -> Vec<(&TxnId, &[Self])> {
        book.participant.iter().map(|(txn, records)| (txn, records.as_slice())).collect()
    }

    fn abort(txn: TxnId) -> Self {
        Self::Abort { txn, reason: None }
    }

    fn participants(&self) -> Option<&BTreeSet<UserName>> {
        match self {
            Self::Ready { participants, .. } => Some(participants),
            Self::Commit { .. } | Self::Abort { .. } | Self::Applied { .. } | Self::Decided(_) => None,
        }
    }
}

impl Booked for CoordinatorRecord {
    fn enter(&self, book: &mut Book) {
        book.coordinator.entry(self.txn().clone()).or_default().push(self.clone());
    }

    fn enter_with(&self, book: &mut Book, earlier: &[CoordinatorRecord]) {
        book.coordinator.insert(self.txn().clone(), earlier.to_vec());
        self.enter(book);
    }

    fn of<'a>(book: &'a Book, txn: &TxnId) -> &'a [Self] {
        book.coordinator.get(txn).map_or(&[], Vec::as_slice)
    }

    fn all(book: &Book) -> Vec<(&TxnId, &[Self])> {
        book.coordinator.iter().map(|(txn, records)| (txn, records.as_slice())).collect()
    }

    fn abort(txn: TxnId) -> Self {
        Self::Abort { txn, reason: None, by: None }
    }

    fn participants(&self) -> Option<&BTreeSet<UserName>> {
        match self {
            Self::Start { participants, .. } => Some(participants),
            Self::Commit { .. } | Self::Abort { .. } | Self::End { .. } | Self::Decided(_) => None,
        }
    }
}

impl Book {
    pub(crate) fn new(user: UserName, role: Role) -> Self {
        Self {
            user,
            role,
            incarnation: 0,
            participant: BTreeMap::new(),
            coordinator: BTreeMap::new(),
            commits: Vec::new(),
            was_edited: false,
            typed: Vec::new(),
            taken_out: BTreeSet::new(),
            moved: BTreeSet::new(),
        }
    }

    /// What the node holds of one transaction.
    pub(super) fn holding(&self, txn: &TxnId) -> Holding<'_> {
        let log = match self.role {
            Role::Coordinator => Log::Coordinator { records: CoordinatorRecord::of(self, txn), incarnation: self.incarnation },
            Role::Participant | Role::Observer | Role::Guest => Log::Participant(ParticipantRecord::of(self, txn)),
        };
        Holding { user: &self.user, log }
    }

    pub(super) fn records_of(&self, txn: &TxnId) -> &[CoordinatorRecord] {
        CoordinatorRecord::of(self, txn)
    }

    /// How many records it has of one transaction.
    pub(super) fn count(&self, txn: &TxnId) -> usize {
        ParticipantRecord::of(self, txn).len() + CoordinatorRecord::of(self, txn).len()
    }

    /// The decision that the node holds.
    pub(crate) fn decision(&self, txn: &TxnId) -> Option<Decision> {
        self.holding(txn).decision(txn)
    }

    /// Whether the node has promised.
    pub(crate) fn has_ready(&self, txn: &TxnId) -> bool {
        ParticipantRecord::of(self, txn).iter().any(|record| matches!(record, ParticipantRecord::Ready { .. }))
    }

    /// Every transaction that it has a record of.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &TxnId> {
        self.participant.keys().chain(self.coordinator.keys())
    }

    pub(super) fn on_edit(&mut self, edit: Edit, before: &[u8], after: Option<&[u8]>) {
        self.was_edited = true;
        let had = lines(before);
        let has = after.map(lines).unwrap_or_default();
        for line in had.iter().filter(|line| !has.contains(line)) {
            self.typed.retain(|typed| typed != line);
            self.taken_out.insert(line.clone());
        }
        self.typed.extend(edit.typed());
        for (txn, string) in &self.commits {
            let is_applied = ParticipantRecord::of(self, txn).iter().any(|record| matches!(record, ParticipantRecord::Applied { .. }));
            if !is_applied {
                self.moved.insert(string.clone());
            }
        }
    }
}

/// The lines of a text, whatever its line ends.
pub(super) fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).split('\n').map(|line| line.trim_end_matches('\r').to_owned()).filter(|line| !line.is_empty()).collect()
}
