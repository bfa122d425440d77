//! A connection after the upgrade: frames in, frames out, nothing that waits.
//!
//! Reading and writing never block and never hold a half-done future: the loop asks whether the
//! socket is ready, and takes or gives what it can. Deliberately absent: what a frame means.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use twopc_proto::frame::{BadFrame, Decoder, FromRelay, Refusal};

/// A relay of which nothing is heard for this long is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// How much of what has arrived is taken in one turn, so that timers and people get theirs.
const TURN: usize = 1024 * 1024;

/// What may wait for a relay that takes nothing, before it counts as gone.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// More than this waits only for a relay that is far behind: what can be left out must not be what makes it
/// count as gone.
const MUCH_WAITING: usize = MOST_WAITING / 4;

/// Spare room kept for what is written next.
const KEPT: usize = 256 * 1024;

/// A logged-in connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    /// What waits to be written, from `written` on.
    out: Vec<u8>,
    written: usize,
    heard: Instant,
    chunk: Box<[u8]>,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// The relay shut it.
    #[error("the relay closed the connection")]
    Closed,
    /// The network did.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// Nothing came for [`SILENCE`].
    #[error("nothing was heard of the relay for 30 seconds")]
    Silent,
    /// What came is not what a relay sends.
    #[error("what came is not a relay's: {0}")]
    Nonsense(#[from] Refusal),
    /// [`MOST_WAITING`] waits for a relay that reads nothing.
    #[error("the relay takes nothing any more")]
    Stuck,
}

impl Connection {
    /// A connection whose 101 has been read; frames that came with it are in the decoder.
    pub(crate) fn new(stream: TcpStream, decoder: Decoder, now: Instant) -> Self {
        Self { stream, decoder, out: Vec::new(), written: 0, heard: now, chunk: vec![0; 64 * 1024].into() }
    }

    /// Waits until there may be something to read, to write, or nothing was heard for too long.
    /// Cancelling it loses nothing.
    pub(crate) async fn ready(&self) {
        let interest = if self.has_unwritten() { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let silence = (self.heard + SILENCE).into();
        tokio::select! {
            biased;
            // An error here shows again, and is handled, when the socket is read.
            _ = self.stream.ready(interest) => {}
            () = tokio::time::sleep_until(silence) => {}
        }
    }

    /// Takes what has arrived, up to a turn's share.
    pub(crate) fn read(&mut self, now: Instant) -> Result<(), Lost> {
        let mut taken = 0;
        while taken < TURN {
            match self.stream.try_read(&mut self.chunk) {
                Ok(0) => return Err(Lost::Closed),
                Ok(n) => {
                    self.decoder.feed(&self.chunk[..n]);
                    self.heard = now;
                    taken += n;
                    if n < self.chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if now.duration_since(self.heard) >= SILENCE { Err(Lost::Silent) } else { Ok(()) }
    }

    /// The next frame of what was read. A frame that no relay should send is for the caller to
    /// report and skip.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Result<FromRelay, BadFrame>>, Lost> {
        Ok(self.decoder.next_frame()?.map(|frame| FromRelay::read(&frame)))
    }

    /// Lets a frame wait for [`Connection::flush`].
    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.out.extend_from_slice(frame);
    }

    /// The same for a frame that can be left out: it is, while much waits already.
    pub(crate) fn push_if_room(&mut self, frame: &[u8]) {
        if self.out.len() - self.written <= MUCH_WAITING {
            self.push(frame);
        }
    }

    /// Hands what waits to the kernel, as much as it takes.
    pub(crate) fn flush(&mut self) -> Result<(), Lost> {
        while self.has_unwritten() {
            match self.stream.try_write(&self.out[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !self.has_unwritten() {
            self.out.clear();
            self.out.shrink_to(KEPT);
            self.written = 0;
        } else if self.written > KEPT {
            self.out.drain(..self.written);
            self.written = 0;
        }
        if self.out.len() - self.written > MOST_WAITING { Err(Lost::Stuck) } else { Ok(()) }
    }

    /// Hands everything that waits to the kernel, however long that takes: for a node whose crash point is
    /// set, which takes one effect at a time.
    pub(crate) async fn flush_whole(&mut self) -> Result<(), Lost> {
        self.flush()?;
        while self.has_unwritten() {
            self.stream.writable().await?;
            self.flush()?;
        }
        Ok(())
    }

    /// Says goodbye and waits until the relay has closed. Without that wait, closing with unread
    /// frames would reset the connection and could take our last words with it.
    pub(crate) async fn say_goodbye(&mut self, logout: &[u8]) -> Result<(), Lost> {
        self.push(logout);
        self.flush_whole().await?;
        self.stream.shutdown().await?;
        while self.stream.read(&mut self.chunk).await? > 0 {}
        Ok(())
    }

    /// Whether something waits that the kernel has not taken.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.written < self.out.len()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use twopc_proto::frame::Side;

    use super::*;

    async fn pair(now: Instant) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (Connection::new(near, Decoder::new(Side::Client), now), far)
    }

    const PING: &[u8] = b"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn a_relay_that_was_silent_for_half_a_minute_is_gone() {
        let start = Instant::now();
        let (mut connection, mut far) = pair(start).await;
        assert!(connection.read(start + SILENCE - Duration::from_millis(1)).is_ok());
        assert!(matches!(connection.read(start + SILENCE), Err(Lost::Silent)));

        // A node that was frozen meanwhile finds what has arrived before it finds the silence.
        far.write_all(PING).await.unwrap();
        connection.ready().await;
        assert!(connection.read(start + SILENCE * 3).is_ok());
        assert!(matches!(connection.next_frame(), Ok(Some(Ok(FromRelay::Ping)))));
        assert!(matches!(connection.read(start + SILENCE * 4), Err(Lost::Silent)));
    }

    #[tokio::test]
    async fn what_came_before_the_end_is_read_before_it() {
        let start = Instant::now();
        let (mut connection, mut far) = pair(start).await;
        far.write_all(PING).await.unwrap();
        drop(far);
        while connection.read(start).is_ok() {
            connection.ready().await;
        }
        assert!(matches!(connection.next_frame(), Ok(Some(Ok(FromRelay::Ping)))));
        assert!(matches!(connection.read(start), Err(Lost::Closed)));
    }

    #[tokio::test]
    async fn what_can_be_left_out_never_makes_a_slow_relay_count_as_gone() {
        let (mut connection, _far) = pair(Instant::now()).await;
        let frame = vec![b'x'; 1024 * 1024];
        for _ in 0..MOST_WAITING / frame.len() * 2 {
            connection.push_if_room(&frame);
            assert!(connection.flush().is_ok());
        }
        assert!(connection.has_unwritten() && connection.out.len() <= MUCH_WAITING + frame.len());
    }

    #[tokio::test]
    async fn a_relay_that_takes_nothing_is_given_up_and_holds_up_nobody() {
        let (mut connection, _far) = pair(Instant::now()).await;
        let frame = vec![b'x'; 1024 * 1024];
        let pushed = (1..).find(|_| {
            connection.push(&frame);
            matches!(connection.flush(), Err(Lost::Stuck))
        });
        assert!(pushed.unwrap() * frame.len() > MOST_WAITING);
    }
}
