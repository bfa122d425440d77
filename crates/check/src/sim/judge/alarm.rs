//! A decision that contradicts one on the disk raises an alarm.
//!
//! Source: this project's protocol, rule 11. That it is not obeyed is stability, which is asked of every
//! record.

use twopc_proto::{Decision, Message, Role, UserName};

use super::Book;

/// Whether a message from somebody who may say so contradicts what the node holds.
pub(super) fn contradicts(book: &Book, from: &UserName, role: Role, message: &Message) -> bool {
    let said = match message {
        Message::GlobalCommit { .. } => Decision::Commit,
        Message::GlobalAbort { .. } => Decision::Abort,
        Message::VoteRequest { .. }
        | Message::VoteCommit { .. }
        | Message::VoteAbort { .. }
        | Message::Ack { .. }
        | Message::DecisionRequest { .. }
        | Message::DecisionReply { .. } => return false,
    };
    let may_say = book.role == Role::Participant && role == Role::Coordinator && from == message.txn().coordinator();
    may_say && book.decision(message.txn()).is_some_and(|held| held != said)
}
