//! The relay as a process: its first line, its flags, its signals, its exit status.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // what the tests share is test too

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A relay that is ended with the test.
struct Relay {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    address: String,
}

fn command(logs: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twopc-server"));
    command.env_clear().arg("--logs").arg(logs).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Relay {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let mut words = line.split(' ');
        assert_eq!((words.next(), words.next()), (Some("Listening"), Some("on")), "{line}");
        Self { child, output: Some(output), address: words.next().unwrap().into() }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command that ends by itself says, and its status.
#[track_caller]
fn check(output: &Output, status: i32, said: &str) {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    let where_said = if status == 0 { stdout } else { stderr };
    assert!(where_said.contains(said), "{where_said}");
    if status < 2 {
        assert_eq!(where_said.lines().count(), 1, "one line: {where_said}");
    }
}

#[test]
fn it_says_where_it_listens_and_ends_cleanly_when_told() {
    for signal in [Signal::TERM, Signal::INT] {
        let logs = tempfile::tempdir().unwrap();
        let mut relay = Relay::start(command(logs.path()).args(["--listen", "127.0.0.1:0"]));
        let guest = "POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
        assert!(relay.ask(guest).starts_with("HTTP/1.1 202 "));
        relay.signal(signal);
        assert_eq!(relay.child.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        relay.output.take().unwrap().read_to_string(&mut rest).unwrap();
        assert!(rest.starts_with("POST /client.http HTTP/1.1\nHost: localhost\n") && rest.ends_with("\n\nhi\n"), "{rest}");
        assert!(std::fs::read_to_string(logs.path().join("room.http")).unwrap().contains("\r\nFrom: zoe (guest)\r\n"));
        assert!(std::fs::read_to_string(logs.path().join("relay.log")).unwrap().contains("closed"));
    }
}

#[test]
fn it_goes_on_when_nobody_reads_its_output_any_more() {
    let logs = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(command(logs.path()).args(["--listen", "127.0.0.1:0"]));
    drop(relay.output.take());
    for _ in 0..3 {
        let guest = "POST /client.http HTTP/1.1\r\nHost: localhost\r\nFrom: zoe\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
        assert!(relay.ask(guest).starts_with("HTTP/1.1 202 "));
    }
}

#[test]
fn an_address_in_use_is_said_in_one_sentence() {
    let logs = tempfile::tempdir().unwrap();
    let relay = Relay::start(command(logs.path()).env("TWOPC_LISTEN", "127.0.0.1:0"));
    let second = command(&logs.path().join("another")).args(["--listen", &relay.address]).output().unwrap();
    check(&second, 1, &format!("{} is in use", relay.address));
    check(&second, 1, "choose another port with --listen");
    assert!(!logs.path().join("another").exists(), "the second one left nothing behind");
}

#[test]
fn an_address_that_is_not_ours_is_said_in_one_sentence() {
    let logs = tempfile::tempdir().unwrap();
    for address in ["192.0.2.1:1337", "192.0.2.1", "no-such-host.invalid"] {
        check(&command(logs.path()).args(["--listen", address]).output().unwrap(), 1, "choose another address with --listen");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    let logs = tempfile::tempdir().unwrap();
    for flags in [
        &["--listen", "127.0.0.1:99999"][..],
        &["--listen", ":1337"],
        &["--max-users", "0"],
        &["--forget", "no name"],
        &["--lab", ""],
        &["--tea"],
    ] {
        check(&command(logs.path()).args(flags).output().unwrap(), 2, "--help");
    }
}

#[test]
fn a_name_is_freed() {
    let logs = tempfile::tempdir().unwrap();
    let forget = || command(logs.path()).args(["--forget", "Alice"]).output().unwrap();
    check(&forget(), 0, "alice was not claimed");
    let hash = "0".repeat(64);
    let names = format!("{{\"names\":{{\"alice\":{{\"salt\":\"{}\",\"sha256\":\"{hash}\"}}}}}}", "0".repeat(32));
    std::fs::write(logs.path().join("names.json"), names).unwrap();
    check(&forget(), 0, "alice is free again");
    check(&forget(), 0, "alice was not claimed");
}

#[test]
fn switches_are_variables_too() {
    let logs = tempfile::tempdir().unwrap();
    for (value, status) in [("1", "202"), ("true", "202"), ("0", "403")] {
        let mut relay = Relay::start(command(logs.path()).env("TWOPC_GUESTS", value).args(["--listen", "0.0.0.0:0"]));
        relay.address = relay.address.replace("0.0.0.0", "127.0.0.1");
        let guest = "POST /client.http HTTP/1.1\r\nHost: room.example\r\nFrom: zoe\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
        assert!(relay.ask(guest).starts_with(&format!("HTTP/1.1 {status} ")), "{value}");
    }
}
