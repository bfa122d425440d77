//! The programs as a shell or a script sees them: commands, flags, exit statuses, many transactions.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;
use twopc_tests::room::is_in;
use twopc_tests::{Process, Room, files};

use crate::scene::{chair, participant, quit, room, settles, voter};

/// A coordinator that proposes by itself.
fn proposes(room: &Room, string: &str, more: &[&str]) -> Process {
    room.coordinator("chair", &[&["--propose", string], more].concat())
}

#[test]
fn a_proposal_ends_with_the_status_of_its_outcome() {
    let room = room();
    let mut alice = participant(&room, "alice", "commit");
    let mut waiting = proposes(&room, "Hello", &["--expect", "2"]);
    is_in(&mut waiting);
    let mut bob = participant(&room, "bob", "commit");
    waiting.ends_with(0);
    for node in [&mut alice, &mut bob] {
        node.event(&json!({"event": "chat", "from": "chair", "text": "string: Hello"}));
        settles(node, "commit");
    }

    quit(&mut [&mut bob]);
    let mut bob = participant(&room, "bob", "abort");
    proposes(&room, "Nobody wants this", &["--expect", "2"]).ends_with(3);

    let mut alone = proposes(&room, "Hello", &["--expect", "3", "--wait", "0.2"]);
    alone.ends_with(1);
    let complaint = alone.complaint();
    assert!(complaint.starts_with("2 of 3 participants came within 0.2 s") && complaint.lines().count() == 1, "{complaint:?}");

    quit(&mut [&mut alice, &mut bob]);
    assert_eq!(room.audit("chair", &["alice", "bob"]), ["Hello"]);
}

#[test]
fn a_proposal_without_a_relay_says_so_in_time() {
    let mut room = room();
    room.kill_relay();
    let mut alone = proposes(&room, "Hello", &["--wait", "0.2"]);
    alone.ends_with(1);
    let complaint = alone.complaint();
    assert!(complaint.starts_with(&format!("The relay at {} could not be reached", room.address())), "{complaint:?}");
}

#[test]
fn many_transactions_at_once_are_counted_and_measured() {
    let room = room();
    let (mut alice, mut bob) = (participant(&room, "alice", "commit"), participant(&room, "bob", "commit"));
    let mut chair = proposes(&room, "line {n}", &["--expect", "2", "--count", "200", "--concurrency", "16"]);
    chair.ends_with(0);
    let last = chair.lines_so_far().pop().expect("it printed something");
    let summary: serde_json::Value = serde_json::from_str(&last).expect("the last line is an event");
    assert_eq!((&summary["event"], &summary["committed"], &summary["aborted"]), (&json!("summary"), &json!(200), &json!(0)));
    let number = |member: &str| summary[member].as_f64().unwrap_or_else(|| panic!("{member} is no number in {summary}"));
    assert!((number("txn_per_s") * number("seconds") - 200.0).abs() < 0.01, "{summary}");
    assert!(number("p50_us") > 0.0 && number("p50_us") <= number("p99_us"), "{summary}");
    alice.has_not_said(&json!({"event": "chat"}));

    quit(&mut [&mut alice, &mut bob]);
    // The order in which so many at once are committed may differ from one participant to another.
    files::judge(&room.files_of_coordinator("chair"), &["alice", "bob"].map(|name| room.files_of_participant(name)));
    for name in ["alice", "bob"] {
        let mut strings = room.strings(name);
        strings.sort_unstable_by_key(|line| line["line ".len()..].parse::<u32>().expect("a number"));
        assert_eq!(strings, (1..=200).map(|n| format!("line {n}")).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn nonsense_is_answered_with_the_commands_that_there_are() {
    let room = room();
    let (mut alice, mut chair) = (voter(&room, "alice"), chair(&room, "20", &[]));
    alice.types("dance");
    alice.event(&json!({
        "event": "notice",
        "message": "\"dance\" is no command here. The commands are: commit [TXN], abort [TXN], ask [TXN], say TEXT, quit.",
    }));
    chair.types("commit");
    chair.event(&json!({
        "event": "notice",
        "message": "\"commit\" is no command here. The commands are: string: TEXT, request, say TEXT, quit.",
    }));
    alice.types("commit");
    alice.event(&json!({"event": "notice", "message": "There is no open vote."}));
    chair.types("request");
    chair.event(&json!({"event": "notice"}));
    quit(&mut [&mut chair, &mut alice]);
}

#[test]
fn the_end_of_the_input_ends_nothing_and_a_signal_does() {
    let room = room();
    let (mut alice, mut chair) = (voter(&room, "alice"), chair(&room, "20", &[]));
    alice.closes_its_input();
    chair.types("say are you there?");
    alice.event(&json!({"event": "chat", "from": "chair", "text": "are you there?"}));
    alice.signal(Signal::INT);
    alice.ends_with(0);
    chair.event(&json!({"event": "left", "user": "alice"}));
    chair.signal(Signal::TERM);
    chair.ends_with(0);
    assert_eq!((alice.complaint(), chair.complaint()), (String::new(), String::new()));
}

#[test]
fn a_program_whose_output_nobody_reads_ends_quietly() {
    let room = room();
    let mut chair = chair(&room, "20", &[]);
    let mut alice = Process::start_unread("alice", &mut room.node_command("participant", "alice", "alice"));
    chair.event(&json!({"event": "joined", "user": "alice"}));
    alice.closes_its_output();
    // A process that is being started elsewhere may hold the pipe open for a moment, so one line
    // need not do.
    let left = json!({"event": "left", "user": "alice"});
    for _ in 0..1_000 {
        if !chair.events_so_far(&left).is_empty() {
            break;
        }
        chair.types("say anybody?");
        chair.event(&json!({"event": "chat", "text": "anybody?"}));
    }
    chair.event(&left);
    alice.ends_with(0);
    assert_eq!(alice.complaint(), "");
    quit(&mut [&mut chair]);
}

#[test]
fn a_reader_who_has_stopped_keeps_no_command_and_no_signal_from_being_heard() {
    let room = room();
    let mut chair = chair(&room, "20", &[]);
    let mut alice = Process::start_unread("alice", &mut room.node_command("participant", "alice", "alice"));
    chair.event(&json!({"event": "joined", "user": "alice"}));
    // More than a pipe holds.
    let long = format!("say {}", "x".repeat(10_000));
    for _ in 0..30 {
        chair.types(&long);
    }
    crate::scene::asks_for(&mut chair, "Hello");
    crate::scene::reaches(&mut chair, "WAIT");
    let decided = json!({"event": "decision", "decision": "commit"});
    for _ in 0..1_000 {
        if !chair.events_so_far(&decided).is_empty() {
            break;
        }
        // The question may still be on its way to her, so one press need not do.
        alice.types("commit");
        alice.types("say pressed");
        chair.event(&json!({"event": "chat", "from": "alice", "text": "pressed"}));
    }
    crate::scene::is_done(&mut chair);
    alice.signal(Signal::TERM);
    alice.ends_with(0);
    quit(&mut [&mut chair]);
    assert_eq!(room.audit("chair", &["alice"]), ["Hello"]);
}

#[test]
fn every_line_of_output_is_an_event_with_its_time() {
    let room = room();
    let (mut alice, mut chair) = (participant(&room, "alice", "commit"), chair(&room, "20", &[]));
    crate::scene::asks_for(&mut chair, "Hello");
    crate::scene::is_done(&mut chair);
    quit(&mut [&mut chair, &mut alice]);
    for node in [&mut alice, &mut chair] {
        let mut last = 0.0;
        for line in node.lines_so_far() {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let at = event["at"].as_f64().unwrap_or_else(|| panic!("{line:?} has no time"));
            assert!(event["event"].is_string() && at >= last, "{line:?}");
            last = at;
        }
    }
}

#[test]
fn switches_and_values_come_from_variables_too() {
    let room = room();
    let mut command = room.command(&["participant"]);
    command.env("TWOPC_HEADLESS", "true").env("TWOPC_USER", "alice").env("TWOPC_SERVER", room.address());
    command.env("TWOPC_DATA_DIR", room.data("alice")).env("TWOPC_VOTE", "commit");
    let mut alice = Process::start("alice", &mut command);
    is_in(&mut alice);
    proposes(&room, "Hello", &[]).ends_with(0);
    quit(&mut [&mut alice]);
    assert_eq!(room.audit("chair", &["alice"]), ["Hello"]);
}

#[test]
fn wrong_usage_ends_with_status_2_and_a_word_about_it() {
    let room = room();
    let headless = ["participant", "--headless", "--user", "alice"];
    for arguments in [
        &["dance"][..],
        &["participant", "--headless"],
        &[&headless[..], &["--crash-at", "before:log:START"]].concat(),
        &[&headless[..], &["--grace", "0"]].concat(),
        &[&headless[..], &["--vote", "perhaps"]].concat(),
        &["coordinator", "--propose", "Hello"],
        &["coordinator", "--headless", "--user", "chair", "--propose", " "],
        &["coordinator", "--headless", "--user", "chair", "--expect", "0"],
        &["server", "--max-users", "many"],
    ] {
        let mut program = Process::start("wrong", &mut room.command(arguments));
        program.ends_with(2);
        assert!(!program.complaint().is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_a_display_a_window_says_that_there_is_headless() {
    let room = room();
    for role in ["participant", "coordinator"] {
        let mut command: Command = room.command(&[role]);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        let mut program = Process::start(role, &mut command);
        program.ends_with(1);
        let complaint = program.complaint();
        assert!(complaint.lines().count() == 1 && complaint.contains("--headless"), "{complaint:?}");
    }
}
