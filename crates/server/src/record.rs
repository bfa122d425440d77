//! `room.http`: every chat and protocol frame as the relay stamped it, in the room's order.
//!
//! People read it too, so what could steer their terminal, or pass for a frame of its own, stands in
//! it escaped, in a frame that says so with one header more: `Escaped: N`, where N is the length of
//! the body as it was. It is written beside the traffic. A disk that takes nothing stops neither the room nor the
//! record for good: frames are missing then, never halves of them. What a relay that died has left half written
//! is put aside at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use twopc_proto::text::Shown;

use crate::beside::Beside;

/// The name of the file that is written to.
const CURRENT: &str = "room.http";

/// The name of the file in which halves of frames stand that were found at its end.
const TORN: &str = "room.torn";

/// The size at which a file is put aside.
const ROTATE_AT: u64 = 64 * 1024 * 1024;

/// Opens the record and starts its thread.
///
/// # Errors
/// When the file cannot be opened or made.
pub(crate) fn start(logs: &Path) -> io::Result<Beside<Arc<[u8]>>> {
    let mut record = Record::open(logs, ROTATE_AT)?;
    let mut is_failing = false;
    Beside::start("record", move |frames, lost| {
        if lost > 0 {
            tracing::warn!(lost, "the disk is slower than the room: frames are missing in room.http");
        }
        match record.append(frames) {
            Ok(()) => is_failing = false,
            // Said once, however long it lasts.
            Err(error) if !is_failing => {
                is_failing = true;
                tracing::error!(%error, frames = frames.len(), "room.http cannot be written; the room goes on without its record");
            }
            Err(_) => {}
        }
    })
}

/// The open file.
#[derive(Debug)]
struct Record {
    logs: PathBuf,
    file: File,
    length: u64,
    rotate_at: u64,
}

impl Record {
    fn open(logs: &Path, rotate_at: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(logs.join(CURRENT))?;
        let length = whole_frames(BufReader::new(&mut file))?;
        let torn = file.metadata()?.len() - length;
        if torn > 0 {
            tracing::warn!(bytes = torn, "the last frame in room.http was not written whole; it was put aside into {TORN}");
            file.seek(SeekFrom::Start(length))?;
            let mut aside = OpenOptions::new().create(true).append(true).open(logs.join(TORN))?;
            io::copy(&mut file, &mut aside)?;
            file.set_len(length)?;
        }
        Ok(Self { logs: logs.into(), file, length, rotate_at })
    }

    /// Appends all of these frames, or none of them.
    fn append(&mut self, frames: &[Arc<[u8]>]) -> io::Result<()> {
        if self.length >= self.rotate_at {
            self.rotate()?;
        }
        let mut batch = Vec::with_capacity(frames.iter().map(|frame| frame.len()).sum());
        frames.iter().for_each(|frame| write(frame, &mut batch));
        match self.file.write_all(&batch) {
            Ok(()) => {
                self.length += batch.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a frame would make the rest unreadable.
                self.file.set_len(self.length)?;
                Err(error)
            }
        }
    }

    /// Puts the full file aside as the next of `room-1.http`, `room-2.http` and so on.
    fn rotate(&mut self) -> io::Result<()> {
        let number = |name: &str| name.strip_prefix("room-")?.strip_suffix(".http")?.parse::<u64>().ok();
        let numbers = fs::read_dir(&self.logs)?.filter_map(|entry| number(entry.ok()?.file_name().to_str()?));
        let next = numbers.max().unwrap_or(0) + 1;
        fs::rename(self.logs.join(CURRENT), self.logs.join(format!("room-{next}.http")))?;
        *self = Self::open(&self.logs, self.rotate_at)?;
        Ok(())
    }
}

/// How many bytes of a record are whole frames. What cannot be one ends them, like what is cut off.
fn whole_frames(mut record: impl BufRead + Seek) -> io::Result<u64> {
    /// Longer than any line of a head that is written.
    const LINE: u64 = 64 * 1024;
    let size = record.seek(SeekFrom::End(0))?;
    record.rewind()?;
    let (mut whole, mut at, mut line) = (0, 0, Vec::new());
    let mut body = None;
    while at < size {
        line.clear();
        at += record.by_ref().take(LINE).read_until(b'\n', &mut line)? as u64;
        let Some(text) = line.strip_suffix(b"\r\n") else { break };
        if at - whole == line.len() as u64 && !text.ends_with(b" HTTP/1.1") {
            break;
        }
        if let Some(digits) = text.strip_prefix(b"Content-Length: ") {
            body = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        }
        if text.is_empty() {
            let Some(end) = body.take().and_then(|body| at.checked_add(body)).filter(|end| *end <= size) else { break };
            record.seek_relative(i64::try_from(end - at).unwrap_or(i64::MAX))?;
            (at, whole) = (end, end);
        }
    }
    Ok(whole)
}

/// Writes a frame with nothing in its body that cannot be looked at.
fn write(frame: &[u8], batch: &mut Vec<u8>) {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = frame.windows(END.len()).position(|bytes| bytes == END) else { return };
    let (head, body) = (&frame[..end], &frame[end + END.len()..]);
    let text = String::from_utf8_lossy(body);
    let shown = Shown::new(&text).to_cow();
    if shown.as_bytes() == body {
        return batch.extend_from_slice(frame);
    }
    for line in head.split(|byte| *byte == b'\n') {
        if line.starts_with(b"Content-Length: ") {
            batch.extend_from_slice(format!("Content-Length: {}\r\nEscaped: {}\r\n", shown.len(), body.len()).as_bytes());
        } else {
            batch.extend([line.trim_ascii_end(), b"\r\n"].concat());
        }
    }
    batch.extend([b"\r\n", shown.as_bytes()].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with this body.
    fn frame(body: &[u8]) -> Arc<[u8]> {
        [format!("POST /2pc/X HTTP/1.1\r\nContent-Length: {}\r\nSeq: 1\r\n\r\n", body.len()).as_bytes(), body].concat().into()
    }

    fn written(body: &[u8]) -> String {
        let mut batch = Vec::new();
        write(&frame(body), &mut batch);
        String::from_utf8(batch).unwrap()
    }

    #[test]
    fn what_can_be_looked_at_is_written_as_it_was_stamped() {
        for body in ["", "{\"txn\":\"chair.1.1\"}", "0:00:17:hi\t\u{b95}", "e\u{301}"] {
            assert_eq!(written(body.as_bytes()).as_bytes(), &*frame(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn what_would_steer_a_terminal_or_pass_for_a_frame_is_escaped_and_said_to_be() {
        assert_eq!(
            written(b"\x1b[2J\r\n\r\nPOST / HTTP/1.1\xff"),
            "POST /2pc/X HTTP/1.1\r\nContent-Length: 61\r\nEscaped: 24\r\nSeq: 1\r\n\r\n\
             <U+001B>[2J<U+000D><U+000A><U+000D><U+000A>POST / HTTP/1.1\u{fffd}"
        );
        assert!(written("\u{202e}x".as_bytes()).ends_with("Content-Length: 9\r\nEscaped: 4\r\nSeq: 1\r\n\r\n<U+202E>x"));
    }

    #[test]
    fn a_full_file_is_put_aside_between_two_frames() {
        let logs = tempfile::tempdir().unwrap();
        let two_frames = frame(b"three,").len() as u64 + 1;
        let mut record = Record::open(logs.path(), two_frames).unwrap();
        for body in ["one,", "two,", "three,", "four,", "five,"] {
            record.append(&[frame(body.as_bytes())]).unwrap();
        }
        let bodies = |name: &str| {
            let text = fs::read_to_string(logs.path().join(name)).unwrap();
            text.lines().filter_map(|line| line.split_once(',')).map(|(body, _)| body.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            [bodies("room-1.http"), bodies("room-2.http"), bodies("room.http")],
            [vec!["one", "two"], vec!["three", "four"], vec!["five"]]
        );
    }

    #[test]
    fn half_a_frame_is_put_aside_wherever_it_was_cut() {
        let logs = tempfile::tempdir().unwrap();
        let (one, two) = (frame("0:00:01:one".as_bytes()), frame("0:00:02:two".as_bytes()));
        for cut in 0..two.len() {
            let path = logs.path().join(CURRENT);
            fs::write(&path, [&one[..], &two[..cut]].concat()).unwrap();
            let _ = fs::remove_file(logs.path().join(TORN));
            Record::open(logs.path(), 100_000).unwrap().append(&[Arc::clone(&two)]).unwrap();
            assert_eq!(fs::read(&path).unwrap(), [&one[..], &two[..]].concat(), "cut at {cut}");
            assert_eq!(fs::read(logs.path().join(TORN)).unwrap_or_default(), two[..cut], "cut at {cut}");
        }
    }

    #[test]
    fn a_record_goes_on_where_it_was_left() {
        let logs = tempfile::tempdir().unwrap();
        let frames = ["one", "two"].map(|body| frame(body.as_bytes()));
        for frame in &frames {
            Record::open(logs.path(), 1000).unwrap().append(&[Arc::clone(frame)]).unwrap();
        }
        assert_eq!(fs::read(logs.path().join(CURRENT)).unwrap(), frames.concat());
    }
}
