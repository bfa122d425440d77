//! One program of a room, as the trial has it in its hands: started, told things, stopped, killed.
//!
//! What it prints goes line by line into the one channel of its room. It dies with the thread that
//! started it, also when that thread is killed, where the system offers that. Deliberately absent:
//! what its lines mean.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child as Running, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::plan::Actor;

/// The variable by which the suite's programs learn whom they are to die with: a process id.
const STARTED_BY: &str = "TWOPC_STARTED_BY";

/// A line of a program, or its end.
#[derive(Debug)]
pub(super) struct Said {
    /// Whose.
    pub(super) actor: Actor,
    /// In which of its lives.
    pub(super) life: u64,
    /// The line; `None` once its standard output is closed.
    pub(super) line: Option<String>,
}

/// A program that was started and not yet seen to have ended. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Child {
    running: Running,
    stdin: Option<ChildStdin>,
    /// The trial has killed it.
    pub(super) was_killed: bool,
    /// The trial has asked it to end.
    pub(super) may_end: bool,
}

impl Child {
    /// Starts a program; its complaints are appended to `complaints`.
    ///
    /// # Errors
    /// When the system does not start it.
    pub(super) fn start(actor: Actor, life: u64, command: &mut Command, complaints: File, said: Sender<Said>) -> io::Result<Self> {
        command.env(STARTED_BY, std::process::id().to_string());
        let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(complaints).spawn()?;
        let (stdin, stdout) = (running.stdin.take(), running.stdout.take());
        let mut child = Self { running, stdin, was_killed: false, may_end: false };
        let Some(stdout) = stdout else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let reader = thread::Builder::new().name(format!("{actor}'s lines")).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more once the room is over.
                let _ = said.send(Said { actor, life, line: Some(line) });
            }
            let _ = said.send(Said { actor, life, line: None });
        });
        if let Err(error) = reader {
            child.kill();
            return Err(error);
        }
        Ok(child)
    }

    /// Types a line. Whether it arrives is seen by what comes of it: the program may be dead already.
    pub(super) fn types(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Kills it, unless it has ended before; says whether it was this that ended it.
    pub(super) fn kill(&mut self) -> bool {
        if matches!(self.running.try_wait(), Ok(None)) {
            self.was_killed = self.running.kill().is_ok();
        }
        self.was_killed
    }

    /// Stops it where it is, or lets it go on; says whether there was something to stop.
    pub(super) fn signal(&mut self, signal: Signal) -> bool {
        let is_there = matches!(self.running.try_wait(), Ok(None));
        let pid = i32::try_from(self.running.id()).ok().and_then(Pid::from_raw);
        is_there && pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// How it ended; waits for that, so its output should be closed already.
    pub(super) fn ending(mut self) -> io::Result<ExitStatus> {
        self.running.wait()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // Fails only if it was waited for already.
        let _ = self.running.wait();
    }
}
