//! Exactly once: the text file holds each committed string once, in the order of the COMMIT records,
//! and no aborted one.
//!
//! Source: the text file is a projection of the log; see the log format's page.

use alloc::format;
use alloc::vec::Vec;

use super::{Holding, Log, Violation};
use crate::decided::Decided;
use crate::record::{Decision, LogRecord, ParticipantRecord};

/// Compares the lines of a participant's text file with its log. `pending` says whether lines at the
/// end may still be missing: those whose COMMIT has no APPLIED yet. Of strings that the log was rid
/// of when it was compacted, only how many they are is judged. Not for files that a person has edited.
///
/// # Errors
/// The line that is missing, doubled, out of order or without a COMMIT.
pub fn projection(node: &Holding<'_>, lines: &[&str], pending: bool) -> Result<(), Violation> {
    let Log::Participant(records) = node.log else { return Ok(()) };
    let committed = node.ranges().into_iter().filter(|range| range.decision() == Decision::Commit);
    let older = usize::try_from(committed.map(Decided::count).fold(0, u64::saturating_add)).unwrap_or(usize::MAX);
    let promised: Vec<&str> = records.iter().filter_map(LogRecord::committed).map(crate::CommittedString::as_str).collect();
    let violation = |evidence| Err(Violation { property: "exactly once", evidence });
    for (index, line) in lines.iter().enumerate().skip(older) {
        match promised.get(index - older) {
            None => return violation(format!("{}'s file has a line that no COMMIT promised: “{line}”", node.user)),
            Some(should) if should != line => {
                return violation(format!("line {} of {}'s file is “{line}”, not “{should}”", index + 1, node.user));
            }
            Some(_) => {}
        }
    }
    let applied = records.iter().filter(|record| matches!(record, ParticipantRecord::Applied { .. })).count();
    let needed = older.saturating_add(if pending { applied } else { promised.len() });
    if lines.len() < needed {
        return violation(format!("{}'s file has {} of the {needed} strings that must stand there", node.user, lines.len()));
    }
    Ok(())
}
