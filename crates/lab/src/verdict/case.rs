//! One transaction: what each log holds of it, and what was said about it by those whose word counts.

use std::collections::BTreeSet;

use twopc_proto::audit::{Holding, Log};
use twopc_proto::{CoordinatorRecord, Decision, LogRecord, Message, ParticipantRecord, RecordKind, Role, TxnId, UserName};

use super::Quote;
use super::evidence::{Evidence, Heard};
use super::log::{NodeLog, Records};

/// One transaction.
pub(super) struct Case<'e> {
    pub(super) txn: &'e TxnId,
    /// One entry a log, also for those that have nothing of it.
    pub(super) held: Vec<Held<'e>>,
    /// What was said about it, in order.
    pub(super) heard: Vec<&'e Heard>,
    /// Everybody who votes; `None` if nothing that was found says so.
    pub(super) participants: Option<BTreeSet<UserName>>,
    /// It got a record while the logs were being read, so they need not fit each other.
    pub(super) is_moving: bool,
}

/// What one log holds of a transaction.
pub(super) struct Held<'e> {
    pub(super) log: &'e NodeLog,
    kept: Kept,
    lines: Vec<u64>,
}

enum Kept {
    Participant(Vec<ParticipantRecord>),
    Coordinator(Vec<CoordinatorRecord>),
}

impl<'e> Case<'e> {
    /// Gathers what there is; `None` if that is nothing. `heard`: all that was said about it.
    pub(super) fn new(evidence: &'e Evidence, txn: &'e TxnId, heard: &[&'e Heard]) -> Option<Self> {
        let held: Vec<Held<'e>> = evidence.logs.iter().map(|log| Held::new(log, txn)).collect();
        if heard.is_empty() && held.iter().all(Held::is_empty) {
            return None;
        }
        let is_moving = evidence.moving.contains(txn);
        let mut case = Self { txn, held, heard: Vec::new(), participants: None, is_moving };
        case.participants = case.held.iter().find_map(|held| held.names().cloned()).or_else(|| {
            let requests = heard.iter().filter(|heard| case.is_of_coordinator(heard));
            let mut names = requests.filter_map(|heard| {
                let Message::VoteRequest { participants, .. } = &heard.message else { return None };
                Some(participants.clone())
            });
            names.next()
        });
        case.heard = heard.iter().filter(|heard| case.counts(heard)).copied().collect();
        let is_known = !case.heard.is_empty() || !case.held.iter().all(Held::is_empty);
        is_known.then_some(case)
    }

    /// Whether anybody would believe this: only a transaction's coordinator asks and decides, only its
    /// participants vote, acknowledge and ask, only these answer.
    fn counts(&self, heard: &Heard) -> bool {
        let from_participant =
            heard.role == Role::Participant && self.participants.as_ref().is_none_or(|names| names.contains(&heard.from));
        match heard.message {
            Message::VoteRequest { .. } | Message::GlobalCommit { .. } | Message::GlobalAbort { .. } => self.is_of_coordinator(heard),
            Message::VoteCommit { .. } | Message::VoteAbort { .. } | Message::Ack { .. } | Message::DecisionRequest { .. } => {
                from_participant
            }
            Message::DecisionReply { .. } => from_participant || self.is_of_coordinator(heard),
        }
    }

    fn is_of_coordinator(&self, heard: &Heard) -> bool {
        heard.role == Role::Coordinator && heard.from == *self.txn.coordinator()
    }

    /// What every log holds, for the audit.
    pub(super) fn holdings(&self) -> Vec<Holding<'_>> {
        self.held.iter().map(Held::holding).collect()
    }

    /// The log of its coordinator.
    pub(super) fn coordinator(&self) -> Option<&Held<'e>> {
        self.of(self.txn.coordinator(), Role::Coordinator)
    }

    pub(super) fn of(&self, user: &UserName, role: Role) -> Option<&Held<'e>> {
        self.held.iter().find(|held| held.log.user == *user && held.log.role() == role)
    }

    /// The logs of its participants; where it is not known who they are, of those that know of it.
    pub(super) fn voters(&self) -> impl Iterator<Item = &Held<'e>> {
        self.held.iter().filter(|held| {
            let concerned = self.participants.as_ref().map_or(!held.is_empty(), |names| names.contains(&held.log.user));
            concerned && held.log.role() == Role::Participant
        })
    }

    /// Its participants whose logs were not given.
    pub(super) fn absent_voters(&self) -> impl Iterator<Item = &UserName> {
        self.participants.iter().flatten().filter(|name| self.of(name, Role::Participant).is_none())
    }

    /// How it ended, as far as anybody's log says: commit, if one does.
    pub(super) fn decision(&self) -> Option<Decision> {
        self.held.iter().filter_map(|held| held.decision(self.txn)).min()
    }

    /// The lines of these kinds in every log.
    pub(super) fn quotes(&self, kinds: &[RecordKind]) -> Vec<Quote> {
        self.held.iter().flat_map(|held| held.quotes(kinds)).collect()
    }
}

impl<'e> Held<'e> {
    fn new(log: &'e NodeLog, txn: &TxnId) -> Self {
        let (kept, lines) = match &log.records {
            Records::Participant(shelf) => {
                let (records, lines) = shelf.of(txn);
                (Kept::Participant(records), lines)
            }
            Records::Coordinator(shelf) => {
                let (records, lines) = shelf.of(txn);
                (Kept::Coordinator(records), lines)
            }
        };
        Self { log, kept, lines }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn holding(&self) -> Holding<'_> {
        let log = match &self.kept {
            Kept::Participant(records) => Log::Participant(records),
            Kept::Coordinator(records) => Log::Coordinator { records, incarnation: self.log.incarnation },
        };
        Holding { user: &self.log.user, log }
    }

    pub(super) fn decision(&self, txn: &TxnId) -> Option<Decision> {
        self.holding().decision(txn)
    }

    fn kinds(&self) -> Vec<RecordKind> {
        match &self.kept {
            Kept::Participant(records) => records.iter().map(LogRecord::kind).collect(),
            Kept::Coordinator(records) => records.iter().map(LogRecord::kind).collect(),
        }
    }

    pub(super) fn has(&self, kind: RecordKind) -> bool {
        self.kinds().contains(&kind)
    }

    /// Everybody who votes, as this log has it.
    fn names(&self) -> Option<&BTreeSet<UserName>> {
        match &self.kept {
            Kept::Participant(records) => records.iter().find_map(|record| {
                let ParticipantRecord::Ready { participants, .. } = record else { return None };
                Some(participants)
            }),
            Kept::Coordinator(records) => records.iter().find_map(|record| {
                let CoordinatorRecord::Start { participants, .. } = record else { return None };
                Some(participants)
            }),
        }
    }

    /// Its lines of these kinds.
    pub(super) fn quotes(&self, kinds: &[RecordKind]) -> Vec<Quote> {
        let lines = self.kinds().into_iter().zip(&self.lines).filter(|(kind, _)| kinds.contains(kind));
        lines.map(|(_, line)| self.log.paper.quote(*line)).collect()
    }

    /// The same; if there are none, that this record is not there.
    pub(super) fn quotes_or_lack(&self, kinds: &[RecordKind], lacking: RecordKind, txn: &TxnId) -> Vec<Quote> {
        let mut quotes = self.quotes(kinds);
        if !self.has(lacking) && !self.has(RecordKind::Decided) {
            quotes.push(self.log.paper.lacks(&format!("{lacking} of {txn}")));
        }
        quotes
    }
}
