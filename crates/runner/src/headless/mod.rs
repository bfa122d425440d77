//! A node without a window: commands on standard input, events as JSON on standard output.
//!
//! It only carries: lines to the node, events to the printer, both to a [`Script`] if one plays the
//! person. Deliberately absent: the protocol, the link and the disk, which run on the node's own
//! threads, so that a reader of these events who is slow holds up nothing.

mod command;
mod printer;
mod propose;

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel, unbounded_channel};
use tokio::time::{sleep_until, timeout};

use crate::cli::failed;
use crate::event::Event;
use crate::node::{Ending, Front, Node, NodeConfig, NodeRole};
use crate::signals::Signals;
use crate::snapshot::{Action, Snapshot};

pub use command::{Console, Desk};
pub use propose::{Many, Proposing};

use printer::{Outlet, Printer};

/// The most bytes of a command; a longer line is taken apart.
const MAX_LINE: u64 = 64 * 1024;

/// The most events that are printed before anything else is looked at.
const BATCH: usize = 1_024;

/// How long the last lines may take once a signal has asked this program to end.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Said when another program took this one's name over.
const REPLACED: &str = "The same name logged in elsewhere with the same key: that program goes on in this one's place.";

/// Somebody who plays the person: sees what is printed, and presses.
pub trait Script<R: NodeRole> {
    /// Something happened.
    fn on_event(&mut self, event: &Event, now: Instant);
    /// What to do now; [`Action::Quit`] when the play is over.
    fn next(&mut self, node: &Snapshot<R::View>, now: Instant) -> Vec<Action<R::Press>>;
    /// When it wants to be asked again even if nothing happens.
    fn wakes_at(&self) -> Option<Instant>;
    /// Called once, after the node has ended.
    fn finish(self) -> Finish;
}

/// How a play ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// The last line on standard output, if there is one.
    pub summary: Option<Summary>,
    /// The exit status, or a sentence for standard error and status 1.
    pub status: Result<u8, String>,
}

/// The event after many transactions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename = "summary")]
pub struct Summary {
    /// Transactions that were decided commit.
    pub committed: u64,
    /// Transactions that were decided abort.
    pub aborted: u64,
    /// From the first request to the last acknowledgement.
    pub seconds: f64,
    /// Decided transactions a second.
    pub txn_per_s: f64,
    /// The median from a request to its last acknowledgement, in microseconds.
    pub p50_us: u64,
    /// What 99 of 100 do not exceed, in microseconds.
    pub p99_us: u64,
}

/// Nobody plays the person: whoever writes to standard input does.
#[derive(Clone, Copy, Debug)]
pub struct ByHand;

impl<R: NodeRole> Script<R> for ByHand {
    fn on_event(&mut self, _: &Event, _: Instant) {}

    fn next(&mut self, _: &Snapshot<R::View>, _: Instant) -> Vec<Action<R::Press>> {
        Vec::new()
    }

    fn wakes_at(&self) -> Option<Instant> {
        None
    }

    fn finish(self) -> Finish {
        Finish { summary: None, status: Ok(0) }
    }
}

/// Runs a node on standard input and output until it is told to quit, its script is over, or it
/// cannot go on.
#[must_use]
pub fn run<R: Console>(config: NodeConfig, script: impl Script<R>) -> ExitCode {
    let started = Instant::now();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return failed(format_args!("The system gives this program no event loop ({error}): close other programs and start it again."));
        }
    };
    runtime.block_on(async {
        match Signals::watch() {
            Ok(signals) => play(config, script, signals, io::stdout(), started).await,
            Err(error) => {
                failed(format_args!("The system lets this program watch no signals ({error}): close other programs and start it again."))
            }
        }
    })
}

async fn play<R: Console, S: Script<R>>(
    config: NodeConfig,
    script: S,
    mut signals: Signals,
    out: impl Write + Send + 'static,
    started: Instant,
) -> ExitCode {
    let (outlet, mut written) = Outlet::start(out);
    let printer = Printer::new(outlet, started);
    let desk = Desk::new(config.vote_timeout);
    let woken = Arc::new(Notify::new());
    let (events_in, mut events) = unbounded_channel();
    let wake = woken.clone();
    let front = Front { wake: Arc::new(move || wake.notify_one()), events: Some(events_in), window: false };
    let mut stage = Stage { node: Node::<R>::start(config, front), script, desk, printer: Some(printer) };
    let mut lines = standard_input();
    let mut was_told = false;

    loop {
        tokio::select! {
            biased;
            () = signals.next() => {
                if was_told {
                    return failed("Stopped at once, as a second signal asked. The next start finishes what is open.");
                }
                was_told = true;
                stage.node.act(Action::Quit);
            }
            Some(line) = lines.recv() => stage.on_line(line),
            event = events.recv() => match event {
                Some(event) => stage.on_event(&event),
                None => break,
            },
            _ = written.recv(), if stage.printer.is_some() => stage.nobody_reads(),
            () = woken.notified() => {}
            () = until(stage.script.wakes_at()) => {}
        }
        stage.take_waiting(&mut events);
    }
    let status = stage.end();
    // All that was printed is still to be read, unless somebody has asked for an end to that too.
    if !was_told {
        tokio::select! {
            _ = written.recv() => return status,
            () = signals.next() => {}
        }
    }
    let _ = timeout(LAST_LINES, written.recv()).await;
    status
}

/// The node with those in front of it.
struct Stage<R: Console, S, W: Write> {
    node: Node<R>,
    script: S,
    desk: Desk,
    /// `None` once nobody reads standard output any more.
    printer: Option<Printer<W>>,
}

impl<R: Console, S: Script<R>, W: Write> Stage<R, S, W> {
    fn on_line(&mut self, line: Result<String, TooLong>) {
        let action = match line {
            Ok(line) if line.trim().is_empty() => return,
            Ok(line) => R::action(&line, &self.desk),
            Err(TooLong) => Err(String::from("That line is longer than 64 KiB and was not read; please send it in parts.")),
        };
        match action {
            Ok(action) => self.node.act(action),
            Err(message) => self.on_event(&Event::Notice { message }),
        }
    }

    fn on_event(&mut self, event: &Event) {
        self.desk.on_event(event);
        self.script.on_event(event, Instant::now());
        self.print(|printer| printer.put(event));
    }

    /// Takes the events that wait already, so that a burst is printed in few writes, and lets the
    /// script act on what it has seen.
    fn take_waiting(&mut self, events: &mut UnboundedReceiver<Event>) {
        for _ in 0..BATCH {
            match events.try_recv() {
                Ok(event) => self.on_event(&event),
                Err(_) => break,
            }
        }
        self.print(Printer::flush);
        for action in self.script.next(&self.node.snapshot(), Instant::now()) {
            self.node.act(action);
        }
    }

    /// Prints, or ends.
    fn print(&mut self, put: impl FnOnce(&mut Printer<W>) -> io::Result<()>) {
        let Some(printer) = &mut self.printer else { return };
        if put(printer).is_err() {
            self.nobody_reads();
        }
    }

    /// Ends quietly: a closed standard output means that nobody is interested any more.
    fn nobody_reads(&mut self) {
        self.printer = None;
        self.node.act(Action::Quit);
    }

    /// The node has ended: the last line, and the exit status.
    fn end(self) -> ExitCode {
        let Self { node, script, printer, .. } = self;
        let Finish { summary, status } = script.finish();
        if let (Some(summary), Some(mut printer)) = (summary, printer) {
            // Whether anybody still reads is of no concern to a program that ends anyway.
            let _ = printer.put(&summary).and_then(|()| printer.flush());
        }
        match node.wait() {
            Ending::Quit => status.map_or_else(failed, ExitCode::from),
            Ending::Replaced => failed(REPLACED),
            Ending::Failed(sentence) => failed(sentence),
        }
    }
}

/// Sleeps until then; without a time, for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// The lines of standard input, read on a thread of their own: such a read cannot be called off.
fn standard_input() -> Receiver<Result<String, TooLong>> {
    let (lines_in, lines) = channel(64);
    thread::spawn(move || read_lines(io::stdin().lock(), &lines_in));
    lines
}

/// A line that is longer than [`MAX_LINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TooLong;

/// Hands on line for line until the input ends or nobody listens. Of a line that is too long nothing is handed
/// on: a piece of it could be a command.
fn read_lines(mut input: impl BufRead, lines: &Sender<Result<String, TooLong>>) {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        line.clear();
        let Ok(count) = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) else { return };
        let is_whole = line.ends_with(b"\n") || (count as u64) < MAX_LINE;
        if count == 0 && !is_too_long {
            return;
        }
        if !is_whole {
            is_too_long = true;
            continue;
        }
        let said = if std::mem::take(&mut is_too_long) {
            Err(TooLong)
        } else {
            Ok(String::from(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])))
        };
        if lines.blocking_send(said).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_of_one_that_is_too_long_no_piece_does() {
        let (lines_in, mut lines) = channel(64);
        let long = "x".repeat(MAX_LINE as usize - 4);
        let longest = "y".repeat(MAX_LINE as usize - 1);
        let input = format!("commit\r\n\nsay \u{b95}\nsay {long}quit\n{longest}\n{longest}{longest}quit");
        let input = [input.as_bytes(), b"\nlast \xff"].concat();
        read_lines(input.as_slice(), &lines_in);
        drop(lines_in);
        let seen: Vec<_> = std::iter::from_fn(|| lines.blocking_recv()).collect();
        let read = |line: &str| Ok(String::from(line));
        let wanted = [read("commit"), read(""), read("say \u{b95}"), Err(TooLong), read(&longest), Err(TooLong), read("last \u{fffd}")];
        assert_eq!(seen, wanted);
        // One that the input ends in the middle of.
        let (lines_in, mut lines) = channel(64);
        read_lines("x".repeat(2 * MAX_LINE as usize).as_bytes(), &lines_in);
        drop(lines_in);
        assert_eq!(std::iter::from_fn(|| lines.blocking_recv()).collect::<Vec<_>>(), [Err(TooLong)]);
    }
}
