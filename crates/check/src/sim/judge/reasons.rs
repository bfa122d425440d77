//! Abort validity: nobody aborts without a reason.
//!
//! Source: Bernstein, Hadzilacos and Goodman, 7.3, AC4: with no failure and all votes Yes the decision is
//! commit.

use twopc_proto::TxnId;
use twopc_proto::audit::Violation;

use super::Case;

/// An ABORT is on a disk: a No, a timeout, a question, a crash, a goodbye or a disk came before it.
///
/// # Errors
/// The transaction that had none of them.
pub(super) fn reasons(txn: &TxnId, case: Option<&Case>) -> Result<(), Violation> {
    if case.is_some_and(|case| case.is_excused) {
        return Ok(());
    }
    Err(Violation { property: "abort validity", evidence: format!("{txn} is aborted, and nothing has happened that would be a reason") })
}
