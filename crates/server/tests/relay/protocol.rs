//! Protocol frames: to one user and to observers, and never a word of the relay's own.

use twopc_proto::Role;
use twopc_proto::frame::{ErrorCode, FromRelay};

use crate::client::{Relay, frames, name};

#[test]
fn a_protocol_frame_reaches_its_receiver_alone_body_untouched() {
    let relay = Relay::start();
    let mut chair = relay.login("chair", Role::Coordinator);
    let mut alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    chair.joined();
    chair.joined();
    alice.joined();
    let body = [&b"not JSON, \r\n\r\nPOST / HTTP/1.1 \0"[..], &[0xff, 0xfe]].concat();
    chair.send(&frames().protocol(&name("alice"), "VOTE_REQUEST", &body));
    let got = alice.protocol();
    assert_eq!((got.from, got.role, got.seq, got.to), (name("chair"), Role::Coordinator, 1, name("alice")));
    assert_eq!((got.word.as_str(), got.body), ("VOTE_REQUEST", body));
    chair.say("to all");
    assert_eq!(bob.chat().seq, 2, "bob got nothing in between, and the numbers go on");
    assert_eq!(chair.chat().seq, 2, "nor did the sender");
}

#[test]
fn what_a_role_may_not_send_is_refused_and_not_relayed() {
    let relay = Relay::start();
    let mut chair = relay.login("chair", Role::Coordinator);
    let mut alice = relay.participant("alice");
    chair.joined();
    for word in ["VOTE_REQUEST", "GLOBAL_COMMIT", "GLOBAL_ABORT"] {
        alice.send(&frames().protocol(&name("chair"), word, b"{}"));
        assert_eq!(alice.refused(), ErrorCode::Forbidden, "{word}");
    }
    for word in ["VOTE_COMMIT", "VOTE_ABORT", "ACK", "DECISION_REQUEST"] {
        chair.send(&frames().protocol(&name("alice"), word, b"{}"));
        assert_eq!(chair.refused(), ErrorCode::Forbidden, "{word}");
    }
    for word in ["DECISION_REPLY", "PRE_COMMIT"] {
        chair.send(&frames().protocol(&name("alice"), word, b"{}"));
        assert_eq!(alice.protocol().word, word);
        alice.send(&frames().protocol(&name("chair"), word, b"{}"));
        assert_eq!(chair.protocol().word, word);
    }
    assert!(alice.is_open());
}

#[test]
fn a_frame_to_nobody_comes_back_with_the_name() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    alice.send(&frames().protocol(&name("Bob"), "ACK", b"{}"));
    let error = alice.error();
    assert_eq!((error.code(), error.to), (Some(ErrorCode::NotHere), Some(name("bob"))));
    assert!(alice.is_open());
    alice.send(&frames().protocol(&name("alice"), "ACK", b"{}"));
    assert_eq!(alice.protocol().seq, 2, "what was not relayed got no number, and one may write to oneself");
}

#[test]
fn observers_see_all_and_take_no_part() {
    let relay = Relay::start_lab();
    let (mut watcher, ..) = relay.watch("watcher");
    let mut chair = relay.login("chair", Role::Coordinator);
    let mut alice = relay.participant("alice");
    chair.joined();
    assert_eq!((watcher.joined().user, watcher.joined().user), (name("chair"), name("alice")));

    chair.send(&frames().protocol(&name("alice"), "VOTE_REQUEST", b"{1}"));
    alice.protocol();
    let copy = watcher.protocol();
    assert_eq!((copy.from, copy.to, copy.seq, copy.body.as_slice()), (name("chair"), name("alice"), 1, &b"{1}"[..]));
    chair.send(&frames().protocol(&name("watcher"), "VOTE_REQUEST", b"{}"));
    assert_eq!(watcher.protocol().seq, 2);
    alice.say("hi");
    alice.chat();
    assert_eq!(watcher.chat().seq, 3, "each frame once");

    alice.send(&frames().trace(b"{\"state\":\"READY\"}"));
    let FromRelay::Trace { from, role, body } = watcher.next() else { panic!("no trace") };
    assert_eq!((from, role, body.as_slice()), (name("alice"), Role::Participant, &b"{\"state\":\"READY\"}"[..]));

    for frame in [
        frames().chat(Role::Participant, "hi", ""),
        frames().chat(Role::Coordinator, "hi", ""),
        frames().protocol(&name("alice"), "ACK", b"{}"),
        frames().trace(b"{}"),
    ] {
        watcher.send(&frame);
        assert_eq!(watcher.refused(), ErrorCode::Forbidden);
    }
    watcher.send(&frames().pong());
    watcher.send(&frames().logout());
    assert!(watcher.closes());
    assert_eq!(alice.left().user, name("watcher"));
}

#[test]
fn without_a_lab_there_is_nothing_to_trace() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    alice.send(&frames().trace(b"{}"));
    assert_eq!(alice.refused(), ErrorCode::NotFound);
    assert!(alice.is_open());
}

#[test]
fn a_polite_goodbye_is_one() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    alice.joined();
    bob.send(&[frames().logout(), frames().chat(Role::Participant, "and another thing", "")].concat());
    assert!(bob.closes());
    assert_eq!(alice.left().user, name("bob"));
    assert!(alice.is_open(), "what came after the goodbye was not said");
}
