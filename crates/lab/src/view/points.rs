//! The crash points by what they mean.
//!
//! Deliberately absent: any point that a person would not choose to see something; the flag takes them
//! all.

use crate::member::Part;

/// A point, as a program takes it, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// `after:log:READY`
    pub at: &'static str,
    /// In words.
    pub means: &'static str,
}

const fn point(at: &'static str, means: &'static str) -> Point {
    Point { at, means }
}

const PARTICIPANT: [Point; 10] = [
    point("before:log:READY", "Commit is pressed, and READY is not in the log"),
    point("after:log:READY", "READY is on the disk, the vote is not sent"),
    point("after:send:VOTE_COMMIT", "VOTE_COMMIT is sent"),
    point("before:log:ABORT", "it aborts, and ABORT is not in the log"),
    point("after:log:ABORT", "ABORT is on the disk, nobody is told"),
    point("before:log:COMMIT", "it hears GLOBAL_COMMIT, and COMMIT is not in the log"),
    point("before:apply", "COMMIT is on the disk, the text file is untouched"),
    point("after:apply", "the string is in the text file, no ACK is sent"),
    point("after:send:ACK", "ACK is sent"),
    point("after:send:DECISION_REQUEST", "it has asked the first one for the decision"),
];

const COORDINATOR: [Point; 10] = [
    point("before:log:START", "Request is pressed, and nothing is in the log"),
    point("after:send:VOTE_REQUEST:1", "one participant is asked, the others are not"),
    point("before:log:COMMIT", "all have voted commit, and COMMIT is not in the log"),
    point("after:log:COMMIT", "COMMIT is on the disk, nobody is told"),
    point("after:send:GLOBAL_COMMIT:1", "one participant is told to commit"),
    point("after:send:GLOBAL_COMMIT:2", "two participants are told to commit"),
    point("before:log:ABORT", "it aborts, and ABORT is not in the log"),
    point("after:log:ABORT", "ABORT is on the disk, nobody is told"),
    point("after:send:GLOBAL_ABORT:1", "one participant is told to abort"),
    point("before:log:END", "all have acknowledged, and END is not in the log"),
];

/// The points of a program, in the order of a transaction.
#[must_use]
pub fn points(part: Part) -> &'static [Point] {
    match part {
        Part::Participant => &PARTICIPANT,
        Part::Coordinator => &COORDINATOR,
        Part::Relay => &[],
    }
}

/// What a point of that program means; one that is on no list is told as the flag takes it.
pub(super) fn meaning(part: Part, at: &str) -> &str {
    points(part).iter().find(|point| point.at == at).map_or(at, |point| point.means)
}

#[cfg(test)]
mod tests {
    use twopc_proto::Role;
    use twopc_runner::CrashPoint;

    use super::*;

    #[test]
    fn every_point_is_one_of_its_role() {
        for (part, role) in [(Part::Participant, Role::Participant), (Part::Coordinator, Role::Coordinator)] {
            for point in points(part) {
                assert!(CrashPoint::parse(point.at, role).is_ok(), "{}", point.at);
            }
        }
    }
}
