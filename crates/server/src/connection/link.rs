//! Bytes in and out of a socket, without waiting longer than somebody said.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest, Ready};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use twopc_proto::frame::{Decoder, ErrorCode, Phase, Refusal};

/// The most that is read at once.
const CHUNK: usize = 16 * 1024;

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Something.
    Some,
    /// Nothing for now.
    Nothing,
    /// The end, or an error that is as good as the end.
    End,
}

/// Reads what is there, without waiting. On the stack, so that a connection that is silent costs no
/// buffer.
pub(super) fn read_into(stream: &TcpStream, decoder: &mut Decoder) -> Read {
    let mut chunk = [0; CHUNK];
    match stream.try_read(&mut chunk) {
        Ok(0) => Read::End,
        Ok(length) => {
            decoder.feed(&chunk[..length]);
            Read::Some
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Read::Nothing,
        Err(_) => Read::End,
    }
}

/// Reads what is there and throws it away.
pub(super) fn read_away(stream: &TcpStream) -> Read {
    let mut chunk = [0; CHUNK];
    match stream.try_read(&mut chunk) {
        Ok(0) => Read::End,
        Ok(_) => Read::Some,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Read::Nothing,
        Err(_) => Read::End,
    }
}

/// Whether the other end will send nothing more, though something of it may still be there to read.
pub(super) async fn has_ended(stream: &TcpStream) -> bool {
    tokio::select! {
        biased;
        ready = stream.ready(Interest::READABLE) => ready.map_or(true, Ready::is_read_closed),
        () = std::future::ready(()) => false,
    }
}

/// Writes all of this, as long as the other end takes a byte every now and then.
pub(super) async fn write_all(stream: &TcpStream, mut bytes: &[u8], stuck: Duration) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => timeout(stuck, stream.writable()).await??,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Shuts our end first and throws away what still comes, for a while: a socket that is closed with
/// bytes unread would take back what was written to it last.
pub(super) async fn close_gently(mut stream: TcpStream, linger: Duration) {
    let _ = timeout(linger, async {
        stream.shutdown().await?;
        loop {
            stream.readable().await?;
            if read_away(&stream) == Read::End {
                return io::Result::Ok(());
            }
        }
    })
    .await;
}

/// Since when the message that is being read has been unfinished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unfinished {
    phase: Phase,
    since: Instant,
}

impl Unfinished {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Idle, since: Instant::now() }
    }

    /// A message has ended; the next begins now, if it does.
    pub(super) fn restart(&mut self) {
        *self = Self::new();
    }

    /// How far it has come.
    pub(super) fn note(&mut self, phase: Phase) {
        if phase != self.phase {
            *self = Self { phase, since: Instant::now() };
        }
    }

    /// Time that was not the sender's fault.
    pub(super) fn excuse(&mut self, time: Duration) {
        self.since += time;
    }

    /// When it is too late for it; `None` while nothing of it is here.
    pub(super) fn deadline(&self, allowed: Duration) -> Option<Instant> {
        (self.phase != Phase::Idle).then(|| self.since + allowed)
    }
}

/// The refusal of a message that did not end in time.
pub(super) fn too_slow() -> Refusal {
    Refusal::closing(408, ErrorCode::TooSlow, "The message was not finished in time; send it in one go.")
}
