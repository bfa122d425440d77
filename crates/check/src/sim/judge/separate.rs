//! A message about one transaction changes nothing of another.
//!
//! Source: this project's protocol; transactions share a log and a link, and nothing else.

use twopc_proto::TxnId;
use twopc_proto::audit::Violation;

use super::Book;

/// Compares what a message was about with what it made a node do.
///
/// # Errors
/// The other transaction.
pub(super) fn separate(book: &Book, txn: &TxnId, other: &TxnId) -> Result<(), Violation> {
    if txn == other {
        return Ok(());
    }
    let evidence = format!("{} heard of {txn} and did something about {other}", book.user);
    Err(Violation { property: "transactions are separate", evidence })
}
