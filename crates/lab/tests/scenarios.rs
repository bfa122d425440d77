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
    assert!(said.ends_with("12 of 12 came out as they should.\n"), "{said}");
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
