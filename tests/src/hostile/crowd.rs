//! The enemies: connections that say nothing, heads that come a byte at a time, clients that never
//! read, somebody who talks all the time, and among them one who only wants to come in.
//!
//! Each is a task on one thread of its own. Whatever the relay does to them, they come back.
//! Deliberately absent: any judgement; what happened is counted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};
use twopc_proto::Role;
use twopc_proto::frame::{ClientFrames, Login};

/// How long an enemy waits before it comes back after it was not let in at all.
const AGAIN: Duration = Duration::from_millis(20);

/// The time between two bytes of a slow head; the relay allows 10 s for the whole.
const BYTE: Duration = Duration::from_millis(400);

/// How often a client that never reads says that it is there.
const PONG: Duration = Duration::from_secs(4);

/// The time between two of the talker's lines.
const LINE: Duration = Duration::from_millis(20);

/// What a client that never reads lets the system keep for it, in bytes.
const LITTLE: u32 = 4 * 1024;

/// A head of which each byte is right, and which does not end for a long time.
const SLOW_HEAD: &[u8] = b"POST /client.http HTTP/1.1\r\nHost: localhost\r\nX: and on and on and on and on and on";

/// How many there are of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) idle: usize,
    pub(super) slow_heads: usize,
    pub(super) silent: usize,
    /// The length of the talker's lines; 0 for nobody who talks.
    pub(super) talk: usize,
}

/// What happened to them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Connections that were opened.
    pub(super) opened: AtomicU64,
    /// Idle connections that stand.
    pub(super) idle: AtomicUsize,
    /// Heads that were refused or cut off before their end.
    pub(super) heads_ended: AtomicU64,
    /// Clients who never read and were let go.
    pub(super) silent_ended: AtomicU64,
    /// Lines that the talker heard itself say.
    pub(super) lines: AtomicU64,
}

/// The crowd. It goes when this is dropped.
pub(super) struct Crowd {
    pub(super) counts: Arc<Counts>,
    leave: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Sends everybody there.
    pub(super) fn gather(address: SocketAddr, sizes: Sizes) -> io::Result<Self> {
        let (counts, leave) = (Arc::new(Counts::default()), Arc::new(Notify::new()));
        let enemy = Enemy { address, counts: Arc::clone(&counts) };
        let left = Arc::clone(&leave);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name(String::from("crowd")).spawn(move || {
            runtime.block_on(async move {
                enemy.spawn_all(sizes);
                left.notified().await;
            });
        })?;
        Ok(Self { counts, leave, thread: Some(thread) })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.leave.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in there is a failure of the trial, which has its figures by now.
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct Enemy {
    address: SocketAddr,
    counts: Arc<Counts>,
}

impl Enemy {
    fn spawn_all(&self, sizes: Sizes) {
        let Sizes { idle, slow_heads, silent, talk } = sizes;
        for number in 0..silent {
            tokio::spawn(self.clone().never_read(number));
        }
        for number in 0..slow_heads {
            tokio::spawn(self.clone().send_slow_heads(number));
        }
        for _ in 0..idle {
            tokio::spawn(self.clone().say_nothing());
        }
        if talk > 0 {
            tokio::spawn(self.clone().talk(talk));
        }
    }

    async fn connect(&self) -> TcpStream {
        loop {
            match TcpStream::connect(self.address).await {
                Ok(stream) => {
                    self.counts.opened.fetch_add(1, Ordering::Relaxed);
                    return stream;
                }
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// A connection on which nothing is asked; another one when it is closed.
    async fn say_nothing(self) {
        loop {
            let mut stream = self.connect().await;
            self.counts.idle.fetch_add(1, Ordering::Relaxed);
            while stream.read(&mut [0; 64]).await.is_ok_and(|length| length > 0) {}
            self.counts.idle.fetch_sub(1, Ordering::Relaxed);
        }
    }

    async fn send_slow_heads(self, number: usize) {
        // Not all of them at the same moment.
        sleep(BYTE * u32::try_from(number % 100).unwrap_or(0) / 100).await;
        loop {
            let mut stream = self.connect().await;
            for byte in SLOW_HEAD {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                // What comes is the refusal, or the end.
                if timeout(BYTE, stream.read(&mut [0; 512])).await.is_ok() {
                    break;
                }
            }
            self.counts.heads_ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Logs in, says now and then that it is there, and reads nothing.
    async fn never_read(self, number: usize) {
        let frames = ClientFrames::new("localhost", "silent");
        loop {
            let Ok(mut stream) = connect_with_little_room(self.address).await else {
                sleep(AGAIN).await;
                continue;
            };
            self.counts.opened.fetch_add(1, Ordering::Relaxed);
            let login = frames.login(&login(&format!("silent-{number}")));
            if stream.write_all(&login).await.is_err() {
                continue;
            }
            // Not together with the login: a client waits for its answer, and nobody reads this one.
            loop {
                sleep(PONG).await;
                if stream.write_all(&frames.pong()).await.is_err() {
                    break;
                }
            }
            self.counts.silent_ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says long lines at a steady pace and reads everything.
    async fn talk(self, length: usize) {
        let frames = ClientFrames::new("localhost", "talker");
        let line = frames.chat(Role::Coordinator, &"x".repeat(length), "Thu, 01 Jan 1970 00:00:00 GMT");
        loop {
            let mut stream = self.connect().await;
            if !is_let_in(&mut stream, &frames.login(&login("talker"))).await {
                sleep(AGAIN).await;
                continue;
            }
            let (mut from, mut to) = stream.split();
            let listen = async {
                let mut bytes = vec![0; 64 * 1024];
                while from.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            };
            let speak = async {
                let mut pace = interval(LINE);
                loop {
                    pace.tick().await;
                    if to.write_all(&line).await.is_err() {
                        return;
                    }
                    self.counts.lines.fetch_add(1, Ordering::Relaxed);
                }
            };
            tokio::select! {
                () = listen => {}
                () = speak => {}
            }
        }
    }
}

/// Logs in and reads the answer's first line, no more.
async fn is_let_in(stream: &mut TcpStream, login: &[u8]) -> bool {
    const YES: &[u8] = b"HTTP/1.1 101";
    let mut answer = [0; YES.len()];
    stream.write_all(login).await.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == YES
}

async fn connect_with_little_room(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(LITTLE)?;
    socket.connect(address).await
}

/// Coordinators: nobody waits for their votes.
pub(super) fn login(name: &str) -> Login {
    Login { user: String::from(name), role: Role::Coordinator, key: format!("the key of {name:-<24}"), lab: None }
}
