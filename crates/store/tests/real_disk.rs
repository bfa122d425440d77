//! The store on this machine's disk: the files, who may read them, and the lock.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use twopc_proto::{CommittedString, ParticipantRecord, Role, Sync, TxnId, UserName};
use twopc_store::{Job, Lock, Outcome, Place, RealDisk, Store, StoreError};

fn place(dir: &Path) -> Place {
    Place { dir: dir.join("data"), user: UserName::parse("Alice").unwrap(), role: Role::Participant }
}

fn open(place: &Place) -> Result<Store<RealDisk, ParticipantRecord>, StoreError> {
    Store::open(RealDisk, place, [7; 32]).map(|(store, _)| store)
}

/// Commits a string in a transaction of its own, as the `lsn`th and the following record.
fn commit(store: &mut Store<RealDisk, ParticipantRecord>, lsn: u64, string: &str) {
    let txn = TxnId::parse(&format!("chair.1.{lsn}")).unwrap();
    let string = CommittedString::parse(string).unwrap();
    let record = ParticipantRecord::Commit { txn: txn.clone(), string: string.clone() };
    let jobs = vec![Job::Persist { lsn, record, sync: Sync::Now }, Job::Apply { lsn, string }];
    assert_eq!(store.perform(jobs).unwrap(), [Outcome::Durable(lsn), Outcome::Applied { lsn }]);
    let jobs = vec![Job::Persist { lsn: lsn + 1, record: ParticipantRecord::Applied { txn }, sync: Sync::Later }];
    assert_eq!(store.perform(jobs).unwrap(), []);
}

#[test]
fn a_committed_string_stands_in_the_text_file_and_is_there_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let lock = Lock::take(&place).unwrap();
    let mut store = open(&place).unwrap();
    commit(&mut store, 1, "Hello");
    commit(&mut store, 3, "தமிழ்");
    drop((store, lock));

    let _lock = Lock::take(&place).unwrap();
    let (store, opened) = Store::<_, ParticipantRecord>::open(RealDisk, &place, [8; 32]).unwrap();
    assert_eq!((opened.records.len(), opened.incarnation), (4, 2));
    assert_eq!(opened.lines, ["Hello", "தமிழ்"]);
    assert_eq!(opened.reports, []);
    assert_eq!(store.key().text(), "07".repeat(32), "the key stays");
    assert_eq!(fs::read_to_string(store.text_path().unwrap()).unwrap(), "Hello\nதமிழ்\n");

    let mut names: Vec<String> = fs::read_dir(&place.dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["alice.key", "alice.lock", "alice.participant.dtlog", "alice.txt"]);
}

#[test]
fn a_file_that_an_editor_saved_in_its_own_way_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut store = open(&place).unwrap();
    commit(&mut store, 1, "Hello");
    let text = place.text().unwrap();
    // In place with the same length, and by renaming.
    fs::write(&text, "Hallo\n").unwrap();
    let record =
        |lsn| ParticipantRecord::Commit { txn: TxnId::numbered(&place.user, 1, lsn), string: CommittedString::parse("two").unwrap() };
    let line = CommittedString::parse("two").unwrap();
    let apply = |lsn| vec![Job::Persist { lsn, record: record(lsn), sync: Sync::Now }, Job::Apply { lsn, string: line.clone() }];
    let outcomes = store.perform(apply(3)).unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Durable(3), Outcome::Report(_), Outcome::Applied { lsn: 3 }]), "{outcomes:?}");
    assert_eq!(fs::read_to_string(&text).unwrap(), "Hallo\ntwo\n");
    fs::write(text.with_extension("swp"), "Hallo\ntwo\nmine").unwrap();
    fs::rename(text.with_extension("swp"), &text).unwrap();
    let outcomes = store.perform(apply(4)).unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Durable(4), Outcome::Report(_), Outcome::Applied { lsn: 4 }]), "{outcomes:?}");
    assert_eq!(fs::read_to_string(&text).unwrap(), "Hallo\ntwo\nmine\ntwo\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_to_a_text_file_that_is_gone_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let text = place.text().unwrap();
    let target = dir.path().join("target.txt");
    fs::create_dir(&place.dir).unwrap();
    std::os::unix::fs::symlink(&target, &text).unwrap();
    let says_so = |error: StoreError| {
        let said = error.to_string();
        assert!(said.contains("alice.txt") && said.contains("it is a link to a file that is not there"), "{said}");
    };
    says_so(open(&place).map(drop).unwrap_err());

    fs::write(&target, "").unwrap();
    let mut store = open(&place).unwrap();
    commit(&mut store, 1, "Hello");
    assert_eq!(fs::read_to_string(&target).unwrap(), "Hello\n", "a link is as good as a file");

    fs::remove_file(&target).unwrap();
    let string = CommittedString::parse("two").unwrap();
    let record = ParticipantRecord::Commit { txn: TxnId::numbered(&place.user, 1, 3), string: string.clone() };
    let jobs = vec![Job::Persist { lsn: 3, record, sync: Sync::Now }, Job::Apply { lsn: 3, string }];
    says_so(store.perform(jobs).unwrap_err());
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    open(&place).unwrap();
    assert_eq!(fs::metadata(place.key()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn files_that_are_there_can_be_used_in_a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    drop((Lock::take(&place).unwrap(), open(&place).unwrap()));
    fs::set_permissions(&place.dir, fs::Permissions::from_mode(0o555)).unwrap();
    let lock = Lock::take(&place);
    let store = open(&place);
    fs::set_permissions(&place.dir, fs::Permissions::from_mode(0o755)).unwrap();
    commit(&mut store.unwrap(), 1, "Hello");
    assert!(lock.is_ok());
}

#[test]
fn a_folder_that_is_none_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("data"), "a file").unwrap();
    let place = place(dir.path());
    assert_eq!(
        Lock::take(&place).unwrap_err().to_string(),
        format!("{} cannot be used, since a part of that path is no folder; choose another one with --data-dir", place.lock().display())
    );
}

#[test]
fn a_name_runs_once_whatever_its_role() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let lock = Lock::take(&place).unwrap();
    let as_coordinator = Place { role: Role::Coordinator, ..place.clone() };
    let refused = Lock::take(&as_coordinator).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "alice is running already: another program holds {}; close that one first, or choose another name or --data-dir",
            place.lock().display()
        )
    );
    let somebody_else = Place { user: UserName::parse("bob").unwrap(), ..place.clone() };
    assert!(Lock::take(&somebody_else).is_ok());
    drop(lock);
    assert!(Lock::take(&place).is_ok());
    assert!(place.lock().exists(), "the file itself stays");
}

/// Where the other process of the next test takes its lock.
const LOCK_IN: &str = "TWOPC_STORE_TEST_LOCK_IN";

#[test]
fn another_process_holds_the_lock_until_it_ends_however_it_ends() {
    if let Some(dir) = std::env::var_os(LOCK_IN) {
        return hold_the_lock(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_holds_the_lock_until_it_ends_however_it_ends", "--nocapture"])
        .env(LOCK_IN, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("held", &mut other);
    assert!(matches!(Lock::take(&place), Err(StoreError::InUse { .. })));
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(Lock::take(&place).is_ok());
}

/// The other process: holds the lock until its input ends or it is killed.
fn hold_the_lock(dir: &Path) {
    let _lock = Lock::take(&place(dir)).unwrap();
    println!("\nheld");
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Reads what a process prints until it prints this line.
fn wait_for(line: &str, process: &mut Child) {
    let output = BufReader::new(process.stdout.take().unwrap());
    assert!(output.lines().any(|said| said.unwrap() == line), "it ended without a word");
}
