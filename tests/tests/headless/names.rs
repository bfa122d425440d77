//! The same name again: one after the other, twice at once, with the same key and with another.

use serde_json::json;

use crate::scene::{answer, asks_for, chair, is_done, quit, room, settles, voter};

#[test]
fn a_name_that_comes_back_finds_its_strings() {
    let room = room();
    let mut alice = voter(&room, "alice");
    let mut chair = chair(&room, "20", &[]);
    asks_for(&mut chair, "first");
    answer(&mut [(&mut alice, "commit")], "first");
    settles(&mut alice, "commit");
    is_done(&mut chair);
    quit(&mut [&mut alice]);
    assert_eq!(room.strings("alice"), ["first"]);

    let mut alice = voter(&room, "alice");
    chair.event(&json!({"event": "joined", "user": "alice"}));
    asks_for(&mut chair, "second");
    answer(&mut [(&mut alice, "commit")], "second");
    settles(&mut alice, "commit");
    is_done(&mut chair);
    assert_eq!(alice.events_so_far(&json!({"event": "applied"})).len(), 1, "what an earlier life did is not said again");
    quit(&mut [&mut chair, &mut alice]);
    assert_eq!(room.audit("chair", &["alice"]), ["first", "second"]);
}

#[test]
fn a_second_program_with_the_same_files_is_told_so_and_stops() {
    let room = room();
    let mut alice = voter(&room, "alice");
    let mut second = room.participant("alice", "commit", &[]);
    second.ends_with(1);
    let complaint = second.complaint();
    assert_eq!(complaint.lines().count(), 1, "{complaint:?}");
    assert!(complaint.contains("alice"), "{complaint:?}");

    let mut chair = chair(&room, "20", &[]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice]);
    assert_eq!(room.audit("chair", &["alice"]), ["Hello"]);
}

#[test]
fn a_claimed_name_is_refused_to_another_key() {
    let room = room();
    let mut alice = voter(&room, "alice");
    for name in ["alice", "ALICE"] {
        let mut other = room.node("participant", name, "elsewhere", &[]);
        other.event(&json!({"event": "error", "error": "name_taken"}));
        other.ends_with(1);
        let complaint = other.complaint();
        assert!(complaint.lines().count() == 1 && complaint.contains("--forget"), "{complaint:?}");
    }
    // It stays claimed when she is gone.
    quit(&mut [&mut alice]);
    let mut other = room.node("coordinator", "alice", "elsewhere", &[]);
    other.event(&json!({"event": "error", "error": "name_taken"}));
    other.ends_with(1);
}

#[test]
fn the_same_name_with_the_same_key_takes_over_and_the_older_program_ends() {
    let room = room();
    let mut alice = voter(&room, "alice");
    copy_folder(&room.data("alice"), &room.data("copy"));
    let mut copy = room.node("participant", "alice", "copy", &["--vote", "commit"]);
    copy.event(&json!({"event": "login", "user": "alice"}));
    alice.ends_with(1);
    assert_eq!(alice.complaint().lines().count(), 1);
    quit(&mut [&mut copy]);
}

#[test]
fn names_that_cannot_be_are_wrong_usage() {
    let room = room();
    for name in ["", "a b", "con", &"a".repeat(33), "zoë"] {
        let mut node = room.node("participant", name, "nobody", &[]);
        node.ends_with(2);
    }
}

/// Copies the files of a folder, as a person does who takes a folder to another place.
fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).expect("the copy's folder is new");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        std::fs::copy(&path, to.join(path.file_name().expect("a file has a name"))).expect("a file can be copied");
    }
}
