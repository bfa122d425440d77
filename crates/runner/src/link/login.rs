//! Reaching the relay: its question, and the login that upgrades the connection.
//!
//! Each attempt is one future with a deadline. Deliberately absent: trying again, and what a person
//! is told of a refusal.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twopc_proto::frame::{Answers, ClientFrames, ErrorBody, Login, Refusal, Response};
use twopc_proto::json;

use super::address::Address;
use super::connection::Connection;

/// How long one attempt may take, from looking up the name to the relay's answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest question that is shown.
const LONGEST_QUESTION: usize = 1_000;

/// A connection that is not logged in: the relay keeps it for a while for the next request.
#[derive(Debug)]
pub(crate) struct Held {
    stream: TcpStream,
    answers: Answers,
}

impl Held {
    /// Whether nothing came on it unasked: what did would be an end, or a refusal of our silence.
    fn is_silent(&self) -> bool {
        matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What came of asking for the relay's question.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The relay's words.
    pub(crate) question: String,
    /// For the answer.
    pub(crate) held: Held,
}

/// What came of a login.
#[derive(Debug)]
pub(crate) enum Answered {
    /// Logged in: what follows is frames.
    In(Box<Connection>),
    /// The relay said no, in a code and a sentence.
    Refused {
        /// Why.
        error: ErrorBody,
        /// For another name, where the relay has kept the connection open.
        held: Option<Box<Held>>,
    },
}

/// Why an attempt gave no answer. Each is said to a person in a few words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreached {
    /// There is no such host, nothing listens there, or the network is down.
    #[error("no relay answers at {address} ({})", in_words(error))]
    Unreachable {
        /// Where.
        address: Address,
        /// What the system said.
        error: io::Error,
    },
    /// Something listens, and said nothing in time.
    #[error("{address} did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow {
        /// Where.
        address: Address,
    },
    /// Something else than a relay listens there.
    #[error("what answers at {address} is not a relay")]
    NotARelay {
        /// Where.
        address: Address,
    },
}

/// The system's words without its numbers.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the network does not reach it".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

/// What goes wrong on the way, before it is known at which address.
enum Failure {
    Io(io::Error),
    NotARelay,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for Failure {
    fn from(_: Refusal) -> Self {
        Self::NotARelay
    }
}

/// Asks for the relay's question, on a connection that is still there or on a new one.
pub(crate) async fn ask(address: Address, frames: ClientFrames, held: Option<Held>) -> Result<Asked, Unreached> {
    let request = frames.question();
    in_time(&address, async {
        let (answer, held) = request_on(&address, &request, held).await?;
        let question = std::str::from_utf8(answer.body()).map_err(|_| Failure::NotARelay)?.trim();
        if answer.status() != 200 || question.is_empty() || question.len() > LONGEST_QUESTION {
            return Err(Failure::NotARelay);
        }
        Ok(Asked { question: question.into(), held })
    })
    .await
}

/// Logs in, on a connection that is still there or on a new one.
pub(crate) async fn log_in(address: Address, frames: ClientFrames, login: Login, held: Option<Held>) -> Result<Answered, Unreached> {
    let request = frames.login(&login);
    in_time(&address, async {
        let (answer, held) = request_on(&address, &request, held).await?;
        if answer.status() == 101 {
            let connection = Connection::new(held.stream, held.answers.into_frames(), Instant::now());
            return Ok(Answered::In(Box::new(connection)));
        }
        let error: ErrorBody = json::parse(answer.body()).map_err(|_| Failure::NotARelay)?;
        let held = (!answer.has_word("Connection", "close")).then(|| Box::new(held));
        Ok(Answered::Refused { error, held })
    })
    .await
}

/// Runs an attempt until its time is over, and says where it failed.
async fn in_time<T>(address: &Address, attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Unreached> {
    let address = address.clone();
    match tokio::time::timeout(PATIENCE, attempt).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Failure::Io(error))) => Err(Unreached::Unreachable { address, error }),
        Ok(Err(Failure::NotARelay)) => Err(Unreached::NotARelay { address }),
        Err(_) => Err(Unreached::TooSlow { address }),
    }
}

/// One request and its answer. The relay closes a connection that asks nothing for a while, so a
/// held one that is found closed is replaced by another, unseen.
async fn request_on(address: &Address, request: &[u8], held: Option<Held>) -> Result<(Response, Held), Failure> {
    if let Some(held) = held
        && held.is_silent()
        && let Ok(answered) = exchange(held, request).await
    {
        return Ok(answered);
    }
    let stream = TcpStream::connect(address.host_and_port()).await?;
    stream.set_nodelay(true)?;
    exchange(Held { stream, answers: Answers::new() }, request).await
}

async fn exchange(mut held: Held, request: &[u8]) -> Result<(Response, Held), Failure> {
    held.stream.write_all(request).await?;
    let mut chunk = [0; 4096];
    loop {
        if let Some(answer) = held.answers.next_answer()? {
            return Ok((answer, held));
        }
        match held.stream.read(&mut chunk).await? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            n => held.answers.feed(&chunk[..n]),
        }
    }
}
