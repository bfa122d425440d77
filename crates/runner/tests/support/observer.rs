//! An observer of a relay: what a lab hears, in the order in which the relay passes it on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use twopc_proto::frame::{Answers, ClientFrames, Decoder, FromRelay, Login, Protocol};
use twopc_proto::trace::{Trace, What};
use twopc_proto::{Role, UserName};

use super::PATIENCE;

/// A connection of an observer, and all that it has seen.
pub struct Observer {
    stream: TcpStream,
    decoder: Decoder,
    /// What came, in order.
    pub seen: Vec<Seen>,
}

/// One thing that came.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A node told an event.
    Told { user: UserName, trace: Trace },
    /// The relay passed a message on.
    Message(Protocol),
    /// Somebody is gone.
    Left(UserName),
}

impl Observer {
    /// Logs in with the lab's key.
    pub fn enter(relay: SocketAddr, lab: &str) -> Self {
        let mut stream = TcpStream::connect(relay).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = "the key of an observer".into();
        let login = Login { user: "lab".into(), role: Role::Observer, key, lab: Some(lab.into()) };
        stream.write_all(&ClientFrames::new("127.0.0.1", "test/1").login(&login)).unwrap();
        let mut answers = Answers::new();
        let answer = loop {
            if let Some(answer) = answers.next_answer().unwrap() {
                break answer;
            }
            answers.feed(&read(&mut stream));
        };
        assert!(answer.is_upgrade(), "{answer:?} {}", String::from_utf8_lossy(answer.body()));
        Self { stream, decoder: answers.into_frames(), seen: Vec::new() }
    }

    /// Reads on until somebody has left.
    pub fn read_until_left(&mut self, user: &str) {
        self.read_until(&format!("{user} leaves"), |seen| matches!(seen, Seen::Left(left) if left.as_str() == user));
    }

    /// Reads on until something has come.
    pub fn read_until(&mut self, what: &str, mut is_it: impl FnMut(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = std::mem::take(&mut self.seen);
        self.watch(|next| {
            assert!(Instant::now() < deadline, "it never came that {what}; what came is {seen:#?}");
            seen.push(next.clone());
            is_it(next)
        });
        self.seen = seen;
    }

    /// Reads on, and keeps nothing, until something has come.
    pub fn watch(&mut self, mut is_it: impl FnMut(&Seen) -> bool) {
        loop {
            while let Some(frame) = self.decoder.next_frame().unwrap() {
                let seen = match FromRelay::read(&frame).unwrap() {
                    FromRelay::Trace { from, body, role: _ } => Seen::Told { user: from, trace: Trace::read(&body).unwrap() },
                    FromRelay::Protocol(protocol) => Seen::Message(protocol),
                    FromRelay::Left(person) => Seen::Left(person.user),
                    FromRelay::Welcome(_)
                    | FromRelay::Joined(_)
                    | FromRelay::Ping
                    | FromRelay::Error(_)
                    | FromRelay::Chat(_)
                    | FromRelay::Lab(_)
                    | FromRelay::Unknown => continue,
                };
                if is_it(&seen) {
                    return;
                }
            }
            let bytes = read(&mut self.stream);
            self.decoder.feed(&bytes);
        }
    }

    /// What a node told, in the order in which it came.
    pub fn told(&self, who: &str) -> Vec<Trace> {
        let told = self.seen.iter().filter_map(|seen| match seen {
            Seen::Told { user, trace } if user.as_str() == who => Some(trace.clone()),
            Seen::Told { .. } | Seen::Message(_) | Seen::Left(_) => None,
        });
        told.collect()
    }

    /// The same, a short line each.
    pub fn story(&self, who: &str) -> Vec<String> {
        self.told(who).iter().map(|trace| line(&trace.what)).collect()
    }
}

/// Some bytes, and not the end.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    let length = stream.read(&mut bytes).unwrap();
    assert!(length > 0, "the relay closed the observer's connection");
    bytes.truncate(length);
    bytes
}

/// What a person would say of an event.
pub fn line(what: &What) -> String {
    match what {
        What::Start { records } => format!("start with {records} records"),
        What::Online { .. } => "online".into(),
        What::Offline => "offline".into(),
        What::Press { button, .. } => format!("press {button}"),
        What::Send { to, kind, .. } => format!("send {kind} to {to}"),
        What::Receive { from, kind, state: None, .. } => format!("receive {kind} from {from}"),
        What::Receive { from, kind, state: Some(state), .. } => format!("receive {kind} {} from {from}", state.as_str()),
        What::Log { lsn, record, forced, .. } => format!("log {lsn} {record}{}", if *forced { ", forced" } else { "" }),
        What::Durable { lsn } => format!("durable {lsn}"),
        What::Applied { .. } => "applied".into(),
        What::Timeout { timer, .. } => format!("timeout {timer}"),
        What::State { state, string, .. } => format!("state {state}{}", string.as_ref().map(|text| format!(" {text}")).unwrap_or_default()),
        What::Doubt { blocked, asked_us, peers, .. } => {
            let peers: Vec<String> = peers
                .iter()
                .map(|peer| {
                    let here = if peer.here { "here" } else { "away" };
                    let asked = if peer.asked { " asked" } else { "" };
                    let answer = peer.answer.map(|answer| format!(" {}", answer.as_str())).unwrap_or_default();
                    format!("{} {here}{asked}{answer}", peer.user)
                })
                .collect();
            let asked = if asked_us.is_some() { " asked" } else { "" };
            format!("doubt{asked}{}: {}", if *blocked { " blocked" } else { "" }, peers.join(", "))
        }
        What::Settled { decision, .. } => format!("settled {decision}"),
        What::Done { .. } => "done".into(),
        What::Notice { message } => format!("notice {message}"),
    }
}
