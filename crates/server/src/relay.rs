//! The relay as a whole: accepts connections until it is told to end, and ends them all.

use std::fs;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use twopc_proto::text::Shown;

use crate::config::Config;
use crate::connection::{Access, Relay, serve};
use crate::lobby::Lobby;
use crate::names::{Names, NamesError, hex, random};
use crate::outbox::Totals;
use crate::room::{Doors, Room};
use crate::{record, screen};

/// How long the record and the screen may take to write what is left.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long nothing is accepted when there are no more sockets and none is given back.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(50);

/// How often it is said that there are none.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// Why a relay cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The folder that it writes to.
    #[error("the log directory {folder} cannot be written to: {error}; choose another with --logs")]
    Logs {
        /// The folder.
        folder: String,
        /// What the system said.
        error: io::Error,
    },
    /// The names in it.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// Threads, random numbers, the listener itself.
    #[error("the system does not let the relay run: {0}")]
    System(#[from] io::Error),
}

/// Runs a relay on a listener until `shutdown` is ready, then ends every connection and returns.
///
/// The first line that it prints begins with `Listening on` and the address.
///
/// # Errors
/// When it cannot begin; once it has, it runs until it is told to end.
pub async fn run(listener: TcpListener, config: Config, shutdown: impl Future<Output = ()>) -> Result<(), RelayError> {
    let address = listener.local_addr()?;
    let most = config.limits.connections;
    let relay = Arc::new(open(address, config)?);
    let (close, closing) = watch::channel(false);
    let (mut connections, mut timer) = (JoinSet::new(), JoinSet::new());
    if relay.room.doors().has_lab {
        let relay = Arc::clone(&relay);
        timer.spawn(async move { relay.room.keep_time().await });
    }
    let mut said: Option<Instant> = None;
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let has_room = match accepted {
            Ok((stream, _)) => {
                let stranger = relay.lobby.enter();
                connections.spawn(serve(stream, stranger, Arc::clone(&relay), closing.clone()));
                // Those that have ended do not count.
                while connections.try_join_next().is_some() {}
                connections.len() <= most
            }
            // It was gone before it was accepted.
            Err(error) if is_theirs(&error) => continue,
            Err(error) => {
                if said.is_none_or(|said| said.elapsed() > SAID_AGAIN) {
                    said = Some(Instant::now());
                    tracing::warn!(%error, "connections are accepted only as others end");
                }
                false
            }
        };
        if !has_room {
            make_room(&relay, &mut connections).await;
        }
    }
    drop(listener);
    close.send_replace(true);
    let patience = relay.times.linger * 2 + Duration::from_secs(1);
    // Whoever takes longer is cut off.
    let _ = timeout(patience, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
    timer.shutdown().await;
    let last = tokio::task::spawn_blocking(move || relay.room.close(LAST_WORDS));
    // Nothing in there panics; if it did, the relay would have ended all the same.
    let _ = last.await;
    tracing::info!("closed");
    Ok(())
}

/// Sends somebody away who is not logged in and waits, not for long, until a connection has ended.
/// Those who are in the room keep their places, so there may be nobody to send away.
async fn make_room(relay: &Relay, connections: &mut JoinSet<()>) {
    relay.lobby.send_one_away();
    // In the worst case it is looked again, and waited again.
    let _ = timeout(OUT_OF_SOCKETS, connections.join_next()).await;
}

/// Whether an accepted connection failed, and not accepting.
fn is_theirs(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted)
}

fn open(address: SocketAddr, config: Config) -> Result<Relay, RelayError> {
    let Config { logs, lab, max_users, guests, times, limits, screen } = config;
    let unusable = |error| RelayError::Logs { folder: logs.display().to_string(), error };
    fs::create_dir_all(&logs).map_err(unusable)?;
    let names = Names::open(&logs, limits.names)?;
    let record = record::start(&logs).map_err(unusable)?;
    let screen = screen::start(screen)?;
    let doors = Doors { room: hex(&random::<8>()?), max_users, has_lab: lab.is_some() };
    let room = Room::new(doors, &address.to_string(), Totals::new(limits), record, screen);
    room.print(format!(
        "Listening on {address} (Ctrl-C ends the relay; what is said is kept in {})",
        Shown::new(&logs.display().to_string())
    ));
    let is_loopback = address.ip().to_canonical().is_loopback();
    if !is_loopback {
        for reachable in reachable(address) {
            room.print(format!("From other computers: {reachable}"));
        }
        room.print("Warning: everyone who reaches this port can join the room and read it.".into());
    }
    let access = match (is_loopback, guests) {
        (true, _) => Access::Loopback,
        (false, false) => Access::Closed,
        (false, true) => Access::Open,
    };
    Ok(Relay { room, names, lobby: Lobby::new(limits.strangers), times, lab, access })
}

/// The addresses to type in elsewhere: the one it listens on, or, where that stands for all, those
/// from which this computer would talk to others.
fn reachable(address: SocketAddr) -> Vec<SocketAddr> {
    if !address.ip().is_unspecified() {
        return vec![address];
    }
    // Documentation addresses: connecting a UDP socket sends nothing, it only chooses a way.
    let far: [(&str, IpAddr); 2] = [("0.0.0.0:0", [192, 0, 2, 1].into()), ("[::]:0", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into())];
    let from = |(any, far): (&str, IpAddr)| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect((far, 9)).ok()?;
        Some(SocketAddr::new(socket.local_addr().ok()?.ip(), address.port()))
    };
    far.into_iter().filter(|(_, far)| address.is_ipv6() || far.is_ipv4()).filter_map(from).collect()
}
