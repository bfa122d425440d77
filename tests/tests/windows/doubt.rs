//! The coordinator dies while participants wait for its decision: what their windows say, and what
//! settles it.

use crate::display::Display;
use crate::room::{Hall, STRINGS, all_know, asks_for, quit};

const EVERYBODY: [&str; 3] = ["alice", "bob", "carol"];

/// The coordinator dies with its decision on its disk and nothing of it said. Nobody else may decide.
pub(crate) fn all_ready_are_blocked_until_the_coordinator_is_back(display: &Display) {
    let hall = Hall::open(display);
    let [alice, bob, carol] = EVERYBODY.map(|name| hall.participant(name));
    let chair = hall.chair(&["--vote-timeout", "60", "--crash-at", "after:log:COMMIT"]);
    asks_for(&chair, &EVERYBODY, "Hello");
    for window in [&alice, &bob, &carol] {
        window.presses("Commit");
    }
    chair.dies();
    for window in [&alice, &bob, &carol] {
        window.shows("State: READY");
        window.presses("Ask status");
    }
    for (window, others) in [(&alice, ["bob", "carol"]), (&bob, ["alice", "carol"]), (&carol, ["alice", "bob"])] {
        window.shows("State: READY, blocked");
        let doubt = window.shows_part("Blocked: nobody here may decide.");
        for part in ["chair (offline)".to_owned(), format!("{} READY", others[0]), format!("{} READY", others[1])] {
            assert!(doubt.contains(&part), "{part:?} is not in {doubt:?}");
        }
    }
    for name in EVERYBODY {
        assert!(hall.room.strings(name).is_empty(), "{name} guessed");
    }

    let chair = hall.chair(&[]);
    for window in [&alice, &bob, &carol] {
        window.shows("State: COMMIT");
        window.shows_in(STRINGS, "Hello");
    }
    chair.shows_part("Recovered: “Hello”");
    chair.shows("GLOBAL COMMIT");
    all_know(&chair, &EVERYBODY);
    quit([chair, alice, bob, carol]);
    assert_eq!(hall.room.audit("chair", &EVERYBODY), ["Hello"]);
}

/// The coordinator is killed while the last one has not voted. Asked by the others, she can only
/// abort, and then so can they.
pub(crate) fn one_who_has_not_voted_settles_it_without_the_coordinator(display: &Display) {
    let hall = Hall::open(display);
    let [alice, bob, carol] = EVERYBODY.map(|name| hall.participant(name));
    let chair = hall.chair(&["--vote-timeout", "300"]);
    asks_for(&chair, &EVERYBODY, "Hello");
    for window in [&alice, &bob] {
        window.presses("Commit");
        window.shows("State: READY");
    }
    carol.offers("Commit");
    alice.withholds("Ask status");
    chair.loses_power();
    alice.presses("Ask status");
    for window in [&alice, &carol] {
        window.shows("State: ABORT");
    }
    bob.presses("Ask status");
    bob.shows("State: ABORT");
    carol.has_no("Commit");

    let chair = hall.chair(&[]);
    chair.shows_part("Recovered: “Hello” was undecided when this program stopped, so it is aborted");
    chair.shows("GLOBAL ABORT");
    all_know(&chair, &EVERYBODY);
    quit([chair, alice, bob, carol]);
    assert!(hall.room.audit("chair", &EVERYBODY).is_empty());
}
