//! Unanimity: of a transaction against which somebody voted, nobody ever says that it commits.
//!
//! The half of commit validity that can be seen in what was said; the other half, that everybody had
//! promised, stands on the disks.
//!
//! Source: Bernstein et al., 7.3, AC3: the Commit decision can only be reached if all processes voted Yes.

use alloc::collections::BTreeMap;
use alloc::format;

use super::Violation;
use crate::message::{Message, PeerState};
use crate::name::UserName;
use crate::txn::TxnId;

/// Looks through everything that was said, by its sender, for a No and a commit of one transaction.
///
/// # Errors
/// The No that did not count.
pub fn unanimity<'a>(said: impl IntoIterator<Item = (&'a UserName, &'a Message)>) -> Result<(), Violation> {
    let mut refused: BTreeMap<&TxnId, &UserName> = BTreeMap::new();
    let mut committed: BTreeMap<&TxnId, &UserName> = BTreeMap::new();
    for (sender, message) in said {
        let txn = message.txn();
        match message {
            Message::VoteAbort { .. } => {
                refused.entry(txn).or_insert(sender);
            }
            Message::GlobalCommit { .. } | Message::DecisionReply { state: PeerState::Commit, .. } => {
                committed.entry(txn).or_insert(sender);
            }
            Message::DecisionReply { state: PeerState::Init | PeerState::Wait | PeerState::Ready | PeerState::Abort, .. }
            | Message::VoteRequest { .. }
            | Message::VoteCommit { .. }
            | Message::GlobalAbort { .. }
            | Message::Ack { .. }
            | Message::DecisionRequest { .. } => continue,
        }
        if let (Some(voter), Some(decider)) = (refused.get(txn), committed.get(txn)) {
            let evidence = format!("{txn}: {voter} voted abort, and {decider} said commit");
            return Err(Violation { property: "unanimity", evidence });
        }
    }
    Ok(())
}
