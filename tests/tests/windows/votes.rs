//! A vote in real windows that nothing disturbs: all commit, one aborts, nobody presses.

use egui::Key;

use crate::display::Display;
use crate::room::{Hall, STRINGS, all_know, asks_for, quit};

const EVERYBODY: [&str; 3] = ["alice", "bob", "carol"];

/// The whole of it by hand: the relay's address, the names, a refusal, the string, every vote.
pub(crate) fn a_string_typed_by_hand_is_found_in_three_text_files(display: &Display) {
    let hall = Hall::open(display);
    let [alice, bob, carol] = EVERYBODY.map(|name| hall.window("participant", name, &[]));
    let chair = hall.window("coordinator", "chair", &[]);
    for window in [&alice, &bob, &carol, &chair] {
        window.types("Relay address", &hall.room.address());
        window.presses("Login");
    }
    alice.types("User name", "alice");
    alice.presses_key(Key::Enter);
    alice.shows("Relay: connected");
    bob.types("User name", "alice");
    bob.presses("Login");
    bob.shows_part("alice");
    bob.shows("Relay: asks for a name");
    bob.types("User name", "bob");
    bob.presses("Login");
    for (window, name) in [(&carol, "Carol"), (&chair, "chair")] {
        window.types("User name", name);
        window.presses_key(Key::Enter);
    }
    chair.withholds("Request");
    chair.types("Vote timeout", "60");
    asks_for(&chair, &EVERYBODY, "Hello");

    for window in [&alice, &bob, &carol] {
        window.shows("Store “Hello”?");
        window.shows_part("Time left: ");
    }
    alice.presses("Commit");
    alice.shows("State: READY");
    alice.withholds("Commit");
    bob.presses("Commit");
    bob.shows("State: READY");
    chair.shows("State: WAIT");
    assert!(hall.room.strings("alice").is_empty(), "nothing is stored before everybody has voted");
    carol.presses("Commit");

    for window in [&alice, &bob, &carol] {
        window.shows("State: COMMIT");
        window.shows_in(STRINGS, "Hello");
    }
    chair.shows("GLOBAL COMMIT");
    all_know(&chair, &EVERYBODY);
    quit([chair, alice, bob, carol]);
    assert_eq!(hall.room.audit("chair", &EVERYBODY), ["Hello"]);
}

pub(crate) fn one_abort_aborts_for_all(display: &Display) {
    let hall = Hall::open(display);
    let [alice, bob, carol] = EVERYBODY.map(|name| hall.participant(name));
    let chair = hall.chair(&["--vote-timeout", "60"]);
    asks_for(&chair, &EVERYBODY, "Hello");
    alice.presses("Commit");
    bob.presses("Abort");
    for window in [&alice, &bob, &carol, &chair] {
        window.shows("State: ABORT");
    }
    chair.shows("GLOBAL ABORT");
    chair.shows_in("Votes", "bob voted abort");
    alice.shows_part("Aborted “Hello”");
    alice.shows_in(STRINGS, "No string has been committed yet.");
    all_know(&chair, &EVERYBODY);
    quit([chair, alice, bob, carol]);
    assert!(hall.room.audit("chair", &EVERYBODY).is_empty());
}

/// Nothing but the press in the window can have voted in the other tests: without it, the time runs
/// out. It is set in the window here.
pub(crate) fn nothing_is_committed_that_nobody_pressed_commit_for(display: &Display) {
    let hall = Hall::open(display);
    let (alice, bob) = (hall.participant("alice"), hall.participant("bob"));
    let chair = hall.chair(&[]);
    chair.types("Vote timeout", "3");
    asks_for(&chair, &["alice", "bob"], "Hello");
    for window in [&alice, &bob, &chair] {
        window.shows("State: ABORT");
    }
    chair.shows_part("did not vote in time");
    all_know(&chair, &["alice", "bob"]);
    quit([chair, alice, bob]);
    assert!(hall.room.audit("chair", &["alice", "bob"]).is_empty());
}

/// The name that was used last stands in the field, and behind it are the strings.
pub(crate) fn a_window_opened_again_shows_its_strings(display: &Display) {
    let hall = Hall::open(display);
    let alice = hall.participant("alice");
    let chair = hall.chair(&["--vote-timeout", "60"]);
    for string in ["Hello", "தமிழ்"] {
        asks_for(&chair, &["alice"], string);
        alice.presses("Commit");
        alice.shows_in(STRINGS, string);
        all_know(&chair, &["alice"]);
    }
    alice.quits();

    let alice = hall.window("participant", "alice", &[]);
    assert_eq!(alice.labels_in(STRINGS).len(), 1, "nothing but the sentence that says what will stand there");
    alice.has_typed("Relay address", &hall.room.address());
    alice.presses("Login");
    alice.has_typed("User name", "alice");
    alice.presses_key(Key::Enter);
    alice.shows("Relay: connected");
    for string in ["Hello", "தமிழ்"] {
        alice.shows_in(STRINGS, string);
    }
    // The conversation is there again as well, from the relay.
    alice.shows_part("string: Hello");
    quit([chair, alice]);
    assert_eq!(hall.room.audit("chair", &["alice"]), ["Hello", "தமிழ்"]);
}
