//! Words that the tests have in common: who is in the room, and what they are seen to do.

use std::time::Duration;

use serde_json::json;
use twopc_tests::room::is_in;
use twopc_tests::{Process, Room};

/// A room with its relay, nobody in it.
pub(crate) fn room() -> Room {
    Room::open(env!("CARGO_BIN_EXE_twopc-suite"))
}

/// A participant whose votes are typed, logged in.
pub(crate) fn voter(room: &Room, name: &str) -> Process {
    participant(room, name, "ask")
}

/// A participant whose votes are typed and that dies at this crash point, logged in.
pub(crate) fn dying_voter(room: &Room, name: &str, at: &str) -> Process {
    let mut participant = room.participant(name, "ask", &["--crash-at", at]);
    is_in(&mut participant);
    participant
}

/// A participant that answers in this way, logged in.
pub(crate) fn participant(room: &Room, name: &str, vote: &str) -> Process {
    let mut participant = room.participant(name, vote, &[]);
    is_in(&mut participant);
    participant
}

/// A coordinator `chair` whose votes may take so many seconds, logged in.
pub(crate) fn chair(room: &Room, vote_timeout: &str, more: &[&str]) -> Process {
    let mut chair = room.coordinator("chair", &[&["--vote-timeout", vote_timeout], more].concat());
    is_in(&mut chair);
    chair
}

/// The coordinator proposes a string and asks for the vote.
pub(crate) fn asks_for(chair: &mut Process, string: &str) {
    chair.types(&format!("string: {string}"));
    chair.types("request");
}

/// Everybody in turn sees the vote request for this string and types the answer.
pub(crate) fn answer(voters: &mut [(&mut Process, &str)], string: &str) {
    for (voter, answer) in voters {
        voter.event(&json!({"event": "vote_request", "string": string}));
        voter.types(answer);
    }
}

/// Waits until a transaction is in this state there.
pub(crate) fn reaches(node: &mut Process, state: &str) {
    node.event(&json!({"event": "state", "state": state}));
}

/// The same, with a deadline of its own.
pub(crate) fn reaches_within(node: &mut Process, patience: Duration, state: &str) {
    node.event_within(patience, &json!({"event": "state", "state": state}));
}

/// Waits until a decision is on the disk there, and a committed string in the text file.
pub(crate) fn settles(node: &mut Process, decision: &str) {
    node.event(&json!({"event": "decision", "decision": decision}));
    if decision == "commit" {
        node.event(&json!({"event": "applied"}));
    }
}

/// Waits until a coordinator has every acknowledgement of a transaction.
pub(crate) fn is_done(chair: &mut Process) {
    chair.event(&json!({"event": "done"}));
}

/// Everybody quits and ends well.
pub(crate) fn quit(nodes: &mut [&mut Process]) {
    for node in nodes {
        node.quits();
    }
}
