//! Events as lines of JSON on standard output.
//!
//! A thread of its own hands them to the system, so that a reader who has stopped reading (a pager,
//! a script that waits) keeps neither a command nor a signal from being heard. Deliberately absent:
//! anything else on standard output; leaving out what is read too slowly.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};

/// What a line may grow the buffer to before it is handed over even though more are waiting.
const FULL: usize = 64 * 1024;

/// Prints what happens, each with the seconds since the program started.
#[derive(Debug)]
pub(super) struct Printer<W> {
    out: W,
    started: Instant,
    buffer: Vec<u8>,
}

/// A writer that never waits: a thread passes on what it is given, in order. After that thread
/// has failed to, it fails as well.
#[derive(Debug)]
pub(super) struct Outlet(mpsc::Sender<Vec<u8>>);

impl Outlet {
    /// Starts the thread that writes to `out`. The receiver comes to its end when that thread does:
    /// once all is written and the outlet gone, or as soon as nobody reads any more.
    pub(super) fn start(mut out: impl Write + Send + 'static) -> (Self, Receiver<Infallible>) {
        let (outlet, chunks) = mpsc::channel::<Vec<u8>>();
        let (alive, ended) = channel(1);
        thread::spawn(move || {
            while let Ok(chunk) = chunks.recv() {
                if out.write_all(&chunk).and_then(|()| out.flush()).is_err() {
                    break;
                }
            }
            drop(chunks);
            drop(alive);
        });
        (Self(outlet), ended)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
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
        Self { out, started, buffer: Vec::new() }
    }

    /// Adds an event; it is seen once [`flush`](Self::flush) is called.
    pub(super) fn put<T: Serialize>(&mut self, event: &T) -> io::Result<()> {
        let micros = self.started.elapsed().as_micros() as f64;
        serde_json::to_writer(&mut self.buffer, &Stamped { event, at: micros / 1e6 })?;
        self.buffer.push(b'\n');
        if self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Hands over everything that was put, in one write where the system allows.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use twopc_proto::UserName;

    use super::*;
    use crate::event::Event;

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
    fn a_refused_request_is_printed_as_a_notice() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Instant::now());
        printer.put(&Event::RequestRefused { message: String::from("a vote is open") }).unwrap();
        printer.flush().unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with(r#"{"event":"notice","message":"a vote is open","at":"#));
    }
}
