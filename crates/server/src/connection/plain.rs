//! Before the upgrade: one request, one answer, as any HTTP client knows it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use twopc_proto::frame::{Answer, DATE, Decoder, ErrorCode, Frame, Person, Refusal, Side};
use twopc_proto::{Role, UserName, json};

use super::events::Follower;
use super::framed::Framed;
use super::link::{Read, Unfinished, read_into, too_slow, write_all};
use super::login::{login, parse_name};
use super::pump::{Pump, Stuck};
use super::{Access, Next, Relay};
use crate::lobby::Stranger;
use crate::names::Standing;
use crate::outbox::{Debt, Outbox};
use crate::room::{Speaker, name_taken};
use crate::route::{check_line, not_found};

/// What the relay asks first.
const QUESTION: &str = "Enter your user name: 1 to 32 letters, digits, '-' or '_'.\n";

/// What a login takes at most of whoever stays for nothing else, head and body.
const LONGEST_LOGIN: usize = 4 * 1024;

/// A connection that is not logged in.
pub(super) struct Plain<'a> {
    stream: &'a TcpStream,
    stranger: &'a Stranger,
    relay: &'a Arc<Relay>,
    decoder: Decoder,
    debt: Arc<Debt>,
    unfinished: Unfinished,
    /// When it last asked for something; at first, when it came.
    asked: Instant,
}

/// What a request leads to.
enum Reply {
    Answer(Answer),
    /// What was said so far.
    Log,
    Next(Next),
}

/// The body of `GET /`.
#[derive(Serialize)]
struct Status {
    name: &'static str,
    version: &'static str,
    uptime_s: u64,
    users: Vec<StatusUser>,
}

#[derive(Serialize)]
struct StatusUser {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserName>,
    role: Role,
}

impl<'a> Plain<'a> {
    pub(super) fn new(stream: &'a TcpStream, stranger: &'a Stranger, relay: &'a Arc<Relay>) -> Self {
        let (decoder, unfinished) = (Decoder::new(Side::Plain), Unfinished::new());
        Self { stream, stranger, relay, decoder, debt: Arc::default(), unfinished, asked: Instant::now() }
    }

    /// Answers requests until the connection ends or becomes something else.
    pub(super) async fn run(&mut self) -> Next {
        loop {
            let frame = match self.next_frame().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return Next::Close,
                Err(refusal) => {
                    tracing::debug!(code = %refusal.code, "refused");
                    let sent = self.send(&Answer::refusal(&refusal).write(&date(), false)).await;
                    return if sent.is_ok() { Next::Linger } else { Next::Close };
                }
            };
            let closes = frame.has_word("Connection", "close") || !frame.is_http_1_1();
            let is_head = frame.method() == "HEAD";
            let answer = match self.reply(&frame).await {
                Ok(Reply::Answer(answer)) => Some(answer),
                Ok(Reply::Log) => None,
                Ok(Reply::Next(next)) => return next,
                Err(refusal) => Some(Answer::refusal(&refusal)),
            };
            let (is_sent, ends) = match answer {
                Some(answer) => {
                    let answer = if closes { answer.closing() } else { answer };
                    (self.send(&answer.write(&date(), is_head)).await.is_ok(), answer.closes())
                }
                None => (self.send_log(is_head, closes).await.is_ok(), closes),
            };
            match (is_sent, ends) {
                (false, _) => return Next::Close,
                (true, true) => return Next::Linger,
                (true, false) => {}
            }
            self.asked = Instant::now();
        }
    }

    /// The next request; `None` when there is none to come.
    async fn next_frame(&mut self) -> Result<Option<Frame>, Refusal> {
        while self.relay.room.is_too_fast(&self.debt) {
            // What it said before is still on its way.
            let _ = tokio::time::timeout(Duration::from_millis(10), self.debt.eased.notified()).await;
        }
        let sleep = sleep(Duration::ZERO);
        tokio::pin!(sleep);
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                self.unfinished.restart();
                return Ok(Some(frame));
            }
            if self.decoder.take_continue() && self.send(&Answer::go_on()).await.is_err() {
                return Ok(None);
            }
            self.unfinished.note(self.decoder.phase());
            let unfinished = self.unfinished.deadline(self.relay.times.unfinished);
            sleep.as_mut().reset(unfinished.unwrap_or(self.asked + self.relay.times.idle));
            tokio::select! {
                biased;
                // Should this fail, so does reading.
                _ = self.stream.readable() => match read_into(self.stream, &mut self.decoder) {
                    // Who has no place any more stays to log in, and not to fill the memory.
                    Read::Some if self.stranger.is_leaving() && self.decoder.held() > LONGEST_LOGIN => return Ok(None),
                    Read::Some => self.stranger.heard(),
                    Read::Nothing => {}
                    Read::End => return Ok(None),
                },
                () = &mut sleep => return if unfinished.is_some() { Err(too_slow()) } else { Ok(None) },
            }
        }
    }

    async fn reply(&mut self, frame: &Frame) -> Result<Reply, Refusal> {
        let is_get = matches!(frame.method(), "GET" | "HEAD");
        let reply = match (frame.path(), frame.method()) {
            ("/login", "POST") => return self.upgrade(frame).await.map(Reply::Next),
            ("/login", _) if is_get => Answer::text(200, QUESTION),
            ("/login", _) => return Err(Refusal::not_allowed("GET, HEAD, POST")),
            ("/client.http", "POST") => self.guest(frame).await?,
            ("/client.http", _) => return Err(Refusal::not_allowed("POST")),
            ("/" | "/log" | "/events", _) if !is_get => return Err(Refusal::not_allowed("GET, HEAD")),
            ("/", _) => self.status(frame)?,
            ("/log", _) => {
                self.check_access(frame)?;
                return Ok(Reply::Log);
            }
            ("/events", method) => {
                self.check_access(frame)?;
                let follower = Follower::new(self.relay);
                let sent = self.send(&Answer::events(&date())).await;
                return Ok(Reply::Next(match sent {
                    Ok(()) if method == "GET" => Next::Events(follower),
                    Ok(()) => Next::Linger,
                    Err(_) => Next::Close,
                }));
            }
            _ => return Err(not_found()),
        };
        Ok(Reply::Answer(reply))
    }

    /// A login: afterwards the connection is somebody's.
    async fn upgrade(&mut self, frame: &Frame) -> Result<Next, Refusal> {
        self.stranger.shows_a_name();
        let seat = login(frame, self.relay, self.stream).await.inspect_err(|_| self.stranger.was_refused())?;
        let framed = Framed::new(Arc::clone(self.relay), seat, self.decoder.clone(), Arc::clone(&self.debt));
        Ok(match self.send(&Answer::switching()).await {
            Ok(()) => Next::Framed(Box::new(framed)),
            Err(_) => Next::Close,
        })
    }

    async fn guest(&self, frame: &Frame) -> Result<Answer, Refusal> {
        self.check_access(frame)?;
        let name = parse_name(frame.one("From").unwrap_or_default())?;
        if self.relay.room.holds(&name) || self.relay.names.standing(&name, None).await != Standing::Free {
            return Err(name_taken(&name));
        }
        check_line(frame.body())?;
        self.relay.room.chat(Speaker::Guest(&name), frame, &self.debt)?;
        Ok(Answer::text(202, "Said.\n"))
    }

    fn status(&self, frame: &Frame) -> Result<Answer, Refusal> {
        if self.relay.access == Access::Loopback {
            self.check_access(frame)?;
        }
        let shows_names = self.relay.access != Access::Closed;
        let people = self.relay.room.people();
        let users = people.into_iter().map(|Person { user, role }| StatusUser { user: shows_names.then_some(user), role }).collect();
        let uptime_s = self.relay.room.uptime().as_secs();
        Ok(Answer::json(200, json::body(&Status { name: "twopc", version: env!("CARGO_PKG_VERSION"), uptime_s, users })))
    }

    /// Whether whoever is not logged in may read the room and talk in it.
    fn check_access(&self, frame: &Frame) -> Result<(), Refusal> {
        let message = match self.relay.access {
            Access::Open => return Ok(()),
            Access::Loopback if crate::host::is_local(frame) => return Ok(()),
            Access::Loopback => "This relay answers under its address or as localhost only; use one of those.",
            Access::Closed => "This relay is open to those who log in only; whoever keeps it can start it with --guests.",
        };
        Err(Refusal::new(403, ErrorCode::Forbidden, message))
    }

    /// What was said so far: megabytes perhaps, which count while they wait to be taken.
    async fn send_log(&self, is_head: bool, closes: bool) -> Result<(), Stuck> {
        let pieces = {
            let lines = self.relay.room.lines();
            let length = lines.iter().map(|line| line.len() + 1).sum();
            let head = Answer::log(&date(), length, closes);
            if is_head { vec![head] } else { in_pieces(head, &lines) }
        };
        let lent = Lent { relay: self.relay, outbox: self.relay.room.lend(pieces) };
        let mut pump = Pump::new(Arc::clone(&lent.outbox));
        pump.write(self.stream);
        if pump.has_backlog() {
            self.relay.room.keep(&lent.outbox);
        }
        pump.write_all(self.stream, self.relay.times.stuck).await
    }

    async fn send(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(self.stream, bytes, self.relay.times.stuck).await
    }
}

/// The log after its head, in pieces: what a reader has taken of it is given back to the system.
fn in_pieces(head: Vec<u8>, lines: &[Arc<str>]) -> Vec<Vec<u8>> {
    const PIECE: usize = 64 * 1024;
    let (mut pieces, mut piece) = (Vec::new(), head);
    for line in lines {
        if piece.len() + line.len() >= PIECE {
            pieces.push(std::mem::replace(&mut piece, Vec::with_capacity(PIECE)));
        }
        piece.extend_from_slice(line.as_bytes());
        piece.push(b'\n');
    }
    pieces.push(piece);
    pieces
}

/// What was lent to a reader; given back when dropped.
struct Lent<'a> {
    relay: &'a Relay,
    outbox: Arc<Outbox>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.relay.room.stop(&self.outbox);
    }
}

/// The hour, for a `Date` header.
fn date() -> String {
    Utc::now().format(DATE).to_string()
}
