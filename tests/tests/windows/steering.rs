//! Interfering with a room from the lab's window: a message is held and delivered, a program is killed,
//! or dies at a point, and comes back from its file.

use egui::Key;
use twopc_proto::RecordKind;
use twopc_tests::files::{StableLog, lines};

use crate::display::Display;
use crate::lab::{Lab, Place, exists};
use crate::room::{STRINGS, all_know, asks_for};
use crate::window::Window;

/// The bench.
const BENCH: &str = "Messages on their way";
const BOTH: [&str; 2] = ["alice", "bob"];

/// Everything is held; what a hand delivers arrives, in the order in which the hand does it, and nothing
/// else does. Then the whole session is judged from its folder, and done again without a hand.
pub(crate) fn a_vote_that_is_held_arrives_when_it_is_delivered_by_hand(display: &Display) {
    let place = Place::new();
    let lab = place.opens(2, display);
    let [alice, bob] = BOTH.map(|name| lab.participant(name));
    let chair = lab.chair();
    lab.window.presses("Messages");
    lab.window.presses("Hold all");
    lab.window.shows_in(BENCH, "1  Hold every message");

    asks_for(&chair, &BOTH, "Hello");
    for (name, window) in [("alice", &alice), ("bob", &bob)] {
        let request = held(&lab, &format!("VOTE_REQUEST chair → {name}"));
        window.has_no("Commit");
        lab.window.presses(&format!("Deliver message {request}"));
        window.presses("Commit");
        window.shows("State: READY");
    }
    let hers = held(&lab, "VOTE_COMMIT alice → chair");
    let his = held(&lab, "VOTE_COMMIT bob → chair");
    chair.shows_all_in("Votes", &["alice", "waiting", "bob", "waiting"]);
    // The one that came later goes first.
    lab.window.presses(&format!("Deliver message {his}"));
    chair.shows_all_in("Votes", &["alice", "waiting", "bob", "commit"]);
    chair.shows("State: WAIT");
    assert_eq!(held(&lab, "VOTE_COMMIT alice → chair"), hers, "it is held still");

    lab.window.presses_key(Key::N);
    chair.shows("State: COMMIT");
    for name in BOTH {
        held(&lab, &format!("GLOBAL_COMMIT chair → {name}"));
    }
    alice.shows("State: READY");
    lab.window.presses("Remove all rules");
    lab.window.presses("Deliver all");
    for window in [&alice, &bob] {
        window.shows("State: COMMIT");
        window.shows_in(STRINGS, "Hello");
    }
    all_know(&chair, &BOTH);
    closes(lab);
    is_atomic(&place);
    let again = place.prints(&["replay"], &place.run());
    assert_eq!(again.last().map(String::as_str), Some("SAME"), "{again:?}");
}

/// A process in READY is killed with its buttons, and another one goes on from its file.
pub(crate) fn a_program_that_was_killed_goes_on_from_its_file_as_another_process(display: &Display) {
    let place = Place::new();
    let lab = place.opens(2, display);
    let [alice, bob] = BOTH.map(|name| lab.participant(name));
    let chair = lab.chair();
    asks_for(&chair, &BOTH, "Hello");
    alice.presses("Commit");
    alice.shows("State: READY");
    lab.window.shows_in(ALICE, "log: READY #1   open: #1 READY");
    let before = lab.lists(ALICE, "running").expect("it has a process");
    assert!(exists(before));

    lab.picks("alice", "Kill now");
    assert_eq!(lab.lists(ALICE, "killed"), None);
    assert!(!exists(before), "there is no such process any more");
    drop(alice);
    lab.window.withholds("Stop alice");
    lab.window.presses("Restart alice");
    let after = lab.lists(ALICE, "running").expect("it has a process");
    assert_ne!(after, before);
    assert!(exists(after));

    let alice = lab.participant("alice");
    // It asks right away what became of it; the coordinator does not know yet.
    alice.shows("State: READY, in doubt");
    bob.presses("Commit");
    all_commit(lab, &place, &chair, [("alice", &alice), ("bob", &bob)]);
}

/// Where a program is to die is chosen by what it means; it dies there, with its promise on the disk and
/// its vote unsaid, and keeps the promise when it is started again.
pub(crate) fn a_program_dies_at_the_point_that_was_chosen_by_its_meaning(display: &Display) {
    let place = Place::new();
    let lab = place.opens(1, display);
    let first = lab.lists(ALICE, "running").expect("it has a process");
    lab.picks("alice", "READY is on the disk, the vote is not sent");
    lab.window.shows_in(ALICE, "It dies when READY is on the disk, the vote is not sent.");
    let alice = lab.participant("alice");
    let second = lab.lists(ALICE, "running").expect("it has a process");
    assert_ne!(second, first, "it was started anew");

    let chair = lab.chair();
    asks_for(&chair, &["alice"], "Hello");
    alice.presses_as_its_last("Commit");
    assert_eq!(lab.lists(ALICE, "crashed"), None);
    assert!(!exists(second));
    let log = place.data().join("alice.participant.dtlog");
    assert_eq!(StableLog::<twopc_proto::ParticipantRecord>::read(&log).kinds(), [RecordKind::Ready]);
    chair.shows_all_in("Votes", &["alice", "waiting"]);

    lab.window.presses("Restart alice");
    let alice = lab.participant("alice");
    all_commit(lab, &place, &chair, [("alice", &alice)]);
}

/// A participant is stopped where it is and goes on; the relay is stopped in the middle of the vote and comes
/// back. Everybody is waited for, and nobody's vote is lost.
pub(crate) fn whoever_is_frozen_is_waited_for_and_the_relay_comes_back(display: &Display) {
    let place = Place::new();
    let lab = place.opens(2, display);
    let [alice, bob] = BOTH.map(|name| lab.participant(name));
    let chair = lab.chair();
    lab.picks("alice", "Freeze");
    let frozen = lab.lists(ALICE, "frozen").expect("it has a process");
    assert!(exists(frozen), "it is stopped, not dead");
    asks_for(&chair, &BOTH, "Hello");
    bob.presses("Commit");
    chair.shows_all_in("Votes", &["alice", "waiting", "bob", "commit"]);
    chair.shows("State: WAIT");
    lab.picks("alice", "Thaw");
    assert_eq!(lab.lists(ALICE, "running"), Some(frozen), "the same process goes on");

    // What was asked of it meanwhile has arrived; what it answers waits for the relay.
    alice.offers("Commit");
    lab.window.presses("Stop relay");
    lab.lists(ALICE, "running, no relay");
    alice.presses("Commit");
    alice.shows("State: READY");
    chair.shows("State: WAIT");
    lab.window.presses("Restart relay");
    all_commit(lab, &place, &chair, [("alice", &alice), ("bob", &bob)]);
}

/// The row of the list.
const ALICE: &str = "alice, participant";

/// Waits until a message is held, and gives its number.
fn held(lab: &Lab, message: &str) -> u64 {
    let line = lab.window.shows_part(message);
    let number = line.split_whitespace().next().and_then(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("no number in {line:?}"))
}

/// Waits until everybody has committed, ends the lab, and reads the files.
fn all_commit<const N: usize>(lab: Lab, place: &Place, chair: &Window, voters: [(&str, &Window); N]) {
    for (name, window) in voters {
        window.shows("State: COMMIT");
        window.shows_in(STRINGS, "Hello");
        chair.shows_in("Votes", name);
    }
    all_know(chair, &voters.map(|(name, _)| name));
    lab.ends();
    for (name, _) in voters {
        assert_eq!(lines(&place.data().join(format!("{name}.txt"))), ["Hello"], "{name}");
    }
    is_atomic(place);
}

/// Ends a lab whose list is not in front.
fn closes(lab: Lab) {
    lab.window.presses("Room");
    lab.ends();
}

/// The run that was kept says by itself that everybody did the same.
fn is_atomic(place: &Place) {
    let verdict = place.prints(&["verify"], &place.run());
    assert!(verdict.iter().any(|line| line.contains("ATOMIC")), "{verdict:?}");
}
