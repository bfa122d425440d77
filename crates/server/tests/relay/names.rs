//! Keys are shown to the relay alone: it keeps a salted hash, and writes a key nowhere.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use twopc_proto::Role;
use twopc_proto::frame::{FromRelay, Login};
use twopc_proto::json;

use crate::client::{Plain, frames, key, login, wait_until};

#[test]
fn a_key_stands_in_no_file_and_in_no_output_however_talkative_the_relay_is() {
    let logs = tempfile::tempdir().unwrap();
    let (out, err) = (logs.path().join("stdout"), logs.path().join("stderr"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_twopc-server"));
    command.args(["--listen", "127.0.0.1:0", "--lab", "the lab's own secret", "--logs"]).arg(logs.path());
    command.env_clear().env("TWOPC_LOG", "trace").stdin(Stdio::null());
    let mut relay = command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).spawn().unwrap();
    let first_line = || BufReader::new(File::open(&out).unwrap()).lines().next().and_then(Result::ok).unwrap_or_default();
    let address = || first_line().split(' ').nth(2).and_then(|word| word.parse::<SocketAddr>().ok());
    wait_until("the relay listens", || address().is_some());
    let connect = || Plain::connect(address().unwrap());

    let mut alice = connect().upgrade(&login("alice", Role::Participant));
    assert!(matches!(alice.next(), FromRelay::Welcome(_)));
    let wrong = Login { key: key("somebody else"), ..login("alice", Role::Participant) };
    let watcher = Login { lab: Some(key("no lab")), ..login("watcher", Role::Observer) };
    for refused in [&wrong, &watcher, &Login { user: key("no name"), ..login("x", Role::Participant) }] {
        let mut plain = connect();
        plain.send(&frames().login(refused));
        assert!(plain.verdict().0 >= 400);
    }
    // A body that does not parse has a key in it too.
    let body = json::body(&login("alice", Role::Participant));
    let mut plain = connect();
    plain.send(b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: twopc/1\r\nContent-Length: 40\r\n\r\n");
    plain.stream.write_all(&body[body.len() - 41..body.len() - 1]).unwrap();
    assert_eq!(plain.verdict().0, 400);
    alice.say("hi");
    alice.chat();
    kill_process(Pid::from_child(&relay), Signal::TERM).unwrap();
    assert!(relay.wait().unwrap().success());

    let files: Vec<_> = fs::read_dir(logs.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        for part in ["the key of", "the lab's own secret"] {
            assert!(!text.contains(part), "{} has a key in it", file.display());
        }
    }
}
