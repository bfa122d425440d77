//! A death at every boundary: the table of all crash points of both roles.
//!
//! In each row a node kills itself there while it and its fellows vote on "Hello". The row says how
//! far the others come without it, and what everybody has come to once it is back. Then END stands
//! in the coordinator's log, the text files are equal, and the room commits another string.

use serde_json::json;
use twopc_proto::RecordKind;
use twopc_tests::{Process, Room};

use crate::scene::{answer, asks_for, chair, dying_voter, is_done, quit, reaches, room, voter};

/// How far somebody comes while the dead one is dead.
#[derive(Clone, Copy, Debug)]
enum Sees {
    Commit,
    Abort,
    /// In READY; nobody who can be reached may decide.
    Blocked,
}
use Sees::{Abort, Blocked, Commit};

/// How long a vote may take, in seconds: long enough to vote, short enough to wait for.
const TIMEOUT: &str = "1.5";

/// What the transaction comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It never began: its first record was lost with the coordinator.
    Nothing,
    Aborted,
    Committed,
}
use Outcome::{Aborted, Committed, Nothing};

impl Outcome {
    /// The coordinator's record of it.
    fn decision(self) -> Option<RecordKind> {
        match self {
            Nothing => None,
            Aborted => Some(RecordKind::Abort),
            Committed => Some(RecordKind::Commit),
        }
    }
}

/// The coordinator dies at this point; what Alice and Bob type, `None` if the request does not reach
/// them; how far they come; the outcome. Alice is asked before Bob, as names go.
struct ChairDies(&'static str, [Option<&'static str>; 2], [Option<Sees>; 2], Outcome);

/// Alice dies at this point; what she types, while Bob types `commit`; how far Bob comes; the outcome.
struct AliceDies(&'static str, &'static str, Sees, Outcome);

/// Both die: the coordinator at the first point, then Alice at the second; how far Bob comes; the
/// outcome.
struct BothDie(&'static str, &'static str, Sees, Outcome);

const UNASKED: [Option<&str>; 2] = [None, None];
const BOTH_SAY_YES: [Option<&str>; 2] = [Some("commit"), Some("commit")];
const BOB_SAYS_NO: [Option<&str>; 2] = [Some("commit"), Some("abort")];

const UNAWARE: [Option<Sees>; 2] = [None, None];
const BOTH_COMMIT: [Option<Sees>; 2] = [Some(Commit), Some(Commit)];
const BOTH_ABORT: [Option<Sees>; 2] = [Some(Abort), Some(Abort)];
const BOTH_BLOCKED: [Option<Sees>; 2] = [Some(Blocked), Some(Blocked)];

macro_rules! rows {
    ($run:ident: $($name:ident = $row:expr;)*) => {
        $(#[test] fn $name() { $run(&$row); })*
    };
}

rows! { chair_dies:
    chair_before_log_start = ChairDies("before:log:START", UNASKED, UNAWARE, Nothing);
    chair_after_log_start = ChairDies("after:log:START", UNASKED, UNAWARE, Aborted);
    chair_before_send_vote_request = ChairDies("before:send:VOTE_REQUEST", UNASKED, UNAWARE, Aborted);
    // Alice has promised; Bob, whom she asks, has heard of nothing and so refuses for good.
    chair_after_send_vote_request = ChairDies("after:send:VOTE_REQUEST", [Some("commit"), None], [Some(Abort), None], Aborted);
    chair_before_log_commit = ChairDies("before:log:COMMIT", BOTH_SAY_YES, BOTH_BLOCKED, Aborted);
    chair_after_log_commit = ChairDies("after:log:COMMIT", BOTH_SAY_YES, BOTH_BLOCKED, Committed);
    chair_before_send_global_commit = ChairDies("before:send:GLOBAL_COMMIT", BOTH_SAY_YES, BOTH_BLOCKED, Committed);
    // Alice has the decision, and Bob asks her.
    chair_after_send_global_commit = ChairDies("after:send:GLOBAL_COMMIT", BOTH_SAY_YES, BOTH_COMMIT, Committed);
    chair_before_log_end = ChairDies("before:log:END", BOTH_SAY_YES, BOTH_COMMIT, Committed);
    chair_after_log_end = ChairDies("after:log:END", BOTH_SAY_YES, BOTH_COMMIT, Committed);
    // Bob has refused, and Alice asks him.
    chair_before_log_abort = ChairDies("before:log:ABORT", BOB_SAYS_NO, BOTH_ABORT, Aborted);
    chair_after_log_abort = ChairDies("after:log:ABORT", BOB_SAYS_NO, BOTH_ABORT, Aborted);
    chair_before_send_global_abort = ChairDies("before:send:GLOBAL_ABORT", BOB_SAYS_NO, BOTH_ABORT, Aborted);
    chair_after_send_global_abort = ChairDies("after:send:GLOBAL_ABORT", BOB_SAYS_NO, BOTH_ABORT, Aborted);
}

rows! { chair_dies_when_asked:
    chair_before_send_decision_reply = "before:send:DECISION_REPLY";
    chair_after_send_decision_reply = "after:send:DECISION_REPLY";
}

rows! { alice_dies:
    // She has promised nothing, and the timeout decides.
    alice_before_log_ready = AliceDies("before:log:READY", "commit", Abort, Aborted);
    // She has promised, but nobody knows.
    alice_after_log_ready = AliceDies("after:log:READY", "commit", Abort, Aborted);
    alice_before_send_vote_commit = AliceDies("before:send:VOTE_COMMIT", "commit", Abort, Aborted);
    alice_after_send_vote_commit = AliceDies("after:send:VOTE_COMMIT", "commit", Commit, Committed);
    alice_before_log_commit = AliceDies("before:log:COMMIT", "commit", Commit, Committed);
    alice_after_log_commit = AliceDies("after:log:COMMIT", "commit", Commit, Committed);
    alice_before_apply = AliceDies("before:apply", "commit", Commit, Committed);
    alice_after_apply = AliceDies("after:apply", "commit", Commit, Committed);
    alice_before_log_applied = AliceDies("before:log:APPLIED", "commit", Commit, Committed);
    alice_after_log_applied = AliceDies("after:log:APPLIED", "commit", Commit, Committed);
    alice_before_send_ack = AliceDies("before:send:ACK", "commit", Commit, Committed);
    alice_after_send_ack = AliceDies("after:send:ACK", "commit", Commit, Committed);
    // She has refused; if nobody has heard it, the timeout decides the same.
    alice_before_log_abort = AliceDies("before:log:ABORT", "abort", Abort, Aborted);
    alice_after_log_abort = AliceDies("after:log:ABORT", "abort", Abort, Aborted);
    alice_before_send_vote_abort = AliceDies("before:send:VOTE_ABORT", "abort", Abort, Aborted);
    alice_after_send_vote_abort = AliceDies("after:send:VOTE_ABORT", "abort", Abort, Aborted);
}

rows! { both_die:
    // The coordinator has decided and told nobody: both are in doubt, and Alice dies asking.
    alice_before_send_decision_request = BothDie("after:log:COMMIT", "before:send:DECISION_REQUEST", Blocked, Committed);
    alice_after_send_decision_request = BothDie("after:log:COMMIT", "after:send:DECISION_REQUEST", Blocked, Committed);
    // The coordinator has told Alice alone: Bob is in doubt, and she dies answering him.
    alice_before_send_decision_reply = BothDie("after:send:GLOBAL_COMMIT", "before:send:DECISION_REPLY", Blocked, Committed);
    alice_after_send_decision_reply = BothDie("after:send:GLOBAL_COMMIT", "after:send:DECISION_REPLY", Commit, Committed);
}

fn chair_dies(&ChairDies(at, answers, meanwhile, outcome): &ChairDies) {
    let room = room();
    let (mut alice, mut bob) = (voter(&room, "alice"), voter(&room, "bob"));
    let mut dying = chair(&room, TIMEOUT, &["--expect", "2", "--crash-at", at]);
    asks_for(&mut dying, "Hello");
    for (node, typed) in [&mut alice, &mut bob].into_iter().zip(answers) {
        if let Some(typed) = typed {
            answer(&mut [(node, typed)], "Hello");
        }
    }
    dying.dies_by_its_own_kill();
    chair_stopped_at(&room, at);
    for (node, sees) in [&mut alice, &mut bob].into_iter().zip(meanwhile) {
        comes_to(node, sees);
    }

    let mut chair = chair(&room, TIMEOUT, &["--expect", "2"]);
    if outcome != Nothing && at != "after:log:END" {
        is_done(&mut chair);
    }
    everybody_agrees(&room, outcome, &mut chair, &mut alice, &mut bob);
}

/// Alice has promised, dies, and asks the coordinator on her return, who is still waiting for Bob.
fn chair_dies_when_asked(at: &str) {
    let room = room();
    let (mut alice, mut bob) = (voter(&room, "alice"), voter(&room, "bob"));
    let mut dying = chair(&room, "60", &["--expect", "2", "--crash-at", at]);
    asks_for(&mut dying, "Hello");
    answer(&mut [(&mut alice, "commit")], "Hello");
    bob.event(&json!({"event": "vote_request"}));
    dying.event(&json!({"event": "state", "state": "WAIT"}));
    reaches(&mut alice, "READY");
    alice.kill();

    let mut alice = voter(&room, "alice");
    dying.dies_by_its_own_kill();
    chair_stopped_at(&room, at);
    // She asks Bob next, who has not voted.
    comes_to(&mut alice, Some(Abort));
    comes_to(&mut bob, Some(Abort));

    let mut chair = chair(&room, TIMEOUT, &["--expect", "2"]);
    is_done(&mut chair);
    everybody_agrees(&room, Aborted, &mut chair, &mut alice, &mut bob);
}

fn alice_dies(&AliceDies(at, typed, sees, outcome): &AliceDies) {
    let room = room();
    let (mut dying, mut bob) = (dying_voter(&room, "alice", at), voter(&room, "bob"));
    let mut chair = chair(&room, TIMEOUT, &["--expect", "2"]);
    asks_for(&mut chair, "Hello");
    answer(&mut [(&mut dying, typed), (&mut bob, "commit")], "Hello");
    dying.dies_by_its_own_kill();
    alice_stopped_at(&room, at);
    comes_to(&mut bob, Some(sees));

    let mut alice = voter(&room, "alice");
    chair.event(&json!({"event": "joined", "user": "alice"}));
    is_done(&mut chair);
    everybody_agrees(&room, outcome, &mut chair, &mut alice, &mut bob);
}

fn both_die(&BothDie(chair_at, alice_at, sees, outcome): &BothDie) {
    let room = room();
    let (mut dying, mut bob) = (dying_voter(&room, "alice", alice_at), voter(&room, "bob"));
    let mut dying_chair = chair(&room, TIMEOUT, &["--expect", "2", "--crash-at", chair_at]);
    asks_for(&mut dying_chair, "Hello");
    answer(&mut [(&mut dying, "commit"), (&mut bob, "commit")], "Hello");
    dying_chair.dies_by_its_own_kill();
    dying.dies_by_its_own_kill();
    chair_stopped_at(&room, chair_at);
    alice_stopped_at(&room, alice_at);
    comes_to(&mut bob, Some(sees));

    let mut alice = voter(&room, "alice");
    let mut chair = chair(&room, TIMEOUT, &["--expect", "2"]);
    is_done(&mut chair);
    everybody_agrees(&room, outcome, &mut chair, &mut alice, &mut bob);
}

fn comes_to(node: &mut Process, sees: Option<Sees>) {
    match sees {
        None => node.has_not_said(&json!({"event": "vote_request"})),
        Some(Commit) => reaches(node, "COMMIT"),
        Some(Abort) => reaches(node, "ABORT"),
        Some(Blocked) => {
            node.event(&json!({"event": "blocked"}));
            node.has_not_said(&json!({"event": "decision"}));
        }
    }
}

/// The room goes on as if nothing had happened, and the files tell the same story.
fn everybody_agrees(room: &Room, outcome: Outcome, chair: &mut Process, alice: &mut Process, bob: &mut Process) {
    asks_for(chair, "Again");
    answer(&mut [(alice, "commit"), (bob, "commit")], "Again");
    for node in [&mut *alice, &mut *bob] {
        node.event(&json!({"event": "applied", "string": "Again"}));
    }
    is_done(chair);
    for node in [&mut *chair, &mut *alice, &mut *bob] {
        node.has_not_said(&json!({"event": "alarm"}));
    }
    quit(&mut [chair, alice, bob]);

    let strings: &[&str] = if outcome == Committed { &["Hello", "Again"] } else { &["Again"] };
    assert_eq!(room.audit("chair", &["alice", "bob"]), strings);
    let kinds = room.files_of_coordinator("chair").log.kinds().into_iter();
    let decisions: Vec<RecordKind> = kinds.filter(|kind| [RecordKind::Commit, RecordKind::Abort].contains(kind)).collect();
    let expected: Vec<RecordKind> = outcome.decision().into_iter().chain([RecordKind::Commit]).collect();
    assert_eq!(decisions, expected);
}

/// The coordinator has died at its point: its log has the record of the point, or has not.
fn chair_stopped_at(room: &Room, at: &str) {
    stopped_at(at, &room.files_of_coordinator("chair").log.kinds(), &[]);
}

/// Alice has died at her point: her files have what the point is about, or have not.
fn alice_stopped_at(room: &Room, at: &str) {
    let files = room.files_of_participant("alice");
    stopped_at(at, &files.log.kinds(), &files.lines);
}

fn stopped_at(at: &str, kinds: &[RecordKind], lines: &[String]) {
    match at.split(':').collect::<Vec<_>>()[..] {
        [when, "log", record] => {
            let is_there = kinds.iter().any(|kind| kind.as_str() == record);
            assert_eq!(is_there, when == "after", "{at}: {kinds:?}");
        }
        [when, "apply"] => {
            let expected: &[&str] = if when == "after" { &["Hello"] } else { &[] };
            assert_eq!(lines, expected, "{at}");
            assert_eq!(kinds, [RecordKind::Ready, RecordKind::Commit], "{at}");
        }
        // What was sent is seen at the others, and in the row.
        [_, "send", _] => {}
        _ => panic!("{at} is no crash point"),
    }
}
