//! Whatever waits is written and synced as one, and a disk without space drops what is behind the
//! record that did not fit.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use std::io::ErrorKind;

use room::disk::{Cut, Fault, MemDisk};
use room::{applied, apply, commit, open, persist, place, ready, text, text_path};
use twopc_proto::{Lsn, ParticipantRecord};
use twopc_store::{Job, Outcome};

/// What a batch asked of the files: `append alice.txt` and so on, looks left out.
fn asked(disk: &MemDisk, since: usize) -> Vec<String> {
    disk.asked()[since..].iter().filter(|(call, _)| *call != "look").map(|(call, file)| format!("{call} {file}")).collect()
}

/// Does a batch, and says what came of it and what it asked of the disk.
fn perform(disk: &MemDisk, store: &mut room::Participant, jobs: Vec<Job<ParticipantRecord>>) -> (Vec<Outcome>, Vec<String>) {
    let since = disk.asked().len();
    let outcomes = store.perform(jobs).expect("the disk is well");
    (outcomes, asked(disk, since))
}

#[test]
fn many_records_cost_one_write_and_one_sync() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    let jobs = (1..=100).map(|n| persist(n as Lsn, ready(n, "Hello"))).collect();
    let (outcomes, asked) = perform(&disk, &mut store, jobs);
    assert_eq!(outcomes, [Outcome::Durable(100)]);
    assert_eq!(asked, ["append alice.participant.dtlog", "sync alice.participant.dtlog"]);
    disk.cut(Cut::Lost);
    assert_eq!(open(&disk).unwrap().1.records.len(), 100);
}

#[test]
fn records_that_can_wait_are_written_and_become_durable_with_the_next_sync() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(1, commit(1, "Hello")), apply(1, "Hello")]).unwrap();
    let (outcomes, asked) = perform(&disk, &mut store, vec![persist(2, applied(1))]);
    assert_eq!(outcomes, []);
    assert_eq!(asked, ["sync alice.txt", "append alice.participant.dtlog"]);
    assert!(!disk.is_safe(&place().log()));
    let (outcomes, asked) = perform(&disk, &mut store, vec![persist(3, ready(2, "World"))]);
    assert_eq!(outcomes, [Outcome::Durable(3)]);
    assert_eq!(asked, ["append alice.participant.dtlog", "sync alice.participant.dtlog"]);
    assert!(disk.is_safe(&place().log()));
}

#[test]
fn many_lines_cost_one_append_and_one_sync_before_they_are_called_applied() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(1, commit(1, "one")), persist(2, commit(2, "two")), persist(3, commit(3, "three"))]).unwrap();
    let (outcomes, asked) = perform(&disk, &mut store, vec![apply(1, "one"), apply(2, "two"), apply(3, "three")]);
    assert_eq!(outcomes, [Outcome::Applied { lsn: 1 }, Outcome::Applied { lsn: 2 }, Outcome::Applied { lsn: 3 }]);
    assert_eq!(asked, ["open alice.txt", "append alice.txt"]);
    let (_, asked) = perform(&disk, &mut store, (1..=3).map(|n| persist(n as Lsn + 3, applied(n))).collect());
    assert_eq!(asked, ["sync alice.txt", "append alice.participant.dtlog"]);
    assert_eq!(text(&disk), "one\ntwo\nthree\n");
}

#[test]
fn a_line_is_appended_only_once_its_record_is_on_the_disk() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    let waits = Job::Persist { lsn: 1, record: commit(1, "Hello"), sync: twopc_proto::Sync::Later };
    let (outcomes, asked) = perform(&disk, &mut store, vec![apply(1, "Hello"), waits]);
    assert_eq!(outcomes, [Outcome::Applied { lsn: 1 }]);
    assert_eq!(asked, ["append alice.participant.dtlog", "sync alice.participant.dtlog", "open alice.txt", "append alice.txt"]);
}

#[test]
fn lines_stand_in_the_order_of_their_records_whatever_is_asked_first() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(1, commit(1, "one")), persist(2, commit(2, "two"))]).unwrap();
    assert_eq!(store.perform(vec![apply(2, "two")]).unwrap(), [Outcome::Applied { lsn: 2 }]);
    assert_eq!(text(&disk), "one\ntwo\n");
    assert_eq!(store.perform(vec![apply(1, "one"), apply(2, "two")]).unwrap(), [Outcome::Applied { lsn: 1 }, Outcome::Applied { lsn: 2 }]);
    assert_eq!(text(&disk), "one\ntwo\n");
}

#[test]
fn behind_a_refused_record_nothing_is_written_until_it_comes_again() {
    for fault in
        [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].map(Fault::Error).into_iter().chain([Fault::Short(ErrorKind::StorageFull)])
    {
        let disk = MemDisk::default();
        let (mut store, _) = open(&disk).unwrap();
        store.perform(vec![persist(1, ready(1, "one"))]).unwrap();
        let whole = disk.see(&place().log()).unwrap();

        disk.plan(0, fault, false);
        let (outcomes, asked) = perform(&disk, &mut store, vec![persist(2, ready(2, "two")), persist(3, ready(3, "three"))]);
        assert_eq!(outcomes, [Outcome::Refused(2)], "{fault:?}");
        assert!(asked.ends_with(&["truncate", "sync"].map(|call| format!("{call} alice.participant.dtlog"))), "{asked:?}");
        assert_eq!(disk.see(&place().log()).unwrap(), whole, "it was cut back");
        assert!(disk.is_safe(&place().log()), "and the disk knows");

        let (outcomes, asked) = perform(&disk, &mut store, vec![persist(4, ready(4, "four"))]);
        assert_eq!((outcomes, asked), (vec![], vec![]), "what was queued behind it is dropped");
        let again = vec![persist(5, ready(5, "five")), persist(2, commit(1, "one")), persist(3, ready(6, "six"))];
        assert_eq!(store.perform(again).unwrap(), [Outcome::Durable(3)]);
        assert_eq!(open(&disk).unwrap().1.records, [ready(1, "one"), commit(1, "one"), ready(6, "six")]);
    }
}

#[test]
fn a_refused_commit_leaves_no_stamp_behind() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    disk.plan(0, Fault::Error(ErrorKind::StorageFull), false);
    assert_eq!(store.perform(vec![persist(1, commit(1, "a longer string")), persist(2, commit(2, "two"))]).unwrap(), [Outcome::Refused(1)]);
    store.perform(vec![persist(1, commit(2, "two"))]).unwrap();
    let (outcomes, _) = perform(&disk, &mut store, vec![apply(1, "two")]);
    assert_eq!(outcomes, [Outcome::Applied { lsn: 1 }]);
    assert_eq!(text(&disk), "two\n");
}

#[test]
fn a_text_file_without_space_refuses_the_line_and_takes_it_later() {
    for fault in [Fault::Error(ErrorKind::StorageFull), Fault::Short(ErrorKind::StorageFull)] {
        let disk = MemDisk::default();
        let (mut store, _) = open(&disk).unwrap();
        store.perform(vec![persist(1, commit(1, "one")), persist(2, commit(2, "two"))]).unwrap();
        disk.plan(3, fault, false); // a look, the opening, another look, the append
        assert_eq!(store.perform(vec![apply(1, "one")]).unwrap(), [Outcome::Refused(1)]);
        assert_eq!(text(&disk), "", "what was written of it is cut off again");
        assert_eq!(store.perform(vec![apply(1, "one")]).unwrap(), [Outcome::Applied { lsn: 1 }]);
        assert_eq!(text(&disk), "one\n");
    }
}

#[test]
fn a_log_that_is_taken_away_while_the_program_runs_promises_nothing_more() {
    type Taking = fn(&MemDisk);
    let ways: [Taking; 3] = [
        |disk| disk.delete(&place().log()),
        |disk| disk.put(&place().log(), &disk.see(&place().log()).unwrap()),
        |disk| disk.save(&place().log(), b"mine now"),
    ];
    for take in ways {
        let disk = MemDisk::default();
        let (mut store, _) = open(&disk).unwrap();
        take(&disk);
        let error = store.perform(vec![persist(1, ready(1, "one"))]).expect_err("nobody would find it");
        assert_eq!(
            error.to_string(),
            "/home/data/alice.participant.dtlog was deleted, replaced or changed while this program ran; put it back as it was, then start again"
        );
    }
}

#[test]
fn a_first_start_has_the_log_on_the_disk_before_the_key_and_the_text_file() {
    let disk = MemDisk::default();
    open(&disk).unwrap();
    assert_eq!(
        asked(&disk, 0),
        [
            "read alice.key",
            "create_dir home",
            "sync_dir /",
            "create_dir data",
            "sync_dir home",
            "create alice.participant.dtlog.new",
            "append alice.participant.dtlog.new",
            "sync alice.participant.dtlog.new",
            "rename alice.participant.dtlog",
            "sync_dir data",
            "sync_dir home",
            "read alice.participant.dtlog",
            "open alice.participant.dtlog",
            "append alice.participant.dtlog",
            "sync alice.participant.dtlog",
            "create alice.key.new",
            "append alice.key.new",
            "sync alice.key.new",
            "rename alice.key",
            "sync_dir data",
            "read alice.txt",
            "create alice.txt.new",
            "sync alice.txt.new",
            "rename alice.txt",
            "sync_dir data",
            "read alice.txt",
            "sync_dir data",
        ]
    );
    for path in [place().log(), place().key(), text_path()] {
        assert!(disk.is_safe(&path), "{}", path.display());
    }
}
