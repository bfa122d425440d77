//! Backing: what a message claims was durable at its sender before it left.
//!
//! VOTE_COMMIT claims READY; VOTE_ABORT, GLOBAL_COMMIT, GLOBAL_ABORT and a deciding DECISION_REPLY
//! claim that decision; a DECISION_REPLY READY claims READY; ACK claims some decision. The one
//! exception is presumed abort: a coordinator's later start may answer ABORT for what its log does
//! not know.
//!
//! Source: the force-write rules of Mohan, Lindsay and Obermarck, *Transaction Management in the R\*
//! Distributed Database Management System*.

use alloc::format;

use super::guessing::presumes_abort;
use super::{Holding, Violation};
use crate::message::{Message, PeerState};
use crate::record::Decision;

/// Judges one message that `sender` has sent by what its disk holds.
///
/// # Errors
/// The claim that the disk does not bear out.
pub fn backing(sender: &Holding<'_>, message: &Message) -> Result<(), Violation> {
    let txn = message.txn();
    let holds = |decision: Decision| sender.decision(txn) == Some(decision);
    let backed = match message {
        Message::VoteRequest { .. } | Message::DecisionRequest { .. } => true,
        Message::VoteCommit { .. } => sender.may_have_promised(txn),
        Message::VoteAbort { .. } | Message::GlobalAbort { .. } => holds(Decision::Abort),
        Message::GlobalCommit { .. } => holds(Decision::Commit),
        Message::Ack { .. } => sender.decision(txn).is_some(),
        Message::DecisionReply { state, .. } => match state {
            PeerState::Init => false,
            PeerState::Wait => sender.is_coordinator_of(txn),
            PeerState::Ready => sender.may_have_promised(txn),
            PeerState::Commit => holds(Decision::Commit),
            PeerState::Abort => holds(Decision::Abort) || (sender.is_coordinator_of(txn) && presumes_abort(sender, txn)),
        },
    };
    if backed {
        Ok(())
    } else {
        let evidence = format!("{} said {}, which its disk does not bear out", sender.user, crate::story::message(message));
        Err(Violation { property: "log before send", evidence })
    }
}
