//! One program as a child process: what it prints, what it is told, how it ends.
//!
//! A line can be waited for whether it has been printed already or not, and each is taken once, so
//! tests need not know in which order unrelated things happen. Deliberately absent: sleeping.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a test waits for what must happen. Generous: it is only ever waited out by a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    /// Standard output, as long as nobody reads it.
    unread: Option<ChildStdout>,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    lines: Vec<Line>,
    started: Instant,
    status: Option<ExitStatus>,
}

#[derive(Debug)]
struct Line {
    text: String,
    /// The line as an event, where it is one.
    event: Value,
    taken: bool,
    at: Duration,
}

impl Process {
    /// Starts a program whose lines stand under `name` in what a failed test prints.
    #[must_use]
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut process = Self::start_unread(name, command);
        let (lines_in, stdout) = channel();
        let out = process.unread.take().expect("standard output is piped");
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if lines_in.send(line).is_err() {
                    return;
                }
            }
        });
        process.stdout = stdout;
        process
    }

    /// The same, without anybody who reads its standard output.
    #[must_use]
    pub fn start_unread(name: &str, command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (_, stdout) = channel();
        let mut err = child.stderr.take().expect("standard error is piped");
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            // What came before an error is still worth showing.
            let _ = err.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let (stdin, unread) = (child.stdin.take(), child.stdout.take());
        let (lines, started) = (Vec::new(), Instant::now());
        Self { name: String::from(name), child, stdin, unread, stdout, stderr: Some(stderr), lines, started, status: None }
    }

    /// What it was started as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        writeln!(stdin, "{line}").unwrap_or_else(|error| panic!("{} takes no line: {error}", self.name));
    }

    /// Closes its standard output, which nobody has read.
    pub fn closes_its_output(&mut self) {
        self.unread = None;
    }

    /// Ends its standard input.
    pub fn closes_its_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for an event that has all these members, and takes it.
    pub fn event(&mut self, pattern: &Value) -> Value {
        self.event_within(PATIENCE, pattern)
    }

    /// The same, with a deadline of its own.
    pub fn event_within(&mut self, patience: Duration, pattern: &Value) -> Value {
        let index = self.wait(patience, &pattern.to_string(), |line| has(&line.event, pattern));
        self.lines[index].event.clone()
    }

    /// Waits for a line that contains this, and takes it.
    pub fn line(&mut self, part: &str) -> String {
        let index = self.wait(PATIENCE, part, |line| line.text.contains(part));
        self.lines[index].text.clone()
    }

    /// Waits for a line that contains this, and takes it; `false` if the program ends without it.
    pub fn says_before_its_end(&mut self, part: &str) -> bool {
        self.find(PATIENCE, part, |line| line.text.contains(part)).is_some()
    }

    /// Every event printed so far that has all these members, taken or not.
    pub fn events_so_far(&mut self, pattern: &Value) -> Vec<Value> {
        while let Ok(text) = self.stdout.try_recv() {
            self.keep(text);
        }
        self.lines.iter().filter(|line| has(&line.event, pattern)).map(|line| line.event.clone()).collect()
    }

    /// Fails if such an event was printed so far.
    pub fn has_not_said(&mut self, pattern: &Value) {
        let said = self.events_so_far(pattern);
        assert!(said.is_empty(), "{} must not have said {said:?}", self.name);
    }

    /// Every line printed so far.
    pub fn lines_so_far(&mut self) -> Vec<String> {
        while let Ok(text) = self.stdout.try_recv() {
            self.keep(text);
        }
        self.lines.iter().map(|line| line.text.clone()).collect()
    }

    fn wait(&mut self, patience: Duration, what: &str, wanted: impl Fn(&Line) -> bool) -> usize {
        self.find(patience, what, wanted).unwrap_or_else(|| panic!("{} ended without saying {what}", self.name))
    }

    /// Waits for such a line that was not taken, and takes it; `None` if the program ends first.
    fn find(&mut self, patience: Duration, what: &str, wanted: impl Fn(&Line) -> bool) -> Option<usize> {
        let deadline = Instant::now() + patience;
        let mut next = 0;
        loop {
            if let Some(index) = (next..self.lines.len()).find(|index| !self.lines[*index].taken && wanted(&self.lines[*index])) {
                self.lines[index].taken = true;
                return Some(index);
            }
            next = self.lines.len();
            match self.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(text) => self.keep(text),
                Err(RecvTimeoutError::Timeout) => panic!("{} did not say {what} within {patience:?}", self.name),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn keep(&mut self, text: String) {
        let event = serde_json::from_str(&text).unwrap_or(Value::Null);
        self.lines.push(Line { text, event, taken: false, at: self.started.elapsed() });
    }

    /// Waits until it has ended by itself.
    pub fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(text) => self.keep(text),
                Err(RecvTimeoutError::Timeout) => panic!("{} did not end within {PATIENCE:?}", self.name),
                // Its output is closed by its end, so this waits no longer than the system takes.
                Err(RecvTimeoutError::Disconnected) => return self.reap(),
            }
        }
    }

    /// Waits for its end, and fails if this is not its exit status.
    pub fn ends_with(&mut self, code: i32) {
        let status = self.ends();
        assert_eq!(status.code(), Some(code), "{}: {status}", self.name);
    }

    /// Waits until it has died by the SIGKILL that `--crash-at` makes it send to itself.
    #[cfg(unix)]
    pub fn dies_by_its_own_kill(&mut self) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.ends();
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{}: {status}", self.name);
    }

    /// What it wrote to standard error; waits for its end.
    pub fn complaint(&mut self) -> String {
        self.ends();
        self.stderr.take().map(|reader| reader.join().expect("standard error is read")).unwrap_or_default()
    }

    /// Kills it, at once.
    pub fn kill(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        self.reap();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id is an i32")).expect("a child has an id");
        kill_process(pid, signal).expect("the child takes signals");
    }

    /// The processes that it has started and that are there still, by their ids.
    #[must_use]
    pub fn children(&self) -> Vec<u32> {
        let mine = |stat: &str| {
            // The name, in brackets, may hold anything; the state and the parent come after it.
            let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
            parent.and_then(|parent| parent.parse().ok()) == Some(self.child.id())
        };
        let processes = fs::read_dir("/proc").expect("the system lists its processes").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        // One that has ended meanwhile is none.
        ids.filter(|id| fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| mine(&stat))).collect()
    }

    /// Tells it to quit and waits for a good end.
    pub fn quits(&mut self) {
        self.types("quit");
        self.ends_with(0);
    }

    fn reap(&mut self) -> ExitStatus {
        *self.status.get_or_insert_with(|| self.child.wait().expect("a child can be waited for"))
    }

    /// Everything it printed, for a test that failed.
    fn print_transcript(&mut self) {
        while let Ok(text) = self.stdout.try_recv() {
            self.keep(text);
        }
        eprintln!("--- {} printed:", self.name);
        for Line { text, at, .. } in &self.lines {
            eprintln!("{:7.3} {text}", at.as_secs_f64());
        }
        if let Some(Ok(text)) = self.stderr.take().map(JoinHandle::join)
            && !text.is_empty()
        {
            eprintln!("--- {} complained:\n{text}", self.name);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            self.print_transcript();
        }
    }
}

/// Whether an event has all members of the pattern.
fn has(event: &Value, pattern: &Value) -> bool {
    match (event, pattern) {
        (Value::Object(event), Value::Object(pattern)) => pattern.iter().all(|(name, value)| event.get(name) == Some(value)),
        (_, _) => false,
    }
}
