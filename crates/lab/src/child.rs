//! One process of the room: started, listened to, asked to end, and waited for.
//!
//! A task owns the process from its start to its end, so that its id is never used once it may
//! belong to another. Deliberately absent: what the end of a process means for the room.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::printer::Printer;

/// How long a program may take from being asked to end until it is killed: more than a window gives
/// its goodbye, and a relay those who are still in it.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long its last lines may take once it has ended.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The longest line that is passed on in one piece.
const MAX_LINE: u64 = 64 * 1024;

/// How a program is started.
pub(crate) struct Launch {
    /// What its lines are marked with.
    pub(crate) name: String,
    /// The file to run.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Variables that it gets, or must not get, beside the lab's own.
    pub(crate) variables: Vec<(&'static str, Option<String>)>,
    /// What the first line that says that it is ready begins with.
    pub(crate) ready: Option<&'static str>,
    /// It reads what a person would press from its standard input.
    pub(crate) is_typed_to: bool,
}

/// What a process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Asks it to end; it is killed if it does not within four seconds.
    End,
    /// Kills it.
    Kill,
    /// Stops it where it is.
    Freeze,
    /// Lets it go on.
    Thaw,
}

/// What is heard of a process.
#[derive(Debug)]
pub(crate) enum News {
    /// It is ready; what its line said beyond that.
    Ready(String),
    /// It has ended, and said this last on standard error. Without a status the system did not tell.
    Ended(Option<ExitStatus>, Option<String>),
}

/// A process that runs. Dropping this kills it.
pub(crate) struct Running {
    pub(crate) pid: u32,
    orders: UnboundedSender<Order>,
    lines: Option<UnboundedSender<String>>,
}

impl Running {
    /// Types a line; one that comes too late, or to a program that reads none, does nothing.
    pub(crate) fn type_line(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.send(line);
        }
    }

    /// Gives an order; one that comes too late does nothing.
    pub(crate) fn tell(&self, order: Order) {
        let _ = self.orders.send(order);
    }
}

/// Starts a process. Its lines go to the printer, its news to `news`, the last being its end.
///
/// Called within a runtime, on a thread that lives as long as the process is to live.
///
/// # Errors
/// What the system says if it can't start it.
pub(crate) fn start(launch: &Launch, printer: &Printer, news: impl Fn(News) + Clone + Send + 'static) -> io::Result<Running> {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .stdin(if launch.is_typed_to { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, value) in &launch.variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // Ctrl-c in the terminal reaches the lab alone, which then ends the programs in their order.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
    let out = child.stdout.take().map(|out| {
        let (news, ready) = (news.clone(), launch.ready);
        tokio::spawn(pass_on(out, launch.name.clone(), printer.clone(), move |line| {
            let rest = ready.and_then(|ready| line.strip_prefix(ready));
            rest.map(|rest| news(News::Ready(String::from(rest)))).is_some()
        }))
    });
    let error = child.stderr.take().map(|error| tokio::spawn(pass_on(error, launch.name.clone(), printer.clone(), |_| false)));
    let lines = child.stdin.take().map(|mut stdin| {
        let (lines, mut typed) = unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(line) = typed.recv().await {
                // A program that has ended reads no more.
                if stdin.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        lines
    });
    let (orders, told) = unbounded_channel();
    tokio::spawn(async move {
        let status = attend(child, told).await;
        let _ = last_line(out).await;
        let said = last_line(error).await;
        news(News::Ended(status, said));
    });
    Ok(Running { pid, orders, lines })
}

/// Waits for the process to end, and sees to it that it does when it is told to.
async fn attend(mut child: Child, mut told: UnboundedReceiver<Order>) -> Option<ExitStatus> {
    let mut deadline = None;
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return status.ok(),
            order = told.recv() => match order {
                Some(Order::End) => {
                    signal(&mut child, Nudge::End);
                    deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                }
                Some(Order::Freeze) => signal(&mut child, Nudge::Stop),
                Some(Order::Thaw) => signal(&mut child, Nudge::Continue),
                Some(Order::Kill) | None => break,
            },
            () = until(deadline) => break,
        }
    }
    let _ = child.start_kill();
    child.wait().await.ok()
}

/// Sleeps until then; without a time, for ever.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What a process is nudged to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nudge {
    End,
    Stop,
    Continue,
}

#[cfg(unix)]
fn signal(child: &mut Child, nudge: Nudge) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match nudge {
        Nudge::End => Signal::TERM,
        Nudge::Stop => Signal::STOP,
        Nudge::Continue => Signal::CONT,
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended a moment ago; its id is its own until it has been waited for.
        let _ = kill_process(pid, signal);
    }
}

/// Where there is no polite way, it is ended at once, as a crash would; and nothing can be frozen.
#[cfg(not(unix))]
fn signal(child: &mut Child, nudge: Nudge) {
    match nudge {
        Nudge::End => drop(child.start_kill()),
        Nudge::Stop | Nudge::Continue => {}
    }
}

/// Prints every line of a stream, shows it to `found` until that has found what it looks for, and
/// gives back the last line that was not empty.
async fn pass_on(stream: impl AsyncRead + Unpin, name: String, printer: Printer, found: impl Fn(&str) -> bool) -> Option<String> {
    let mut stream = BufReader::new(stream);
    let (mut bytes, mut last, mut is_found) = (Vec::new(), None, false);
    // A pipe that can't be read any more has ended.
    while (&mut stream).take(MAX_LINE).read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\r', '\n']);
        printer.print(&name, line);
        is_found = is_found || found(line);
        if !line.trim().is_empty() {
            last = Some(String::from(line));
        }
        bytes.clear();
    }
    last
}

/// The last line of a stream whose process has ended. Whatever that process started itself may hold
/// the stream open: nobody waits for it long.
async fn last_line(stream: Option<JoinHandle<Option<String>>>) -> Option<String> {
    timeout(LAST_LINES, stream?).await.ok()?.ok()?
}
