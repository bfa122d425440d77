//! What of one transaction is unfinished, and who could settle it.
//!
//! The rows of the textbook's table: a participant in READY is settled by whoever has decided, by a
//! participant that has not voted, and by the coordinator; if all that can be asked are in READY, it is
//! blocked (Tanenbaum and van Steen, 8.5).

use twopc_proto::{Decision, RecordKind, Role};

use super::case::{Case, Held};
use super::finding::Rows;
use super::{Invariant, Quote};

const DECISIONS: &[RecordKind] = &[RecordKind::Commit, RecordKind::Abort, RecordKind::Decided];

pub(super) fn judge(case: &Case<'_>, rows: &mut Rows) {
    let txn = case.txn;
    let before = rows.count();
    for voter in case.held.iter().filter(|held| held.log.role() == Role::Participant) {
        if voter.has(RecordKind::Ready) && voter.decision(txn).is_none() {
            let (settled, mut lines) = settler(case, voter);
            let mut quotes = voter.quotes(&[RecordKind::Ready]);
            quotes.append(&mut lines);
            let says = format!("{} is in doubt about {txn}: it has promised, and its log holds no decision; {settled}", voter.log.user);
            rows.open(Invariant::Agreement, &says, quotes);
        }
    }
    if let Some(chair) = case.coordinator().filter(|chair| chair.has(RecordKind::Start) && !chair.has(RecordKind::End)) {
        match chair.decision(txn) {
            None => {
                let says = format!("{} has asked for votes on {txn} and has not decided", chair.log.user);
                rows.open(Invariant::Validity, &says, chair.quotes(&[RecordKind::Start]));
            }
            Some(decision) => {
                let says =
                    format!("{} has decided to {decision} {txn} and has not heard from everybody that it is done (no END)", chair.log.user);
                rows.open(Invariant::Agreement, &says, chair.quotes(DECISIONS));
            }
        }
    }
    if case.is_moving && rows.count() == before {
        rows.open(Invariant::Agreement, &format!("{txn} was going on while its files were read; read them again"), Vec::new());
    }
}

/// Who could settle the doubt of this participant, as far as the logs tell, and the lines that say so.
fn settler(case: &Case<'_>, doubtful: &Held<'_>) -> (String, Vec<Quote>) {
    let txn = case.txn;
    let others = || case.voters().filter(|other| other.log.user != doubtful.log.user);
    let decided = case.coordinator().into_iter().chain(others()).find(|held| held.decision(txn).is_some());
    if let Some(held) = decided {
        let word = match held.decision(txn) {
            Some(Decision::Commit) => "COMMIT",
            Some(Decision::Abort) | None => "ABORT",
        };
        return (format!("the log of {} holds {word}, which settles it", held.log.user), held.quotes(DECISIONS));
    }
    if let Some(held) = others().find(|held| !held.has(RecordKind::Ready)) {
        let says = format!("{} has not voted, so it aborts as soon as it is asked, which settles it", held.log.user);
        return (says, held.quotes_or_lack(&[], RecordKind::Ready, txn));
    }
    let chair = txn.coordinator();
    match case.coordinator() {
        Some(held) if held.has(RecordKind::Start) => {
            let says = format!("{chair} has not decided: it settles it by its decision, which is abort once it has been started again");
            (says, held.quotes(&[RecordKind::Start]))
        }
        Some(held) => {
            let says = format!("the log of {chair} knows nothing of it, so in a later life it answers abort (presumed abort)");
            (says, held.quotes_or_lack(&[], RecordKind::Start, txn))
        }
        None => {
            let absent: Vec<&str> = case.absent_voters().map(twopc_proto::UserName::as_str).collect();
            let or =
                if absent.is_empty() { String::new() } else { format!(", or one of {} if that one has not promised", absent.join(", ")) };
            (format!("nobody whose log is here can settle it, since all of them have promised; {chair} can{or}"), Vec::new())
        }
    }
}
