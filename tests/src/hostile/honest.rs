//! The honest room: a relay, three participants who vote commit by themselves, and a coordinator
//! who asks for one vote after the other, each a process.
//!
//! Threads of their own read what the processes print and keep only what is judged, so that a trial
//! can be long. Deliberately absent: the crowd.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::PATIENCE;

/// Who votes.
const VOTERS: [&str; 3] = ["alice", "bob", "carol"];

/// Asks for the votes.
const CHAIR: &str = "chair";

/// What one of the programs said.
#[derive(Debug)]
pub(super) enum Said {
    /// It is in the room.
    In,
    /// It lost its link to the relay.
    Disconnected(&'static str),
    /// A vote began, by the coordinator's clock.
    Began(String, f64),
    /// Everybody has acknowledged the decision, by the same clock.
    Done(String, f64),
    /// A decision other than commit.
    Aborted,
    /// It ended.
    Ended(&'static str),
}

/// The room. Everybody in it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Honest {
    /// Where the relay listens.
    pub(super) address: SocketAddr,
    relay: Child,
    nodes: Vec<Child>,
    told: Receiver<Said>,
    tell: Sender<Said>,
    folder: TempDir,
}

impl Honest {
    /// Starts the relay and the three who vote.
    ///
    /// # Errors
    /// A sentence, when that does not come about.
    pub(super) fn gather(suite: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder for the room: {error}"))?;
        let mut relay = start(suite, &["server", "--listen", "127.0.0.1:0", "--logs"], &folder.path().join("logs"))?;
        let address = listening(&mut relay);
        let (tell, told) = mpsc::channel();
        let address = address.inspect_err(|_| end(&mut relay))?;
        let mut room = Self { address, relay, nodes: Vec::new(), told, tell, folder };
        for voter in VOTERS {
            room.join(suite, voter, &["participant", "--vote", "commit"])?;
        }
        Ok(room)
    }

    /// Lets the coordinator begin: one vote after the other until it is killed.
    ///
    /// # Errors
    /// A sentence, when it does not come in.
    pub(super) fn begin(&mut self, suite: &Path) -> Result<(), String> {
        let votes = ["coordinator", "--expect", "3", "--propose", "line {n}", "--count", "1000000000", "--concurrency", "1"];
        self.join(suite, CHAIR, &votes)
    }

    fn join(&mut self, suite: &Path, name: &'static str, arguments: &[&str]) -> Result<(), String> {
        let address = self.address.to_string();
        let flags = [arguments, &["--headless", "--server", &address, "--user", name, "--data-dir"]].concat();
        let mut node = start(suite, &flags, &self.folder.path().join(name))?;
        let tell = self.tell.clone();
        let out = node.stdout.take();
        self.nodes.push(node);
        thread::spawn(move || {
            out.into_iter().for_each(|out| follow(name, out, &tell));
            // The trial may be over.
            let _ = tell.send(Said::Ended(name));
        });
        match self.told.recv_timeout(PATIENCE) {
            Ok(Said::In) => Ok(()),
            other => Err(format!("{name} did not come into the room: {other:?}")),
        }
    }

    /// What is said until then, as it is said.
    pub(super) fn hear(&self, until: Instant) -> Option<Said> {
        self.told.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    /// The relay's process.
    pub(super) fn relay_id(&self) -> u32 {
        self.relay.id()
    }

    /// Whether the relay still runs.
    pub(super) fn relay_runs(&mut self) -> bool {
        matches!(self.relay.try_wait(), Ok(None))
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.nodes.iter_mut().chain([&mut self.relay]).for_each(end);
    }
}

/// Kills a process and waits for its end.
fn end(child: &mut Child) {
    // Both fail only if it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

fn start(suite: &Path, arguments: &[&str], folder: &Path) -> Result<Child, String> {
    let mut command = Command::new(suite);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TWOPC_")) {
        command.env_remove(name);
    }
    command.args(arguments).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().map_err(|error| format!("{} does not start: {error}", suite.display()))
}

/// Reads where the relay listens; everything else that it prints is read and dropped.
fn listening(relay: &mut Child) -> Result<SocketAddr, String> {
    let mut lines = relay.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let address = first.split(' ').nth(2).and_then(|word| word.parse().ok());
    thread::spawn(move || lines.take_while(Result::is_ok).for_each(drop));
    address.ok_or_else(|| format!("the relay does not say where it listens: {first:?}"))
}

/// Passes on what matters of the events that a program prints, until it ends.
fn follow(name: &'static str, out: ChildStdout, tell: &Sender<Said>) {
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        // Nearly all of it is chat.
        if line.starts_with(r#"{"event":"chat""#) {
            continue;
        }
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
        let at = event["at"].as_f64().unwrap_or_default();
        let said = match (event["event"].as_str().unwrap_or_default(), event["state"].as_str()) {
            ("login", _) => Said::In,
            ("disconnected", _) => Said::Disconnected(name),
            ("state", Some("INIT")) if name == CHAIR => Said::Began(text("txn"), at),
            ("done", _) => Said::Done(text("txn"), at),
            ("decision", _) if name == CHAIR && text("decision") != "commit" => Said::Aborted,
            _ => continue,
        };
        if tell.send(said).is_err() {
            return;
        }
    }
}

/// How long a room may take for one vote before a trial gives up on it.
pub(super) const STANDSTILL: Duration = PATIENCE;
