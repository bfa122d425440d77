//! `GET /events`: a connection that follows the room, a line an event.

use std::sync::Arc;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::Relay;
use super::link::{Read, read_away};
use super::pump::Pump;
use crate::lobby::Stranger;
use crate::outbox::{Delivery, End, Outbox};

/// What keeps a silent stream alive: a comment, which readers skip.
const COMMENT: &[u8] = b":\n\n";

/// A place among those who follow the room; given back when dropped.
pub(super) struct Follower {
    relay: Arc<Relay>,
    outbox: Arc<Outbox>,
}

impl Follower {
    /// From now on nothing is missed.
    pub(super) fn new(relay: &Arc<Relay>) -> Self {
        Self { relay: Arc::clone(relay), outbox: relay.room.follow() }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.relay.room.stop(&self.outbox);
    }
}

/// Sends events until the reader goes, or does not read.
pub(super) async fn run(follower: Follower, stream: &TcpStream, stranger: &Stranger) {
    let Follower { relay, outbox } = &follower;
    let mut pump = Pump::new(Arc::clone(outbox));
    let mut comment_due = Instant::now() + relay.times.comment;
    loop {
        pump.write(stream);
        if pump.is_broken() || outbox.ended() == Some(End::Cut) {
            return;
        }
        let interest = if pump.has_backlog() { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let stuck = pump.deadline(relay.times.stuck).unwrap_or(comment_due);
        tokio::select! {
            biased;
            () = outbox.wake.notified() => {}
            _ = stream.ready(interest) => match read_away(stream) {
                Read::Some => stranger.heard(),
                Read::Nothing => {}
                Read::End => return,
            },
            () = sleep_until(stuck.min(comment_due)) => {
                let now = Instant::now();
                if pump.on_time(now, relay.times.stuck).is_err() {
                    return;
                }
                if now >= comment_due {
                    comment_due = now + relay.times.comment;
                    outbox.push(Delivery::own(COMMENT));
                }
            }
        }
    }
}
