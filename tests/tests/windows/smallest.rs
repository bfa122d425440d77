//! Every control can be used: by mouse in the smallest window, and with the keyboard alone.

use egui::Key;

use crate::display::Display;
use crate::room::{Hall, STRINGS, all_know, quit};

/// The smallest size, in points.
const SMALLEST: (u32, u32) = (400, 300);
/// The size of a window that has none yet.
const USUAL: (u32, u32) = (860, 560);

/// Everything that a window has is pressed where it is seen, after turning the wheel where that is
/// needed.
pub(crate) fn every_control_is_reached_in_the_smallest_window(display: &Display) {
    let hall = Hall::open(display);
    let bob = hall.participant("bob");
    let alice = hall.window("participant", "alice", &[]);
    let chair = hall.window("coordinator", "chair", &["--expect", "2"]);
    for (window, name) in [(&alice, "alice"), (&chair, "chair")] {
        window.becomes(SMALLEST);
        window.types("Relay address", &hall.room.address());
        window.presses("Login");
        window.types("User name", name);
        window.presses("Login");
        window.shows("Relay: connected");
        window.presses("Theme: like the system");
        window.offers("Theme: light");
    }
    alice.types("Message", "hi");
    alice.presses("Send");
    chair.types("Vote timeout", "60");
    for (string, hers) in [("One", "Commit"), ("Two", "Abort")] {
        chair.types("Message", &format!("string: {string}"));
        chair.presses("Send");
        chair.presses("Request");
        bob.presses("Commit");
        alice.presses(hers);
        chair.shows(if hers == "Commit" { "State: COMMIT" } else { "State: ABORT" });
        // The table is read in a larger window: in this one its last lines are out of sight.
        chair.becomes(USUAL);
        all_know(&chair, &["alice", "bob"]);
        chair.becomes(SMALLEST);
    }
    alice.presses("Copy path");

    chair.types("Message", "string: Three");
    chair.presses("Send");
    chair.presses("Request");
    alice.presses("Commit");
    alice.shows("State: READY");
    chair.loses_power();
    alice.presses("Ask status");
    alice.shows("State: ABORT");

    let chair = hall.chair(&[]);
    // It has kept its size.
    chair.becomes(USUAL);
    all_know(&chair, &["alice", "bob"]);
    quit([chair, alice, bob]);
    assert_eq!(hall.room.audit("chair", &["alice", "bob"]), ["One"]);
}

/// From the login to the goodbye without a mouse, in the smallest window: what the keyboard goes to
/// comes into sight.
pub(crate) fn every_control_is_reached_with_the_keyboard_alone(display: &Display) {
    let hall = Hall::open(display);
    let alice = hall.window("participant", "alice", &["--server", &hall.room.address()]);
    let chair = hall.window("coordinator", "chair", &["--server", &hall.room.address()]);
    for (window, name) in [(&alice, "alice"), (&chair, "chair")] {
        window.becomes(SMALLEST);
        window.tabs_to_and_presses("Login");
        // The field that the relay's question stands over has the keyboard already.
        window.has_keyboard_in("User name");
        window.types_here(name);
        window.presses_key(Key::Enter);
        window.has_keyboard_in("Message");
    }
    for (string, press) in [("Hello", "Commit"), ("Oops", "Abort")] {
        chair.has_keyboard_in("Message");
        chair.types_here(&format!("string: {string}"));
        chair.presses_key(Key::Enter);
        chair.tabs_to_and_presses("Request");
        alice.tabs_to_and_presses(press);
        chair.becomes(USUAL);
        all_know(&chair, &["alice"]);
        chair.becomes(SMALLEST);
        chair.tabs_to_field("Message");
    }
    alice.shows_in(STRINGS, "Hello");
    for window in [chair, alice] {
        window.quits_with_the_keyboard();
    }
    assert_eq!(hall.room.audit("chair", &["alice"]), ["Hello"]);
}
