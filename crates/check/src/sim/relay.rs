//! The relay, as a node meets it: logins, names and their keys, stamps, presence, refusals, pings; and the
//! weather, which loses, repeats and holds up protocol messages.
//!
//! It reads and writes with the production codec, and knows paths, names and lengths alone.
//! Deliberately absent: chat, observers, back-pressure; the real relay has tests of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use twopc_proto::frame::{Answer, Decoder, ErrorCode, Frame, Login, Person, Refusal, RelayFrames, Side, Stamp, Welcome};
use twopc_proto::json;
use twopc_proto::{Role, UserName};

use super::clock::Time;
use super::network::{Parcel, Way, Wire, pieces};
use super::run::{Env, Event};

/// When nothing went to a client or came from it for this long, it is asked whether it is there.
const PING: Duration = Duration::from_secs(10);
/// A client of which nothing is heard for this long is gone.
const GONE: Duration = Duration::from_secs(30);

/// The relay.
pub(super) struct Relay {
    life: u64,
    seq: u64,
    /// Connections before this one reached an earlier life.
    first_wire: Wire,
    /// Who claimed which name; kept over restarts.
    keys: BTreeMap<UserName, String>,
    members: BTreeMap<UserName, Member>,
    served: BTreeMap<Wire, Served>,
    frames: RelayFrames,
    /// Every protocol message that it was ever given.
    archive: Vec<Ghost>,
    weather: Weather,
}

#[derive(Debug)]
struct Member {
    wire: Wire,
    role: Role,
}

struct Served {
    decoder: Decoder,
    seat: Option<UserName>,
    last_in: Time,
    last_out: Time,
}

/// A protocol message as it was said, to be said again, or late, or by nobody.
#[derive(Clone, Debug)]
pub(super) struct Ghost {
    pub(super) from: UserName,
    pub(super) role: Role,
    pub(super) to: UserName,
    pub(super) word: String,
    pub(super) body: Vec<u8>,
}

/// How many of a hundred messages are lost, repeated and late, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    pub(super) lost: u64,
    pub(super) repeated: u64,
    pub(super) late: u64,
    pub(super) until: Time,
}

impl Relay {
    pub(super) fn new() -> Self {
        Self {
            life: 1,
            seq: 0,
            first_wire: 0,
            keys: BTreeMap::new(),
            members: BTreeMap::new(),
            served: BTreeMap::new(),
            frames: RelayFrames::new("127.0.0.1:1337"),
            archive: Vec::new(),
            weather: Weather::default(),
        }
    }

    pub(super) fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// It is killed: every connection ends.
    pub(super) fn kill(&mut self, env: &mut Env) {
        env.relay_is_up = false;
        for wire in std::mem::take(&mut self.served).into_keys() {
            env.network.close(wire, Way::Down, env.now, &mut env.agenda);
        }
        self.members.clear();
    }

    /// It is started: another room, whose numbers begin at 1.
    pub(super) fn start(&mut self, env: &mut Env) {
        if std::mem::replace(&mut env.relay_is_up, true) {
            return;
        }
        self.life += 1;
        self.seq = 0;
        self.first_wire = env.network.next_wire();
    }

    /// Something arrives from a node.
    pub(super) fn arrive(&mut self, wire: Wire, parcel: Parcel, env: &mut Env) {
        if !self.served.contains_key(&wire) {
            if !env.relay_is_up || wire < self.first_wire {
                return env.network.close(wire, Way::Down, env.now, &mut env.agenda);
            }
            let served = Served { decoder: Decoder::new(Side::Plain), seat: None, last_in: env.now, last_out: env.now };
            self.served.insert(wire, served);
            env.agenda.add(env.now + PING, Event::Beat(wire));
        }
        match parcel {
            Parcel::Close => self.leave(wire, env),
            Parcel::Bytes(bytes) => self.read(wire, &bytes, env),
        }
    }

    fn read(&mut self, wire: Wire, bytes: &[u8], env: &mut Env) {
        for piece in pieces(bytes, env.network.chance()) {
            let Some(served) = self.served.get_mut(&wire) else { return };
            served.last_in = env.now;
            served.decoder.feed(piece);
            while let Some(served) = self.served.get_mut(&wire) {
                match served.decoder.next_frame() {
                    Ok(Some(frame)) => self.on_frame(wire, &frame, env),
                    Ok(None) => break,
                    Err(refusal) => return env.judge.violated("the relay understands", format!("{refusal:?}")),
                }
            }
        }
    }

    fn on_frame(&mut self, wire: Wire, frame: &Frame, env: &mut Env) {
        let Some(seat) = self.served.get(&wire).map(|served| served.seat.clone()) else { return };
        let Some(name) = seat else { return self.log_in(wire, frame, env) };
        match frame.path() {
            "/pong" => {}
            "/logout" => {
                env.network.close(wire, Way::Down, env.now, &mut env.agenda);
                self.leave(wire, env);
            }
            path => match path.strip_prefix("/2pc/") {
                Some(word) => self.on_protocol(wire, &name, word, frame, env),
                None => env.judge.violated("the relay understands", format!("{name} says {path}")),
            },
        }
    }

    fn log_in(&mut self, wire: Wire, frame: &Frame, env: &mut Env) {
        let parsed = json::parse::<Login>(frame.body()).ok().and_then(|login| UserName::parse(&login.user).ok().map(|name| (name, login)));
        let Some((name, Login { role, key, .. })) = parsed.filter(|_| frame.path() == "/login") else {
            return env.judge.violated("the relay understands", format!("a login to {}", frame.path()));
        };
        if *self.keys.entry(name.clone()).or_insert_with(|| key.clone()) != key {
            let refusal = Refusal::new(409, ErrorCode::NameTaken, "The name is taken.");
            return self.send(wire, Answer::refusal(&refusal).write("", false), env);
        }
        if let Some(older) = self.members.get(&name).map(|member| member.wire) {
            env.coverage.note("name taken over");
            let refusal = Refusal::closing(409, ErrorCode::Replaced, "This name has logged in again elsewhere.");
            self.send(older, self.frames.error(&refusal), env);
            env.network.close(older, Way::Down, env.now, &mut env.agenda);
            self.leave(older, env);
        }
        let person = Person { user: name.clone(), role };
        self.tell_all(&self.frames.joined(&person), env);
        self.members.insert(name.clone(), Member { wire, role });
        if let Some(served) = self.served.get_mut(&wire) {
            served.decoder.upgrade();
            served.seat = Some(name.clone());
        }
        let users = self.members.iter().map(|(user, member)| Person { user: user.clone(), role: member.role }).collect();
        let welcome = Welcome { user: name.clone(), role, room: self.life.to_string(), users, seq: self.seq, trace: false };
        env.tell(|| format!("relay: {name} is in"));
        let mut bytes = Answer::switching();
        bytes.extend(self.frames.welcome(&welcome));
        self.send(wire, bytes, env);
    }

    /// Somebody is gone.
    fn leave(&mut self, wire: Wire, env: &mut Env) {
        let Some(name) = self.served.remove(&wire).and_then(|served| served.seat) else { return };
        if self.members.get(&name).is_none_or(|member| member.wire != wire) {
            return;
        }
        let Some(member) = self.members.remove(&name) else { return };
        env.tell(|| format!("relay: {name} is gone"));
        self.tell_all(&self.frames.left(&Person { user: name, role: member.role }), env);
    }

    fn tell_all(&mut self, frame: &[u8], env: &mut Env) {
        let wires: Vec<Wire> = self.members.values().map(|member| member.wire).collect();
        for wire in wires {
            self.send(wire, frame.to_vec(), env);
        }
    }

    fn on_protocol(&mut self, wire: Wire, from: &UserName, word: &str, frame: &Frame, env: &mut Env) {
        let to = frame.one("To").and_then(|to| UserName::parse(to).ok());
        let (Some(to), Some(role)) = (to, self.members.get(from).map(|member| member.role)) else { return };
        let ghost = Ghost { from: from.clone(), role, to, word: word.into(), body: frame.body().into() };
        if !self.members.contains_key(&ghost.to) {
            let error = self.frames.error(&Refusal::not_here(ghost.to));
            return self.send(wire, error, env);
        }
        self.archive.push(ghost.clone());
        if env.now < self.weather.until {
            let Weather { lost, repeated, late, .. } = self.weather;
            if env.network.chance().percent(repeated) {
                env.coverage.note("message repeated");
                self.haunt_after(5_000, ghost.clone(), env);
            }
            if env.network.chance().percent(lost) {
                env.coverage.note("message lost");
                return;
            }
            if env.network.chance().percent(late) {
                env.coverage.note("message late");
                return self.haunt_after(3_000, ghost, env);
            }
        }
        self.pass_on(ghost, env);
    }

    /// Has a message come within so many milliseconds.
    fn haunt_after(&self, most: u64, ghost: Ghost, env: &mut Env) {
        let wait = Duration::from_millis(env.network.chance().below(most));
        env.agenda.add(env.now + wait, Event::Ghost(Box::new(ghost)));
    }

    /// Hands a message to whom it is for, if there is such a one.
    pub(super) fn pass_on(&mut self, ghost: Ghost, env: &mut Env) {
        let Ghost { from, role, to, word, body } = ghost;
        let Some(wire) = self.members.get(&to).map(|member| member.wire) else { return };
        self.seq += 1;
        let frame = self.frames.protocol(&Stamp { from: &from, role, seq: self.seq }, &to, &word, &body);
        self.send(wire, frame, env);
    }

    /// So many old messages come again.
    pub(super) fn haunt(&self, count: u64, env: &mut Env) {
        for _ in 0..count {
            if self.archive.is_empty() {
                return;
            }
            let ghost = self.archive[env.network.chance().index(self.archive.len())].clone();
            self.haunt_after(8_000, ghost, env);
        }
    }

    /// The connection of a node that is in the room.
    pub(super) fn wire_of(&self, name: &UserName) -> Option<Wire> {
        self.members.get(name).map(|member| member.wire)
    }

    /// Looks whether a client is still there.
    pub(super) fn beat(&mut self, wire: Wire, env: &mut Env) {
        let Some(served) = self.served.get(&wire) else { return };
        let (silent, seat) = (env.now - served.last_in, served.seat.is_some());
        if silent >= GONE {
            env.coverage.note("client silent for too long");
            env.network.close(wire, Way::Down, env.now, &mut env.agenda);
            return self.leave(wire, env);
        }
        let is_idle = silent >= PING || env.now - served.last_out >= PING;
        if is_idle && seat {
            self.send(wire, self.frames.ping(), env);
        }
        env.agenda.add(env.now + PING, Event::Beat(wire));
    }

    fn send(&mut self, wire: Wire, bytes: Vec<u8>, env: &mut Env) {
        if let Some(served) = self.served.get_mut(&wire) {
            served.last_out = env.now;
        }
        env.network.send(wire, Way::Down, bytes, env.now, &mut env.agenda);
    }
}
