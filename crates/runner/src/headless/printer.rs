//! Events as lines of JSON on standard output.
//!
//! Deliberately absent: anything else on standard output.

use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

/// What a line may grow the buffer to before it is handed over even though more are waiting.
const FULL: usize = 64 * 1024;

/// Prints what happens, each with the seconds since the program started.
#[derive(Debug)]
pub(super) struct Printer<W> {
    out: W,
    started: Instant,
    buffer: Vec<u8>,
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

    #[test]
    fn a_refused_request_is_printed_as_a_notice() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Instant::now());
        printer.put(&Event::RequestRefused { message: String::from("a vote is open") }).unwrap();
        printer.flush().unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with(r#"{"event":"notice","message":"a vote is open","at":"#));
    }
}
