//! A node's connection to the relay: reaching it, logging in, hearing and saying frames, losing it and
//! coming back. Every byte goes through the production codec.

use std::time::Duration;

use twopc_proto::frame::{Answers, Decoder, ErrorCode, FromRelay};
use twopc_proto::{Input, LinkState, Presence};

use super::{Fate, Inhabitant, Knock, Node, Process};
use crate::sim::clock::Time;
use crate::sim::faults::Damage;
use crate::sim::network::{Parcel, Way, Wire, pieces};
use crate::sim::run::Env;

/// The first wait before the relay is tried again, and the longest.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long an attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A relay of which nothing is heard for this long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the link stands.
pub(super) enum Link {
    Waiting,
    Trying { wire: Wire, answers: Answers },
    Up { wire: Wire, decoder: Decoder, heard: Time, is_in: bool },
}

impl Link {
    /// The connection, if there is one.
    pub(super) fn wire(&self) -> Option<Wire> {
        match self {
            Self::Waiting => None,
            Self::Trying { wire, .. } | Self::Up { wire, .. } => Some(*wire),
        }
    }

    /// The connection on which what is said counts as said.
    pub(super) fn way_in(&self) -> Option<Wire> {
        match self {
            Self::Up { wire, is_in: true, .. } => Some(*wire),
            Self::Up { .. } | Self::Waiting | Self::Trying { .. } => None,
        }
    }

    pub(super) fn is_in(&self) -> bool {
        self.way_in().is_some()
    }
}

impl<M: Inhabitant> Node<M> {
    /// Tries the relay.
    pub(super) fn connect(&mut self, env: &mut Env) {
        let (who, at) = (self.who, env.now);
        let Some(running) = self.running() else { return };
        if !matches!(running.link, Link::Waiting) {
            return;
        }
        let wire = env.network.connect(who);
        running.link = Link::Trying { wire, answers: Answers::new() };
        self.knock_at(at + PATIENCE, Knock::Unreached(wire), env);
        self.call(wire, 0, env);
    }

    /// Asks the relay's machine for a connection, for the `tries`th time: where nobody answers it is
    /// asked again after 1, 3 and 7 seconds, as TCP does. No byte is sent before somebody has answered.
    pub(super) fn call(&mut self, wire: Wire, tries: u32, env: &mut Env) {
        let (who, at) = (self.who, env.now);
        let Some(running) = self.running() else { return };
        if !matches!(running.link, Link::Trying { wire: this, .. } if this == wire) {
            return;
        }
        if env.network.is_cut(who, at) {
            if tries < 3 {
                self.knock_at(at + Duration::from_secs(1 << tries), Knock::Call(wire, tries + 1), env);
            }
        } else if env.relay_is_up {
            let login = running.frames.login(&running.login);
            env.network.send(wire, Way::Up, login, at, &mut env.agenda);
        } else {
            let latency = env.network.latency();
            self.knock_at(at + latency, Knock::Unreached(wire), env);
        }
    }

    /// An attempt has had its time.
    pub(super) fn on_unreached(&mut self, wire: Wire, env: &mut Env) {
        let Some(running) = self.running() else { return };
        if matches!(running.link, Link::Trying { wire: this, .. } if this == wire) {
            self.lose_link(env);
        }
    }

    /// The relay may have been silent for too long.
    pub(super) fn on_silence(&mut self, wire: Wire, env: &mut Env) {
        let Some(running) = self.running() else { return };
        let Link::Up { wire: this, heard, .. } = &running.link else { return };
        if *this != wire {
            return;
        }
        let due = *heard + SILENCE;
        if due <= env.now {
            env.coverage.note("relay silent for too long");
            self.lose_link(env);
        } else {
            self.knock_at(due, Knock::Silence(wire), env);
        }
    }

    /// There is no link any more; it is tried again.
    fn lose_link(&mut self, env: &mut Env) {
        let Some(running) = self.running() else { return };
        let was_in = running.link.is_in();
        if let Some(wire) = running.link.wire() {
            env.network.close(wire, Way::Up, env.now, &mut env.agenda);
        }
        running.link = Link::Waiting;
        running.out.clear();
        let wait = running.patience;
        running.patience = (wait * 2).min(LONGEST_WAIT);
        self.knock_at(env.now + wait, Knock::Connect, env);
        if was_in {
            self.take(Input::Link(LinkState::Down), env);
        }
    }

    /// Something arrives on a connection.
    pub(super) fn on_parcel(&mut self, wire: Wire, parcel: Parcel, env: &mut Env) {
        let Some(running) = self.running() else { return };
        if running.link.wire() != Some(wire) {
            return;
        }
        match parcel {
            Parcel::Close => self.lose_link(env),
            Parcel::Bytes(bytes) => {
                if let Link::Trying { .. } = running.link {
                    self.on_answer(&bytes, env);
                } else {
                    self.on_bytes(&bytes, env);
                }
            }
        }
    }

    /// A part of the answer to the login, and what may follow it.
    fn on_answer(&mut self, bytes: &[u8], env: &mut Env) {
        let now = env.now;
        let Some(running) = self.running() else { return };
        let Link::Trying { wire, answers } = &mut running.link else { return };
        let wire = *wire;
        answers.feed(bytes);
        match answers.next_answer() {
            Ok(None) => {}
            Ok(Some(answer)) if answer.is_upgrade() => {
                let decoder = std::mem::take(answers).into_frames();
                running.link = Link::Up { wire, decoder, heard: now, is_in: false };
                self.knock_at(now + SILENCE, Knock::Silence(wire), env);
                self.on_bytes(&[], env);
            }
            Ok(Some(answer)) => {
                let code = twopc_proto::json::parse::<twopc_proto::frame::ErrorBody>(answer.body()).ok().and_then(|body| body.code());
                self.on_login_refused(code, env);
            }
            Err(refusal) => env.judge.violated("the relay is understood", format!("{}: {refusal:?}", self.name())),
        }
    }

    /// The relay does not know this name by this key: only somebody whose folder is lost meets that.
    fn on_login_refused(&mut self, code: Option<ErrorCode>, env: &mut Env) {
        env.tell(|| format!("{} is refused: {code:?}", self.name()));
        if code == Some(ErrorCode::NameTaken) && self.damage == Some(Damage::LoseFolder) {
            env.coverage.note("name refused without its key");
            self.leave_for_good("the folder lost");
        } else {
            env.judge.violated("the relay lets its own in", format!("{}: {code:?}", self.name()));
        }
    }

    /// Frames, cut anywhere.
    fn on_bytes(&mut self, bytes: &[u8], env: &mut Env) {
        let now = env.now;
        let Some(running) = self.running() else { return };
        let Link::Up { wire, decoder, heard, .. } = &mut running.link else { return };
        let wire = *wire;
        if !bytes.is_empty() {
            *heard = now;
        }
        let mut frames = Vec::new();
        let mut pieces = pieces(bytes, env.network.chance());
        if pieces.is_empty() {
            pieces.push(bytes);
        }
        for piece in pieces {
            decoder.feed(piece);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(FromRelay::read(&frame)),
                    Ok(None) => break,
                    Err(refusal) => {
                        return env.judge.violated("the relay is understood", format!("{}: {refusal:?}", self.place.user));
                    }
                }
            }
        }
        for frame in frames {
            if self.running().is_none_or(|running| running.link.wire() != Some(wire)) {
                return;
            }
            match frame {
                Ok(frame) => self.on_frame(frame, env),
                Err(bad) => return env.judge.violated("the relay is understood", format!("{}: {bad}", self.name())),
            }
        }
    }

    fn on_frame(&mut self, frame: FromRelay, env: &mut Env) {
        let Some(running) = self.running() else { return };
        if running.busy.as_ref().is_some_and(super::Busy::is_hanging) {
            env.coverage.note("disk hangs while frames come");
        }
        let is_in = running.link.is_in();
        match frame {
            FromRelay::Welcome(welcome) => {
                if self.is_impostor {
                    return env.judge.violated("nobody comes back without its promises", self.name().to_string());
                }
                let Some(running) = self.running() else { return };
                if let Link::Up { is_in, .. } = &mut running.link {
                    *is_in = true;
                }
                running.patience = FIRST_WAIT;
                running.was_in = true;
                let room = welcome.users.into_iter().map(|person| (person.user, person.role)).collect();
                self.take(Input::Link(LinkState::Up(room)), env);
            }
            FromRelay::Joined(person) if is_in => self.take(Input::Peer(person.user, Presence::Joined(person.role)), env),
            FromRelay::Left(person) if is_in => self.take(Input::Peer(person.user, Presence::Left), env),
            FromRelay::Protocol(protocol) if is_in => match protocol.message() {
                Some(Ok(message)) => self.take(Input::Received { from: protocol.from, role: protocol.role, message }, env),
                Some(Err(bad)) => env.judge.violated("the relay is understood", format!("{}: {bad}", self.name())),
                None => {}
            },
            FromRelay::Ping => {
                let pong = running.frames.pong();
                running.out.extend_from_slice(&pong);
            }
            FromRelay::Error(error) => match (error.code(), error.to) {
                (Some(ErrorCode::NotHere), Some(to)) => {
                    env.coverage.note("not here");
                    self.take(Input::Peer(to, Presence::NotHere), env);
                }
                (Some(ErrorCode::Replaced), _) => {
                    // A login of its own that was given up long ago has arrived after a later one.
                    env.coverage.note("replaced by a login of its own");
                    let down = Duration::from_millis(1_000);
                    self.die(Fate { power: false, down, again: None }, env);
                }
                (code, _) => env.judge.violated("the relay takes what nodes say", format!("{}: {code:?} {}", self.name(), error.message)),
            },
            FromRelay::Joined(_)
            | FromRelay::Left(_)
            | FromRelay::Protocol(_)
            | FromRelay::Chat(_)
            | FromRelay::Trace { .. }
            | FromRelay::Lab(_)
            | FromRelay::Unknown => {}
        }
    }

    /// Hands what this turn says to the kernel.
    pub(super) fn flush(&mut self, env: &mut Env) {
        let Process::Up(running) = &mut self.process else { return };
        if running.out.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut running.out);
        if let Some(wire) = running.link.way_in() {
            env.network.send(wire, Way::Up, bytes, env.now, &mut env.agenda);
        }
    }
}
