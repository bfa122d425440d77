//! The lab's own connection to the relay: it sees everything, and says what becomes of messages.
//!
//! It logs in as an observer with the key that the lab gave its relay, notes what it sees, and comes back
//! when the relay does. Deliberately absent: what anything means.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};
use twopc_proto::bench::Command;
use twopc_proto::frame::{Answers, ClientFrames, Decoder, Frame, FromRelay, Login, Welcome};
use twopc_proto::trace::Trace;
use twopc_proto::{Role, UserName};

use crate::run::journal::Journal;
use crate::run::{Happening, LabKey};

/// How long the relay may take from the first byte to its 101.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until it is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// A hold on the connection: dropping it ends it.
pub(crate) struct Observer {
    orders: UnboundedSender<Command>,
}

impl Observer {
    /// Asks the relay for something. Without a relay nothing is on its way, and nothing is asked.
    pub(crate) fn ask(&self, command: Command) {
        let _ = self.orders.send(command);
    }
}

/// Watches the relay at this address, for as long as the observer is kept. Whoever leaves the room is told
/// to `left`, after all that it has said. Called within a runtime.
pub(crate) fn watch(address: String, key: LabKey, journal: Journal, left: UnboundedSender<UserName>) -> Observer {
    let (orders, mut asked) = unbounded_channel();
    // Under its name it is known by a key of its own: the lab's may be one that a person has chosen, and too short.
    let own = LabKey::new().unwrap_or_else(|_| key.clone());
    tokio::spawn(async move {
        while !asked.is_closed() {
            if let Ok((stream, decoder, frames)) = log_in(&address, &own, &key).await {
                // However it ended, the relay says no more on it.
                let _ = follow(stream, decoder, &frames, &mut asked, &|seen| tell(&journal, &left, seen)).await;
                journal.note(Happening::Blind);
            }
            // What was asked without a relay is about messages that are gone.
            while asked.try_recv().is_ok() {}
            sleep(AGAIN).await;
        }
    });
    Observer { orders }
}

async fn log_in(address: &str, own: &LabKey, key: &LabKey) -> io::Result<(TcpStream, Decoder, ClientFrames)> {
    let attempt = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let frames = ClientFrames::new(address, concat!("twopc-lab/", env!("CARGO_PKG_VERSION")));
        let login = Login { user: String::from("lab"), role: Role::Observer, key: own.text().into(), lab: Some(key.text().into()) };
        stream.write_all(&frames.login(&login)).await?;
        let (mut answers, mut chunk) = (Answers::new(), vec![0; 16 * 1024]);
        loop {
            let count = stream.read(&mut chunk).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answers.feed(&chunk[..count]);
            match answers.next_answer() {
                Ok(Some(answer)) if answer.status() == 101 => return Ok((stream, answers.into_frames(), frames)),
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Err(io::ErrorKind::ConnectionRefused.into()),
            }
        }
    };
    timeout(PATIENCE, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn tell(journal: &Journal, left: &UnboundedSender<UserName>, seen: Happening) {
    let who = if let Happening::Left { user, .. } = &seen { Some(user.clone()) } else { None };
    journal.note(seen);
    // The keeper outlives its observer.
    let _ = who.map(|who| left.send(who));
}

/// Notes what comes and sends what is asked, until the connection ends or nobody is left to ask.
async fn follow(
    stream: TcpStream,
    mut decoder: Decoder,
    frames: &ClientFrames,
    asked: &mut UnboundedReceiver<Command>,
    note: &(dyn Fn(Happening) + Sync),
) -> io::Result<()> {
    let (mut from, mut to) = stream.into_split();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        while let Some(frame) = decoder.next_frame().map_err(|_| io::ErrorKind::InvalidData)? {
            if frame.path() == "/ping" {
                to.write_all(&frames.pong()).await?;
            } else {
                seen(&frame).into_iter().for_each(note);
            }
        }
        tokio::select! {
            biased;
            count = from.read(&mut chunk) => match count? {
                0 => return Ok(()),
                count => decoder.feed(&chunk[..count]),
            },
            command = asked.recv() => match command {
                Some(command) => to.write_all(&frames.lab(&command)).await?,
                None => return to.write_all(&frames.logout()).await,
            },
        }
    }
}

/// What a frame says to a lab, if it says anything to one. A welcome says who is here as well. What was said before the lab came is no part
/// of what it has seen.
fn seen(frame: &Frame) -> Vec<Happening> {
    let Ok(said) = FromRelay::read(frame) else { return Vec::new() };
    let one = match said {
        FromRelay::Welcome(Welcome { room, user: me, users, .. }) => {
            let others = users.into_iter().filter(|person| person.user != me);
            let here = others.map(|person| Happening::Joined { user: person.user, role: person.role });
            return std::iter::once(Happening::Watching { room }).chain(here).collect();
        }
        FromRelay::Joined(person) => Some(Happening::Joined { user: person.user, role: person.role }),
        FromRelay::Left(person) => Some(Happening::Left { user: person.user, role: person.role }),
        FromRelay::Chat(chat) if chat.history => None,
        FromRelay::Chat(_) | FromRelay::Protocol(_) => Some(Happening::Frame { frame: String::from_utf8_lossy(frame.bytes()).into() }),
        FromRelay::Trace { from, role, body } => Trace::read(&body).ok().map(|trace| Happening::Told { user: from, role, trace }),
        FromRelay::Lab(fate) => Some(Happening::Fate { fate }),
        FromRelay::Ping | FromRelay::Error(_) | FromRelay::Unknown => None,
    };
    one.into_iter().collect()
}
