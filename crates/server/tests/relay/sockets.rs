//! A relay that is short of sockets: those in the room keep their places and notice nothing, it does
//! not spin, whoever has a name there gets in, and afterwards everybody does.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use twopc_proto::Role;
use twopc_proto::frame::FromRelay;

use crate::client::{Client, DEADLINE, Plain, frames, login};

/// A relay as a process of its own, with a limit on its open files.
struct Limited {
    child: Child,
    address: SocketAddr,
    logs: TempDir,
}

impl Limited {
    fn start(files: u32) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        let limit = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        command.args(["-c", &limit, env!("CARGO_BIN_EXE_twopc-server"), "--listen", "127.0.0.1:0", "--logs"]).arg(logs.path());
        let mut child = command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: first.split(' ').nth(2).unwrap().parse().unwrap(), logs }
    }

    fn enter(&self, name: &str) -> Client {
        let mut client = Plain::connect(self.address).upgrade(&login(name, Role::Participant));
        assert!(matches!(client.next(), FromRelay::Welcome(_)));
        client
    }

    /// So many connections that say nothing, whether they are accepted or not.
    fn swamp(&self, connections: usize) -> Vec<TcpStream> {
        (0..connections).map(|_| TcpStream::connect(self.address).unwrap()).collect()
    }

    /// The processor time that it has used.
    #[cfg(target_os = "linux")]
    fn busy(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Whether it does next to nothing while nothing is asked of it.
    #[cfg(target_os = "linux")]
    fn is_calm(&self) -> bool {
        const LOOK: Duration = Duration::from_secs(1);
        let before = self.busy();
        // Not waited for anything: time has to pass, so that work that it does meanwhile is seen.
        std::thread::sleep(LOOK);
        self.busy() - before < LOOK / 5
    }

    #[cfg(not(target_os = "linux"))]
    fn is_calm(&self) -> bool {
        true
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line from one to the other, there and back.
fn talk(one: &mut Client, other: &mut Client, line: &str) {
    one.say(line);
    for client in [one, other] {
        loop {
            match client.next() {
                FromRelay::Chat(chat) if chat.text == line => break,
                FromRelay::Ping => client.send(&frames().pong()),
                FromRelay::Left(person) => assert!(["carol", "dave"].contains(&person.user.as_str()), "{} lost its place", person.user),
                FromRelay::Chat(_) | FromRelay::Joined(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_relay_with_few_files_keeps_its_room_in_a_swamp() {
    let relay = Limited::start(64);
    let (mut alice, mut bob) = (relay.enter("alice"), relay.enter("bob"));
    relay.enter("carol").send(&frames().logout());
    let start = Instant::now();
    let swamp = relay.swamp(400);
    for number in 0..20 {
        talk(&mut alice, &mut bob, &format!("in the swamp {number}"));
    }
    // Its files are not all taken by the swamp: a name can be written down.
    let _carol = relay.enter("carol");
    let _dave = relay.enter("dave");
    talk(&mut alice, &mut bob, "carol and dave are in");
    assert!(start.elapsed() < DEADLINE, "it took {:?}", start.elapsed());
    assert!(relay.is_calm(), "it spins");
    drop(swamp);
    let _newcomer = relay.enter("newcomer");
    let diary = std::fs::read_to_string(relay.logs.path().join("relay.log")).unwrap();
    assert!(!diary.contains("WARN") && !diary.contains("ERROR"), "it never came to its limit: {diary}");
}

/// The limit shrinks under a running relay, so that the system itself refuses.
#[cfg(target_os = "linux")]
#[test]
fn a_relay_that_the_system_gives_no_more_sockets_goes_on_and_recovers() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let relay = Limited::start(256);
    let (mut alice, mut bob) = (relay.enter("alice"), relay.enter("bob"));
    relay.enter("carol").send(&frames().logout());
    let pid = Pid::from_child(&relay.child);
    let open = std::fs::read_dir(format!("/proc/{}/fd", relay.child.id())).unwrap().count() as u64;
    let before = prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(open + 4), maximum: Some(256) }).unwrap();
    let swamp = relay.swamp(200);
    for number in 0..20 {
        talk(&mut alice, &mut bob, &format!("without sockets {number}"));
    }
    let _carol = relay.enter("carol");
    talk(&mut alice, &mut bob, "carol is in");
    assert!(relay.is_calm(), "it spins");
    let diary = std::fs::read_to_string(relay.logs.path().join("relay.log")).unwrap();
    let warnings = diary.matches("connections are accepted only as others end").count();
    assert_eq!(warnings, 1, "it is said, and does not fill the disk");
    drop(swamp);
    prlimit(Some(pid), Resource::Nofile, before).unwrap();
    let _newcomer = relay.enter("newcomer");
    talk(&mut alice, &mut bob, "everybody is in");
}
