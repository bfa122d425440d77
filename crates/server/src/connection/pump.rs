//! Sends what waits in an outbox: many frames in one write, and never longer than a client takes
//! something.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::outbox::{Delivery, End, Outbox};

/// The most frames in one write.
const TOGETHER: usize = 64;

/// The most writes before others get their turn.
const ROUNDS: usize = 16;

/// How often it is asked whether a client for which something waits does read.
const SAMPLE: Duration = Duration::from_millis(500);

/// It does if, at the pace of the last sample, it has what waits now after so many of them.
const SAMPLES_TO_READ_ALL: usize = 20;

/// What a handful larger than this leaves behind is given back.
const KEPT: usize = 1024;

/// The sending half of a connection.
#[derive(Debug)]
pub(super) struct Pump {
    outbox: Arc<Outbox>,
    /// Taken from the outbox and not yet sent.
    hand: VecDeque<Delivery>,
    /// What the kernel has of the first in hand.
    sent_of_first: usize,
    /// When the kernel last took something.
    last_out: Instant,
    backlog: Option<Backlog>,
    /// Nobody is there to take anything any more.
    broken: bool,
}

/// The kernel takes nothing more for now.
#[derive(Clone, Copy, Debug)]
struct Backlog {
    /// When it began, or last became smaller.
    since: Instant,
    /// The end of the sample.
    until: Instant,
    /// What has to be taken until then, and what has been.
    least: usize,
    taken: usize,
}

/// A client that does not take what waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck;

impl Pump {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox, hand: VecDeque::new(), sent_of_first: 0, last_out: Instant::now(), backlog: None, broken: false }
    }

    /// When the kernel last took something.
    pub(super) fn last_out(&self) -> Instant {
        self.last_out
    }

    /// Whether writing again waits for the kernel.
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.is_some()
    }

    /// Whether nobody is there to take anything any more. What was said from there before may still
    /// be there to read.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Writes what the kernel takes.
    pub(super) fn write(&mut self, stream: &TcpStream) {
        for _ in 0..ROUNDS {
            if self.hand.is_empty() {
                self.outbox.take(&mut self.hand);
            }
            if self.hand.is_empty() {
                self.backlog = None;
                return;
            }
            let written = if self.broken { Ok(self.in_hand()) } else { self.write_some(stream) };
            match written {
                Ok(length) => self.on_taken(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.broken = true,
            }
        }
        // There is more: the kernel is asked again when it says that it takes something.
        self.backlog.get_or_insert_with(|| Backlog::new(Instant::now(), &self.outbox));
    }

    /// The bytes in hand, which are thrown away when nobody takes them.
    fn in_hand(&self) -> usize {
        self.hand.iter().map(|delivery| delivery.bytes.len()).sum::<usize>() - self.sent_of_first
    }

    fn write_some(&self, stream: &TcpStream) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); TOGETHER];
        let mut count = 0;
        for (slice, delivery) in slices.iter_mut().zip(&self.hand) {
            let from = if count == 0 { self.sent_of_first } else { 0 };
            *slice = IoSlice::new(&delivery.bytes[from..]);
            count += 1;
        }
        stream.try_write_vectored(&slices[..count])
    }

    fn on_taken(&mut self, length: usize) {
        self.last_out = Instant::now();
        if let Some(backlog) = &mut self.backlog {
            backlog.since = self.last_out;
            backlog.taken += length;
        }
        let (mut sent, mut whole) = (self.sent_of_first + length, 0);
        while let Some(first) = self.hand.front()
            && sent >= first.bytes.len()
        {
            sent -= first.bytes.len();
            self.hand.pop_front();
            whole += 1;
        }
        self.sent_of_first = sent;
        if self.hand.is_empty() && self.hand.capacity() > KEPT {
            self.hand = VecDeque::new();
        }
        self.outbox.taken(length, whole);
    }

    /// When [`Self::on_time`] wants to be called.
    pub(super) fn deadline(&self, stuck: Duration) -> Option<Instant> {
        self.backlog.map(|backlog| backlog.until.min(backlog.since + stuck))
    }

    /// Looks whether the client takes anything. While it takes next to nothing, no sender waits for
    /// it.
    pub(super) fn on_time(&mut self, now: Instant, stuck: Duration) -> Result<(), Stuck> {
        let Some(backlog) = self.backlog else { return Ok(()) };
        if now >= backlog.since + stuck {
            return Err(Stuck);
        }
        if now >= backlog.until {
            let reads = backlog.taken >= backlog.least;
            if !reads {
                self.hand.iter_mut().for_each(Delivery::forgive);
            }
            self.outbox.wait_for_it(reads);
            self.backlog = Some(Backlog { since: backlog.since, ..Backlog::new(now, &self.outbox) });
        }
        Ok(())
    }

    /// Writes all that waits, as long as the other end takes a byte every now and then and nobody
    /// cuts it off.
    pub(super) async fn write_all(&mut self, stream: &TcpStream, stuck: Duration) -> Result<(), Stuck> {
        loop {
            self.write(stream);
            if self.broken || self.outbox.ended() == Some(End::Cut) {
                return Err(Stuck);
            }
            if !self.has_backlog() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.outbox.wake.notified() => {}
                // Should this fail, so does writing.
                _ = stream.writable() => {}
                () = sleep_until(self.last_out + stuck) => return Err(Stuck),
            }
        }
    }

    /// Writes all that waits, if that is done by then.
    pub(super) async fn finish(&mut self, stream: &TcpStream, deadline: Instant) {
        loop {
            self.write(stream);
            if !self.has_backlog() {
                return;
            }
            match timeout_at(deadline, stream.writable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }
}

impl Backlog {
    fn new(now: Instant, outbox: &Outbox) -> Self {
        Self { since: now, until: now + SAMPLE, least: outbox.waiting().div_ceil(SAMPLES_TO_READ_ALL), taken: 0 }
    }
}
