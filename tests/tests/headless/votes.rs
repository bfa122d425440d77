//! A vote that nothing disturbs: all commit, one aborts, one is silent.

use serde_json::{Value, json};
use twopc_tests::Process;

use crate::scene::{answer, asks_for, chair, is_done, participant, quit, reaches, room, settles, voter};

#[test]
fn a_string_that_all_commit_stands_in_every_text_file() {
    let room = room();
    let (mut alice, mut bob, mut carol) = (voter(&room, "alice"), voter(&room, "bob"), voter(&room, "carol"));
    let mut chair = chair(&room, "20", &["--expect", "3"]);
    for string in ["Hello", "தமிழ்", "Hello"] {
        asks_for(&mut chair, string);
        answer(&mut [(&mut alice, "commit"), (&mut bob, "commit"), (&mut carol, "commit")], string);
        for node in [&mut alice, &mut bob, &mut carol] {
            node.event(&json!({"event": "proposal", "string": string}));
            node.event(&json!({"event": "applied", "string": string}));
        }
        is_done(&mut chair);
    }
    let states = |node: &mut Process| -> Vec<Value> {
        node.events_so_far(&json!({"event": "state"})).into_iter().map(|event| event["state"].clone()).collect()
    };
    assert_eq!(states(&mut chair), ["INIT", "WAIT", "COMMIT"].repeat(3));
    assert_eq!(states(&mut bob), ["INIT", "READY", "COMMIT"].repeat(3));

    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), ["Hello", "தமிழ்", "Hello"]);
}

#[test]
fn one_abort_aborts_for_all_before_the_others_have_voted() {
    let room = room();
    let (mut alice, mut bob, mut carol) = (voter(&room, "alice"), voter(&room, "bob"), voter(&room, "carol"));
    let mut chair = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit"), (&mut bob, "abort")], "Hello");
    for node in [&mut alice, &mut bob, &mut carol, &mut chair] {
        settles(node, "abort");
    }
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), Vec::<String>::new());
}

#[test]
fn one_that_stays_silent_aborts_for_all_at_the_timeout() {
    let room = room();
    let (mut alice, mut bob) = (participant(&room, "alice", "commit"), participant(&room, "bob", "silent"));
    let mut chair = chair(&room, "1.5", &["--expect", "2"]);
    asks_for(&mut chair, "Hello");
    reaches(&mut alice, "READY");
    let asked = bob.event(&json!({"event": "vote_request"}));
    assert_eq!(asked["timeout_ms"], 1_500);
    for node in [&mut alice, &mut bob, &mut chair] {
        settles(node, "abort");
    }
    is_done(&mut chair);
    let seconds = |event: &Value| event["at"].as_f64().expect("every event has its time");
    let decided = &bob.events_so_far(&json!({"event": "decision"}))[0];
    let waited = seconds(decided) - seconds(&asked);
    assert!(waited >= 1.45, "bob decided after {waited} s");
    quit(&mut [&mut chair, &mut alice, &mut bob]);
    assert_eq!(room.audit("chair", &["alice", "bob"]), Vec::<String>::new());
}

#[test]
fn a_press_after_the_vote_is_only_a_notice() {
    let room = room();
    let mut alice = voter(&room, "alice");
    let mut bob = voter(&room, "bob");
    let mut chair = chair(&room, "60", &["--expect", "2"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    reaches(&mut alice, "READY");
    alice.types("abort");
    alice.event(&json!({"event": "notice"}));
    answer(&mut [(&mut bob, "commit")], "Hello");
    settles(&mut alice, "commit");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob]);
    assert_eq!(room.audit("chair", &["alice", "bob"]), ["Hello"]);
}
