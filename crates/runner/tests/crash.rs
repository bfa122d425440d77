//! A node that was told to die at a boundary dies there: by its own kill, with exactly what came
//! before the boundary on its disk and in the relay's record, and nothing of what follows.
//!
//! The node that dies is a process of its own: this very test program, told to be `the_one_that_dies`.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use support::{TestRelay, Watched, config, name, spawn_mortal, told_to_die};
use twopc_proto::coordinator::Coordinator;
use twopc_proto::participant::Participant;
use twopc_proto::{RecordKind, Role};
use twopc_runner::CrashPoint;
use twopc_runner::event::Event;
use twopc_runner::node::{AutoVote, NodeConfig};
use twopc_runner::snapshot::{Action, CoordinatorPress};

/// What is left of a node: its records, the messages that left it, and its text file.
#[derive(Debug, PartialEq)]
struct Remains {
    records: Vec<String>,
    messages: Vec<String>,
    text: String,
}

fn remains(records: &str, messages: &str, text: &str) -> Remains {
    let words = |text: &str| text.split_whitespace().map(Into::into).collect();
    Remains { records: words(records), messages: words(messages), text: text.into() }
}

#[test]
fn a_participant_dies_where_it_was_told() {
    let (promised, voted) = ("READY", "VOTE_COMMIT");
    for (vote, point, left) in [
        ("commit", "before:log:READY", remains("", "", "")),
        ("commit", "after:log:READY", remains(promised, "", "")),
        ("commit", "before:send:VOTE_COMMIT", remains(promised, "", "")),
        ("commit", "after:send:VOTE_COMMIT", remains(promised, voted, "")),
        ("commit", "before:log:COMMIT", remains(promised, voted, "")),
        ("commit", "after:log:COMMIT", remains("READY COMMIT", voted, "")),
        ("commit", "before:apply", remains("READY COMMIT", voted, "")),
        ("commit", "after:apply", remains("READY COMMIT", voted, "Hello\n")),
        ("commit", "before:send:ACK", remains("READY COMMIT", voted, "Hello\n")),
        ("commit", "after:send:ACK", remains("READY COMMIT", "VOTE_COMMIT ACK", "Hello\n")),
        ("commit", "before:log:APPLIED", remains("READY COMMIT", "VOTE_COMMIT ACK", "Hello\n")),
        ("commit", "after:log:APPLIED", remains("READY COMMIT APPLIED", "VOTE_COMMIT ACK", "Hello\n")),
        ("abort", "before:log:ABORT", remains("", "", "")),
        ("abort", "after:log:ABORT", remains("ABORT", "", "")),
        ("abort", "before:send:VOTE_ABORT", remains("ABORT", "", "")),
        ("abort", "after:send:VOTE_ABORT", remains("ABORT", "VOTE_ABORT", "")),
    ] {
        let (relay, dir) = (TestRelay::start(), tempfile::tempdir().unwrap());
        let mut chair = Watched::<Coordinator>::headless(config(&relay.address, Some("chair"), dir.path()));
        chair.wait_for_login();
        let mut alice = spawn_mortal(&relay, &format!("alice-{vote}"), point, dir.path());
        chair.wait_until_said(&Event::Joined { user: name("alice") });
        propose(&mut chair);
        assert_killed(alice.wait().unwrap(), point);
        chair.wait_until_said(&Event::Left { user: name("alice") });
        assert_eq!(what_is_left(relay, dir.path(), "alice", Role::Participant), left, "{vote}, {point}");
    }
}

#[test]
fn a_coordinator_dies_where_it_was_told() {
    let asked = "VOTE_REQUEST VOTE_REQUEST";
    let told = format!("{asked} GLOBAL_COMMIT GLOBAL_COMMIT");
    for (bob_votes, point, left) in [
        (AutoVote::Commit, "before:log:START", remains("", "", "")),
        (AutoVote::Commit, "after:log:START", remains("START", "", "")),
        (AutoVote::Commit, "before:send:VOTE_REQUEST", remains("START", "", "")),
        (AutoVote::Commit, "after:send:VOTE_REQUEST", remains("START", "VOTE_REQUEST", "")),
        (AutoVote::Commit, "before:send:VOTE_REQUEST:2", remains("START", "VOTE_REQUEST", "")),
        (AutoVote::Commit, "after:send:VOTE_REQUEST:2", remains("START", asked, "")),
        (AutoVote::Commit, "before:log:COMMIT", remains("START", asked, "")),
        (AutoVote::Commit, "after:log:COMMIT", remains("START COMMIT", asked, "")),
        (AutoVote::Commit, "before:send:GLOBAL_COMMIT", remains("START COMMIT", asked, "")),
        (AutoVote::Commit, "after:send:GLOBAL_COMMIT", remains("START COMMIT", &format!("{asked} GLOBAL_COMMIT"), "")),
        (AutoVote::Commit, "after:send:GLOBAL_COMMIT:2", remains("START COMMIT", &told, "")),
        (AutoVote::Commit, "before:log:END", remains("START COMMIT", &told, "")),
        (AutoVote::Commit, "after:log:END", remains("START COMMIT END", &told, "")),
        (AutoVote::Abort, "before:log:ABORT", remains("START", asked, "")),
        (AutoVote::Abort, "after:log:ABORT", remains("START ABORT", asked, "")),
        (AutoVote::Abort, "before:send:GLOBAL_ABORT", remains("START ABORT", asked, "")),
        (AutoVote::Abort, "after:send:GLOBAL_ABORT", remains("START ABORT", &format!("{asked} GLOBAL_ABORT"), "")),
    ] {
        let (relay, dir) = (TestRelay::start(), tempfile::tempdir().unwrap());
        let voters = [("alice", AutoVote::Commit), ("bob", bob_votes)].map(|(user, auto_vote)| {
            let config = NodeConfig { auto_vote, ..config(&relay.address, Some(user), dir.path()) };
            let mut voter = Watched::<Participant>::headless(config);
            voter.wait_for_login();
            voter
        });
        let mut chair = spawn_mortal(&relay, "chair", point, dir.path());
        assert_killed(chair.wait().unwrap(), point);
        for mut voter in voters {
            voter.wait_until_said(&Event::Left { user: name("chair") });
        }
        assert_eq!(what_is_left(relay, dir.path(), "chair", Role::Coordinator), left, "{point}");
    }
}

#[test]
#[ignore = "started as a process by the other tests"]
fn the_one_that_dies() {
    let Some((who, point, relay, folder)) = told_to_die() else { return };
    let told = |user, role, auto_vote| NodeConfig {
        crash_at: Some(CrashPoint::parse(&point, role).unwrap()),
        auto_vote,
        ..config(&relay, Some(user), &folder)
    };
    let alice = |auto_vote| {
        let mut alice = Watched::<Participant>::headless(told("alice", Role::Participant, auto_vote));
        alice.wait_for("an event that never comes", |_| None::<()>);
    };
    match who.as_str() {
        "alice-commit" => alice(AutoVote::Commit),
        "alice-abort" => alice(AutoVote::Abort),
        "chair" => {
            let mut chair = Watched::<Coordinator>::headless(told("chair", Role::Coordinator, AutoVote::Ask));
            chair.wait_to_see("the room", |seen| (seen.room.len() == 3).then_some(()));
            propose(&mut chair);
            chair.wait_for("an event that never comes", |_| None::<()>);
        }
        other => panic!("{other} is nobody"),
    }
}

fn propose(chair: &mut Watched<Coordinator>) {
    chair.act(Action::Say("string: Hello".into()));
    chair.press(CoordinatorPress::Request { vote_timeout: Duration::from_secs(60) });
}

#[cfg(unix)]
fn assert_killed(status: ExitStatus, point: &str) {
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal(), Some(9), "{point}: {status}");
}

#[cfg(not(unix))]
fn assert_killed(status: ExitStatus, point: &str) {
    assert!(!status.success(), "{point}: {status}");
}

/// What is on the disk and in the relay's record. A decision is repeated to whoever is slow to
/// acknowledge it, so of each type at most two are counted.
fn what_is_left(relay: TestRelay, folder: &Path, user: &str, role: Role) -> Remains {
    let record = relay.stop().record();
    let mut counts = BTreeMap::new();
    let messages = record.split("POST /2pc/").skip(1).filter_map(|frame| {
        let (word, rest) = frame.split_once(' ').unwrap();
        let is_theirs = rest.split("\r\n\r\n").next().unwrap().contains(&format!("\r\nFrom: {user}\r\n"));
        let count = counts.entry(word).or_insert(0);
        *count += usize::from(is_theirs);
        (is_theirs && *count <= 2).then(|| word.to_owned())
    });
    let log = fs::read_to_string(folder.join(format!("{user}.{role}.dtlog"))).unwrap();
    let records = log.lines().filter_map(|line| {
        let kind = RecordKind::ALL.into_iter().find(|kind| line.contains(&format!(r#""type":"{kind}""#)))?;
        Some(kind.to_string())
    });
    let text = fs::read_to_string(folder.join(format!("{user}.txt"))).unwrap_or_default();
    Remains { records: records.collect(), messages: messages.collect(), text }
}
