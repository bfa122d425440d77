//! Runs as they were left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use twopc_proto::log::Logged;
use twopc_proto::{LogRecord, ParticipantRecord, RecordKind};

use super::run::{Run, is, play, quote, txn, verify, verify_with};

const HOLDS: [&str; 5] = ["holds"; 5];

#[test]
fn a_run_that_committed_is_atomic() {
    let said = Run::committed().verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["Transactions: 3 committed, 0 aborted, 0 undecided.", "It rests on 3 stable logs and 2 text files, and on "]);
}

#[test]
fn a_run_that_aborted_is_atomic() {
    let run = Run::aborted();
    let said = run.verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["Transactions: 0 committed, 1 aborted, 0 undecided."]);
}

#[test]
fn a_data_directory_and_a_log_directory_say_the_same_as_the_runs_folder() {
    let run = Run::committed();
    let (data, relay) = (run.folder().join("data"), run.folder().join("relay"));
    assert_eq!(verify(&[&data, &relay]).out, run.verify().out);
    let alone = verify(&[&data]);
    alone.is(0, "ATOMIC", HOLDS);
    alone.says(&["no relay's record: what was said is not judged"]);
}

#[test]
fn compacted_logs_say_the_same() {
    let run = Run::committed();
    run.compact();
    assert!(quote(&run.data("alice.participant.dtlog"), &["DECIDED"]).contains(r#""through":2"#), "the log was rid of two of them");
    let said = run.verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["Transactions: 3 committed, 0 aborted, 0 undecided."]);
}

#[test]
fn whoever_has_promised_and_knows_no_decision_is_in_doubt_and_it_is_said_who_settles_that() {
    let run = Run::in_doubt();
    let said = run.verify();
    said.is(4, "IN DOUBT", ["open", "open", "holds", "holds", "holds"]);
    said.says(&[
        "alice is in doubt about chair.1.1: it has promised, and its log holds no decision; chair has not decided",
        "bob is in doubt about chair.1.1",
        &quote(&run.data("alice.participant.dtlog"), &["READY"]),
        &quote(&run.data("chair.coordinator.dtlog"), &["START"]),
        "Transactions: 0 committed, 0 aborted, 1 undecided.",
    ]);
}

#[test]
fn without_the_coordinators_log_nobody_can_settle_it() {
    let run = Run::in_doubt();
    fs::remove_file(run.data("chair.coordinator.dtlog")).unwrap();
    fs::remove_file(run.data("chair.key")).unwrap();
    let said = run.verify();
    said.is(4, "IN DOUBT", ["open", "holds", "holds", "holds", "holds"]);
    said.says(&["nobody whose log is here can settle it, since all of them have promised; chair can"]);
}

#[test]
fn a_peer_that_has_not_voted_settles_it() {
    let run = Run::in_doubt();
    run.participant("bob", Vec::clear);
    let said = verify(&[&run.folder().join("data")]);
    said.is(4, "IN DOUBT", ["open", "open", "holds", "holds", "holds"]);
    let bob = run.data("bob.participant.dtlog");
    said.says(&[
        "bob has not voted, so it aborts as soon as it is asked",
        &format!("{}: no READY of chair.1.1 among its 2 lines", bob.display()),
    ]);
}

#[test]
fn a_commit_whose_line_does_not_stand_yet_is_open() {
    let run = Run::committed();
    fs::remove_file(run.record()).unwrap();
    run.participant("alice", |records| records.retain(|logged| !is(logged, RecordKind::Applied, &txn(3))));
    run.text("alice", |lines| _ = lines.pop());
    let said = run.verify();
    said.is(4, "IN DOUBT", ["holds", "holds", "holds", "open", "holds"]);
    let commit = quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.3"]);
    said.says(&["“Hello 3” of chair.1.3 is committed at alice and does not stand in the text file yet", &commit]);
    // The beginning of a line that is being written changes nothing.
    let text = fs::read_to_string(run.data("alice.txt")).unwrap();
    fs::write(run.data("alice.txt"), text + "Hel").unwrap();
    assert_eq!(run.verify().out, said.out);
}

#[test]
fn a_coordinator_that_has_not_heard_from_everybody_is_open() {
    let run = Run::committed();
    run.chair(|records| records.retain(|logged| !is(logged, RecordKind::End, &txn(2))));
    let said = run.verify();
    said.is(4, "IN DOUBT", ["open", "holds", "holds", "holds", "holds"]);
    said.says(&[
        "chair has decided to commit chair.1.2 and has not heard from everybody",
        &quote(&run.data("chair.coordinator.dtlog"), &["COMMIT", "chair.1.2"]),
    ]);
}

#[test]
fn a_participant_whose_log_was_not_given_leaves_it_open() {
    let run = Run::committed();
    for name in ["bob.participant.dtlog", "bob.key", "bob.txt"] {
        fs::remove_file(run.data(name)).unwrap();
    }
    let said = run.verify();
    said.is(4, "IN DOUBT", ["open", "holds", "holds", "holds", "holds"]);
    said.says(&["the log of bob is not here, a participant of 3 transactions"]);
}

#[test]
fn a_torn_tail_is_what_a_crash_leaves_and_no_damage() {
    let run = Run::committed();
    let log = run.data("alice.participant.dtlog");
    run.participant("alice", |records: &mut Vec<Logged<ParticipantRecord>>| {
        records.sort_by_key(|logged| logged.record.kind() == RecordKind::Applied);
    });
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 10]).unwrap();
    let said = run.verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["alice.participant.dtlog ends in the middle of a write"]);
}

#[test]
fn a_record_that_is_being_written_ends_in_the_middle_of_a_frame() {
    let run = Run::committed();
    let bytes = fs::read(run.record()).unwrap();
    fs::write(run.record(), &bytes[..bytes.len() - 5]).unwrap();
    let said = run.verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["room.http ends in the middle of a frame, at line "]);
}

#[test]
fn the_verdict_is_also_one_json_object() {
    let run = Run::in_doubt();
    let said = verify_with(&["--json"], &[run.folder()]);
    let verdict: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.status, &verdict["verdict"], said.out.lines().count()), (4, &"IN DOUBT".into(), 1));
    let agreement = &verdict["rows"][0];
    assert_eq!((&agreement["invariant"], &agreement["mark"]), (&"agreement".into(), &"open".into()));
    assert_eq!(agreement["findings"][0]["quotes"][0]["line"], 3);
    assert_eq!(verdict["rows"].as_array().unwrap().len(), 5);
}

#[test]
fn a_room_at_work_is_judged_fairly() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut looks = BTreeMap::new();
    let mut look = || {
        let said = verify(&[folder.path()]);
        // Before the first log is there, there is nothing to judge.
        let is_fair = [0, 4].contains(&said.status) || said.err.starts_with("There is nothing to judge in");
        assert!(is_fair, "{}{}", said.out, said.err);
        *looks.entry(said.status).or_insert(0) += 1;
    };
    let chair = ["--propose", "Hello {n}", "--count", "400", "--concurrency", "4"];
    let status = play(folder.path(), "commit", &chair, Some(&mut look));
    assert_eq!(status, Some(0));
    assert!(looks.contains_key(&4), "it was looked at while something was going on: {looks:?}");
    let said = verify(&[folder.path()]);
    said.is(0, "ATOMIC", HOLDS);
    said.says(&["Transactions: 400 committed, 0 aborted, 0 undecided."]);
}

#[test]
fn nothing_is_changed_by_looking() {
    let run = Run::in_doubt();
    let before = state(run.folder());
    run.verify();
    assert_eq!(state(run.folder()), before);
}

/// Every file's content and time of change.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut files = BTreeMap::new();
    for folder in [folder.join("data"), folder.join("relay")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.clone(), (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap()));
        }
    }
    files
}
