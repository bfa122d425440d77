//! One who only wants to come in: under a name that the relay knows, with its key, again and again.
//!
//! It is honest, so it is a thread of its own and no part of the crowd. Deliberately absent: staying.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use twopc_proto::frame::ClientFrames;

use super::crowd::login;

/// The time between two visits.
const PAUSE: Duration = Duration::from_millis(100);

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The visits so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Visits {
    pub(super) tried: u64,
    pub(super) let_in: u64,
    /// The longest that one took which was let in.
    pub(super) longest: Duration,
    /// What became of one that was not let in.
    pub(super) refusal: Option<String>,
}

/// Somebody who comes and goes.
pub(super) struct Visitor {
    stop: Sender<()>,
    thread: JoinHandle<Visits>,
}

impl Visitor {
    pub(super) fn start(address: SocketAddr) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut visits = Visits::default();
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                visits.tried += 1;
                let start = Instant::now();
                match visit(address) {
                    Ok(()) => {
                        visits.let_in += 1;
                        visits.longest = visits.longest.max(start.elapsed());
                    }
                    Err(error) => visits.refusal = Some(error.to_string()),
                }
            }
            visits
        });
        Self { stop, thread }
    }

    /// Ends, and tells what it has seen.
    pub(super) fn end(self) -> Visits {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// Comes in, says goodbye, and goes.
fn visit(address: SocketAddr) -> io::Result<()> {
    const YES: &[u8] = b"HTTP/1.1 101";
    let frames = ClientFrames::new("localhost", "visitor");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&frames.login(&login("visitor")))?;
    let mut answer = [0; YES.len()];
    stream.read_exact(&mut answer)?;
    if answer != YES {
        return Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
    }
    stream.write_all(&frames.logout())
}
