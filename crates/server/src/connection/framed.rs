//! After the upgrade: frames both ways, and no answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use twopc_proto::frame::{Decoder, Frame, Refusal};

use super::link::{Read, Unfinished, close_gently, read_into, too_slow};
use super::pump::Pump;
use super::{Relay, ended};
use crate::outbox::{Debt, Delivery, End};
use crate::room::{Seat, Speaker};
use crate::route::{Asked, route};

/// How often a sender that has to wait for the whole room looks whether it still has to.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A connection that is logged in. However it ends, its seat is given back.
pub(super) struct Framed {
    relay: Arc<Relay>,
    seat: Seat,
    decoder: Decoder,
    pump: Pump,
    debt: Arc<Debt>,
    unfinished: Unfinished,
    /// When something last came.
    last_in: Instant,
    last_ping: Instant,
    /// Since when this sender has been read no further, because others have yet to take what it sent.
    paused: Option<Instant>,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// At once: nobody is there, or nobody who reads.
    Abrupt,
    /// After what waits has been sent.
    Polite,
}

impl Framed {
    /// `decoder` may hold frames already.
    pub(super) fn new(relay: Arc<Relay>, seat: Seat, mut decoder: Decoder, debt: Arc<Debt>) -> Self {
        decoder.upgrade();
        let pump = Pump::new(Arc::clone(&seat.outbox));
        let now = Instant::now();
        Self { relay, seat, decoder, pump, debt, unfinished: Unfinished::new(), last_in: now, last_ping: now, paused: None }
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self: Box<Self>, stream: TcpStream, closing: &mut watch::Receiver<bool>) {
        let ending = tokio::select! {
            biased;
            () = ended(closing) => Ending::Polite,
            ending = self.serve(&stream) => ending,
        };
        self.leave();
        match ending {
            Ending::Abrupt => self.seat.outbox.end(End::Cut),
            Ending::Polite => {
                let linger = self.relay.times.linger;
                self.seat.outbox.end(End::Finish);
                self.pump.finish(&stream, Instant::now() + linger).await;
                close_gently(stream, linger).await;
            }
        }
    }

    fn leave(&self) {
        self.relay.room.leave(&self.seat);
    }

    async fn serve(&mut self, stream: &TcpStream) -> Ending {
        let sleep = sleep_until(Instant::now());
        tokio::pin!(sleep);
        loop {
            if let Err(ending) = self.turn(stream) {
                return ending;
            }
            let deadline = self.deadline();
            // A deadline that moved away costs nothing until the old one has passed.
            if sleep.is_elapsed() || deadline < sleep.deadline() {
                sleep.as_mut().reset(deadline);
            }
            let interest = match (self.paused.is_some(), self.pump.has_backlog()) {
                (false, false) => Some(Interest::READABLE),
                (false, true) => Some(Interest::READABLE | Interest::WRITABLE),
                (true, true) => Some(Interest::WRITABLE),
                (true, false) => None,
            };
            tokio::select! {
                biased;
                () = self.seat.outbox.wake.notified() => {}
                _ = stream.ready(interest.unwrap_or(Interest::READABLE)), if interest.is_some() => {}
                () = self.debt.eased.notified(), if self.paused.is_some() => {}
                () = &mut sleep => {
                    if let Err(ending) = self.on_time() {
                        return ending;
                    }
                }
            }
        }
    }

    /// Writes what waits, reads what came, does what it asks for: a little of each.
    fn turn(&mut self, stream: &TcpStream) -> Result<(), Ending> {
        match self.seat.outbox.ended() {
            None => {}
            Some(End::Finish) => return Err(Ending::Polite),
            Some(End::Cut) => {
                tracing::warn!(user = %self.seat.name, "dropped: too much was waiting for it");
                return Err(Ending::Abrupt);
            }
        }
        self.obey()?;
        self.read(stream)?;
        // Should nobody take it any more: the end is where what was said before has been read.
        self.pump.write(stream);
        Ok(())
    }

    /// Reads what came and does what it asks for, unless it has to wait.
    fn read(&mut self, stream: &TcpStream) -> Result<(), Ending> {
        if self.paused.is_some() {
            return Ok(());
        }
        match read_into(stream, &mut self.decoder) {
            Read::Some => {
                self.last_in = Instant::now();
                self.obey()
            }
            Read::Nothing => Ok(()),
            // Whoever shuts its sending half may still be reading.
            Read::End => Err(Ending::Polite),
        }
    }

    /// Does what the frames ask for that are here, as long as the others keep up.
    fn obey(&mut self) -> Result<(), Ending> {
        while !self.has_to_wait() {
            let frame = match self.decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(refusal) => return Err(self.refuse(&refusal)),
            };
            self.unfinished.restart();
            match self.on_frame(&frame) {
                Ok(Some(ending)) => return Err(ending),
                Ok(None) => {}
                Err(refusal) if refusal.closes => return Err(self.refuse(&refusal)),
                Err(refusal) => {
                    self.say(&refusal);
                }
            }
        }
        self.unfinished.note(self.decoder.phase());
        Ok(())
    }

    fn on_frame(&self, frame: &Frame) -> Result<Option<Ending>, Refusal> {
        let room = &self.relay.room;
        match route(frame, self.seat.role, room.doors().has_lab)? {
            Asked::Chat => room.chat(Speaker::Member(&self.seat), frame, &self.debt)?,
            Asked::Protocol { to, word } => room.protocol(&self.seat, &to, word, frame.body(), &self.debt)?,
            Asked::Trace => room.trace(&self.seat, frame.body(), &self.debt),
            Asked::Lab(command) => room.lab(&self.seat, command, &self.debt)?,
            Asked::Pong => {}
            Asked::Logout => return Ok(Some(Ending::Polite)),
        }
        Ok(None)
    }

    /// Says what is wrong, leaves the room, and ends once that has arrived.
    fn refuse(&self, refusal: &Refusal) -> Ending {
        tracing::debug!(user = %self.seat.name, code = %refusal.code, "refused");
        self.leave();
        self.say(refusal)
    }

    fn say(&self, refusal: &Refusal) -> Ending {
        // Whoever does not read its refusals is read no further, like every fast writer.
        let fits = self.seat.outbox.push(Delivery::owed(self.relay.room.frames().error(refusal), &self.debt));
        if fits {
            return Ending::Polite;
        }
        self.seat.outbox.end(End::Cut);
        Ending::Abrupt
    }

    /// Whether others have yet to take what this one sent. Time that passes like that is not its
    /// fault.
    fn has_to_wait(&mut self) -> bool {
        let waits = self.relay.room.is_too_fast(&self.debt);
        if waits {
            self.paused.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.paused.take() {
            self.last_in += since.elapsed();
            self.unfinished.excuse(since.elapsed());
        }
        waits
    }

    fn deadline(&self) -> Instant {
        let times = self.relay.times;
        let reading = match self.paused {
            Some(_) => Instant::now() + LOOK_AGAIN,
            None => {
                let gone = self.last_in + times.gone;
                self.unfinished.deadline(times.unfinished).map_or(gone, |unfinished| unfinished.min(gone))
            }
        };
        let writing = self.pump.deadline(times.stuck).unwrap_or(reading);
        reading.min(writing).min(self.ping_due())
    }

    /// When nothing went or nothing came for too long, but for pings.
    fn ping_due(&self) -> Instant {
        self.last_in.min(self.pump.last_out()).max(self.last_ping) + self.relay.times.ping
    }

    fn on_time(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        let times = self.relay.times;
        if self.pump.on_time(now, times.stuck).is_err() {
            tracing::warn!(user = %self.seat.name, "dropped: it takes nothing");
            return Err(Ending::Abrupt);
        }
        if self.paused.is_none() {
            if now >= self.last_in + times.gone {
                return Err(Ending::Abrupt);
            }
            if self.unfinished.deadline(times.unfinished).is_some_and(|deadline| now >= deadline) {
                return Err(self.refuse(&too_slow()));
            }
        }
        if now >= self.ping_due() {
            self.last_ping = now;
            self.seat.outbox.push(Delivery::own(self.relay.room.frames().ping()));
        }
        Ok(())
    }
}

impl Drop for Framed {
    fn drop(&mut self) {
        self.leave();
    }
}
