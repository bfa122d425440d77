//! Events as lines of JSON on standard output.
//!
//! A thread of its own hands them to the system, so that a reader who has stopped reading (a pager,
//! a script that waits) keeps neither a command nor a signal from being heard. While more than
//! 64 MiB wait for that reader, events are left out, and once there is room a `notice` says how many.
//! What a terminal would obey, or not show, is escaped (`\\u202e`): to a program it is the same text.
//! Deliberately absent: anything else on standard output.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use tokio::sync::mpsc::{Receiver, channel};
use twopc_proto::text::{MOST_MARKS, is_mark, is_unseen};

use crate::event::Event;

/// What a line may grow the buffer to before it is handed over even though more are waiting.
const FULL: usize = 64 * 1024;

/// The bytes that may wait for whoever reads standard output.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// Prints what happens, each with the seconds since the program started.
#[derive(Debug)]
pub(super) struct Printer<W> {
    out: W,
    started: Instant,
    buffer: Vec<u8>,
    /// Lines that there was no room for.
    left_out: usize,
}

/// A writer that never waits: a thread passes on what it is given, in order, and what there is no
/// room for is refused (`WouldBlock`). After that thread has failed, it fails as well.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

impl Outlet {
    /// Starts the thread that writes to `out`. The receiver comes to its end when that thread does:
    /// once all is written and the outlet gone, or as soon as nobody reads any more.
    pub(super) fn start(mut out: impl Write + Send + 'static) -> (Self, Receiver<Infallible>) {
        let (outlet, chunks) = mpsc::channel::<Vec<u8>>();
        let (alive, ended) = channel(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&waiting);
        thread::spawn(move || {
            while let Ok(chunk) = chunks.recv() {
                if out.write_all(&chunk).and_then(|()| out.flush()).is_err() {
                    break;
                }
                taken.fetch_sub(chunk.len(), Ordering::Relaxed);
            }
            drop(chunks);
            drop(alive);
        });
        (Self { queue: outlet, waiting }, ended)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.load(Ordering::Relaxed) > MOST_WAITING {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        self.queue.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Stamped<'a, T> {
    #[serde(flatten)]
    event: &'a T,
    at: f64,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(out: W, started: Instant) -> Self {
        Self { out, started, buffer: Vec::new(), left_out: 0 }
    }

    /// Adds an event; it is seen once [`flush`](Self::flush) is called.
    pub(super) fn put<T: Serialize>(&mut self, event: &T) -> io::Result<()> {
        let micros = self.started.elapsed().as_micros() as f64;
        let mut json = Serializer::with_formatter(&mut self.buffer, Escaping);
        Stamped { event, at: micros / 1e6 }.serialize(&mut json)?;
        self.buffer.push(b'\n');
        if self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Hands over everything that was put, in one write where the system allows.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut self.buffer);
        if self.left_out > 0 {
            let message = format!("{} events were left out here: standard output was read too slowly.", self.left_out);
            self.put(&Event::Notice { message })?;
        }
        self.buffer.extend_from_slice(&events);
        let written = self.out.write_all(&self.buffer);
        self.buffer.clear();
        match written {
            Ok(()) => self.left_out = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.left_out += events.iter().filter(|byte| **byte == b'\n').count();
            }
            Err(error) => return Err(error),
        }
        self.out.flush()
    }
}

/// JSON in which everything can be seen: what [`Shown`](twopc_proto::text::Shown) would not show as
/// it is stands as `\uXXXX`.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return out.write_all(fragment.as_bytes());
        }
        let (mut marks, mut plain) = (0, 0);
        for (at, c) in fragment.char_indices() {
            marks = if is_mark(c) { marks + 1 } else { 0 };
            if is_unseen(c) || marks > MOST_MARKS {
                out.write_all(&fragment.as_bytes()[plain..at])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
                plain = at + c.len_utf8();
            }
        }
        out.write_all(&fragment.as_bytes()[plain..])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use twopc_proto::UserName;

    use super::*;

    #[test]
    fn an_event_is_one_line_of_json_with_its_time() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Instant::now());
        printer.put(&Event::Login { user: UserName::parse("alice").unwrap() }).unwrap();
        printer.put(&Event::Chat { from: String::from("bob"), text: String::from("\"hi\"\u{85}\n") }).unwrap();
        printer.flush().unwrap();

        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert!(text.starts_with(r#"{"event":"login","user":"alice","at":"#), "{text}");
        assert_eq!(lines[1]["text"], "\"hi\"\u{85}\n");
        assert!(lines.iter().all(|line| line["at"].is_f64()));
    }

    /// A pipe that can be full: each write waits for a permit, and is passed on.
    struct Pipe {
        permits: mpsc::Receiver<()>,
        seen: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permits.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.seen.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_has_stopped_holds_up_nothing_and_loses_nothing() {
        let (allow, permits) = mpsc::channel();
        let (seen_in, seen) = mpsc::channel();
        let (mut outlet, mut ended) = Outlet::start(Pipe { permits, seen: seen_in });
        for line in ["one", "two", "three"] {
            outlet.write_all(line.as_bytes()).unwrap();
        }
        assert!(ended.try_recv() == Err(tokio::sync::mpsc::error::TryRecvError::Empty) && seen.try_recv().is_err());

        drop(outlet);
        for _ in 0..3 {
            allow.send(()).unwrap();
        }
        assert_eq!(ended.blocking_recv(), None);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    }

    #[test]
    fn a_reader_who_has_gone_is_noticed_without_another_line() {
        let (allow, permits) = mpsc::channel();
        let (mut outlet, mut ended) = Outlet::start(Pipe { permits, seen: mpsc::channel().0 });
        outlet.write_all(b"one").unwrap();
        allow.send(()).unwrap();
        assert_eq!(ended.blocking_recv(), None);
        assert_eq!(outlet.write_all(b"two").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_to_a_program_the_same_text() {
        let text = format!("a\u{1b}[2J\u{7f}\u{9b}2J\u{202e}\u{200b}\u{2028}\u{feff}\u{e0041}x{}", "\u{301}".repeat(10));
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Instant::now());
        printer.put(&Event::Chat { from: String::from("bob"), text: text.clone() }).unwrap();
        printer.flush().unwrap();
        let line = String::from_utf8(out).unwrap();
        let escaped = r"a\u001b[2J\u007f\u009b2J\u202e\u200b\u2028\ufeff\udb40\udc41x".to_owned() + &"\u{301}".repeat(8) + r"\u0301\u0301";
        assert!(line.contains(&escaped), "{}", line.escape_debug());
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["text"], text);
    }

    #[test]
    fn what_there_is_no_room_for_is_left_out_and_said() {
        let (allow, permits) = mpsc::channel();
        let (seen_in, seen) = mpsc::channel();
        let (outlet, _ended) = Outlet::start(Pipe { permits, seen: seen_in });
        let waiting = Arc::clone(&outlet.waiting);
        let mut printer = Printer::new(outlet, Instant::now());
        let mut say = |text: &str| {
            printer.put(&Event::Notice { message: String::from(text) }).unwrap();
            printer.flush().unwrap();
        };
        say("first");
        waiting.fetch_add(MOST_WAITING, Ordering::Relaxed);
        say("second");
        say("third");
        waiting.fetch_sub(MOST_WAITING, Ordering::Relaxed);
        say("fourth");
        drop((printer, allow.send(()), allow.send(())));
        let seen = String::from_utf8(seen.iter().flatten().collect()).unwrap();
        let said: Vec<Value> = seen.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone()).collect();
        assert_eq!(said, ["first", "2 events were left out here: standard output was read too slowly.", "fourth"]);
    }

    #[test]
    fn a_refused_request_is_printed_as_a_notice() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Instant::now());
        printer.put(&Event::RequestRefused { message: String::from("a vote is open") }).unwrap();
        printer.flush().unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with(r#"{"event":"notice","message":"a vote is open","at":"#));
    }
}
