//! What the programs of the room print, on the lab's standard output, each line behind its
//! program's name.
//!
//! A thread of its own writes, so that a terminal that stands still (ctrl-s, a pager) holds up
//! neither the lab nor the programs: what it can't take is counted and left out. Deliberately
//! absent: any reading of the lines.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use twopc_proto::text::Shown;

/// How many lines may wait for the terminal.
const WAITING: usize = 4_096;
/// How long the last lines may take at the end.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Takes lines from everybody; cheap to clone.
#[derive(Clone)]
pub(crate) struct Printer {
    lines: SyncSender<String>,
    left_out: Arc<AtomicU64>,
    written: Arc<Mutex<Receiver<()>>>,
}

impl Printer {
    /// Starts the thread that writes to `out`.
    pub(crate) fn start(out: impl Write + Send + 'static) -> Self {
        let (lines, waiting) = sync_channel(WAITING);
        let (all_written, written) = sync_channel(0);
        let left_out = Arc::new(AtomicU64::new(0));
        let counted = left_out.clone();
        thread::spawn(move || {
            // Nobody reads any more: the programs go on, and are told nothing.
            let _ = write_all(out, &waiting, &counted);
            drop(waiting);
            drop(all_written);
        });
        Self { lines, left_out, written: Arc::new(Mutex::new(written)) }
    }

    /// Prints a line as said by `name`.
    pub(crate) fn print(&self, name: &str, line: &str) {
        let line = format!("[{name}] {}\n", Shown::new(line));
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all is written, or for half a second. Every other clone has to be gone.
    pub(crate) fn finish(self) {
        let Self { lines, written, .. } = self;
        drop(lines);
        let written = written.lock().unwrap_or_else(PoisonError::into_inner);
        match written.recv_timeout(LAST_LINES) {
            Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
        }
    }
}

fn write_all(mut out: impl Write, lines: &Receiver<String>, left_out: &AtomicU64) -> io::Result<()> {
    for line in lines {
        out.write_all(line.as_bytes())?;
        let count = left_out.swap(0, Ordering::Relaxed);
        if count > 0 {
            out.write_all(format!("[lab] {count} lines were left out here: this terminal took them too slowly.\n").as_bytes())?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// A terminal that can be stopped: each write waits for a permit, and is passed on.
    struct Terminal {
        permits: Receiver<()>,
        seen: Sender<String>,
    }

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permits.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.seen.send(String::from_utf8_lossy(bytes).into_owned()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn terminal() -> (Printer, Sender<()>, Receiver<String>) {
        let (allow, permits) = channel();
        let (seen, shown) = channel();
        (Printer::start(Terminal { permits, seen }), allow, shown)
    }

    #[test]
    fn a_line_stands_behind_its_programs_name_and_steers_nothing() {
        let (printer, allow, shown) = terminal();
        printer.print("alice", "plain");
        printer.print("relay", "\u{1b}[2J\u{202e}x");
        allow.send(()).unwrap();
        allow.send(()).unwrap();
        assert_eq!(shown.recv_timeout(Duration::from_secs(10)).unwrap(), "[alice] plain\n");
        assert_eq!(shown.recv_timeout(Duration::from_secs(10)).unwrap(), "[relay] <U+001B>[2J<U+202E>x\n");
    }

    #[test]
    fn a_terminal_that_stands_still_holds_up_nobody_and_is_told_what_it_missed() {
        let (printer, allow, shown) = terminal();
        // One line may be in the writer's hands already.
        for i in 0..WAITING + 10 {
            printer.print("alice", &i.to_string());
        }
        drop(printer);
        for _ in 0..2 * WAITING {
            // It may be through already.
            let _ = allow.send(());
        }
        let shown: Vec<String> = shown.iter().collect();
        assert_eq!(shown[0], "[alice] 0\n");
        let told = shown.iter().find(|line| line.starts_with("[lab] ")).unwrap();
        assert!(["[lab] 9 lines", "[lab] 10 lines"].iter().any(|words| told.starts_with(words)), "{told}");
    }
}
