//! Each property finds what it is there to find, and lets pass what is right.

#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::collections::BTreeSet;
use std::time::Duration;

use twopc_proto::audit::{self, Holding, Log};
use twopc_proto::*;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn txn() -> TxnId {
    TxnId::parse("chair.1.1").unwrap()
}

fn hello() -> CommittedString {
    CommittedString::parse("Hello").unwrap()
}

fn both() -> BTreeSet<UserName> {
    [name("alice"), name("bob")].into()
}

fn ready() -> ParticipantRecord {
    ParticipantRecord::Ready { txn: txn(), string: hello(), participants: both(), timeout: Duration::from_secs(20) }
}

fn commit() -> ParticipantRecord {
    ParticipantRecord::Commit { txn: txn(), string: hello() }
}

fn abort() -> ParticipantRecord {
    ParticipantRecord::Abort { txn: txn(), reason: None }
}

fn applied() -> ParticipantRecord {
    ParticipantRecord::Applied { txn: txn() }
}

fn start() -> CoordinatorRecord {
    CoordinatorRecord::Start { txn: txn(), string: hello(), participants: both(), timeout: Duration::from_secs(20) }
}

/// A room of chair, alice and bob with these logs.
struct Room {
    names: [UserName; 3],
    chair: Vec<CoordinatorRecord>,
    incarnation: u64,
    alice: Vec<ParticipantRecord>,
    bob: Vec<ParticipantRecord>,
}

impl Room {
    fn new(chair: &[CoordinatorRecord], alice: &[ParticipantRecord], bob: &[ParticipantRecord]) -> Self {
        let names = [name("chair"), name("alice"), name("bob")];
        Self { names, chair: chair.to_vec(), incarnation: 1, alice: alice.to_vec(), bob: bob.to_vec() }
    }

    fn holdings(&self) -> [Holding<'_>; 3] {
        let [chair, alice, bob] = &self.names;
        let coordinator = Log::Coordinator { records: &self.chair, incarnation: self.incarnation };
        [
            Holding { user: chair, log: coordinator },
            Holding { user: alice, log: Log::Participant(&self.alice) },
            Holding { user: bob, log: Log::Participant(&self.bob) },
        ]
    }
}

fn committed() -> Room {
    let chair = [start(), CoordinatorRecord::Commit { txn: txn() }, CoordinatorRecord::End { txn: txn() }];
    Room::new(&chair, &[ready(), commit(), applied()], &[ready(), commit()])
}

#[test]
fn a_room_that_committed_passes_every_property() {
    let room = committed();
    let nodes = room.holdings();
    assert_eq!(audit::agreement(&nodes), Ok(()));
    assert_eq!(audit::validity(&nodes), Ok(()));
    assert_eq!(audit::guessing(&nodes), Ok(()));
    assert_eq!(audit::forgetting(&nodes), Ok(()));
    for node in &nodes {
        assert_eq!(audit::stability(node), Ok(()));
    }
    assert_eq!(audit::projection(&nodes[1], &["Hello"], false), Ok(()));
}

#[test]
fn a_commit_beside_an_abort_is_no_agreement() {
    let mut room = committed();
    room.bob = vec![ready(), abort()];
    let violation = audit::agreement(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "agreement: chair.1.1: chair holds commit, bob holds abort");
}

#[test]
fn a_commit_that_somebody_never_promised_is_not_valid() {
    let mut room = committed();
    room.bob.clear();
    let violation = audit::validity(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "commit validity: chair committed chair.1.1, which bob never promised");
}

#[test]
fn a_second_decision_or_promise_is_no_stability() {
    for records in [vec![ready(), commit(), abort()], vec![ready(), ready()], vec![abort(), ready()], vec![ready(), commit(), commit()]] {
        let room = Room::new(&[], &records, &[]);
        assert!(audit::stability(&room.holdings()[1]).is_err(), "{records:?}");
    }
}

#[test]
fn a_promise_that_is_left_before_anybody_decided_is_a_guess() {
    for decision in [commit(), abort()] {
        let room = Room::new(&[start()], &[ready(), decision.clone()], &[ready()]);
        assert!(audit::guessing(&room.holdings()).is_err(), "{decision:?}");
    }
    let mut presumed = Room::new(&[start()], &[ready(), abort()], &[ready()]);
    presumed.incarnation = 2;
    assert_eq!(audit::guessing(&presumed.holdings()), Ok(()), "a later start of the coordinator presumes abort");
    let told_by_bob = Room::new(&[start()], &[ready(), abort()], &[abort()]);
    assert_eq!(audit::guessing(&told_by_bob.holdings()), Ok(()));
}

#[test]
fn an_end_before_everybody_has_decided_is_too_early() {
    let mut room = committed();
    room.bob = vec![ready()];
    let violation = audit::forgetting(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "no early forgetting: chair ended chair.1.1, which bob has not decided");
}

#[test]
fn a_message_must_be_borne_out_by_its_senders_disk() {
    let reply = |state| Message::DecisionReply { txn: txn(), state };
    let empty = Room::new(&[], &[], &[]);
    let promised = Room::new(&[start()], &[ready()], &[]);
    let aborted = Room::new(&[start(), CoordinatorRecord::Abort { txn: txn(), reason: None, by: None }], &[abort()], &[]);
    let (from_chair, from_alice) = (0, 1);
    for (room, sender, message, backed) in [
        (&empty, from_alice, Message::VoteCommit { txn: txn() }, false),
        (&promised, from_alice, Message::VoteCommit { txn: txn() }, true),
        (&promised, from_alice, Message::VoteAbort { txn: txn(), reason: None }, false),
        (&aborted, from_alice, Message::VoteAbort { txn: txn(), reason: None }, true),
        (&promised, from_alice, Message::Ack { txn: txn() }, false),
        (&aborted, from_alice, Message::Ack { txn: txn() }, true),
        (&promised, from_alice, reply(PeerState::Ready), true),
        (&empty, from_alice, reply(PeerState::Ready), false),
        (&empty, from_alice, reply(PeerState::Abort), false),
        (&aborted, from_alice, reply(PeerState::Abort), true),
        (&promised, from_alice, reply(PeerState::Wait), false),
        (&promised, from_alice, reply(PeerState::Init), false),
        (&promised, from_chair, reply(PeerState::Wait), true),
        (&promised, from_chair, reply(PeerState::Abort), false),
        (&promised, from_chair, Message::GlobalCommit { txn: txn() }, false),
        (&committed(), from_chair, Message::GlobalCommit { txn: txn() }, true),
        (&promised, from_chair, Message::GlobalAbort { txn: txn(), reason: None, by: None }, false),
        (&aborted, from_chair, Message::GlobalAbort { txn: txn(), reason: None, by: None }, true),
    ] {
        assert_eq!(audit::backing(&room.holdings()[sender], &message).is_ok(), backed, "{message:?}");
    }
}

#[test]
fn both_decisions_said_of_one_transaction_is_no_constancy() {
    let (alice, chair) = (name("alice"), name("chair"));
    let commit = Message::GlobalCommit { txn: txn() };
    let abort = Message::DecisionReply { txn: txn(), state: PeerState::Abort };
    let vote = Message::VoteAbort { txn: txn(), reason: None };
    assert_eq!(audit::constancy([(&chair, &commit), (&alice, &vote)]), Ok(()), "a vote is no decision");
    assert!(audit::constancy([(&chair, &commit), (&alice, &abort)]).is_err());
}

#[test]
fn a_yes_after_a_no_is_a_second_vote_and_a_no_after_a_yes_is_none() {
    let (alice, bob) = (name("alice"), name("bob"));
    let yes = Message::VoteCommit { txn: txn() };
    let no = Message::VoteAbort { txn: txn(), reason: None };
    let other = Message::VoteAbort { txn: TxnId::parse("chair.1.2").unwrap(), reason: None };
    assert_eq!(audit::one_vote([(&alice, &yes), (&alice, &no), (&alice, &no)]), Ok(()), "it had promised, and was told to abort");
    assert_eq!(audit::one_vote([(&bob, &no), (&alice, &other), (&alice, &yes)]), Ok(()));
    let violation = audit::one_vote([(&alice, &no), (&alice, &yes)]).unwrap_err();
    assert_eq!(violation.to_string(), "one vote: chair.1.1: alice said VOTE_ABORT and then VOTE_COMMIT");
}

#[test]
fn a_commit_against_which_somebody_voted_is_not_unanimous() {
    let (alice, chair) = (name("alice"), name("chair"));
    let no = Message::VoteAbort { txn: txn(), reason: None };
    let commit = Message::GlobalCommit { txn: txn() };
    let answer = Message::DecisionReply { txn: txn(), state: PeerState::Commit };
    let abort = Message::DecisionReply { txn: txn(), state: PeerState::Abort };
    let other = Message::GlobalCommit { txn: TxnId::parse("chair.1.2").unwrap() };
    assert_eq!(audit::unanimity([(&alice, &no), (&chair, &abort), (&chair, &other)]), Ok(()));
    for said in [[(&alice, &no), (&chair, &commit)], [(&chair, &commit), (&alice, &no)]] {
        let violation = audit::unanimity(said).unwrap_err();
        assert_eq!(violation.to_string(), "unanimity: chair.1.1: alice voted abort, and chair said commit");
    }
    assert!(audit::unanimity([(&alice, &no), (&chair, &answer)]).is_err());
}

#[test]
fn a_text_file_has_each_committed_string_once_and_in_order() {
    let other = TxnId::parse("chair.1.2").unwrap();
    let second = ParticipantRecord::Commit { txn: other, string: CommittedString::parse("World").unwrap() };
    let room = Room::new(&[], &[ready(), commit(), applied(), second], &[]);
    let node = &room.holdings()[1];
    for (lines, pending, right) in [
        (&["Hello", "World"][..], false, true),
        (&["Hello"], true, true),
        (&["Hello"], false, false),
        (&[], true, false),
        (&["World", "Hello"], true, false),
        (&["Hello", "Hello"], true, false),
        (&["Hello", "World", "World"], true, false),
    ] {
        assert_eq!(audit::projection(node, lines, pending).is_ok(), right, "{lines:?}");
    }
}

/// Number `first` to `last` of chair's first start, ended so.
fn over(first: u64, last: u64, decision: Decision) -> Decided {
    Decided::through(TxnId::numbered(&name("chair"), 1, first), last, decision)
}

/// A room whose logs were compacted: these ranges stand for what chair and alice held, and bob has this.
fn compacted(chair: Decided, alice: Decided, bob: &[ParticipantRecord]) -> Room {
    Room::new(&[CoordinatorRecord::Decided(chair)], &[ParticipantRecord::Decided(alice)], bob)
}

#[test]
fn a_compacted_room_passes_every_property() {
    let all = over(1, 500, Decision::Commit);
    for bob in [vec![ready(), commit(), applied()], vec![ParticipantRecord::Decided(all.clone())]] {
        let room = compacted(all.clone(), all.clone(), &bob);
        let nodes = room.holdings();
        assert_eq!(audit::agreement(&nodes), Ok(()));
        assert_eq!(audit::validity(&nodes), Ok(()));
        assert_eq!(audit::guessing(&nodes), Ok(()));
        assert_eq!(audit::forgetting(&nodes), Ok(()));
        for node in &nodes {
            assert_eq!(audit::stability(node), Ok(()));
        }
        assert_eq!(audit::backing(&nodes[0], &Message::GlobalCommit { txn: txn() }), Ok(()));
        assert_eq!(audit::backing(&nodes[1], &Message::VoteCommit { txn: txn() }), Ok(()));
        assert!(audit::backing(&nodes[1], &Message::VoteAbort { txn: txn(), reason: None }).is_err());
    }
}

#[test]
fn ranges_that_contradict_each_other_or_a_record_are_no_agreement() {
    let room = compacted(over(1, 9, Decision::Commit), over(7, 12, Decision::Abort), &[]);
    let violation = audit::agreement(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "agreement: chair.1.7: alice holds abort, chair holds commit");
    let room = compacted(over(0, 9, Decision::Abort), over(1, 1, Decision::Commit), &[]);
    assert!(audit::agreement(&room.holdings()).is_err(), "in whichever order they come");
    let room = compacted(over(1, 9, Decision::Abort), over(1, 9, Decision::Abort), &[ready(), commit()]);
    let violation = audit::agreement(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "agreement: chair.1.1: chair holds abort, bob holds commit");
}

#[test]
fn a_range_beside_a_decision_or_a_promise_on_one_of_its_transactions_is_no_stability() {
    let range = |decision| ParticipantRecord::Decided(over(1, 9, decision));
    for records in [
        vec![range(Decision::Commit), abort()],
        vec![range(Decision::Commit), ready()],
        vec![range(Decision::Abort), range(Decision::Abort)],
    ] {
        let room = Room::new(&[], &records, &[]);
        assert!(audit::stability(&room.holdings()[1]).is_err(), "{records:?}");
    }
}

#[test]
fn a_range_that_was_committed_without_its_coordinator_is_a_guess() {
    let room = compacted(over(1, 8, Decision::Commit), over(1, 9, Decision::Commit), &[]);
    let violation = audit::guessing(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "no guessing: alice committed chair.1.1 to 9 and the coordinator did not");
    let mut room = compacted(over(2, 9, Decision::Commit), over(1, 9, Decision::Commit), &[]);
    room.chair.extend([start(), CoordinatorRecord::Commit { txn: txn() }]);
    assert_eq!(audit::guessing(&room.holdings()), Ok(()), "of the first it holds more than the decision");
}

#[test]
fn a_promise_that_the_coordinators_range_has_forgotten_was_forgotten_too_early() {
    let all = over(1, 9, Decision::Commit);
    let room = compacted(all.clone(), all, &[ready()]);
    let violation = audit::forgetting(&room.holdings()).unwrap_err();
    assert_eq!(violation.to_string(), "no early forgetting: chair ended chair.1.1, which bob has not decided");
}

#[test]
fn of_older_strings_only_how_many_they_are_is_judged() {
    let last = TxnId::parse("chair.1.4").unwrap();
    let records = [
        ParticipantRecord::Decided(over(1, 2, Decision::Commit)),
        ParticipantRecord::Decided(over(3, 3, Decision::Abort)),
        ParticipantRecord::Commit { txn: last.clone(), string: hello() },
        ParticipantRecord::Applied { txn: last },
    ];
    let room = Room::new(&[], &records, &[]);
    let node = &room.holdings()[1];
    for (lines, right) in [
        (&["one", "two", "Hello"][..], true),
        (&["two", "one", "Hello"], true),
        (&["one", "two"], false),
        (&["one", "Hello"], false),
        (&["one", "two", "Helo"], false),
        (&["one", "two", "Hello", "Hello"], false),
        (&[], false),
    ] {
        assert_eq!(audit::projection(node, lines, true).is_ok(), right, "{lines:?}");
    }
}
