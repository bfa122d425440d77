//! What a participant's log promises to its text file.
//!
//! Deliberately absent: the file, but for one that is gone.

use std::collections::{BTreeMap, BTreeSet};

use twopc_proto::log::Stamp;
use twopc_proto::{Decided, Decision, LogRecord, Message, ParticipantRecord, RecordKind, Role, TxnId};

use super::evidence::{Evidence, Heard};
use super::finding::Rows;
use super::log::NodeLog;
use super::shelf::Shelf;
use super::{Invariant, Quote};

/// What a log promises to the text file.
pub(super) struct Promises<'e> {
    pub(super) log: &'e NodeLog,
    pub(super) shelf: &'e Shelf<ParticipantRecord>,
    pub(super) commits: Vec<Commit<'e>>,
    /// How many strings were committed before those, of which the log was rid.
    pub(super) older: u64,
}

/// A COMMIT record.
pub(super) struct Commit<'e> {
    pub(super) txn: &'e TxnId,
    pub(super) string: &'e str,
    pub(super) line: u64,
    pub(super) stamp: Option<Stamp>,
    /// Its line was called applied, or acknowledged.
    pub(super) must_stand: bool,
    /// The acknowledgement that was heard.
    ack: Option<&'e Heard>,
}

impl<'e> Promises<'e> {
    pub(super) fn of(evidence: &'e Evidence, log: &'e NodeLog, shelf: &'e Shelf<ParticipantRecord>) -> Self {
        let is_own = |heard: &&Heard| heard.from == log.user && heard.role == Role::Participant;
        let acks: BTreeMap<&TxnId, &Heard> = evidence
            .heard
            .iter()
            .filter(is_own)
            .filter_map(|heard| {
                let Message::Ack { txn } = &heard.message else { return None };
                Some((txn, heard))
            })
            .collect();
        let records = || shelf.logged().iter().map(|logged| &logged.record);
        let applied: BTreeSet<&TxnId> = records().filter(|record| record.kind() == RecordKind::Applied).map(LogRecord::txn).collect();
        let commits = shelf.logged().iter().filter_map(|logged| {
            let (txn, string) = (logged.record.txn(), logged.record.committed()?.as_str());
            let ack = acks.get(txn).copied();
            // While it was going on, the line may have come after the text file was read.
            let was_applied = applied.contains(txn) && !evidence.moving.contains(txn);
            Some(Commit { txn, string, line: logged.line, stamp: logged.stamp, must_stand: was_applied || ack.is_some(), ack })
        });
        let ranges = records().filter_map(LogRecord::decided).filter(|decided| decided.decision() == Decision::Commit);
        Self { log, shelf, commits: commits.collect(), older: ranges.map(Decided::count).fold(0, u64::saturating_add) }
    }

    /// There is no text file.
    pub(super) fn without_text(&self, rows: &mut Rows) {
        const SHOWN: usize = 3;
        let file = self.text_name();
        let missing: Vec<usize> = (0..self.commits.len()).filter(|index| self.commits[*index].must_stand).collect();
        let count = self.older.saturating_add(missing.len() as u64);
        if count > 0 {
            let strings = if count == 1 { "1 committed string".into() } else { format!("{count} committed strings") };
            let mut quotes = vec![Quote::whole(&file, "it is not there")];
            quotes.extend(missing.iter().take(SHOWN).flat_map(|index| self.proofs(*index)));
            rows.broken(Invariant::ExactlyOnce, &format!("the text file of {} is gone, with {strings}", self.log.user), quotes);
        }
        for index in (0..self.commits.len()).filter(|index| !self.commits[*index].must_stand) {
            self.awaited(index, rows);
        }
    }

    /// What the text file is called, where there is none.
    fn text_name(&self) -> String {
        let file = self.log.paper.file();
        file.strip_suffix(".participant.dtlog").map_or_else(|| format!("{}.txt", self.log.user), |stem| format!("{stem}.txt"))
    }

    pub(super) fn awaited(&self, index: usize, rows: &mut Rows) {
        let Commit { txn, string, .. } = self.commits[index];
        let says = format!("“{string}” of {txn} is committed at {} and does not stand in the text file yet", self.log.user);
        rows.open(Invariant::ExactlyOnce, &says, self.proofs(index));
    }

    /// The lines that promise a string, and say that it stood: COMMIT, and APPLIED or the ACK.
    pub(super) fn proofs(&self, index: usize) -> Vec<Quote> {
        let Commit { txn, line, ack, .. } = &self.commits[index];
        let (records, lines) = self.shelf.of(txn);
        let applied = records.iter().zip(&lines).find(|(record, _)| record.kind() == RecordKind::Applied).map(|(_, line)| *line);
        let mut quotes = vec![self.log.paper.quote(*line)];
        match (applied, ack) {
            (Some(applied), _) => quotes.push(self.log.paper.quote(applied)),
            (None, Some(ack)) => quotes.push(ack.quote()),
            (None, None) => {}
        }
        quotes
    }

    /// `“x” of chair.1.1`, or of several.
    pub(super) fn named(&self, promises: &[usize]) -> String {
        let string = promises.first().map_or("", |index| self.commits[*index].string);
        let transactions: Vec<String> = promises.iter().map(|index| self.commits[*index].txn.to_string()).collect();
        format!("“{string}” of {}", transactions.join(", "))
    }
}
