//! What the relay prints: who comes and goes, and every chat message as an HTTP POST.
//!
//! A thread of its own prints, so a terminal that is held up holds up nobody; one that is closed is
//! not missed. Whatever a peer wrote is made safe to look at first.

use std::io::Write;

use chrono::{DateTime, Local};
use twopc_proto::frame::Frame;
use twopc_proto::text::Shown;

use crate::beside::Beside;

/// The most characters of a peer's header that are printed.
const MOST_OF_A_HEADER: usize = 200;

/// One thing to print.
#[derive(Debug)]
pub(crate) enum Print {
    /// A line of the relay's own.
    Line(String),
    /// A chat message, as it came, and when.
    Message(Frame, DateTime<Local>),
}

/// Starts the thread that prints on `out`.
///
/// # Errors
/// When the system has no thread to give.
pub(crate) fn start(mut out: Box<dyn Write + Send>) -> std::io::Result<Beside<Print>> {
    let mut is_there = true;
    Beside::start("screen", move |prints: &mut Vec<Print>, lost| {
        if lost > 0 {
            tracing::warn!(lost, "what reads the relay's output is slower than the room: messages were not printed");
        }
        let mut text = String::new();
        for print in prints.iter() {
            print.write(&mut text);
            if let Print::Line(line) = print {
                // The diary is written here, beside the traffic too.
                tracing::info!("{line}");
            }
        }
        if is_there {
            // Whoever read it may have gone; the room stays.
            is_there = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
        }
    })
}

impl Print {
    /// About how many bytes it holds.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Line(line) => line.len(),
            Self::Message(frame, _) => frame.bytes().len(),
        }
    }

    fn write(&self, text: &mut String) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Line(line) => writeln!(text, "{line}"),
            Self::Message(frame, at) => {
                let header = |name| Shown::new(frame.one(name).unwrap_or("-")).at_most(MOST_OF_A_HEADER);
                let body = String::from_utf8_lossy(frame.body());
                writeln!(
                    text,
                    "POST {} HTTP/1.1\nHost: {}\nUser-Agent: {}\nContent-Type: {}\nContent-Length: {}\ndate: {}\n\n{}",
                    frame.path(),
                    header("Host"),
                    header("User-Agent"),
                    header("Content-Type"),
                    frame.body().len(),
                    at.format("%Y-%m-%d %H:%M:%S%.6f"),
                    Shown::new(&body),
                )
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use twopc_proto::frame::{Decoder, Side};

    fn print(frame: &[u8]) -> String {
        let mut decoder = Decoder::new(Side::Framed);
        decoder.feed(frame);
        let at = Local.with_ymd_and_hms(2026, 1, 31, 22, 34, 52).unwrap() + chrono::TimeDelta::microseconds(180_845);
        let mut text = String::new();
        Print::Message(decoder.next_frame().unwrap().unwrap(), at).write(&mut text);
        text
    }

    #[test]
    fn a_message_is_printed_as_an_http_post() {
        let frame = "POST /client.http HTTP/1.1\r\nHost: 127.0.0.1:1337\r\nUser-Agent: twopc-participant/0.1.0\r\n\
                     Content-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n\r\n0:00:17:hi";
        assert_eq!(
            print(frame.as_bytes()),
            "\
POST /client.http HTTP/1.1
Host: 127.0.0.1:1337
User-Agent: twopc-participant/0.1.0
Content-Type: text/plain; charset=utf-8
Content-Length: 10
date: 2026-01-31 22:34:52.180845

0:00:17:hi
"
        );
    }

    #[test]
    fn nothing_that_a_peer_wrote_moves_the_cursor() {
        let frame = "POST /client.http HTTP/1.1\r\nUser-Agent: \u{202e}x\r\nContent-Length: 6\r\n\r\n\u{1b}[31m\t";
        let text = print(frame.as_bytes());
        assert!(text.contains("User-Agent: <U+202E>x\n") && text.ends_with("\n\n<U+001B>[31m\t\n"), "{text}");
        assert!(text.contains("Host: -\n"), "{text}");
    }
}
