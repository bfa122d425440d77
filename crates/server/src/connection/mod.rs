//! One connection, from its first byte to its last: plain HTTP, then perhaps frames or events.

mod events;
mod framed;
mod link;
mod login;
mod plain;
mod pump;

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::config::Times;
use crate::lobby::{Lobby, Stranger};
use crate::names::Names;
use crate::room::Room;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) room: Room,
    pub(crate) names: Names,
    pub(crate) lobby: Arc<Lobby>,
    pub(crate) times: Times,
    /// What an observer must show.
    pub(crate) lab: Option<String>,
    pub(crate) access: Access,
}

/// Who may read and talk without logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever asks for this computer by its own name.
    Loopback,
    /// Nobody.
    Closed,
    /// Everybody.
    Open,
}

/// What becomes of a connection when a part of it has ended.
enum Next {
    /// It ends at once.
    Close,
    /// It ends after what was said has arrived.
    Linger,
    /// It is logged in.
    Framed(Box<framed::Framed>),
    /// It follows the room.
    Events(events::Follower),
}

/// Serves a connection until it ends, or the relay does.
pub(crate) async fn serve(stream: TcpStream, stranger: Stranger, relay: Arc<Relay>, mut closing: watch::Receiver<bool>) {
    // Frames are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let mut plain = plain::Plain::new(&stream, &stranger, &relay);
    let next = tokio::select! {
        biased;
        () = ended(&mut closing) => Next::Linger,
        () = stranger.dismissed() => Next::Close,
        next = plain.run() => next,
    };
    drop(plain);
    match next {
        Next::Close => {}
        Next::Linger => link::close_gently(stream, relay.times.linger).await,
        Next::Framed(framed) => {
            drop(stranger);
            framed.run(stream, &mut closing).await;
        }
        Next::Events(follower) => {
            tokio::select! {
                biased;
                () = ended(&mut closing) => {}
                () = stranger.dismissed() => {}
                () = events::run(follower, &stream, &stranger) => {}
            }
            link::close_gently(stream, relay.times.linger).await;
        }
    }
}

/// Returns when the relay ends.
async fn ended(closing: &mut watch::Receiver<bool>) {
    // An error means that whoever would say so is gone: the relay has ended.
    let _ = closing.wait_for(|closing| *closing).await;
}
