//! The machines under every schedule: complete searches, with the number of states pinned.
//!
//! A number that changes is no failure of the protocol; it says that the machines or the world do
//! something else than before, and a person looks at it.

use std::time::Duration;

use twopc_check::search::explore;
use twopc_check::world::Scope;

/// None of these takes more than a minute on two processors; one that does has met a bound.
const LIMIT: Duration = Duration::from_secs(600);

/// A search that saw everything, found nothing wrong, and missed nothing that must happen.
fn complete(scope: &Scope, states: usize) {
    let findings = explore(scope, LIMIT);
    assert_eq!(findings.failures, Vec::<String>::new(), "{findings}");
    assert!(findings.complete, "the search met its bound: {findings}");
    assert_eq!(findings.states, states, "{findings}");
}

#[test]
fn two_participants_and_a_crash_anywhere_with_every_answer_delivered() {
    complete(&Scope { hints: true, ..Scope::new(2, 1, 1) }, 1_664_345);
}

#[test]
fn two_participants_and_two_crashes_anywhere() {
    complete(&Scope::new(2, 1, 2), 333_108);
}

#[test]
fn one_participant_and_three_crashes_anywhere() {
    complete(&Scope { hints: true, ..Scope::new(1, 1, 3) }, 10_938);
}

#[test]
fn one_participant_two_transactions_at_once_and_a_crash_anywhere() {
    complete(&Scope::new(1, 2, 1), 698_191);
}

/// The search is worth something only if it finds what is wrong: on a drive that does not honour a
/// flush the promises cannot be kept.
#[test]
fn a_lying_disk_is_caught_and_the_story_is_told() {
    let findings = explore(&Scope { lying_disks: true, ..Scope::new(2, 1, 1) }, LIMIT);
    let story = findings.failures.iter().find(|failure| failure.starts_with("does not hold")).expect("a violation");
    assert!(story.contains("   1. chair presses Request\n"), "{story}");
    assert!(story.contains("restarts; of what was not synced, 0 records"), "{story}");
}
