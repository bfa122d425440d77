//! Progress, judged when everything is well again and has had its time: everybody decides who can,
//! everything is delivered and ended, and who must be blocked is, and says so.
//!
//! Source: Bernstein, Hadzilacos and Goodman, 7.3, AC5 and 7.4 (blocking); this project's protocol, rules
//! 2 to 6.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, State, TxnId, UserName};

use super::Judge;

const PROPERTY: &str = "progress";

/// What a node's window would show of the transactions that are not over.
#[derive(Debug)]
pub(crate) struct Outlook {
    pub(crate) user: UserName,
    /// It runs, and is logged in.
    pub(crate) is_up: bool,
    /// It does not run, and that is in order.
    pub(crate) is_away: bool,
    pub(crate) open: Vec<OpenVote>,
}

/// One transaction that is not over at a node.
#[derive(Debug)]
pub(crate) struct OpenVote {
    pub(crate) txn: TxnId,
    pub(crate) state: State,
    /// A participant says that it is blocked.
    pub(crate) is_blocked: bool,
    /// A coordinator waits for these to acknowledge.
    pub(crate) unacknowledged: Vec<UserName>,
}

/// Everybody who is up has had time enough: whoever still waits must.
///
/// # Errors
/// The one who waits for nothing.
pub(super) fn at_rest(judge: &Judge, outlooks: &[Outlook]) -> Result<(), Violation> {
    let is_up = |name: &UserName| outlooks.iter().any(|outlook| outlook.is_up && outlook.user == *name);
    if let Some(lost) = outlooks.iter().find(|outlook| !outlook.is_up && !outlook.is_away) {
        return Err(Violation { property: PROPERTY, evidence: format!("{} is not in the room again", lost.user) });
    }
    for (book, outlook) in judge.books.iter().zip(outlooks).filter(|(_, outlook)| outlook.is_up) {
        for open in &outlook.open {
            let OpenVote { txn, state, is_blocked, unacknowledged } = open;
            let wrong = match state {
                State::Wait => Some("WAIT has no end".to_owned()),
                State::Init => Some("INIT has no end".to_owned()),
                State::Ready if is_up(txn.coordinator()) => Some("it is in doubt though the coordinator is there".to_owned()),
                State::Ready => doubt(judge, txn, &is_up).or_else(|| (!is_blocked).then(|| "it is blocked and does not say so".to_owned())),
                State::Commit | State::Abort => {
                    let late = unacknowledged.iter().find(|name| is_up(name));
                    match (late, book.role) {
                        (Some(name), _) => Some(format!("{name} has not acknowledged the decision")),
                        (None, twopc_proto::Role::Coordinator) => None,
                        (None, _) => Some("the string is not in the text file".to_owned()),
                    }
                }
            };
            if let Some(wrong) = wrong {
                let evidence = format!("{}, {txn}: {wrong}", book.user);
                return Err(Violation { property: PROPERTY, evidence });
            }
        }
    }
    Ok(())
}

/// Why a participant in READY without its coordinator need not be: somebody who is there has decided,
/// or has never promised.
fn doubt(judge: &Judge, txn: &TxnId, is_up: &impl Fn(&UserName) -> bool) -> Option<String> {
    let case = judge.cases.get(txn)?;
    let there = judge.books.iter().filter(|book| case.participants.contains(&book.user) && is_up(&book.user));
    for book in there {
        if book.decision(txn).is_some() {
            return Some(format!("it is in doubt though {} is there and has decided", book.user));
        }
        if !book.has_ready(txn) {
            return Some(format!("it is in doubt though {} is there and has not voted", book.user));
        }
    }
    None
}

/// Everything has been well for a login and a repetition: what was decided before is delivered, as far
/// as there is somebody to deliver it to.
///
/// # Errors
/// The one who has not acknowledged.
pub(super) fn delivered(decided: &[TxnId], outlooks: &[Outlook]) -> Result<(), Violation> {
    let is_up = |name: &UserName| outlooks.iter().any(|outlook| outlook.is_up && outlook.user == *name);
    for outlook in outlooks.iter().filter(|outlook| outlook.is_up) {
        for open in outlook.open.iter().filter(|open| *open.txn.coordinator() == outlook.user && decided.contains(&open.txn)) {
            if let Some(late) = open.unacknowledged.iter().find(|name| is_up(name)) {
                let evidence = format!("{late} has not acknowledged {}, which was decided long before", open.txn);
                return Err(Violation { property: "delivered within one retry", evidence });
            }
        }
    }
    Ok(())
}

/// The last vote, which everybody wanted, when everything was well.
///
/// # Errors
/// The one who has not committed.
pub(super) fn last_vote(judge: &Judge, known: usize, concerned: &[usize]) -> Result<(), Violation> {
    let violation = |evidence| Err(Violation { property: "life goes on", evidence });
    if judge.cases.len() == known {
        return violation("a vote could not be asked for".to_owned());
    }
    let commits = |txn: &TxnId| concerned.iter().all(|who| judge.books[*who].decision(txn) == Some(Decision::Commit));
    let is_new = |txn: &TxnId| judge.books[concerned[0]].user == *txn.coordinator();
    match judge.cases.keys().filter(|txn| is_new(txn)).max_by_key(|txn| txn.numbers()) {
        Some(txn) if commits(txn) => Ok(()),
        Some(txn) => violation(format!("{txn} is not committed by all of those who are there")),
        None => violation("a vote was not asked for".to_owned()),
    }
}

/// A run in which nothing went wrong.
///
/// # Errors
/// The transaction that nobody had a reason to abort, and that is not committed everywhere.
pub(super) fn calm(judge: &Judge) -> Result<(), Violation> {
    for (txn, case) in judge.cases.iter().filter(|(_, case)| !case.is_excused) {
        for book in judge.books.iter().filter(|book| case.participants.contains(&book.user) || book.user == *txn.coordinator()) {
            if book.decision(txn) != Some(Decision::Commit) {
                let evidence = format!("nothing went wrong, and {} has not committed {txn}", book.user);
                return Err(Violation { property: "commit without a fault", evidence });
            }
        }
    }
    Ok(())
}
