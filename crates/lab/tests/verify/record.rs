//! What the relay heard beside what the logs hold.

use std::fs;

use twopc_proto::{Message, PeerState, RecordKind, Role};

use super::run::{Run, is, quote, txn};

#[test]
fn a_vote_without_its_record_is_found() {
    let run = Run::in_doubt();
    run.participant("alice", Vec::clear);
    let said = run.verify();
    said.is(5, "VIOLATED", ["open", "broken", "holds", "holds", "holds"]);
    said.says(&[
        "alice said VOTE_COMMIT chair.1.1, which its disk does not bear out",
        "POST /2pc/VOTE_COMMIT HTTP/1.1 | From: alice | Role: participant",
        &format!("{}: no READY of chair.1.1 among its 2 lines", run.data("alice.participant.dtlog").display()),
    ]);
    // The line is where the frame begins.
    let vote = said.out.lines().find(|line| line.contains("| From: alice |")).unwrap();
    let number: usize = vote.rsplit_once("room.http:").unwrap().1.split(':').next().unwrap().parse().unwrap();
    let record = fs::read_to_string(run.record()).unwrap();
    assert!(record.lines().nth(number - 1).unwrap().ends_with("POST /2pc/VOTE_COMMIT HTTP/1.1"), "{vote}");
}

#[test]
fn a_coordinator_that_said_both_is_found() {
    let run = Run::committed();
    run.hears("chair", Role::Coordinator, "bob", &Message::GlobalAbort { txn: txn(2), reason: None, by: None });
    let said = run.verify();
    said.is(5, "VIOLATED", ["holds", "holds", "broken", "holds", "holds"]);
    said.says(&[
        "chair.1.2: chair said commit, chair said abort",
        "POST /2pc/GLOBAL_COMMIT HTTP/1.1 | From: chair",
        "POST /2pc/GLOBAL_ABORT HTTP/1.1 | From: chair",
        "chair said GLOBAL_ABORT chair.1.2, which its disk does not bear out",
    ]);
}

#[test]
fn a_commit_that_was_said_and_not_written_is_found() {
    let run = Run::committed();
    run.chair(|records| records.retain(|logged| !is(logged, RecordKind::Commit, &txn(1))));
    let said = run.verify();
    said.is(5, "VIOLATED", ["holds", "holds", "broken", "holds", "broken"]);
    said.says(&[
        "chair said GLOBAL_COMMIT chair.1.1, which its disk does not bear out",
        &format!("{}: no COMMIT of chair.1.1 among its 10 lines", run.data("chair.coordinator.dtlog").display()),
    ]);
}

#[test]
fn a_yes_after_a_no_is_found() {
    let run = Run::aborted();
    run.hears("bob", Role::Participant, "chair", &Message::VoteCommit { txn: txn(1) });
    let said = run.verify();
    said.is(5, "VIOLATED", ["holds", "broken", "broken", "holds", "holds"]);
    said.says(&[
        "chair.1.1: bob said VOTE_ABORT and then VOTE_COMMIT",
        "POST /2pc/VOTE_ABORT HTTP/1.1 | From: bob",
        "POST /2pc/VOTE_COMMIT HTTP/1.1 | From: bob",
    ]);
}

#[test]
fn a_commit_against_which_somebody_voted_is_found() {
    let run = Run::aborted();
    run.hears("chair", Role::Coordinator, "alice", &Message::GlobalCommit { txn: txn(1) });
    let said = run.verify();
    said.is(5, "VIOLATED", ["holds", "broken", "broken", "holds", "holds"]);
    said.says(&["chair.1.1: bob voted abort, and chair said commit", "POST /2pc/GLOBAL_COMMIT HTTP/1.1 | From: chair"]);
}

#[test]
fn two_who_said_different_decisions_do_not_agree() {
    let run = Run::committed();
    run.hears("alice", Role::Participant, "bob", &Message::DecisionReply { txn: txn(1), state: PeerState::Abort });
    let said = run.verify();
    said.is(5, "VIOLATED", ["broken", "holds", "broken", "holds", "holds"]);
    said.says(&[
        "chair.1.1: chair said commit, alice said abort",
        "alice said DECISION_REPLY chair.1.1 ABORT, which its disk does not bear out",
    ]);
}

#[test]
fn an_acknowledged_string_must_stand() {
    let run = Run::committed();
    run.participant("alice", |records| records.retain(|logged| !is(logged, RecordKind::Applied, &txn(3))));
    run.text("alice", |lines| _ = lines.pop());
    let said = run.verify();
    said.is(5, "VIOLATED", ["holds", "holds", "holds", "broken", "holds"]);
    said.says(&["POST /2pc/ACK HTTP/1.1 | From: alice", &quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.3"])]);
}

#[test]
fn the_word_of_those_who_have_none_counts_for_nothing() {
    let run = Run::committed();
    let abort = Message::GlobalAbort { txn: txn(1), reason: None, by: None };
    run.hears("mallory", Role::Coordinator, "alice", &abort);
    run.hears("mallory", Role::Participant, "alice", &Message::DecisionReply { txn: txn(1), state: PeerState::Abort });
    run.hears("mallory", Role::Participant, "chair", &Message::VoteAbort { txn: txn(1), reason: None });
    run.verify().is(0, "ATOMIC", ["holds"; 5]);
}

#[test]
fn files_that_were_put_aside_are_read_first() {
    let run = Run::aborted();
    run.hears("bob", Role::Participant, "chair", &Message::VoteCommit { txn: txn(1) });
    fs::rename(run.record(), run.record().with_file_name("room-2.http")).unwrap();
    fs::write(run.record(), "").unwrap();
    run.hears("bob", Role::Participant, "chair", &Message::VoteAbort { txn: txn(1), reason: None });
    let said = run.verify();
    assert_eq!(said.status, 5, "{}", said.out);
    said.says(&["room-2.http:"]);
}
