//! One vote: nobody says yes to a transaction after having said no to it.
//!
//! A no after a yes is none of this: whoever had promised and was then told to abort answers a late
//! VOTE_REQUEST with VOTE_ABORT. That nobody leaves a promise by himself is "no guessing".
//!
//! Source: Bernstein et al., 7.3: each process has exactly one vote, Yes or No.

use alloc::collections::BTreeSet;
use alloc::format;

use super::Violation;
use crate::message::Message;
use crate::name::UserName;
use crate::txn::TxnId;

/// Looks through everything that was said, in its order and by its sender, for a yes after a no.
///
/// # Errors
/// The participant that voted twice.
pub fn one_vote<'a>(said: impl IntoIterator<Item = (&'a UserName, &'a Message)>) -> Result<(), Violation> {
    let mut refused: BTreeSet<(&TxnId, &UserName)> = BTreeSet::new();
    for (sender, message) in said {
        match message {
            Message::VoteAbort { txn, .. } => {
                refused.insert((txn, sender));
            }
            Message::VoteCommit { txn } if refused.contains(&(txn, sender)) => {
                let evidence = format!("{txn}: {sender} said VOTE_ABORT and then VOTE_COMMIT");
                return Err(Violation { property: "one vote", evidence });
            }
            Message::VoteCommit { .. }
            | Message::VoteRequest { .. }
            | Message::GlobalCommit { .. }
            | Message::GlobalAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionRequest { .. }
            | Message::DecisionReply { .. } => {}
        }
    }
    Ok(())
}
