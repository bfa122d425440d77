//! Folders of runs: played by real programs, copied for each test, and tampered with.
//!
//! A log that is tampered with is written anew with right checksums: what is to be found is that it
//! cannot be true, and not that it was touched.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use twopc_proto::frame::{RelayFrames, Stamp};
use twopc_proto::log::{Line, Logged, ReadLog, Tip, compact, encode, read_log};
use twopc_proto::{CoordinatorRecord, LogRecord, Message, ParticipantRecord, RecordKind, Role, TxnId, UserName};

const LAB: &str = env!("CARGO_BIN_EXE_twopc-lab");

/// A run that a test may change.
pub(crate) struct Run(TempDir);

/// What `twopc-lab verify` says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Three strings, `Hello 1` to `Hello 3`, each committed by chair, alice and bob.
    pub(crate) fn committed() -> Self {
        static PLAYED: OnceLock<PathBuf> = OnceLock::new();
        Self::copy_of(
            PLAYED
                .get_or_init(|| played("committed", "commit", &["--propose", "Hello {n}", "--count", "3", "--concurrency", "1"], Some(0))),
        )
    }

    /// `Hello`, against which bob voted.
    pub(crate) fn aborted() -> Self {
        static PLAYED: OnceLock<PathBuf> = OnceLock::new();
        Self::copy_of(PLAYED.get_or_init(|| played("aborted", "abort", &["--propose", "Hello"], Some(3))))
    }

    /// `Hello`, for which alice and bob voted when chair died, undecided.
    pub(crate) fn in_doubt() -> Self {
        static PLAYED: OnceLock<PathBuf> = OnceLock::new();
        Self::copy_of(PLAYED.get_or_init(|| played("in-doubt", "commit", &["--propose", "Hello", "--crash-at", "before:log:COMMIT"], None)))
    }

    fn copy_of(played: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        copy(played, folder.path());
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A file in the data directory.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.folder().join("data").join(name)
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder().join("relay").join("room.http")
    }

    /// Changes the records of a participant's log.
    pub(crate) fn participant(&self, name: &str, change: impl FnOnce(&mut Vec<Logged<ParticipantRecord>>)) {
        rewrite(&self.data(&format!("{name}.participant.dtlog")), change);
    }

    /// Changes the records of chair's log.
    pub(crate) fn chair(&self, change: impl FnOnce(&mut Vec<Logged<CoordinatorRecord>>)) {
        rewrite(&self.data("chair.coordinator.dtlog"), change);
    }

    /// Changes the lines of a text file.
    pub(crate) fn text(&self, name: &str, change: impl FnOnce(&mut Vec<&str>)) {
        let path = self.data(&format!("{name}.txt"));
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        change(&mut lines);
        fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    /// Adds a message to the relay's record.
    pub(crate) fn hears(&self, from: &str, role: Role, to: &str, message: &Message) {
        let (from, to) = (name(from), name(to));
        let stamp = Stamp { from: &from, role, seq: 1000 };
        let frame = RelayFrames::new("relay").protocol(&stamp, &to, message.kind().as_str(), &message.body());
        let mut record = fs::OpenOptions::new().append(true).open(self.record()).unwrap();
        record.write_all(&frame).unwrap();
    }

    /// Writes every log as a compaction would.
    pub(crate) fn compact(&self) {
        compact_log::<ParticipantRecord>(&self.data("alice.participant.dtlog"));
        compact_log::<ParticipantRecord>(&self.data("bob.participant.dtlog"));
        compact_log::<CoordinatorRecord>(&self.data("chair.coordinator.dtlog"));
    }

    /// What is said of the whole folder.
    pub(crate) fn verify(&self) -> Said {
        verify(&[self.folder()])
    }
}

/// The `n`th transaction of chair's first life.
pub(crate) fn txn(n: u64) -> TxnId {
    TxnId::numbered(&name("chair"), 1, n)
}

pub(crate) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

/// Whether a record is of this kind and transaction.
pub(crate) fn is<R: LogRecord>(logged: &Logged<R>, kind: RecordKind, txn: &TxnId) -> bool {
    logged.record.kind() == kind && logged.record.txn() == txn
}

/// The first line of a file that has all of these, as it is quoted.
pub(crate) fn quote(file: &Path, parts: &[&str]) -> String {
    let text = fs::read_to_string(file).unwrap();
    let (number, line) = (1..).zip(text.lines()).find(|(_, line)| parts.iter().all(|part| line.contains(part))).expect("the line is there");
    format!("{}:{number}: {line}", file.display())
}

/// Runs `twopc-lab verify`.
pub(crate) fn verify(dirs: &[&Path]) -> Said {
    verify_with(&[], dirs)
}

pub(crate) fn verify_with(flags: &[&str], dirs: &[&Path]) -> Said {
    let Output { status, stdout, stderr } = Command::new(LAB).arg("verify").args(flags).args(dirs).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
}

impl Said {
    /// The word, and the rows by their first letters' order: `holds`, `open` or `broken`.
    #[track_caller]
    pub(crate) fn is(&self, status: i32, word: &str, rows: [&str; 5]) {
        let mut found = self.out.lines();
        let first = found.next();
        let invariants = ["agreement", "validity", "stability", "exactly once", "no guessing"];
        let of = |line: &str| {
            invariants.iter().position(|name| line.starts_with(name)).map(|at| (at, line.split_whitespace().last().unwrap().to_owned()))
        };
        let found: Vec<(usize, String)> = found.filter_map(of).collect();
        let expected: Vec<(usize, String)> = rows.into_iter().map(String::from).enumerate().collect();
        assert_eq!((self.status, first, found), (status, Some(word), expected), "{}{}", self.out, self.err);
        assert_eq!(self.err, "");
    }

    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.out.contains(part), "{part:?} is not in\n{}", self.out);
        }
    }

    /// There is no verdict, and one sentence says why.
    #[track_caller]
    pub(crate) fn is_error(&self, parts: &[&str]) {
        assert_eq!((self.status, self.out.as_str(), self.err.lines().count()), (1, "", 1), "{}{}", self.out, self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}", self.err);
        }
    }
}

/// Plays a run with real programs, once for all tests of this process.
fn played(called: &str, bob: &str, chair: &[&str], status: Option<i32>) -> PathBuf {
    // Whoever runs each test in a process of its own plays it once in each.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verify-{called}-{}", std::process::id()));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    assert_eq!(play(&folder, bob, chair, None), status);
    folder
}

/// Plays a run in which alice votes commit, bob as told, and chair proposes as told; `meanwhile` is done
/// again and again until chair ends. The status that chair ended with.
pub(crate) fn play(folder: &Path, bob: &str, chair: &[&str], meanwhile: Option<&mut dyn FnMut()>) -> Option<i32> {
    fs::create_dir_all(folder.join("data")).unwrap();
    let mut relay = Program::start(Command::new(LAB).args(["server", "--listen", "127.0.0.1:0", "--logs"]).arg(folder.join("relay")));
    let listening = relay.line();
    let address = listening.strip_prefix("Listening on ").and_then(|rest| rest.split_whitespace().next()).expect("the relay listens");
    let node = |role: &str, name: &str| {
        let mut node = Command::new(LAB);
        node.args([role, "--headless", "--server", address, "--user", name, "--data-dir"]).arg(folder.join("data"));
        node
    };
    let mut alice = Program::start(node("participant", "alice").args(["--vote", "commit"]));
    let mut bob = Program::start(node("participant", "bob").args(["--vote", bob]));
    alice.mute();
    bob.mute();
    let mut chair = Program::start(node("coordinator", "chair").args(["--expect", "2"]).args(chair));
    chair.mute();
    if let Some(meanwhile) = meanwhile {
        while chair.0.try_wait().unwrap().is_none() {
            meanwhile();
        }
    }
    let status = chair.0.wait().unwrap().code();
    for participant in [&mut alice, &mut bob] {
        participant.quit();
    }
    relay.interrupt();
    status
}

/// A program, killed if the test fails.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The first line that it prints; what follows is read and forgotten.
    fn line(&mut self) -> String {
        let mut out = BufReader::new(self.0.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        line
    }

    /// What it prints is read and forgotten.
    fn mute(&mut self) {
        let mut out = self.0.stdout.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    }

    fn quit(&mut self) {
        let mut stdin = self.0.stdin.take().unwrap();
        writeln!(stdin, "quit").unwrap();
        assert!(self.0.wait().unwrap().success());
    }

    fn interrupt(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rewrite<R: LogRecord>(path: &Path, change: impl FnOnce(&mut Vec<Logged<R>>)) {
    let ReadLog { header, incarnation, mut records, .. } = read_log(&fs::read(path).unwrap()).unwrap();
    change(&mut records);
    let (mut tip, mut bytes) = (Tip::default(), Vec::new());
    encode(&mut tip, &Line::<R>::Header(header), &mut bytes);
    encode(&mut tip, &Line::<R>::Life(incarnation), &mut bytes);
    for Logged { record, stamp, .. } in records {
        encode(&mut tip, &Line::Record { record, stamp }, &mut bytes);
    }
    fs::write(path, bytes).unwrap();
}

fn compact_log<R: LogRecord>(path: &Path) {
    let read: ReadLog<R> = read_log(&fs::read(path).unwrap()).unwrap();
    fs::write(path, compact(&read)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
