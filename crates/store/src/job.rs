//! What is asked of a store, and what it answers.

use twopc_proto::{CommittedString, Lsn, Sync};

use crate::report::Report;

/// Something that a machine asked of its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job<R> {
    /// Append a record to the log.
    Persist {
        /// Its place: one more than the record before it.
        lsn: Lsn,
        /// What is to be remembered.
        record: R,
        /// Whether anything waits for it.
        sync: Sync,
    },
    /// Make sure that the line of this COMMIT record stands in the text file.
    Apply {
        /// The COMMIT record's place.
        lsn: Lsn,
        /// The line.
        string: CommittedString,
    },
}

/// What became of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every record up to this one is on the disk.
    Durable(Lsn),
    /// The line of this COMMIT record stands in the text file.
    Applied {
        /// The COMMIT record's place.
        lsn: Lsn,
    },
    /// No space. For a record: it was cut back, and none is written until it comes again. For a
    /// COMMIT record that is on the disk: its line does not stand in the text file.
    Refused(Lsn),
    /// Something odd that a person should know.
    Report(Report),
}
