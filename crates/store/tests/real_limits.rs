//! The store where this system really has no more to give: a file system that is full, one that is
//! read-only (which binds root, too), and no open files left.
//!
//! Each test runs itself once more, in a process with those limits. File systems are mounted where
//! nobody else sees them and go with that process; a system that does not let one do that is told so
//! and passed over.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use twopc_proto::{CommittedString, Lsn, ParticipantRecord, Role, Sync, TxnId, UserName};
use twopc_store::{Job, Opened, Outcome, Place, RealDisk, Store, StoreError};

type Alice = Store<RealDisk, ParticipantRecord>;

/// Where the process with limits works.
const INSIDE: &str = "TWOPC_STORE_TEST_INSIDE";

/// Mounts a small file system there.
const SMALL: &str = r#"mount -t tmpfs -o size=96k none "$TWOPC_STORE_TEST_INSIDE""#;

/// The folder that this process works in, if it is one with limits; otherwise such a process is
/// started for the test of this name, by this command behind that preparation, and waited for.
fn inside(test: &str, command: &[&str], preparation: &str) -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os(INSIDE) {
        return Some(dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let shell = |script: &str| {
        let mut shell = Command::new(command[0]);
        shell.args(&command[1..]).args(["sh", "-c", script]).arg(std::env::current_exe().unwrap()).env(INSIDE, dir.path());
        shell
    };
    let trial = shell(preparation).output();
    if !trial.as_ref().is_ok_and(|trial| trial.status.success()) {
        eprintln!("passed over: this system does not permit `{}` and `{preparation}` ({trial:?})", command.join(" "));
        return None;
    }
    let run = shell(&format!("{preparation} && exec \"$0\" --exact {test} --nocapture")).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
    None
}

/// A process that sees mounts of its own.
const UNSHARE: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];

fn place(dir: &Path) -> Place {
    Place { dir: dir.join("data"), user: UserName::parse("alice").unwrap(), role: Role::Participant }
}

fn open(dir: &Path) -> Result<(Alice, Opened<ParticipantRecord>), StoreError> {
    Store::open(RealDisk, &place(dir), [7; 32])
}

fn text(dir: &Path) -> String {
    fs::read_to_string(place(dir).text().unwrap()).unwrap()
}

/// The `n`th string: long enough for a small disk to fill up soon.
fn string(n: u64) -> CommittedString {
    CommittedString::parse(&format!("{n} {}", "long ".repeat(60))).unwrap()
}

fn lines(count: u64) -> String {
    (1..=count).map(|n| format!("{}\n", string(n).as_str())).collect()
}

/// Commits the `n`th string, from record 2n - 1 on. `false` if there was no space for that, which may
/// have been at its record or at its line.
fn commit(store: &mut Alice, n: u64, is_recorded: &mut bool) -> Result<bool, StoreError> {
    let (lsn, txn): (Lsn, _) = (2 * n - 1, TxnId::numbered(&UserName::parse("chair").unwrap(), 1, n));
    if !*is_recorded {
        let record = ParticipantRecord::Commit { txn: txn.clone(), string: string(n) };
        match &store.perform(vec![Job::Persist { lsn, record, sync: Sync::Now }])?[..] {
            [Outcome::Durable(durable)] if *durable == lsn => *is_recorded = true,
            [Outcome::Refused(refused)] if *refused == lsn => return Ok(false),
            outcomes => panic!("{outcomes:?}"),
        }
    }
    match &store.perform(vec![Job::Apply { lsn, string: string(n) }])?[..] {
        [Outcome::Applied { lsn: applied }] if *applied == lsn => {}
        [Outcome::Refused(refused)] if *refused == lsn => return Ok(false),
        outcomes => panic!("{outcomes:?}"),
    }
    let record = ParticipantRecord::Applied { txn };
    match &store.perform(vec![Job::Persist { lsn: lsn + 1, record: record.clone(), sync: Sync::Now }])?[..] {
        [Outcome::Durable(_)] => Ok(true),
        // This test's own way of making room: nothing else is tried until that record is written.
        [Outcome::Refused(_)] => {
            make_room();
            assert_eq!(store.perform(vec![Job::Persist { lsn: lsn + 1, record, sync: Sync::Now }])?, [Outcome::Durable(lsn + 1)]);
            Ok(true)
        }
        outcomes => panic!("{outcomes:?}"),
    }
}

fn ballast() -> PathBuf {
    PathBuf::from(std::env::var_os(INSIDE).unwrap()).join("ballast")
}

/// Takes what space there is, but for so many bytes.
fn take_space(but: usize) {
    let mut taken = Vec::new();
    while fs::write(ballast(), &taken).is_ok() {
        taken.resize(taken.len() + 4096, 0);
    }
    fs::write(ballast(), &taken[..taken.len().saturating_sub(4096 + but)]).unwrap();
}

fn make_room() {
    fs::write(ballast(), b"").unwrap();
}

#[test]
fn a_full_disk_refuses_what_it_cannot_take_and_loses_nothing_that_it_took() {
    let Some(dir) = inside("a_full_disk_refuses_what_it_cannot_take_and_loses_nothing_that_it_took", &UNSHARE, SMALL) else { return };
    let (mut store, _) = open(&dir).unwrap();
    let (mut n, mut refusals) = (1, 0);
    while refusals < 5 {
        take_space(4096 * refusals);
        let mut is_recorded = false;
        while commit(&mut store, n, &mut is_recorded).unwrap() {
            (n, is_recorded) = (n + 1, false);
        }
        refusals += 1;
        assert!(text(&dir).starts_with(&lines(n - 1)), "what was committed before stands");
        make_room();
        assert!(commit(&mut store, n, &mut is_recorded).unwrap(), "it is taken once there is room");
        n += 1;
        assert_eq!(text(&dir), lines(n - 1));
    }
    drop(store);
    let (_, opened) = open(&dir).unwrap();
    assert_eq!((opened.records.len() as u64, opened.reports), (2 * (n - 1), vec![]));

    // A start on a full disk says so, and harms nothing; so does a first one.
    let bob = Place { user: UserName::parse("bob").unwrap(), ..place(&dir) };
    take_space(0);
    assert!(matches!(Store::<_, ParticipantRecord>::open(RealDisk, &bob, [8; 32]), Err(StoreError::NoSpace { .. })));
    let failed = (0..200).find_map(|_| open(&dir).err()).unwrap();
    assert!(failed.to_string().starts_with("there is no space left to write"), "{failed}");
    make_room();
    assert_eq!(open(&dir).unwrap().1.records.len() as u64, 2 * (n - 1));
    assert!(Store::<_, ParticipantRecord>::open(RealDisk, &bob, [8; 32]).is_ok());
    assert_eq!(text(&dir), lines(n - 1));
}

#[test]
fn a_read_only_file_system_is_said_in_one_sentence_and_harms_nothing() {
    let Some(dir) = inside("a_read_only_file_system_is_said_in_one_sentence_and_harms_nothing", &UNSHARE, SMALL) else { return };
    let remount = |how: &str| assert!(Command::new("mount").args(["-o", how]).arg(&dir).status().unwrap().success());
    let (mut store, _) = open(&dir).unwrap();
    assert!(commit(&mut store, 1, &mut false).unwrap());
    drop(store);
    let log = fs::read(place(&dir).log()).unwrap();
    remount("remount,ro");
    let refused = open(&dir).map(|_| ()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "this user may not open {}; allow it, or choose another folder with --data-dir (Read-only file system (os error 30))",
            place(&dir).log().display()
        )
    );
    let bob = Place { user: UserName::parse("bob").unwrap(), ..place(&dir) };
    assert!(matches!(Store::<_, ParticipantRecord>::open(RealDisk, &bob, [8; 32]), Err(StoreError::Forbidden { .. })));
    assert_eq!(fs::read(place(&dir).log()).unwrap(), log);
    remount("remount,rw");
    let (mut store, opened) = open(&dir).unwrap();
    assert_eq!(opened.records.len(), 2);
    assert!(commit(&mut store, 2, &mut false).unwrap());
    assert_eq!(text(&dir), lines(2));
}

#[test]
fn without_an_open_file_left_the_store_says_so_and_the_next_start_goes_on() {
    let few = "ulimit -n 32";
    let Some(dir) = inside("without_an_open_file_left_the_store_says_so_and_the_next_start_goes_on", &["env"], few) else { return };
    drop(open(&dir).unwrap());
    // Every number of files left, from none on, until it is enough.
    let mut refusals = 0;
    let store = (0..10).find_map(|left| {
        let held = all_open_files_but(left);
        let opened = open(&dir);
        drop(held);
        match opened {
            Ok((store, _)) => Some(store),
            Err(StoreError::TooManyOpen { .. }) => {
                refusals += 1;
                None
            }
            Err(error) => panic!("with {left} files left: {error}"),
        }
    });
    let mut store = store.unwrap();
    assert!(refusals > 0);
    // The text file is opened for each line.
    let held = all_open_files_but(0);
    let failed = commit(&mut store, 1, &mut false).unwrap_err();
    drop((held, store));
    assert!(failed.to_string().starts_with("the system has no open file left to open"), "{failed}");
    let (mut store, opened) = open(&dir).unwrap();
    assert_eq!(opened.records.len(), 1, "COMMIT was durable");
    assert!(commit(&mut store, 1, &mut true).unwrap());
    assert_eq!(text(&dir), lines(1));
}

/// Holds as many files as this process may open, but for so many.
fn all_open_files_but(left: usize) -> Vec<File> {
    let mut held: Vec<File> = std::iter::repeat_with(|| File::open("/dev/null")).map_while(Result::ok).collect();
    held.truncate(held.len().saturating_sub(left));
    held
}
