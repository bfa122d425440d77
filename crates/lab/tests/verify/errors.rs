//! Folders of which nothing can be said.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::run::{Run, verify, verify_with};

#[test]
fn a_folder_that_is_not_there_or_none_is_an_error() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    verify(&[&missing]).is_error(&[missing.to_str().unwrap(), "is not there"]);
    fs::write(&missing, "hello").unwrap();
    verify(&[&missing]).is_error(&["is no folder"]);
    let run = Run::committed();
    verify(&[run.folder(), Path::new("/nowhere")]).is_error(&["/nowhere is not there"]);
}

#[test]
fn a_folder_with_nothing_of_ours_is_an_error() {
    let folder = TempDir::new().unwrap();
    verify(&[folder.path()]).is_error(&["There is nothing to judge in", folder.path().to_str().unwrap()]);
    fs::write(folder.path().join("notes.txt"), "Hello\n").unwrap();
    fs::write(folder.path().join("a b.participant.dtlog"), "Hello\n").unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    verify(&[folder.path()]).is_error(&["There is nothing to judge in"]);
    let run = Run::committed();
    verify(&[run.folder(), folder.path()]).is_error(&[folder.path().to_str().unwrap()]);
    fs::write(folder.path().join("room.http"), "").unwrap();
    verify(&[folder.path()]).is_error(&["There is nothing to judge in"]);
}

#[test]
fn a_run_that_was_not_closed_is_an_error_that_says_what_to_judge_instead() {
    let run = Run::committed();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("run.json"), "{}").unwrap();
    let before = folder.path().join("before");
    fs::create_dir(&before).unwrap();
    for log in ["alice.participant.dtlog", "chair.coordinator.dtlog"] {
        fs::copy(run.data(log), before.join(log)).unwrap();
    }
    let said = ["is a run that was not closed", "give the room's data directory"];
    verify(&[folder.path()]).is_error(&said);
    // The lab was killed while it copied.
    fs::rename(&before, folder.path().join("after.part")).unwrap();
    fs::create_dir(folder.path().join("relay")).unwrap();
    fs::write(folder.path().join("relay").join("room.http"), "").unwrap();
    verify(&[folder.path()]).is_error(&said);
    fs::rename(folder.path().join("after.part"), folder.path().join("after")).unwrap();
    assert_ne!(verify(&[folder.path()]).status, 1, "with all of it there is a verdict");
}

#[test]
fn a_log_that_is_damaged_in_the_middle_is_an_error() {
    let run = Run::committed();
    let log = run.data("alice.participant.dtlog");
    let mut bytes = fs::read(&log).unwrap();
    let at = bytes.windows(7).position(|bytes| bytes == b"Hello 2").unwrap();
    bytes[at] = b'h';
    fs::write(&log, bytes).unwrap();
    run.verify().is_error(&["alice.participant.dtlog is damaged: line ", "was changed"]);
}

#[test]
fn a_log_that_is_lost_is_an_error() {
    let run = Run::committed();
    fs::remove_file(run.data("alice.participant.dtlog")).unwrap();
    run.verify().is_error(&["alice.participant.dtlog is gone", "alice.key says that this name was used as participant"]);
}

#[test]
fn a_log_under_another_name_or_given_twice_is_an_error() {
    let run = Run::committed();
    fs::copy(run.data("alice.participant.dtlog"), run.data("carol.participant.dtlog")).unwrap();
    run.verify().is_error(&["carol.participant.dtlog is the log of alice as participant"]);
    let (one, other) = (Run::committed(), Run::committed());
    verify(&[one.folder(), other.folder()]).is_error(&["are both the log of alice as participant"]);
    verify(&[one.folder(), &one.folder().join("data")]).is(0, "ATOMIC", ["holds"; 5]);
}

#[test]
fn a_record_that_is_damaged_is_an_error() {
    let run = Run::committed();
    let record = fs::read_to_string(run.record()).unwrap();
    fs::write(run.record(), record.replacen("From: alice\r\n", "", 1)).unwrap();
    run.verify().is_error(&["room.http is damaged: the frame at line ", "From header is missing"]);
    fs::write(run.record(), format!("hello\r\n\r\n{record}")).unwrap();
    run.verify().is_error(&["room.http is damaged: the frame at line 1 cannot be read"]);
}

#[test]
fn what_this_user_may_not_read_is_an_error() {
    let run = Run::committed();
    let log = run.data("alice.participant.dtlog");
    fs::set_permissions(&log, PermissionsExt::from_mode(0o000)).unwrap();
    // Whoever may read everything is not stopped by that.
    if fs::read(&log).is_err() {
        run.verify().is_error(&["alice.participant.dtlog cannot be read"]);
    } else {
        run.verify().is(0, "ATOMIC", ["holds"; 5]);
    }
}

#[test]
fn without_a_folder_it_is_wrong_usage() {
    assert_eq!(verify_with(&[], &[]).status, 2);
    assert_eq!(verify_with(&["--nonsense"], &[Path::new(".")]).status, 2);
}
