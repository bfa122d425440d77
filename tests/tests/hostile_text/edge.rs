//! What stands in flags, in variables and in files that somebody else has written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use twopc_tests::Room;
use twopc_tests::room::is_in;

use crate::eyes::can_be_looked_at;
use crate::payloads::{MARK, Payload, payloads};

fn suite() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twopc-suite"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOPC_")) {
        command.env_remove(name);
    }
    command
}

/// A program that ends by itself with this status, and says why.
#[track_caller]
fn refuses(what: &str, command: &mut Command, statuses: &[i32]) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.code().is_some_and(|code| statuses.contains(&code)), "{what}: {status} {}", String::from_utf8_lossy(&stderr));
    can_be_looked_at(what, &stdout);
    can_be_looked_at(what, &stderr);
    assert!(stderr.len() > 20 && stderr.len() < 200_000, "{what}: it says why, in a few words");
    String::from_utf8(stderr).unwrap()
}

#[test]
fn what_stands_in_flags_and_variables_is_repeated_safely() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |Payload { what, text, .. }: &Payload, flags: &[&str], statuses: &[i32]| {
        refuses(&format!("{what} after {flags:?}"), suite().current_dir(folder.path()).args(flags).arg(text), statuses)
    };
    // A flag cannot have a NUL in it.
    let all: Vec<Payload> = payloads().into_iter().filter(|payload| !payload.text.contains('\0')).collect();
    for payload in &all {
        refused(payload, &["server", "--forget"], &[2]);
    }
    for what in ["a clearing of the screen", "a bidirectional override", "a line of its own", "a very long line"] {
        let payload = all.iter().find(|payload| payload.what == what).unwrap();
        refused(payload, &["--participants"], &[2]);
        refused(payload, &["server", "--listen"], &[1, 2]);
        refused(payload, &["participant", "--headless", "--user"], &[2]);
        refused(payload, &["participant", "--headless", "--user", "alice", "--server"], &[2]);
        refused(payload, &["participant", "--headless", "--user", "alice", "--crash-at"], &[2]);
        refused(payload, &["coordinator"], &[2]);
        let mut variable = suite();
        variable.current_dir(folder.path()).args(["participant", "--headless", "--user", "alice"]).env("TWOPC_VOTE", &payload.text);
        refuses(&format!("{what} in a variable"), &mut variable, &[2]);
    }
}

#[test]
fn files_that_somebody_else_wrote_are_named_and_not_repeated_raw() {
    for Payload { what, text, .. } in payloads() {
        let logs = tempfile::tempdir().unwrap();
        for names in [text.clone(), json!({"names": {&text: {"salt": "", "sha256": ""}}}).to_string(), json!({&text: 1}).to_string()] {
            fs::write(logs.path().join("names.json"), &names).unwrap();
            let said = refuses(what, suite().args(["server", "--listen", "127.0.0.1:0", "--logs"]).arg(logs.path()), &[1]);
            assert!(said.contains("names.json is damaged") && said.lines().count() == 1, "{said}");
            assert_eq!(fs::read_to_string(logs.path().join("names.json")).unwrap(), names, "it is left alone");
        }
        let data = tempfile::tempdir().unwrap();
        let start = |file: &str| {
            fs::write(data.path().join(file), format!("{text}\n")).unwrap();
            let mut participant = suite();
            participant.args(["participant", "--headless", "--user", "alice", "--server", "127.0.0.1:9", "--data-dir"]).arg(data.path());
            let said = refuses(&format!("{what} in {file}"), &mut participant, &[1]);
            assert!(said.contains("damaged") && said.lines().count() == 1, "{said}");
            fs::remove_file(data.path().join(file)).unwrap();
        };
        start("alice.participant.dtlog");
    }
}

/// A folder's name may hold nearly anything, and stands in sentences.
#[test]
fn a_folder_with_a_hostile_name_is_named_safely() {
    let folder = tempfile::tempdir().unwrap();
    for Payload { what, text, .. } in payloads().into_iter().filter(|payload| payload.text.len() < 200) {
        let name: String = text.chars().filter(|c| !matches!(c, '/' | '\0')).collect();
        let file = folder.path().join(&name);
        fs::write(&file, "").unwrap();
        let inside = file.join("logs");
        refuses(what, suite().args(["server", "--listen", "127.0.0.1:0", "--logs"]).arg(&inside), &[1]);
        let mut participant = suite();
        participant.args(["participant", "--headless", "--user", "alice", "--server", "127.0.0.1:9", "--data-dir"]).arg(&inside);
        refuses(what, &mut participant, &[1]);
    }
}

#[test]
fn a_text_file_that_somebody_edited_is_reported_safely() {
    let room = Room::open(env!("CARGO_BIN_EXE_twopc-suite"));
    let text = room.data("alice").join("alice.txt");
    let mut alice = room.participant("alice", "commit", &[]);
    is_in(&mut alice);
    room.coordinator("chair", &["--propose", "Hello"]).ends_with(0);
    alice.quits();
    let all: String = payloads().into_iter().map(|payload| payload.text + "\n").collect();
    fs::write(&text, &all).unwrap();
    let mut alice = room.participant("alice", "commit", &[]);
    let report = alice.event(&json!({"event": "notice"}));
    assert!(report["message"].as_str().unwrap().contains("was changed by hand"), "{report}");
    is_in(&mut alice);
    alice.quits();
    can_be_looked_at("alice", alice.lines_so_far().join("\n").as_bytes());
    can_be_looked_at("alice's complaints", alice.complaint().as_bytes());
    assert!(Path::new(&text).exists() && fs::read_to_string(&text).unwrap() == all && all.contains(MARK), "it is kept as it is");
}
