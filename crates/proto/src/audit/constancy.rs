//! Constancy: nobody ever says both commit and abort of one transaction.
//!
//! Votes are no decisions: a participant that promised may well be told to abort afterwards.

use alloc::collections::BTreeMap;
use alloc::format;

use super::Violation;
use crate::message::Message;
use crate::name::UserName;
use crate::record::Decision;
use crate::txn::TxnId;

/// Looks through everything that was said, by its sender, for two decisions on one transaction.
///
/// # Errors
/// The transaction of which both were said.
pub fn constancy<'a>(said: impl IntoIterator<Item = (&'a UserName, &'a Message)>) -> Result<(), Violation> {
    let mut first: BTreeMap<&TxnId, (Decision, &UserName)> = BTreeMap::new();
    for (sender, message) in said {
        let decision = match message {
            Message::GlobalCommit { .. } => Decision::Commit,
            Message::GlobalAbort { .. } => Decision::Abort,
            Message::DecisionReply { state, .. } => match state.decision() {
                Some(decision) => decision,
                None => continue,
            },
            Message::VoteRequest { .. }
            | Message::VoteCommit { .. }
            | Message::VoteAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionRequest { .. } => continue,
        };
        let (decided, by) = *first.entry(message.txn()).or_insert((decision, sender));
        if decided != decision {
            let evidence = format!("{}: {by} said {decided}, {sender} said {decision}", message.txn());
            return Err(Violation { property: "constancy", evidence });
        }
    }
    Ok(())
}
