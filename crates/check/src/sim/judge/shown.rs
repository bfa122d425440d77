//! What a window calls promised, decided or written is on the disk.
//!
//! Source: this project's protocol: COMMIT and ABORT are said once they are on this node's disk.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, Notice, State, TxnId};

use super::Book;

/// Compares what a node shows with what it was told is durable.
///
/// # Errors
/// What was shown too early.
pub(super) fn shown(book: &Book, notice: &Notice) -> Result<(), Violation> {
    let holds = |txn: &TxnId, decision| book.decision(txn) == Some(decision);
    let is_so = match notice {
        Notice::State { txn, state: State::Ready } => book.has_ready(txn),
        Notice::State { txn, state: State::Commit } | Notice::Applied { txn, .. } => holds(txn, Decision::Commit),
        Notice::State { txn, state: State::Abort } => holds(txn, Decision::Abort),
        Notice::Decided { txn, decision, .. } => holds(txn, *decision),
        Notice::Done { txn } => book.decision(txn).is_some(),
        Notice::State { state: State::Init | State::Wait, .. }
        | Notice::VoteRequested { .. }
        | Notice::Asked { .. }
        | Notice::Blocked { .. }
        | Notice::Alarm { .. }
        | Notice::NoSpace { .. }
        | Notice::RequestRefused(_)
        | Notice::PressIgnored { .. }
        | Notice::Ignored { .. } => true,
    };
    if is_so {
        return Ok(());
    }
    Err(Violation { property: "what is shown is durable", evidence: format!("{} shows {notice:?}, which is not on its disk", book.user) })
}
