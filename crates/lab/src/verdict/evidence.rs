//! What a verdict rests on, parsed: stable logs, text files, and what the relay heard.
//!
//! Whoever puts it together reads in this order, because programs may be running: what the relay heard
//! first, then the logs, then the text files. A message leaves after its record is on the disk, so that
//! whatever was heard stands in a log that is read later. Deliberately absent: files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twopc_proto::frame::{Decoder, Frame, FromRelay, Phase, Side};
use twopc_proto::{Message, MessageKind, Role, TxnId, UserName};

use super::log::NodeLog;
use super::paper::Paper;
use super::{Quote, VerifyError};

/// Everything that was found of a run.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub(super) logs: Vec<NodeLog>,
    pub(super) texts: BTreeMap<UserName, Paper>,
    /// In the order of the record.
    pub(super) heard: Vec<Heard>,
    /// Whether there is a record at all.
    pub(super) has_record: bool,
    /// Transactions that got a record while the logs were being read.
    pub(super) moving: BTreeSet<TxnId>,
    pub(super) notes: Vec<String>,
}

/// A protocol message that the relay stamped.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    file: Arc<str>,
    line: u64,
    pub(super) from: UserName,
    pub(super) role: Role,
    to: UserName,
    seq: u64,
    pub(super) message: Message,
    body: Arc<[u8]>,
}

impl Evidence {
    /// Takes a stable log. One that ends in the middle of a write is whole up to there.
    ///
    /// # Errors
    /// When it is damaged, or another log of that node was taken before.
    pub fn add_log(&mut self, file: &str, bytes: Vec<u8>) -> Result<(), VerifyError> {
        let log = NodeLog::read(file, bytes)?;
        if let Some(other) = self.log_of(&log.user, log.role()) {
            let (one, other) = (other.paper.file().into(), file.into());
            return Err(VerifyError::Twice { one, other, user: log.user.clone(), role: log.role() });
        }
        if let Some(torn) = log.torn {
            self.notes.push(format!("{file} ends in the middle of a write ({torn}), on which nothing was promised."));
        }
        self.logs.push(log);
        Ok(())
    }

    /// Takes the text file of a participant.
    pub fn add_text(&mut self, file: &str, user: UserName, bytes: Vec<u8>) {
        self.texts.insert(user, Paper::new(file, bytes));
    }

    /// Takes a relay's record. Its last frame may be unfinished, as it is while the relay writes.
    ///
    /// # Errors
    /// When it cannot be read as frames that a relay has stamped.
    pub fn add_record(&mut self, file: &str, bytes: &[u8]) -> Result<(), VerifyError> {
        self.has_record = true;
        let file: Arc<str> = file.into();
        let (mut decoder, mut at, mut line) = (Decoder::new(Side::Client), 0, 1);
        for piece in bytes.chunks(64 * 1024) {
            decoder.feed(piece);
            loop {
                let bad = |line, why: String| VerifyError::BadRecord { file: file.as_ref().into(), line, why };
                let Some(frame) = decoder.next_frame().map_err(|refusal| bad(line, refusal.message.to_string()))? else { break };
                // An empty line before a frame is none of it.
                while bytes[at..].starts_with(b"\r\n") {
                    at += 2;
                    line += 1;
                }
                self.take(&file, line, &frame).map_err(|why| bad(line, why))?;
                at += frame.bytes().len();
                line += frame.bytes().iter().filter(|byte| **byte == b'\n').count() as u64;
            }
        }
        if decoder.phase() != Phase::Idle {
            self.notes.push(format!("{file} ends in the middle of a frame, at line {line}."));
        }
        Ok(())
    }

    /// Takes one frame as the relay stamped it; `line` is where it stands in whatever `file` names.
    ///
    /// # Errors
    /// When it is none.
    pub fn add_frame(&mut self, file: &str, line: u64, frame: &str) -> Result<(), VerifyError> {
        self.has_record = true;
        let bad = |why: String| VerifyError::BadRecord { file: file.into(), line, why };
        let mut decoder = Decoder::new(Side::Client);
        decoder.feed(frame.as_bytes());
        match decoder.next_frame() {
            Ok(Some(frame)) => self.take(&file.into(), line, &frame).map_err(bad),
            Ok(None) => Err(bad("it is not whole".into())),
            Err(refusal) => Err(bad(refusal.message.to_string())),
        }
    }

    fn take(&mut self, file: &Arc<str>, line: u64, frame: &Frame) -> Result<(), String> {
        let Some(protocol) = FromRelay::read(frame).map_err(|bad| bad.to_string())?.protocol() else { return Ok(()) };
        // What nodes ignore claims nothing.
        let Some(Ok(message)) = protocol.message() else { return Ok(()) };
        // A body that is not as it was may say what the sender never said; a proposed string claims nothing.
        if frame.one("Escaped").is_some() && message.kind() != MessageKind::VoteRequest {
            return Ok(());
        }
        let (file, body) = (Arc::clone(file), protocol.body.into());
        self.heard.push(Heard { file, line, from: protocol.from, role: protocol.role, to: protocol.to, seq: protocol.seq, message, body });
        Ok(())
    }

    /// Notes that a log had only so many lines when the reading began: whatever came later was decided
    /// while others were being read.
    pub(super) fn note_growth(&mut self, user: &UserName, role: Role, lines: u64) {
        if let Some(log) = self.log_of(user, role) {
            self.moving.extend(log.written_after(lines));
        }
    }

    /// Whether there is anything to judge.
    pub(super) fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.heard.is_empty()
    }

    fn log_of(&self, user: &UserName, role: Role) -> Option<&NodeLog> {
        self.logs.iter().find(|log| log.user == *user && log.role() == role)
    }
}

impl Heard {
    /// The frame as it stands: its request line, what the relay stamped, its body.
    pub(super) fn quote(&self) -> Quote {
        let Self { file, line, from, role, to, seq, message, body } = self;
        let body = String::from_utf8_lossy(body);
        let kind = message.kind();
        Quote::line(file, *line, &format!("POST /2pc/{kind} HTTP/1.1 | From: {from} | Role: {role} | Seq: {seq} | To: {to} | {body}"))
    }
}
