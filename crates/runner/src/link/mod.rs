//! The link to the relay: reaching it, logging in, staying in, and coming back.
//!
//! It knows where the link stands and when the next attempt comes; what to do about an answer or a
//! loss is the loop's decision. Deliberately absent: the machine, and every word that a person reads
//! but the reason of a failure.

mod address;
mod connection;
mod login;

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use twopc_proto::frame::{ClientFrames, ErrorBody, Login};

pub use address::{Address, DEFAULT_PORT};
pub(crate) use connection::{Connection, Lost};
pub(crate) use login::{Answered, Asked, Unreached};
use login::{Held, ask, log_in};

/// The first wait before the relay is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The link of one node.
#[derive(Debug)]
pub(crate) struct RelayLink {
    address: Address,
    agent: String,
    pub(crate) frames: ClientFrames,
    phase: Phase,
    /// Kept for the next request before the login.
    held: Option<Held>,
    /// The wait before the next attempt but one.
    wait: Duration,
}

/// Where the link stands.
#[derive(Debug)]
enum Phase {
    /// Nothing is under way.
    Idle,
    /// The relay's question is being asked for.
    Asking(JoinHandle<Result<Asked, Unreached>>),
    /// A login is under way.
    LoggingIn(JoinHandle<Result<Answered, Unreached>>),
    /// Logged in; with the first `/welcome` the room is known.
    Up(Box<Connection>),
    /// The next attempt comes by itself.
    Waiting { until: Instant, why: String },
}

/// What the link has to say.
#[derive(Debug)]
pub(crate) enum Stirring {
    /// The relay's question came.
    Question(String),
    /// The login succeeded.
    LoggedIn,
    /// The login was refused.
    Refused(ErrorBody),
    /// An attempt gave no answer.
    Unreached(String),
    /// It is time for the next attempt.
    TryAgain,
    /// The socket may have something to read, or take something, or was silent for too long.
    Socket,
}

/// How the link stands, for whoever shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Idle,
    Trying,
    Up,
    Waiting { until: Instant, why: String },
}

impl RelayLink {
    pub(crate) fn new(address: Address, agent: String) -> Self {
        let frames = ClientFrames::new(&address.to_string(), &agent);
        Self { address, agent, frames, phase: Phase::Idle, held: None, wait: FIRST_WAIT }
    }

    /// Goes to another relay, or to the same one from the beginning.
    pub(crate) fn set_address(&mut self, address: Address) {
        *self = Self::new(address, std::mem::take(&mut self.agent));
    }

    /// Starts asking for the relay's question.
    pub(crate) fn ask(&mut self) {
        let (address, frames, held) = (self.address.clone(), self.frames.clone(), self.held.take());
        self.enter(Phase::Asking(tokio::spawn(ask(address, frames, held))));
    }

    /// Starts a login.
    pub(crate) fn log_in(&mut self, login: Login) {
        let (address, frames, held) = (self.address.clone(), self.frames.clone(), self.held.take());
        self.enter(Phase::LoggingIn(tokio::spawn(log_in(address, frames, login, held))));
    }

    /// Lets the next attempt come by itself: after 0.25 s, doubling to 5 s until one succeeds.
    pub(crate) fn wait(&mut self, now: Instant, why: String) {
        self.enter(Phase::Waiting { until: now + self.wait, why });
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    /// The relay let this node into the room, so the next loss is tried again quickly.
    pub(crate) fn on_welcome(&mut self) {
        self.wait = FIRST_WAIT;
    }

    /// Ends whatever is under way.
    pub(crate) fn close(&mut self) {
        self.held = None;
        self.enter(Phase::Idle);
    }

    fn enter(&mut self, phase: Phase) {
        match std::mem::replace(&mut self.phase, phase) {
            Phase::Asking(attempt) => attempt.abort(),
            Phase::LoggingIn(attempt) => attempt.abort(),
            Phase::Idle | Phase::Up(_) | Phase::Waiting { .. } => {}
        }
    }

    /// The connection, if the login succeeded.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.phase {
            Phase::Up(connection) => Some(connection),
            Phase::Idle | Phase::Asking(_) | Phase::LoggingIn(_) | Phase::Waiting { .. } => None,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        match &self.phase {
            Phase::Idle => Standing::Idle,
            Phase::Asking(_) | Phase::LoggingIn(_) => Standing::Trying,
            Phase::Up(_) => Standing::Up,
            Phase::Waiting { until, why } => Standing::Waiting { until: *until, why: why.clone() },
        }
    }

    /// Waits until the link has something to say. Cancelling it loses nothing: an attempt goes on in
    /// a task of its own, and its outcome is taken in the same poll that it comes in.
    pub(crate) async fn stirs(&mut self) -> Stirring {
        match &mut self.phase {
            Phase::Idle => std::future::pending().await,
            Phase::Asking(attempt) => {
                let outcome = attempt.await;
                self.phase = Phase::Idle;
                match outcome {
                    Ok(Ok(Asked { question, held })) => {
                        self.held = Some(held);
                        Stirring::Question(question)
                    }
                    Ok(Err(unreached)) => Stirring::Unreached(unreached.to_string()),
                    Err(_) => Stirring::Unreached(FAULT.into()),
                }
            }
            Phase::LoggingIn(attempt) => {
                let outcome = attempt.await;
                self.phase = Phase::Idle;
                match outcome {
                    Ok(Ok(Answered::In(connection))) => {
                        self.phase = Phase::Up(connection);
                        Stirring::LoggedIn
                    }
                    Ok(Ok(Answered::Refused { error, held })) => {
                        self.held = held.map(|held| *held);
                        Stirring::Refused(error)
                    }
                    Ok(Err(unreached)) => Stirring::Unreached(unreached.to_string()),
                    Err(_) => Stirring::Unreached(FAULT.into()),
                }
            }
            Phase::Waiting { until, .. } => {
                tokio::time::sleep_until((*until).into()).await;
                Stirring::TryAgain
            }
            Phase::Up(connection) => {
                connection.ready().await;
                Stirring::Socket
            }
        }
    }
}

/// Said when an attempt's task did not come to its end, which only a fault of ours makes it do.
const FAULT: &str = "the attempt failed inside this program";

impl Drop for RelayLink {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_to_five_seconds_and_begin_anew_after_a_welcome() {
        let mut link = RelayLink::new(Address::default(), "test/1".into());
        let now = Instant::now();
        let waits = |link: &mut RelayLink| {
            link.wait(now, "gone".into());
            match link.standing() {
                Standing::Waiting { until, .. } => until.duration_since(now).as_millis(),
                Standing::Idle | Standing::Trying | Standing::Up => panic!("it waits"),
            }
        };
        let first: Vec<u128> = (0..7).map(|_| waits(&mut link)).collect();
        assert_eq!(first, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        link.on_welcome();
        assert_eq!(waits(&mut link), 250);
    }
}
