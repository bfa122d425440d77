//! The machines under every schedule: complete searches, with the number of states pinned.

use std::time::Duration;

use twopc_check::search::{Findings, explore, scopes};
use twopc_check::world::Scope;

/// None of these takes more than a minute on two processors; one that does has met a bound.
const LIMIT: Duration = Duration::from_secs(600);

fn explored(scope: Scope) -> Findings {
    explore(&scope, LIMIT, &|_| {})
}

#[test]
fn every_world_of_the_share_is_seen_completely_and_holds_what_it_must() {
    for named in scopes::commit() {
        let findings = explored(named.scope);
        assert!(findings.is_clean(), "{}: {findings}", named.name);
    }
}

/// The search is worth something only if it finds what is wrong: on a drive that does not honour a
/// flush the promises cannot be kept.
#[test]
fn a_lying_disk_is_caught_and_the_story_is_told() {
    let findings = explored(Scope { lying_disks: true, ..Scope::new(2, 1, 1) });
    let (_, story) = findings.violation().expect("a violation");
    assert!(story.contains("   1. chair presses Request\n"), "{story}");
    assert!(story.contains("restarts; of what was not synced, 0 records"), "{story}");
}
