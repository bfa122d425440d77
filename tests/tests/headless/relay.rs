//! The relay is killed in the middle of a vote, and started again: what was promised still counts.

use serde_json::json;
use twopc_tests::room::is_in;

use crate::scene::{answer, asks_for, chair, is_done, quit, reaches, room, settles, voter};

#[test]
fn votes_cast_before_and_without_the_relay_commit_once_it_is_back() {
    let mut room = room();
    let (mut alice, mut bob, mut carol) = (voter(&room, "alice"), voter(&room, "bob"), voter(&room, "carol"));
    let mut chair = chair(&room, "60", &["--expect", "3"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    reaches(&mut alice, "READY");
    for node in [&mut bob, &mut carol] {
        node.event(&json!({"event": "vote_request"}));
    }

    room.kill_relay();
    for node in [&mut chair, &mut alice, &mut bob, &mut carol] {
        node.event(&json!({"event": "disconnected"}));
    }
    // Bob's promise is on his disk before anybody can hear of it.
    bob.types("commit");
    reaches(&mut bob, "READY");
    room.start_relay();
    for node in [&mut chair, &mut alice, &mut bob, &mut carol] {
        is_in(node);
    }
    carol.types("commit");

    for node in [&mut alice, &mut bob, &mut carol] {
        settles(node, "commit");
        assert_eq!(node.events_so_far(&json!({"event": "vote_request"})).len(), 1, "a repeated request starts no new countdown");
    }
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob, &mut carol]);
    assert_eq!(room.audit("chair", &["alice", "bob", "carol"]), ["Hello"]);
}

#[test]
fn a_decision_that_fell_without_the_relay_arrives_once_it_is_back() {
    let mut room = room();
    let (mut alice, mut bob) = (voter(&room, "alice"), voter(&room, "bob"));
    let mut chair = chair(&room, "3", &["--expect", "2"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    reaches(&mut alice, "READY");
    bob.event(&json!({"event": "vote_request"}));

    room.kill_relay();
    settles(&mut chair, "abort");
    settles(&mut bob, "abort");
    alice.has_not_said(&json!({"event": "decision"}));
    room.start_relay();
    settles(&mut alice, "abort");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice, &mut bob]);
    assert_eq!(room.audit("chair", &["alice", "bob"]), Vec::<String>::new());
}

#[test]
fn what_the_relay_wrote_down_is_the_whole_conversation() {
    let mut room = room();
    let mut alice = voter(&room, "alice");
    let mut chair = chair(&room, "20", &[]);
    alice.types("say hi there");
    chair.event(&json!({"event": "chat", "from": "alice", "text": "hi there"}));
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice]);
    room.relay().line("Client (alice) is offline");
    room.relay().signal(rustix::process::Signal::TERM);
    room.relay().ends_with(0);

    let printed = room.relay().lines_so_far().join("\n");
    for words in ["Client (alice) connected", "Coordinator discovered", "POST /client.http HTTP/1.1", ":hi there"] {
        assert!(printed.contains(words), "{words:?} is not in what the relay printed:\n{printed}");
    }
    let log = std::fs::read_to_string(room.logs().join("room.http")).expect("the relay keeps what it relays");
    let in_order = ["hi there", "string: Hello", "/2pc/VOTE_REQUEST", "/2pc/VOTE_COMMIT", "/2pc/GLOBAL_COMMIT", "/2pc/ACK"];
    let places: Vec<usize> = in_order.iter().map(|part| log.find(part).unwrap_or_else(|| panic!("{part} is not in {log}"))).collect();
    assert!(places.is_sorted(), "{places:?} in {log}");
}
