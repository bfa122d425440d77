//! Durable means durable: what a node was told is on its disk is there at its next start.
//!
//! Source: Gray and Reuter, *Transaction Processing*, 9.3: a record is stable once the write of the log
//! has been acknowledged.

use twopc_proto::audit::Violation;
use twopc_proto::{Decision, LogRecord};

use super::book::{Book, Booked};

/// Compares what a start found with what earlier lives were told. Of a transaction that a compacted log
/// calls over, the decision must be the one that was held.
///
/// # Errors
/// The record that is gone.
pub(super) fn kept<R: Booked>(book: &Book, records: &[R]) -> Result<(), Violation> {
    let violation = |evidence| Err(Violation { property: "durable means durable", evidence });
    for (txn, told) in R::all(book) {
        if let Some(over) = records.iter().filter_map(LogRecord::decided).find(|decided| decided.covers(txn)) {
            let held = book.decision(txn);
            if held.unwrap_or(Decision::Abort) != over.decision() {
                return violation(format!("the compacted log of {} calls {txn} a {}, and it held {held:?}", book.user, over.decision()));
            }
            continue;
        }
        let mut found = records.iter().filter(|record| record.decided().is_none() && record.txn() == txn);
        for record in told {
            if !found.any(|there| there == record) {
                return violation(format!("{} was told that {record:?} is on its disk, and its next start did not find it", book.user));
            }
        }
    }
    Ok(())
}
