//! Every scenario that comes along, played by the real program on real processes; and what is said of those
//! whose fault did not happen, or whose file is wrong.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const LAB: &str = env!("CARGO_BIN_EXE_twopc-lab");

/// The lab's own scenarios.
fn shelf() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn play(files: &[&Path], folder: &TempDir) -> (Option<i32>, String) {
    let mut command = Command::new(LAB);
    command.arg("scenario").args(files).args(["--headless", "--runs"]).arg(folder.path().join("runs"));
    for name in ["TWOPC_VOTE", "TWOPC_LAB", "TWOPC_CRASH_AT", "TWOPC_SERVER"] {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// One scenario of this text.
fn played(text: &str) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("one.scenario");
    std::fs::write(&file, text).unwrap();
    play(&[&file], &folder)
}

#[test]
fn every_scenario_that_comes_along_comes_out_as_its_file_says() {
    let folder = TempDir::new().unwrap();
    let (status, said) = play(&[&shelf()], &folder);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.ends_with("13 of 13 came out as they should.\n"), "{said}");
}

const HEAD: &str = "title: T\nwatch: W\nquestion: Q\noutcome: commit\nreason: R\nbook: B\nparticipants: 1\n";
const VOTE: &str = "chair says string: Hello\nchair presses Request\nalice presses Commit\nuntil done\n";

#[test]
fn a_scenario_whose_fault_did_not_happen_has_failed() {
    for (fault, said) in [
        ("hold VOTE_ABORT\n", "line 8: no message met that rule"),
        ("drop ACK from chair\n", "line 8: no message met that rule"),
        ("crash: alice at after:log:ABORT\n", "alice did not die after:log:ABORT"),
    ] {
        let (status, output) = played(&format!("{HEAD}{fault}{VOTE}"));
        assert_eq!(status, Some(1), "{output}");
        assert!(output.contains(said) && output.contains("1 of 1 FAILED."), "{output}");
    }
    let (status, output) = played(&format!("{HEAD}{VOTE}"));
    assert_eq!(status, Some(0), "without a fault the same scenario passes: {output}");
}

#[test]
fn nobody_is_thawed_who_is_not_frozen_or_stopped_who_does_not_run() {
    for (step, said) in [
        ("thaw alice\n", "line 8: alice is not frozen, and cannot be thawed"),
        ("kill alice\nstop alice\n", "line 9: alice does not run, and cannot be stopped"),
    ] {
        let (status, output) = played(&format!("{HEAD}{step}{VOTE}"));
        assert_eq!(status, Some(1), "{output}");
        assert!(output.contains(said), "{output}");
    }
}

#[test]
fn a_scenario_that_comes_out_otherwise_has_failed() {
    let (status, output) = played(&format!("{}{VOTE}", HEAD.replace("outcome: commit", "outcome: abort")));
    assert_eq!(status, Some(1), "{output}");
    assert!(output.contains("FAILED: the outcome is commit, and should be abort"), "{output}");
}

#[test]
fn what_is_no_scenario_is_said_in_one_sentence() {
    let (status, output) = played("title: T\n");
    assert_eq!((status, output.lines().count()), (Some(1), 1), "{output}");
    assert!(output.contains("the file ends without a step"), "{output}");
    let folder = TempDir::new().unwrap();
    let (status, output) = play(&[folder.path()], &folder);
    assert_eq!(status, Some(1));
    assert!(output.contains("has no scenario in it"), "{output}");
}

/// The folder of the one run in there.
fn only_run(runs: &Path) -> std::path::PathBuf {
    let mut entries = std::fs::read_dir(runs).unwrap();
    let run = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "there is one run");
    run
}

fn lab(arguments: &[&str], run: &Path, folder: &TempDir) -> (Option<i32>, String) {
    let mut command = Command::new(LAB);
    command.arg(arguments[0]).arg(run).args(&arguments[1..]).current_dir(folder.path());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn a_run_is_judged_and_done_again_with_the_same_outcome() {
    for (name, verdict, status) in [
        ("01-all-commit", "ATOMIC", 0),
        ("06-coordinator-tells-one", "IN DOUBT", 4),
        ("07-all-in-doubt", "IN DOUBT", 4),
        ("13-the-power-goes-out", "ATOMIC", 0),
    ] {
        let folder = TempDir::new().unwrap();
        let (played, said) = play(&[&shelf().join(format!("{name}.scenario"))], &folder);
        assert_eq!(played, Some(0), "{said}");
        let run = only_run(&folder.path().join("runs"));
        let (judged, said) = lab(&["verify"], &run, &folder);
        assert_eq!(judged, Some(status), "{name}: {said}");
        assert!(said.starts_with(verdict), "{name}: {said}");
        let (again, said) = lab(&["replay", "--runs", "again"], &run, &folder);
        assert_eq!(again, Some(0), "{name}: {said}");
        assert!(said.ends_with("SAME\n"), "{name}: {said}");
    }
}

#[test]
fn an_outcome_that_is_not_the_one_of_the_record_is_said_to_be_different() {
    let folder = TempDir::new().unwrap();
    let (played, said) = play(&[&shelf().join("01-all-commit.scenario")], &folder);
    assert_eq!(played, Some(0), "{said}");
    let run = only_run(&folder.path().join("runs"));
    let events = run.join("events.jsonl");
    let recorded = std::fs::read_to_string(&events).unwrap();
    let claims = recorded.lines().map(|line| match line.contains(r#""user":"bob""#) {
        true => line.replace(r#""state":"COMMIT""#, r#""state":"ABORT""#),
        false => line.to_owned(),
    });
    std::fs::write(&events, claims.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let (again, said) = lab(&["replay", "--runs", "again"], &run, &folder);
    assert_eq!(again, Some(1), "{said}");
    assert!(said.contains("bob is COMMIT with chair.1.1, and was ABORT") && said.ends_with("DIFFERENT\n"), "{said}");
}

#[test]
fn strings_that_are_not_those_of_the_record_are_said_to_be_different() {
    let folder = TempDir::new().unwrap();
    let (played, said) = play(&[&shelf().join("01-all-commit.scenario")], &folder);
    assert_eq!(played, Some(0), "{said}");
    let run = only_run(&folder.path().join("runs"));
    std::fs::write(run.join("data/bob.txt"), "Goodbye\n").unwrap();
    let (again, said) = lab(&["replay", "--runs", "again"], &run, &folder);
    assert_eq!(again, Some(1), "{said}");
    assert!(said.contains("bob.txt has “Hello”, and had “Goodbye”") && said.ends_with("DIFFERENT\n"), "{said}");
}

#[test]
fn who_died_with_the_decision_on_disk_is_judged_by_the_disk() {
    let vote = VOTE.replace("until done", "until alice is gone");
    let (status, output) = played(&format!("{HEAD}crash: alice at after:log:COMMIT\n{vote}"));
    assert_eq!(status, Some(0), "{output}");
    assert!(output.contains("alice COMMIT"), "{output}");
}

#[test]
fn what_is_no_run_is_not_done_again() {
    let folder = TempDir::new().unwrap();
    let (status, said) = lab(&["replay"], folder.path(), &folder);
    assert_eq!((status, said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("is not a recorded run"), "{said}");
}
