//! A room of real programs without windows: it opens, is heard, loses and gets back its members, and
//! ends with the lab, whatever ends the lab. Nothing else is touched.
//!
//! Deliberately absent: votes. What the programs say to each other is tested with the whole suite.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tempfile::TempDir;
use twopc_lab::life::{End, Life};
use twopc_lab::member::Tempo;
use twopc_lab::room::{Pace, Plan, Record, Room, RoomView};
use twopc_lab::run::{Deed, Moment};

/// More than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const LAB: &str = env!("CARGO_BIN_EXE_twopc-lab");

/// A room, and word of every change in it.
struct Hall {
    room: Room,
    changes: Receiver<()>,
    prints: Receiver<String>,
}

/// Where a room prints: each line is passed on.
struct Paper(Sender<String>);

impl Write for Paper {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        // At the very end nobody reads any more.
        let _ = self.0.send(String::from_utf8(line.to_vec()).unwrap());
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn plan(folder: &Path, listen: &str, participants: usize) -> Plan {
    Plan {
        program: PathBuf::from(LAB),
        listen: String::from(listen),
        data_dir: folder.join("data"),
        logs: folder.join("logs"),
        participants,
        headless: true,
        tempo: Tempo::default(),
        key: None,
        record: Record::Nothing,
    }
}

impl Hall {
    fn open(plan: Plan) -> Self {
        let (changed, changes) = channel();
        let (printed, prints) = channel();
        let wake = move || {
            // At the very end nobody listens any more.
            let _ = changed.send(());
        };
        let room = Room::open(plan, Paper(printed), wake).unwrap();
        Self { room, changes, prints }
    }

    fn wait(&self, until: impl Fn(&RoomView) -> bool) -> Arc<RoomView> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let view = self.room.view();
            if until(&view) {
                return view;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.changes.recv_timeout(left).unwrap_or_else(|_| panic!("it stayed {view:?}"));
        }
    }

    /// Waits until something was seen.
    fn wait_for(&self, until: impl Fn(&Room) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !until(&self.room) {
            let left = deadline.saturating_duration_since(Instant::now());
            self.changes.recv_timeout(left).unwrap_or_else(|_| panic!("it was not seen: {:?}", self.room.journal().since(0)));
        }
    }

    fn wait_for_all(&self) -> Arc<RoomView> {
        self.wait(|room| room.programs.iter().all(|program| matches!(program.life, Life::Running { .. })))
    }

    /// Follows what the relay says aloud.
    fn events(&self) -> Events {
        let mut stream = TcpStream::connect(&self.room.view().relay).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut events = Events(BufReader::new(stream));
        events.wait_for("200 OK");
        events
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the relay ended before it said {words:?}");
        }
    }
}

/// A hold on a process, whatever becomes of its id.
fn watch(pid: u32) -> OwnedFd {
    pidfd_open(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), PidfdFlags::empty()).unwrap()
}

fn has_ended_within(process: &OwnedFd, time: Duration) -> bool {
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&Timespec::try_from(time).unwrap())).unwrap() > 0
}

fn processes(room: &RoomView) -> Vec<OwnedFd> {
    room.programs.iter().filter_map(|program| program.life.pid()).map(watch).collect()
}

#[test]
fn a_room_opens_all_log_in_and_all_end_with_it() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 3));
    let mut events = hall.events();
    hall.room.admit(Vec::new(), Pace::Together);
    let view = hall.wait_for_all();
    let names: Vec<&str> = view.programs.iter().map(|program| program.member.name.as_str()).collect();
    assert_eq!(names, ["relay", "alice", "bob", "carol", "chair"]);
    for _ in &names[1..] {
        events.wait_for(") connected");
    }
    let processes = processes(&view);
    assert_eq!(processes.len(), 5);

    let Hall { room, prints, .. } = hall;
    // The relay knows a program before the program has said so itself.
    let mut printed = Vec::new();
    while printed.iter().filter(|print: &&String| print.contains("\"event\":\"login\"")).count() < names.len() - 1 {
        printed.push(prints.recv_timeout(DEADLINE).unwrap());
    }
    drop(room);
    for process in &processes {
        assert!(has_ended_within(process, Duration::ZERO), "the room waits for everybody");
    }
    for _ in &names[1..] {
        events.wait_for(") is offline");
    }
    assert!(TcpStream::connect(&view.relay).is_err(), "nobody listens any more");
    printed.extend(prints.iter());
    for line in ["[relay] Client (carol) connected\n", "[relay] Client (carol) is offline\n", "[bob] {\"event\":\"login\",\"user\":\"bob\""]
    {
        assert!(printed.iter().any(|print| print.starts_with(line)), "{line:?} is not in {printed:#?}");
    }
}

#[test]
fn a_port_in_use_is_said_in_one_sentence_and_left_to_its_owner() {
    let folder = TempDir::new().unwrap();
    let owner = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = owner.local_addr().unwrap().to_string();
    let sentence = Room::open(plan(folder.path(), &address, 3), std::io::sink(), || ()).map(drop).unwrap_err().to_string();
    assert_eq!(
        sentence,
        format!("{address} is in use, perhaps by another room: close that one, or give this one a free port with --server 127.0.0.1:0.")
    );
    TcpStream::connect(&address).unwrap();
    assert!(!folder.path().join("logs").exists(), "nothing was started");
}

#[test]
fn a_relay_that_cannot_listen_says_why() {
    let folder = TempDir::new().unwrap();
    let sentence = Room::open(plan(folder.path(), "192.0.2.1:1", 3), std::io::sink(), || ()).map(drop).unwrap_err().to_string();
    assert!(sentence.contains("192.0.2.1:1") && sentence.lines().count() == 1, "{sentence}");
}

#[test]
fn a_program_that_is_missing_is_said() {
    let folder = TempDir::new().unwrap();
    let plan = Plan { program: folder.path().join("no-such-program"), ..plan(folder.path(), "127.0.0.1:0", 0) };
    let sentence = Room::open(plan, std::io::sink(), || ()).map(drop).unwrap_err().to_string();
    assert!(sentence.starts_with("The relay did not start. The system did not start it: "), "{sentence}");
}

#[test]
fn a_program_can_be_stopped_and_started_again() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    let mut events = hall.events();
    hall.room.admit(Vec::new(), Pace::Together);
    let first = hall.wait_for_all().programs[1].life.pid().unwrap();
    events.wait_for("Client (alice) connected");
    let process = watch(first);
    hall.room.act(Deed::Stop { program: String::from("alice") });
    hall.wait(|room| room.programs[1].life == Life::Ended(End::Stopped));
    assert!(has_ended_within(&process, Duration::ZERO));
    events.wait_for("Client (alice) is offline");
    hall.room.act(Deed::Start { program: String::from("alice"), crash_at: None });
    let second = hall.wait_for_all().programs[1].life.pid().unwrap();
    events.wait_for("Client (alice) connected");
    assert_ne!(first, second);
}

#[test]
fn the_relay_comes_back_where_it_was_and_everybody_finds_it() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    let mut events = hall.events();
    hall.room.admit(Vec::new(), Pace::Together);
    let address = hall.wait_for_all().relay.clone();
    events.wait_for("Client (alice) connected");
    hall.room.act(Deed::Stop { program: String::from("relay") });
    hall.wait(|room| room.programs[0].life == Life::Ended(End::Stopped));
    hall.room.act(Deed::Start { program: String::from("relay"), crash_at: None });
    assert_eq!(hall.wait_for_all().relay, address);
    let log = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET /log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        std::io::read_to_string(stream).unwrap()
    };
    // Whoever came back before this follows the relay stands in its log.
    let mut events = hall.events();
    if !log().contains("Client (alice) connected") {
        events.wait_for("Client (alice) connected");
    }
    let said = log();
    assert!(said.contains("Client (alice) connected"), "{said}");
}

#[test]
fn a_name_in_use_is_said_at_its_row() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    let mut events = first.events();
    first.room.admit(Vec::new(), Pace::Together);
    let before = first.wait_for_all();
    events.wait_for("Client (alice) connected");
    let second = Hall::open(Plan { logs: other.path().join("logs"), ..plan(folder.path(), "127.0.0.1:0", 1) });
    second.room.admit(Vec::new(), Pace::Together);
    let view = second.wait(|room| matches!(room.programs[1].life, Life::Ended(_)));
    let Life::Ended(End::Failed(sentence)) = &view.programs[1].life else { panic!("{view:?}") };
    assert!(sentence.contains("alice"), "{sentence}");
    drop(second);
    assert_eq!(first.room.view(), before, "the first room goes on");
}

#[test]
fn what_the_room_did_not_start_is_left_alone() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    let mut stranger = Stranger::start(other.path());
    hall.room.admit(Vec::new(), Pace::Together);
    hall.wait_for_all();
    drop(hall);
    assert!(stranger.0.try_wait().unwrap().is_none(), "the same program, started by somebody else, goes on");
}

/// A relay that no lab started.
struct Stranger(Child);

impl Stranger {
    fn start(folder: &Path) -> Self {
        let mut relay = Command::new(LAB);
        relay.args(["server", "--listen", "127.0.0.1:0", "--logs"]).arg(folder.join("logs"));
        let mut relay = Self(relay.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(relay.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("Listening on "), "{line}");
        relay
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A program that plays every part: as the relay it says that it listens; as anyone else it waits at
/// a gate, `gate-alice`, says that its window is open, and cannot be asked to end.
const ACTOR: &str = r#"#!/bin/sh
if [ "$1" = server ]; then
    echo "Listening on 127.0.0.1:9 and so on"
    exec sleep 1000
fi
trap '' TERM
read word < "$(dirname "$0")/gate-$5"
echo "The window is open."
exec sleep 1000
"#;

/// Puts the actor into a folder, with gates for these names.
fn actor(folder: &Path, names: &[&str]) -> Plan {
    let program = folder.join("actor");
    std::fs::write(&program, ACTOR).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    for name in names {
        mkfifoat(CWD, folder.join(format!("gate-{name}")), Mode::RUSR | Mode::WUSR).unwrap();
    }
    Plan { program, headless: false, ..plan(folder, "127.0.0.1:0", 1) }
}

fn open_gate(folder: &Path, name: &str) {
    std::fs::write(folder.join(format!("gate-{name}")), "go\n").unwrap();
}

#[test]
fn windows_that_stand_behind_each_other_open_one_by_one() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(actor(folder.path(), &["alice", "chair"]));
    assert_eq!(hall.room.view().relay, "127.0.0.1:9");
    hall.room.admit(Vec::new(), Pace::OneByOne);
    let view = hall.wait(|room| room.programs[1].life != Life::Waiting);
    assert!(matches!(view.programs[1].life, Life::Starting { .. }), "{view:?}");
    assert_eq!(view.programs[2].life, Life::Waiting, "it is not its turn yet");
    open_gate(folder.path(), "alice");
    hall.wait(|room| matches!(room.programs[1].life, Life::Running { .. }));
    hall.wait(|room| matches!(room.programs[2].life, Life::Starting { .. }));
    hall.room.remote().kill();
    drop(hall);
}

#[test]
fn a_program_that_does_not_end_when_asked_is_killed() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(actor(folder.path(), &["alice", "chair"]));
    hall.room.admit(Vec::new(), Pace::OneByOne);
    open_gate(folder.path(), "alice");
    let view = hall.wait(|room| matches!(room.programs[2].life, Life::Starting { .. }));
    let processes = processes(&view);
    hall.room.act(Deed::Stop { program: String::from("alice") });
    let view = hall.wait(|room| matches!(room.programs[1].life, Life::Ended(_)));
    assert_eq!(view.programs[1].life, Life::Ended(End::Overdue));
    hall.room.remote().kill();
    drop(hall);
    for process in &processes {
        assert!(has_ended_within(process, Duration::ZERO));
    }
}

/// Where [`plays_the_lab`] is to keep its files.
const STAGE: &str = "TWOPC_TEST_STAGE";

#[test]
fn a_lab_that_is_killed_outright_takes_its_programs_with_it() {
    let folder = TempDir::new().unwrap();
    let mut lab = Command::new(std::env::current_exe().unwrap());
    lab.args(["--exact", "plays_the_lab", "--ignored", "--nocapture"]).env(STAGE, folder.path());
    let mut lab = lab.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(lab.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let processes: Vec<OwnedFd> = line.split_whitespace().map(|pid| watch(pid.parse().unwrap())).collect();
    assert_eq!(processes.len(), 4, "{line}");
    assert!(!processes.iter().any(|process| has_ended_within(process, Duration::ZERO)));
    lab.kill().unwrap();
    lab.wait().unwrap();
    for process in &processes {
        assert!(has_ended_within(process, DEADLINE));
    }
}

/// Not a test of its own: the process that [`a_lab_that_is_killed_outright_takes_its_programs_with_it`]
/// kills.
#[test]
#[ignore = "it is started, and killed, by another test"]
fn plays_the_lab() {
    let Some(folder) = std::env::var_os(STAGE) else { return };
    let hall = Hall::open(plan(Path::new(&folder), "127.0.0.1:0", 2));
    hall.room.admit(Vec::new(), Pace::Together);
    let pids: Vec<String> =
        hall.wait_for_all().programs.iter().filter_map(|program| program.life.pid()).map(|pid| pid.to_string()).collect();
    eprintln!("{}", pids.join(" "));
    loop {
        std::thread::park();
    }
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut lab = Command::new(LAB);
    lab.args(arguments).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    lab.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn without_a_display_the_lab_says_what_else_there_is() {
    let output = run(&["--server", "127.0.0.1:0"], &[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.starts_with("There is no display") && sentence.contains("--headless") && sentence.lines().count() == 1, "{sentence}");
}

#[test]
fn the_lab_is_every_program_of_the_suite_whatever_its_own_variables_say() {
    let variables = [("TWOPC_SERVER", "127.0.0.1:7"), ("TWOPC_PARTICIPANTS", "5"), ("TWOPC_DATA_DIR", "/nowhere")];
    for (program, flag) in [("server", "--max-users"), ("participant", "--grace"), ("coordinator", "--propose")] {
        let output = run(&[program, "--help"], &variables);
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains(flag), "{program}: {help}");
        let output = run(&[program, "--nonsense"], &variables);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains("unexpected argument '--nonsense'"), "{program}: {error}");
    }
}

fn are_online(room: &Room, names: &[&str]) -> bool {
    room.journal().read(|events| {
        let moment = Moment::after(events);
        names.iter().all(|name| moment.of(name).is_online)
    })
}

#[test]
fn whoever_runs_is_started_anew_to_die_at_a_point() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    hall.room.admit(Vec::new(), Pace::Together);
    let before = hall.wait_for_all().programs[1].life.pid();
    hall.room.act(Deed::Start { program: String::from("alice"), crash_at: Some(String::from("after:log:READY")) });
    let view = hall.wait(|room| matches!(room.programs[1].life, Life::Running { pid } if Some(pid) != before));
    assert!(view.programs[1].life.pid().is_some());
    hall.wait_for(|room| are_online(room, &["alice", "chair"]));
    for line in ["string: Hello", "request"] {
        hall.room.act(Deed::Press { program: String::from("chair"), line: String::from(line) });
    }
    let asked = |room: &Room| room.journal().read(|events| Moment::after(events).of("alice").transactions.len() == 1);
    hall.wait_for(asked);
    hall.room.act(Deed::Press { program: String::from("alice"), line: String::from("commit") });
    let ended = Life::Ended(End::AtPoint(String::from("after:log:READY")));
    hall.wait(|room| room.programs[1].life == ended);
    let is_found = |room: &Room| room.journal().read(|events| Moment::after(events).of("alice").record.is_some());
    hall.wait_for(is_found);
    hall.room.act(Deed::Start { program: String::from("alice"), crash_at: None });
    hall.wait_for(|room| {
        room.journal().read(|events| Moment::after(events).of("alice").transactions.iter().any(|(_, stand)| stand.state == "COMMIT"))
    });
}

#[test]
fn a_lab_whose_key_was_given_sees_its_room_however_short_the_key_is() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(Plan { key: Some(String::from("k")), ..plan(folder.path(), "127.0.0.1:0", 0) });
    hall.wait_for(|room| room.journal().read(|events| Moment::after(events).is_watching));
}

#[test]
fn a_frozen_program_says_nothing_until_it_is_thawed() {
    let folder = TempDir::new().unwrap();
    let hall = Hall::open(plan(folder.path(), "127.0.0.1:0", 1));
    // The coordinator comes last: it finds its participant there, and asks it.
    for name in ["alice", "chair"] {
        hall.room.act(Deed::Start { program: String::from(name), crash_at: None });
        hall.wait_for(|room| room.journal().read(|events| Moment::after(events).of(name).is_at_work));
    }
    hall.room.act(Deed::Freeze { program: String::from("alice") });
    hall.wait(|room| matches!(room.programs[1].life, Life::Frozen { .. }));
    for line in ["string: Hello", "request"] {
        hall.room.act(Deed::Press { program: String::from("chair"), line: String::from(line) });
    }
    let waits = |room: &Room| {
        room.journal().read(|events| Moment::after(events).of("chair").transactions.iter().any(|(_, stand)| stand.state == "WAIT"))
    };
    hall.wait_for(waits);
    assert!(hall.room.journal().read(|events| Moment::after(events).of("alice").transactions.is_empty()), "it hears nothing");
    hall.room.act(Deed::Thaw { program: String::from("alice") });
    hall.wait_for(|room| room.journal().read(|events| !Moment::after(events).of("alice").transactions.is_empty()));
}
