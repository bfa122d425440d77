//! The machines under every schedule: complete searches, with the number of states pinned.
//!
//! A number that changes is no failure of the protocol; it says that the machines or the world do
//! something else than before, and a person looks at it.

use std::time::Duration;

use twopc_check::search::{Findings, explore};
use twopc_check::world::Scope;

/// None of these takes more than a minute on two processors; one that does has met a bound.
const LIMIT: Duration = Duration::from_secs(600);

/// What only a crash makes happen.
const NEEDS_A_CRASH: [&str; 2] =
    ["never happened: a restart finds READY without a decision", "never happened: a commit is learnt without the coordinator"];

fn complete(findings: &Findings, states: usize) {
    assert!(findings.complete, "the search met its bound: {findings}");
    assert_eq!(findings.states, states, "{findings}");
}

#[test]
fn two_participants_without_a_crash_with_every_answer_delivered() {
    let findings = explore(&Scope { hints: true, ..Scope::new(2, 1, 0) }, LIMIT);
    assert_eq!(findings.failures, NEEDS_A_CRASH, "{findings}");
    complete(&findings, STATES_WITH_HINTS);
}

#[test]
fn two_participants_and_a_crash_anywhere() {
    let findings = explore(&Scope::new(2, 1, 1), LIMIT);
    assert_eq!(findings.failures, Vec::<String>::new(), "{findings}");
    complete(&findings, STATES_WITH_A_CRASH);
}

#[test]
fn one_participant_and_two_crashes_anywhere() {
    let findings = explore(&Scope { hints: true, ..Scope::new(1, 1, 2) }, LIMIT);
    assert_eq!(findings.failures, Vec::<String>::new(), "{findings}");
    complete(&findings, STATES_WITH_TWO_CRASHES);
}

#[test]
fn one_participant_and_two_transactions_at_once() {
    let findings = explore(&Scope::new(1, 2, 0), LIMIT);
    assert_eq!(findings.failures, NEEDS_A_CRASH, "{findings}");
    complete(&findings, STATES_WITH_TWO_TRANSACTIONS);
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

const STATES_WITH_HINTS: usize = 0;
const STATES_WITH_A_CRASH: usize = 0;
const STATES_WITH_TWO_CRASHES: usize = 0;
const STATES_WITH_TWO_TRANSACTIONS: usize = 0;
