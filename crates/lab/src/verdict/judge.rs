//! The verdict: every invariant asked of every transaction, and of every text file.

use std::collections::{BTreeMap, BTreeSet};

use twopc_proto::outcomes::Outcomes;
use twopc_proto::{Decision, LogRecord, RecordKind, Role, TxnId, UserName, audit};

use super::case::{Case, Held};
use super::evidence::{Evidence, Heard};
use super::finding::{Rows, Verdict};
use super::log::Records;
use super::{Invariant, Mark, Outcome, Quote, Row, doubt, said, strings, text};

const DECISIONS: &[RecordKind] = &[RecordKind::Commit, RecordKind::Abort, RecordKind::Decided];

/// Judges a run by what was found of it. The same evidence gives the same verdict.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut heard: BTreeMap<&TxnId, Vec<&Heard>> = BTreeMap::new();
    for message in &evidence.heard {
        heard.entry(message.message.txn()).or_default().push(message);
    }
    let (mut rows, mut absent, mut undecided) = (Rows::default(), Absent::default(), 0);
    let transactions = transactions(evidence);
    for txn in &transactions {
        let Some(case) = Case::new(evidence, txn, heard.get(txn).map_or(&[], Vec::as_slice)) else { continue };
        undecided += u64::from(case.decision().is_none());
        logs(&case, &mut rows);
        said::judge(&case, &mut rows);
        doubt::judge(&case, &mut rows);
        absent.note(&case);
    }
    absent.report(&mut rows);
    let proposals = strings::proposals(evidence);
    let mut notes = rests_on(evidence);
    for log in &evidence.logs {
        if let Records::Participant(shelf) = &log.records {
            text::judge(evidence, log, shelf, &proposals, &mut rows, &mut notes);
        }
    }
    let rows = rows.finish();
    let (committed, aborted) = counts(evidence);
    Verdict { outcome: outcome(&rows), rows, committed, aborted, undecided, notes }
}

fn outcome(rows: &[Row]) -> Outcome {
    match rows.iter().map(|row| row.mark).max() {
        None | Some(Mark::Holds) => Outcome::Atomic,
        Some(Mark::Open) => Outcome::InDoubt,
        Some(Mark::Broken) => Outcome::Violated,
    }
}

/// Every transaction that has to be looked at so that all are judged.
fn transactions(evidence: &Evidence) -> BTreeSet<TxnId> {
    let mut marks: BTreeSet<TxnId> = evidence.heard.iter().map(|heard| heard.message.txn().clone()).collect();
    evidence.logs.iter().for_each(|log| log.marks(&mut marks));
    marks
}

/// What the logs alone prove of one transaction.
fn logs(case: &Case<'_>, rows: &mut Rows) {
    let nodes = case.holdings();
    if let Err(violation) = audit::agreement(&nodes) {
        rows.broken(Invariant::Agreement, &violation.evidence, case.quotes(DECISIONS));
    } else if let Some((torn, other)) = torn(case) {
        let says = format!("{}: {} holds COMMIT and ABORT, {} holds one of them", case.txn, torn.log.user, other.log.user);
        rows.broken(Invariant::Agreement, &says, case.quotes(DECISIONS));
    }
    for held in &case.held {
        if let Err(violation) = audit::stability(&held.holding()) {
            rows.broken(Invariant::Stability, &violation.evidence, held.quotes(said::ALL));
        }
    }
    // Logs that were read one after the other while this went on need not fit each other.
    if case.is_moving {
        return;
    }
    if let Err(violation) = audit::validity(&nodes) {
        let mut quotes = case.quotes(&[RecordKind::Start, RecordKind::Commit, RecordKind::Decided]);
        let lacking = case.voters().filter(|held| !held.has(RecordKind::Ready));
        quotes.extend(lacking.flat_map(|held| held.quotes_or_lack(&[RecordKind::Abort], RecordKind::Ready, case.txn)));
        rows.broken(Invariant::Validity, &violation.evidence, quotes);
    }
    guessing(case, rows);
    if let Err(violation) = audit::forgetting(&nodes) {
        let mut quotes = case.quotes(&[RecordKind::End, RecordKind::Decided]);
        let undecided = case.voters().filter(|held| held.decision(case.txn).is_none());
        quotes.extend(undecided.flat_map(|held| held.quotes_or_lack(&[RecordKind::Ready], RecordKind::Ready, case.txn)));
        rows.broken(Invariant::Agreement, &violation.evidence, quotes);
    }
}

/// A log that holds both decisions, and so disagrees with every other one that holds any.
fn torn<'a>(case: &'a Case<'_>) -> Option<(&'a Held<'a>, &'a Held<'a>)> {
    let torn = case.held.iter().find(|held| held.has(RecordKind::Commit) && held.has(RecordKind::Abort))?;
    let other = case.held.iter().find(|held| !std::ptr::eq(*held, torn) && held.decision(case.txn).is_some())?;
    Some((torn, other))
}

/// An abort may have come from a participant whose log is not here: then it is not judged.
fn guessing(case: &Case<'_>, rows: &mut Rows) {
    let is_complete = case.absent_voters().next().is_none();
    let nodes: Vec<_> = case
        .held
        .iter()
        .filter(|held| is_complete || held.log.role() == Role::Coordinator || held.decision(case.txn) != Some(Decision::Abort))
        .map(super::case::Held::holding)
        .collect();
    let Err(violation) = audit::guessing(&nodes) else { return };
    let mut quotes: Vec<Quote> =
        case.voters().flat_map(|held| held.quotes(&[RecordKind::Ready, RecordKind::Commit, RecordKind::Abort])).collect();
    if let Some(chair) = case.coordinator() {
        quotes.extend(chair.quotes_or_lack(said::ALL, RecordKind::Commit, case.txn));
    }
    rows.broken(Invariant::NoGuessing, &violation.evidence, quotes);
}

/// Nodes whose logs were not given, and how many transactions cannot be judged for want of them.
#[derive(Default)]
struct Absent {
    voters: BTreeMap<UserName, u64>,
    chairs: BTreeMap<UserName, u64>,
}

impl Absent {
    fn note(&mut self, case: &Case<'_>) {
        for name in case.absent_voters() {
            *self.voters.entry(name.clone()).or_default() += 1;
        }
        let left_a_promise = case.voters().any(|held| held.has(RecordKind::Ready) && held.decision(case.txn).is_some());
        if left_a_promise && case.coordinator().is_none() {
            *self.chairs.entry(case.txn.coordinator().clone()).or_default() += 1;
        }
    }

    fn report(self, rows: &mut Rows) {
        for (name, count) in self.voters {
            let says = format!("the log of {name} is not here, a participant of {}: what it holds cannot be told", transactions_of(count));
            rows.open(Invariant::Agreement, &says, Vec::new());
        }
        for (name, count) in self.chairs {
            let says =
                format!("the log of {name} is not here, the coordinator of {}: what it decided cannot be told", transactions_of(count));
            rows.open(Invariant::NoGuessing, &says, Vec::new());
        }
    }
}

fn transactions_of(count: u64) -> String {
    if count == 1 { "1 transaction".into() } else { format!("{count} transactions") }
}

/// How many transactions were committed by somebody, and how many aborted by somebody and committed by
/// nobody.
fn counts(evidence: &Evidence) -> (u64, u64) {
    let mut outcomes = Outcomes::default();
    // The first that is entered stays.
    for decision in [Decision::Commit, Decision::Abort] {
        for log in &evidence.logs {
            match &log.records {
                Records::Participant(shelf) => enter(&mut outcomes, shelf.logged().iter().map(|logged| &logged.record), decision),
                Records::Coordinator(shelf) => enter(&mut outcomes, shelf.logged().iter().map(|logged| &logged.record), decision),
            }
        }
    }
    outcomes.iter().fold((0, 0), |(committed, aborted), decided| match decided.decision() {
        Decision::Commit => (u64::saturating_add(committed, decided.count()), aborted),
        Decision::Abort => (committed, u64::saturating_add(aborted, decided.count())),
    })
}

fn enter<'r, R: LogRecord + 'r>(outcomes: &mut Outcomes, records: impl Iterator<Item = &'r R>, wanted: Decision) {
    for record in records {
        match record.kind() {
            RecordKind::Commit if wanted == Decision::Commit => outcomes.insert(record.txn(), wanted),
            RecordKind::Abort if wanted == Decision::Abort => outcomes.insert(record.txn(), wanted),
            RecordKind::Decided => {
                if let Some(decided) = record.decided().filter(|decided| decided.decision() == wanted) {
                    outcomes.insert_all(decided);
                }
            }
            RecordKind::Commit | RecordKind::Abort | RecordKind::Start | RecordKind::Ready | RecordKind::End | RecordKind::Applied => {}
        }
    }
}

/// What the verdict rests on, in a sentence, and what was noticed in reading.
fn rests_on(evidence: &Evidence) -> Vec<String> {
    let count = |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    let record = if evidence.has_record {
        format!("{} in the relay's record", count(evidence.heard.len(), "protocol message"))
    } else {
        "no relay's record: what was said is not judged".into()
    };
    let files = format!("{} and {}", count(evidence.logs.len(), "stable log"), count(evidence.texts.len(), "text file"));
    let mut notes = vec![format!("It rests on {files}, and on {record}.")];
    notes.extend(evidence.notes.iter().map(|note| twopc_proto::text::Shown::new(note).to_string()));
    notes
}
