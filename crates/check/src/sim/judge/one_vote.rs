//! One vote a participant and transaction, and nothing counted that was not said: by the names that
//! the relay stamped.
//!
//! Source: Bernstein, Hadzilacos and Goodman, 7.4: the coordinator commits if it has received Yes from
//! all participants; Mohan, Lindsay and Obermarck: END after every acknowledgement.

use twopc_proto::audit::Violation;
use twopc_proto::{Message, TxnId, UserName};

use super::Case;

/// Looks for a yes after a no.
///
/// # Errors
/// The participant that voted twice.
pub(super) fn one_vote(case: &Case, user: &UserName, message: &Message) -> Result<(), Violation> {
    if matches!(message, Message::VoteCommit { .. }) && case.refusals.contains(user) {
        let evidence = format!("{user} said VOTE_ABORT and then VOTE_COMMIT of {}", message.txn());
        return Err(Violation { property: "one vote", evidence });
    }
    Ok(())
}

/// A coordinator is about to write COMMIT.
///
/// # Errors
/// The participant whose vote it has not heard.
pub(super) fn all_voted(txn: &TxnId, case: Option<&Case>) -> Result<(), Violation> {
    let missing = case.and_then(|case| case.participants.iter().find(|name| !case.votes.contains(*name)));
    missing.map_or(Ok(()), |name| {
        Err(Violation { property: "votes counted", evidence: format!("{txn} is to commit, and no vote of {name} has been heard") })
    })
}

/// A coordinator is about to write END.
///
/// # Errors
/// The participant whose acknowledgement it has not heard.
pub(super) fn all_acknowledged(txn: &TxnId, case: Option<&Case>) -> Result<(), Violation> {
    let missing = case.and_then(|case| case.participants.iter().find(|name| !case.acks.contains(*name)));
    missing.map_or(Ok(()), |name| {
        Err(Violation { property: "acknowledgements counted", evidence: format!("{txn} is to end, and no ACK of {name} has been heard") })
    })
}
