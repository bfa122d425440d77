//! A disk that fails at every call, once and for good, in every way: the store says so in one
//! sentence or goes on, and at the next start what it promised is there.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use std::io::ErrorKind;

use room::disk::{Cut, EIO, EMFILE, Fault, MemDisk};
use room::{Life, Told, open, text};
use twopc_store::StoreError;

const STRINGS: [&str; 3] = ["Hello", "தமிழ்", "Hello"];
const AS_TEXT: &str = "Hello\nதமிழ்\nHello\n";

const FAULTS: [Fault; 9] = [
    Fault::Error(ErrorKind::StorageFull),
    Fault::Error(ErrorKind::QuotaExceeded),
    Fault::Error(ErrorKind::Other),
    Fault::Os(EIO),
    Fault::Os(EMFILE),
    Fault::Error(ErrorKind::ReadOnlyFilesystem),
    Fault::Error(ErrorKind::PermissionDenied),
    Fault::Short(ErrorKind::StorageFull),
    Fault::Short(ErrorKind::Other),
];

/// What becomes of a life whose `at`th call fails, and whether it had so many.
fn lives_with(disk: &MemDisk, told: &mut Told, at: usize, fault: Fault, for_good: bool) -> (Result<(), StoreError>, bool) {
    disk.plan(at, fault, for_good);
    let lived = Life::begin(disk, told).and_then(|mut life| life.run(told, &STRINGS));
    (lived, disk.asked().len() > at)
}

#[test]
fn whichever_call_fails_the_next_start_puts_it_right() {
    for fault in FAULTS {
        for for_good in [false, true] {
            for cut in [Cut::Kill, Cut::Lost] {
                for at in 0.. {
                    let (disk, mut told) = (MemDisk::default(), Told::default());
                    let (lived, was_reached) = lives_with(&disk, &mut told, at, fault, for_good);
                    if let Err(error) = lived {
                        assert_is_a_sentence(&error);
                    }
                    disk.cut(cut);
                    let again = Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS));
                    assert!(again.is_ok(), "{fault:?} at call {at}, for good: {for_good}, then {cut:?}: {again:?}");
                    assert_eq!(text(&disk), AS_TEXT, "{fault:?} at call {at}, for good: {for_good}, then {cut:?}");
                    if !was_reached {
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn a_write_without_space_ends_nothing_while_the_program_runs() {
    for fault in [Fault::Error(ErrorKind::StorageFull), Fault::Short(ErrorKind::StorageFull)] {
        let mut appends = 0;
        for at in 0.. {
            let (disk, mut told) = (MemDisk::default(), Told::default());
            let mut life = Life::begin(&disk, &mut told).expect("it starts");
            let started = disk.asked().len();
            disk.plan(at, fault, false);
            let lived = life.run(&mut told, &STRINGS);
            let asked = disk.asked();
            let Some((call, file)) = asked.get(started + at) else { break };
            if *call == "append" {
                appends += 1;
                assert!(lived.is_ok(), "{fault:?} at call {at}, {call} {file}: {lived:?}");
                assert_eq!(text(&disk), AS_TEXT, "{fault:?} at call {at}, {call} {file}");
            }
        }
        assert_eq!(appends, 12, "four a string: READY, COMMIT, the line, APPLIED");
    }
}

#[test]
fn a_sync_that_failed_is_not_tried_again_and_not_believed_at_the_next_start() {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    let mut life = Life::begin(&disk, &mut told).expect("it starts");
    let before = disk.see(&room::place().log()).expect("the log is there");
    let syncs = disk.count("sync", ".dtlog");
    disk.plan(1, Fault::Error(ErrorKind::Other), false); // after the append
    let failed = life.run(&mut told, &["Hello"]).expect_err("the sync failed");
    assert_eq!(failed.to_string(), "the disk failed to sync /home/data/alice.participant.dtlog; check it, then start again (other error)");
    assert_eq!(disk.count("sync", ".dtlog"), syncs + 1);
    // The bytes are in the system's memory, which calls them clean; the disk does not have them.
    assert!(disk.see(&room::place().log()).is_some_and(|log| log.len() > before.len()));
    let (_, opened) = open(&disk).expect("it starts again");
    assert_eq!(opened.records, []);
}

#[test]
fn a_read_error_is_not_an_empty_log() {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS)).expect("it runs");
    let calls = disk.asked().len();
    open(&disk).expect("it opens");
    let log = disk.see(&room::place().log());
    let reads: Vec<usize> = (0..).zip(&disk.asked()[calls..]).filter(|(_, (call, _))| *call == "read").map(|(at, _)| at).collect();
    let mut failures = Vec::new();
    for at in reads {
        disk.plan(at, Fault::Error(ErrorKind::Other), false);
        failures.extend(open(&disk).err().map(|error| error.to_string()));
        assert!(disk.see(&room::place().log()).is_some_and(|now| now.starts_with(log.as_ref().expect("there is a log"))));
    }
    let sentence = |file| format!("the disk failed to read /home/data/alice.{file}; check it, then start again (other error)");
    assert_eq!(failures, ["key", "participant.dtlog", "txt"].map(sentence));
}

#[test]
fn too_many_open_files_end_the_program_and_harm_nothing() {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    let mut life = Life::begin(&disk, &mut told).expect("it starts");
    life.run(&mut told, &STRINGS[..1]).expect("it runs");
    disk.plan(0, Fault::Os(EMFILE), true);
    let sentence = open(&disk).err().map(|error| error.to_string());
    assert_eq!(
        sentence.as_deref(),
        Some(
            "the system has no open file left to read /home/data/alice.key; close other programs, then start again (Too many open files (os error 24))"
        )
    );
    // The log is open already, the text file is opened for each line.
    let failed = life.run(&mut told, &STRINGS).expect_err("no file can be opened");
    assert!(matches!(failed, StoreError::TooManyOpen { .. }), "{failed}");
    disk.heal();
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS)).expect("it starts again");
    assert_eq!(text(&disk), AS_TEXT);
}

#[test]
fn a_full_disk_and_a_read_only_folder_are_said_in_one_sentence() {
    for (fault, sentence) in [
        (
            ErrorKind::StorageFull,
            "there is no space left to create /home/data/alice.participant.dtlog; make some, then start again (no storage space)",
        ),
        (
            ErrorKind::ReadOnlyFilesystem,
            "this user may not create /home/data/alice.participant.dtlog; allow it, or choose another folder with --data-dir \
             (read-only filesystem or storage medium)",
        ),
    ] {
        let disk = MemDisk::default();
        let calls = first_call(&disk, "create");
        let disk = MemDisk::default();
        disk.plan(calls, Fault::Error(fault), true);
        assert_eq!(open(&disk).err().map(|error| error.to_string()).as_deref(), Some(sentence));
    }
}

/// At which call a first start does this first.
fn first_call(disk: &MemDisk, what: &str) -> usize {
    open(disk).expect("it opens");
    disk.asked().iter().position(|(call, _)| *call == what).expect("it does")
}

/// One sentence that names a file and says what to do.
fn assert_is_a_sentence(error: &StoreError) {
    let sentence = error.to_string();
    assert!(sentence.contains("/home") && sentence.contains("; ") && !sentence.contains('\n'), "{sentence}");
}
