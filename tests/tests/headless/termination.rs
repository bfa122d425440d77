//! The coordinator is gone: its participants settle it among themselves where they can, are blocked
//! where they must be, and are released when somebody comes back.

use std::time::Duration;

use serde_json::{Value, json};
use twopc_tests::{Process, Room};

use crate::scene::{answer, asks_for, chair, is_done, quit, reaches, reaches_within, room, settles, voter};

/// Within this time of the return of somebody who has the decision, everybody has it.
const RELEASE: Duration = Duration::from_secs(2);

fn three_voters(room: &Room) -> [Process; 3] {
    ["alice", "bob", "carol"].map(|name| voter(room, name))
}

#[test]
fn those_in_doubt_follow_the_one_that_has_the_decision() {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut dying = chair(&room, "1.5", &["--expect", "3", "--crash-at", "after:send:GLOBAL_COMMIT"]);
    asks_for(&mut dying, "Hello");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "commit"), (&mut carol, "commit")], "Hello");
    dying.dies_by_its_own_kill();
    for node in [&mut alice, &mut bob, &mut carol] {
        settles(node, "commit");
    }

    let mut chair = chair(&room, "1.5", &[]);
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), ["Hello"]);
}

#[test]
fn those_in_doubt_abort_with_the_one_that_has_not_voted() {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut gone = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut gone, "Hello");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "commit")], "Hello");
    reaches(&mut alice, "READY");
    reaches(&mut bob, "READY");
    carol.event(&json!({"event": "vote_request"}));
    gone.kill();

    alice.event(&json!({"event": "left", "user": "chair"}));
    alice.types("ask");
    for node in [&mut alice, &mut carol] {
        settles(node, "abort");
    }
    bob.types("ask");
    settles(&mut bob, "abort");

    let mut chair = chair(&room, "1.5", &[]);
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), Vec::<String>::new());
}

#[test]
fn all_in_doubt_are_blocked_until_the_coordinator_that_decided_commit_is_back() {
    all_are_blocked_until_the_coordinator_is_back("after:log:COMMIT", "commit", &["Hello"]);
}

#[test]
fn all_in_doubt_are_blocked_until_the_coordinator_that_decided_nothing_is_back() {
    all_are_blocked_until_the_coordinator_is_back("before:log:COMMIT", "abort", &[]);
}

fn all_are_blocked_until_the_coordinator_is_back(dies_at: &str, decision: &str, strings: &[&str]) {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut dying = chair(&room, "1.5", &["--expect", "3", "--crash-at", dies_at]);
    asks_for(&mut dying, "Hello");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "commit"), (&mut carol, "commit")], "Hello");
    dying.dies_by_its_own_kill();
    for (node, others) in [(&mut alice, ["bob", "carol"]), (&mut bob, ["alice", "carol"]), (&mut carol, ["alice", "bob"])] {
        let blocked = node.event(&json!({"event": "blocked"}));
        let mut asked: Vec<&str> = blocked["asked"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        asked.sort_unstable();
        assert_eq!(asked, [others[0], others[1], "chair"]);
    }

    // One that dies in doubt comes back in doubt, and knows no more than the others.
    carol.kill();
    let mut carol = voter(&room, "carol");
    reaches(&mut carol, "READY");
    carol.event(&json!({"event": "blocked"}));
    for node in [&mut alice, &mut bob, &mut carol] {
        node.has_not_said(&json!({"event": "decision"}));
        assert_eq!(room.strings(node.name()), Vec::<String>::new());
    }

    let mut chair = chair(&room, "1.5", &[]);
    let state = if decision == "commit" { "COMMIT" } else { "ABORT" };
    for node in [&mut alice, &mut bob, &mut carol] {
        reaches_within(node, RELEASE, state);
    }
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), strings);
}

#[test]
fn a_participant_that_dies_in_doubt_comes_back_to_the_decision() {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut chair = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    reaches(&mut alice, "READY");
    alice.kill();
    answer(&mut [(&mut bob, "commit"), (&mut carol, "commit")], "Hello");
    reaches(&mut bob, "READY");
    reaches(&mut carol, "READY");

    // Whether her vote had left before she died nobody knows; so she repeats it.
    let mut alice = voter(&room, "alice");
    reaches(&mut alice, "READY");
    alice.event_within(RELEASE, &json!({"event": "applied", "string": "Hello"}));
    for node in [&mut bob, &mut carol] {
        settles(node, "commit");
    }
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), ["Hello"]);
}

#[test]
fn a_participant_that_dies_before_its_promise_and_is_back_in_time_votes() {
    let room = room();
    let mut bob = voter(&room, "bob");
    let mut dying = room.participant("alice", "commit", &["--crash-at", "before:log:READY"]);
    twopc_tests::room::is_in(&mut dying);
    let mut chair = chair(&room, "60", &["--expect", "2"]);
    asks_for(&mut chair, "Hello");
    dying.dies_by_its_own_kill();

    let mut alice = voter(&room, "alice");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "commit")], "Hello");
    for node in [&mut alice, &mut bob] {
        settles(node, "commit");
    }
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob]);
    assert_eq!(room.audit("chair", &["alice", "bob"]), ["Hello"]);
}

#[test]
fn a_coordinator_that_quits_in_the_middle_of_a_vote_aborts_and_says_so_first() {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut leaving = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut leaving, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    reaches(&mut alice, "READY");
    for node in [&mut bob, &mut carol] {
        node.event(&json!({"event": "vote_request"}));
    }
    quit(&mut [&mut leaving]);
    for node in [&mut alice, &mut bob, &mut carol] {
        settles(node, "abort");
    }

    let is_ended = !leaving.events_so_far(&json!({"event": "done"})).is_empty();
    let mut chair = chair(&room, "1.5", &[]);
    if !is_ended {
        is_done(&mut chair);
    }
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), Vec::<String>::new());
}

#[test]
fn a_participant_that_quits_before_it_has_voted_aborts_first() {
    let room = room();
    let [mut alice, mut bob, mut carol] = three_voters(&room);
    let mut chair = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "commit"), (&mut carol, "quit")], "Hello");
    carol.ends_with(0);
    for node in [&mut alice, &mut bob, &mut chair] {
        settles(node, "abort");
    }

    let mut carol = voter(&room, "carol");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), Vec::<String>::new());
}
