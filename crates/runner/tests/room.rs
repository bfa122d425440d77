//! Nodes in a room with a real relay: votes, losses of the link, and the ways in and out.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod support;

use std::fs;
use std::time::Duration;

use support::{TestRelay, Watched, committing, config, name};
use twopc_proto::coordinator::Coordinator;
use twopc_proto::participant::Participant;
use twopc_proto::{Decision, TxnId};
use twopc_runner::event::Event;
use twopc_runner::node::{AutoVote, Ending, NodeConfig};
use twopc_runner::snapshot::{Action, CoordinatorPress, Line, LineKind, Link, ParticipantPress};

fn txn(text: &str) -> TxnId {
    TxnId::parse(text).unwrap()
}

fn request() -> CoordinatorPress {
    CoordinatorPress::Request { vote_timeout: Duration::from_secs(20) }
}

/// Has the coordinator say the line and ask for the vote on it.
fn propose(chair: &mut Watched<Coordinator>, string: &str) {
    chair.act(Action::Say(format!("string: {string}")));
    chair.wait_for("the proposal's echo", |event| matches!(event, Event::Proposal { .. }).then_some(()));
    chair.press(request());
}

fn decision_of(event: &Event) -> Option<Decision> {
    match event {
        Event::Decision { decision, .. } => Some(*decision),
        _ => None,
    }
}

#[test]
fn a_string_that_all_vote_for_stands_in_every_text_file() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let voting = |user| NodeConfig { auto_vote: AutoVote::Commit, ..config(&relay.address, Some(user), dir.path()) };
    let mut alice = Watched::<Participant>::headless(voting("alice"));
    let mut bob = Watched::<Participant>::headless(voting("bob"));
    alice.wait_for_login();
    bob.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    propose(&mut chair, "Hello");
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.1") });
    assert!(chair.said.iter().any(|event| decision_of(event) == Some(Decision::Commit)));
    let states: Vec<&str> = chair
        .said
        .iter()
        .filter_map(|event| match event {
            Event::State { state, .. } => Some(*state),
            _ => None,
        })
        .collect();
    assert_eq!(states, ["INIT", "WAIT", "COMMIT"]);
    for (node, user) in [(alice, "alice"), (bob, "bob")] {
        assert_eq!(node.quit(), Ending::Quit);
        assert_eq!(fs::read_to_string(dir.path().join(format!("{user}.txt"))).unwrap(), "Hello\n");
    }
    assert_eq!(chair.quit(), Ending::Quit);
}

#[test]
fn votes_that_were_cast_commit_although_the_relay_was_restarted_in_between() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    let mut bob = Watched::<Participant>::headless(config(&relay.address, Some("bob"), dir.path()));
    alice.wait_for_login();
    bob.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    propose(&mut chair, "Hello");
    for node in [&mut alice, &mut bob] {
        node.wait_for("the request", |event| matches!(event, Event::VoteRequest { .. }).then_some(()));
    }
    alice.press(ParticipantPress::Commit(txn("chair.1.1")));
    alice.wait_until_said(&Event::State { txn: txn("chair.1.1"), state: "READY" });
    let stopped = relay.stop();
    chair.wait_until_said(&Event::Disconnected);
    bob.wait_until_said(&Event::Disconnected);
    bob.press(ParticipantPress::Commit(txn("chair.1.1")));
    bob.wait_until_said(&Event::State { txn: txn("chair.1.1"), state: "READY" });
    let _relay = stopped.restart();
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.1") });
    assert!(chair.said.iter().any(|event| decision_of(event) == Some(Decision::Commit)));
    assert_eq!(chair.said.iter().filter(|event| **event == Event::Disconnected).count(), 1, "a loss is said once");
}

#[test]
fn leaving_in_wait_aborts_and_tells_everyone_first() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    propose(&mut chair, "Hello");
    alice.wait_for("the request", |event| matches!(event, Event::VoteRequest { .. }).then_some(()));
    alice.press(ParticipantPress::Commit(txn("chair.1.1")));
    assert_eq!(chair.quit(), Ending::Quit);
    // The coordinator is gone, and nobody else could have told.
    assert_eq!(alice.wait_for("the decision", decision_of), Decision::Abort);
}

#[test]
fn a_node_whose_handle_is_dropped_says_goodbye() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let mut bob = Watched::<Participant>::headless(config(&relay.address, Some("bob"), dir.path()));
    bob.wait_for_login();
    bob.let_go();
    alice.wait_until_said(&Event::Left { user: name("bob") });
}

#[test]
fn leaving_in_doubt_says_what_stays_in_doubt_and_coming_back_asks_about_it() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    let mut bob = Watched::<Participant>::headless(config(&relay.address, Some("bob"), dir.path()));
    alice.wait_for_login();
    bob.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    propose(&mut chair, "Hello");
    alice.wait_for("the request", |event| matches!(event, Event::VoteRequest { .. }).then_some(()));
    alice.press(ParticipantPress::Commit(txn("chair.1.1")));
    alice.wait_until_said(&Event::State { txn: txn("chair.1.1"), state: "READY" });
    alice.act(Action::Quit);
    alice.wait_for("what stays in doubt", |event| match event {
        Event::Notice { message } => message.contains("“Hello”").then_some(()),
        _ => None,
    });
    assert_eq!(alice.wait(), Ending::Quit);

    bob.wait_for("the request", |event| matches!(event, Event::VoteRequest { .. }).then_some(()));
    bob.press(ParticipantPress::Commit(txn("chair.1.1")));
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_until_said(&Event::State { txn: txn("chair.1.1"), state: "READY" });
    assert_eq!(alice.wait_for("the decision", decision_of), Decision::Commit);
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.1") });
}

#[test]
fn a_participant_that_stays_silent_aborts_when_the_vote_is_over() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let silent = NodeConfig { auto_vote: AutoVote::Silent, ..config(&relay.address, Some("alice"), dir.path()) };
    let mut alice = Watched::<Participant>::headless(silent);
    alice.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    chair.act(Action::Say("string: Hello".into()));
    chair.press(CoordinatorPress::Request { vote_timeout: Duration::from_millis(300) });
    assert_eq!(alice.wait_for("the decision", decision_of), Decision::Abort);
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.1") });
    assert_eq!(alice.quit(), Ending::Quit);
    assert_eq!(fs::read_to_string(dir.path().join("alice.txt")).unwrap(), "");
}

#[test]
fn a_request_that_cannot_be_made_is_refused_once_for_each_press() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    chair.press(request());
    chair.wait_until_said(&Event::RequestRefused { message: "Send a line that begins with string: first.".into() });
    chair.act(Action::Say("string: Hello".into()));
    chair.press(request());
    chair.wait_until_said(&Event::RequestRefused { message: "Waiting for 1 more participant.".into() });
    chair.act(Action::Say("string:".into()));
    chair.wait_for("why it cannot be proposed", |event| match event {
        Event::Notice { message } => message.starts_with("That cannot be proposed").then_some(()),
        _ => None,
    });
}

#[test]
fn a_name_of_somebody_else_is_refused_and_can_be_corrected_in_the_window() {
    let relay = TestRelay::start();
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), theirs.path()));
    alice.wait_for_login();

    let window = Watched::<Participant>::window(config(&relay.address, None, ours.path()));
    assert_eq!(window.snapshot().link, Link::Offline);
    window.act(Action::Login { address: relay.address.to_string() });
    window.wait_to_see("the question", |seen| {
        matches!(&seen.link, Link::Asking { question } if question.contains("user name")).then_some(())
    });
    window.act(Action::GiveName("a b".into()));
    window.wait_to_see("the name's refusal", |seen| seen.refusal.as_ref()?.contains("letters").then_some(()));
    window.act(Action::GiveName("Alice".into()));
    window.wait_to_see("the relay's refusal", |seen| {
        (matches!(seen.link, Link::Asking { .. }) && seen.refusal.as_ref()?.contains("--forget alice")).then_some(())
    });
    window.act(Action::GiveName("bob".into()));
    window.wait_to_see("the room", |seen| (seen.link == Link::Connected && seen.refusal.is_none() && seen.room.len() == 2).then_some(()));
    assert_eq!(window.snapshot().user, Some(name("bob")));

    let mut late = Watched::<Participant>::headless(config(&relay.address, Some("alice"), ours.path()));
    let ending = {
        late.wait_to_see("the end", |seen| seen.stopped.clone());
        late.said.clear();
        late.wait()
    };
    assert!(matches!(&ending, Ending::Failed(sentence) if sentence.contains("--forget alice")), "{ending:?}");
}

#[test]
fn a_name_that_runs_here_already_is_refused_before_the_relay_is_asked() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let second = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    let ending = second.wait();
    assert!(matches!(&ending, Ending::Failed(sentence) if sentence.contains("alice is running already")), "{ending:?}");

    let window = Watched::<Participant>::window(config(&relay.address, Some("alice"), dir.path()));
    window.wait_to_see("the refusal with the question", |seen| {
        (matches!(seen.link, Link::Asking { .. }) && seen.refusal.as_ref()?.contains("running already")).then_some(())
    });
    assert_eq!(window.quit(), Ending::Quit);
    assert!(alice.ended().is_none(), "the first one goes on");
}

#[test]
fn a_name_given_up_for_another_lets_go_of_its_files() {
    let relay = TestRelay::start();
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), theirs.path()));
    alice.wait_for_login();
    let window = Watched::<Participant>::window(config(&relay.address, Some("alice"), ours.path()));
    window.wait_to_see("the refusal", |seen| (matches!(seen.link, Link::Asking { .. }) && seen.refusal.is_some()).then_some(()));
    window.act(Action::GiveName("bob".into()));
    window.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
    // Nobody holds alice's lock in our folder any more; only her key is another one.
    let again = Watched::<Participant>::headless(config(&relay.address, Some("alice"), ours.path()));
    let ending = again.wait();
    assert!(matches!(&ending, Ending::Failed(sentence) if sentence.contains("--forget alice")), "{ending:?}");
}

#[test]
fn whoever_logs_in_with_the_same_key_takes_over() {
    let relay = TestRelay::start();
    let (first_dir, second_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut first = Watched::<Participant>::headless(config(&relay.address, Some("alice"), first_dir.path()));
    first.wait_for_login();
    for file in ["alice.key", "alice.participant.dtlog", "alice.txt"] {
        fs::copy(first_dir.path().join(file), second_dir.path().join(file)).unwrap();
    }
    let mut second = Watched::<Participant>::headless(config(&relay.address, Some("alice"), second_dir.path()));
    second.wait_for_login();
    first.wait_for("the relay's word", |event| matches!(event, Event::Error { error, .. } if error == "replaced").then_some(()));
    assert_eq!(first.wait(), Ending::Replaced);
    assert!(second.ended().is_none());
}

#[test]
fn everybody_sees_the_conversation_in_one_order_and_once() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::window(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let mut chair = Watched::<Coordinator>::window(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    for n in 0..20 {
        alice.act(Action::Say(format!("a{n}")));
        chair.act(Action::Say(format!("c{n}")));
    }
    let chat = |lines: &[Line]| -> Vec<(String, String, Option<u64>)> {
        let chats = lines.iter().filter_map(|line| match &line.kind {
            LineKind::Chat { from, text, seq, .. } => Some((from.clone(), text.clone(), *seq)),
            LineKind::Room(_) => None,
        });
        chats.collect()
    };
    let all = |lines: &[Line]| {
        let said = chat(lines);
        (said.len() == 40 && said.iter().all(|(_, _, seq)| seq.is_some())).then_some(said)
    };
    let seen = alice.wait_to_see("all lines", |seen| all(&seen.messages));
    assert_eq!(seen, chair.wait_to_see("all lines", |seen| all(&seen.messages)));
    assert!(seen.windows(2).all(|pair| pair[0].2 < pair[1].2));
    assert!(seen.iter().all(|(_, text, _)| text.starts_with("0:00:0")), "{seen:?}");

    // Whoever comes later sees it as history, once; headless programs hear of nothing old.
    let late = Watched::<Participant>::window(config(&relay.address, Some("late"), dir.path()));
    assert_eq!(late.wait_to_see("all lines", |seen| all(&seen.messages)), seen);
    let mut mute = Watched::<Participant>::headless(config(&relay.address, Some("mute"), dir.path()));
    mute.wait_for_login();
    alice.act(Action::Say("now".into()));
    mute.wait_until_said(&Event::Chat { from: "alice".into(), text: "now".into() });
    assert_eq!(mute.said.iter().filter(|event| matches!(event, Event::Chat { .. })).count(), 1);
}

#[test]
fn a_first_login_that_is_refused_ends_a_program_without_a_window() {
    let relay = TestRelay::with_room_for(1);
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::headless(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_for_login();
    let stranger = Watched::<Participant>::headless(config(&relay.address, Some("bob"), dir.path()));
    let ending = stranger.wait();
    assert!(matches!(&ending, Ending::Failed(sentence) if sentence.contains("room is full")), "{ending:?}");
}

#[test]
fn a_later_login_that_is_refused_is_tried_again_and_says_why() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let windows = ["alice", "bob"].map(|user| Watched::<Participant>::window(config(&relay.address, Some(user), dir.path())));
    for window in &windows {
        window.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
    }
    let stopped = relay.stop();
    for window in &windows {
        window.wait_to_see("the loss", |seen| matches!(seen.link, Link::Reconnecting { .. }).then_some(()));
    }
    let _relay = stopped.restart_with_room_for(1);
    let [alice, bob] = windows;
    // Whoever comes first has the place.
    let was_let_in = |window: &Watched<Participant>| {
        window.wait_to_see("an answer", |seen| match (&seen.link, &seen.refusal) {
            (Link::Connected, None) => Some(true),
            (Link::Reconnecting { .. }, Some(why)) if why.contains("room is full") => Some(false),
            (_, _) => None,
        })
    };
    let (first, second) = match (was_let_in(&alice), was_let_in(&bob)) {
        (true, false) => (alice, bob),
        (false, true) => (bob, alice),
        both => panic!("one place, and {both:?}"),
    };
    assert_eq!(first.quit(), Ending::Quit);
    second.wait_to_see("the room", |seen| (seen.link == Link::Connected && seen.refusal.is_none()).then_some(()));
}

#[test]
fn a_window_shows_the_vote_the_doubt_and_the_strings() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let alice = Watched::<Participant>::window(config(&relay.address, Some("alice"), dir.path()));
    alice.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
    let chair = Watched::<Coordinator>::window(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_to_see("the room", |seen| (seen.link == Link::Connected).then_some(()));
    assert!(chair.snapshot().role.can_request.is_err());
    chair.act(Action::Say("string: Hello".into()));
    chair.wait_to_see("Request", |seen| seen.role.can_request.is_ok().then_some(()));
    chair.press(request());
    let vote = alice.wait_to_see("the vote", |seen| seen.role.votes.first().cloned());
    assert_eq!((vote.string.as_str(), vote.can_vote), ("Hello", Ok(())));
    assert!(vote.deadline.is_some() && vote.can_ask.is_err());
    alice.press(ParticipantPress::Commit(vote.txn.clone()));
    let settled = alice.wait_to_see("the outcome", |seen| seen.role.settled.last().cloned());
    assert_eq!(settled.decision, Decision::Commit);
    let lines = alice.wait_to_see("the string", |seen| (!seen.role.strings.lines.is_empty()).then(|| seen.role.strings.lines.clone()));
    assert_eq!(*lines, ["Hello"]);
    let ballot = chair.wait_to_see("the end of the vote", |seen| seen.role.ballots.first().filter(|ballot| ballot.done).cloned());
    assert!(ballot.rows.iter().all(|row| row.acknowledged && row.vote.is_some()));

    // There again on reopening.
    assert_eq!(alice.quit(), Ending::Quit);
    let again = Watched::<Participant>::window(config(&relay.address, Some("alice"), dir.path()));
    again.wait_to_see("the string of before", |seen| (*seen.role.strings.lines == ["Hello"]).then_some(()));
}

#[test]
fn a_window_shows_what_a_person_wrote_into_the_text_file_once_the_next_string_follows_it() {
    let relay = TestRelay::start();
    let dir = tempfile::tempdir().unwrap();
    let mut alice = Watched::<Participant>::window(committing(config(&relay.address, Some("alice"), dir.path())));
    alice.wait_for_login();
    let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
    chair.wait_for_login();
    propose(&mut chair, "one");
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.1") });
    let text = dir.path().join("alice.txt");
    fs::write(&text, "one, corrected\nmine\n").unwrap();
    propose(&mut chair, "two");
    alice.wait_to_see("the file as it is", |seen| (*seen.role.strings.lines == ["one, corrected", "mine", "two"]).then_some(()));
    assert!(alice.snapshot().warnings.iter().any(|warning| warning.contains("was changed by hand")));
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.2") });
    // Gone altogether: it is written again, and shown so.
    fs::remove_file(&text).unwrap();
    propose(&mut chair, "three");
    alice.wait_to_see("the file written again", |seen| (*seen.role.strings.lines == ["one", "two", "three"]).then_some(()));
    chair.wait_until_said(&Event::Done { txn: txn("chair.1.3") });
    assert_eq!(fs::read_to_string(&text).unwrap(), "one\ntwo\nthree\n");
    assert_eq!(alice.quit(), Ending::Quit);
}
