//! A relay's own life: what it leaves behind when it ends, and what it starts from.

use std::io::Write;
use std::time::{Duration, Instant};

use twopc_proto::Role;
use twopc_server::RelayError;

use crate::client::Relay;

#[test]
fn a_relay_that_ends_ends_every_connection_and_leaves_its_record() {
    let relay = Relay::start();
    let mut alice = relay.participant("alice");
    let silent = relay.connect();
    let mut asking = relay.connect();
    assert!(asking.is_open());
    alice.say("the last word");
    alice.chat();
    let start = Instant::now();
    let stopping = std::thread::spawn(move || relay.stop());
    assert!(alice.closes() && silent.closes() && asking.closes());
    let logs = stopping.join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
    let record = std::fs::read_to_string(logs.path().join("room.http")).unwrap();
    assert!(record.starts_with("POST /client.http HTTP/1.1\r\n") && record.ends_with("\r\n\r\nthe last word"), "{record}");
}

#[test]
fn who_does_not_close_its_end_does_not_hold_up_the_relay() {
    let relay = Relay::start_with(|config| config.times.linger = Duration::from_millis(100));
    let _alice = relay.participant("alice");
    let _silent = relay.connect();
    let start = Instant::now();
    relay.stop();
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
}

#[test]
fn damaged_names_are_said_and_the_relay_does_not_start() {
    let logs = std::sync::Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(logs.path().join("names.json"), "{\"names\":").unwrap();
    let mut relay = Relay::start_in(logs, "127.0.0.1:0", |_| {});
    let error = relay.ended().unwrap_err();
    assert!(matches!(error, RelayError::Names(_)), "{error}");
    assert!(error.to_string().contains("names.json is damaged; move it away and start again"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let logs = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let file = logs.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut relay = Relay::start_in(logs, "127.0.0.1:0", |config| config.logs = file.join("logs"));
    let error = relay.ended().unwrap_err();
    assert!(error.to_string().contains("choose another with --logs"), "{error}");
}

/// A reader of the relay's output that has gone away.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_room_whose_output_nobody_reads_goes_on() {
    let relay = Relay::start_with(|config| config.screen = Box::new(Closed));
    let mut chair = relay.login("chair", Role::Coordinator);
    for _ in 0..3 {
        assert!(chair.is_open());
    }
}

#[test]
fn a_room_whose_record_cannot_be_written_goes_on() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let logs = std::sync::Arc::new(tempfile::tempdir().unwrap());
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/full", logs.path().join("room.http")).unwrap();
    let relay = Relay::start_in(logs, "127.0.0.1:0", |_| {});
    let mut chair = relay.login("chair", Role::Coordinator);
    for _ in 0..3 {
        assert!(chair.is_open());
    }
}
