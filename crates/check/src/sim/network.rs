//! Connections between nodes and the relay: bytes that arrive late, in pieces, never out of order;
//! links that are cut, one way or both; resets in the middle of anything.
//!
//! Loss, repetition and reordering are not here, since TCP has none: what does that to messages is
//! the relay. Deliberately absent: what the bytes mean.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::{Agenda, Time};
use super::run::Event;
use crate::chance::Chance;

/// A connection's place among all there ever were.
pub(super) type Wire = usize;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// From the node to the relay.
    Up,
    /// From the relay to the node.
    Down,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parcel {
    Bytes(Vec<u8>),
    /// The other end has closed it.
    Close,
}

#[derive(Debug, Default)]
struct Pipe {
    parcels: VecDeque<Parcel>,
    /// Nothing more is taken.
    is_shut: bool,
}

#[derive(Debug)]
struct Connection {
    node: usize,
    up: Pipe,
    down: Pipe,
}

/// Every connection.
#[derive(Debug)]
pub(super) struct Network {
    connections: Vec<Connection>,
    /// Until when each node's link is cut, up and down.
    cuts: Vec<[Time; 2]>,
    latency: (Duration, Duration),
    tick: Duration,
    chance: Chance,
}

impl Network {
    pub(super) fn new(seed: u64, nodes: usize, latency: (Duration, Duration), tick: Duration) -> Self {
        Self { connections: Vec::new(), cuts: vec![[Time::default(); 2]; nodes], latency, tick, chance: Chance::of(seed, 2) }
    }

    pub(super) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// How long something is under way this time.
    pub(super) fn latency(&mut self) -> Duration {
        let (least, most) = self.latency;
        let drawn = self.chance.between(least.as_micros() as u64, most.as_micros() as u64);
        let tick = self.tick.as_micros() as u64;
        Duration::from_micros(drawn.div_ceil(tick) * tick)
    }

    /// A new connection of a node.
    pub(super) fn connect(&mut self, node: usize) -> Wire {
        self.connections.push(Connection { node, up: Pipe::default(), down: Pipe::default() });
        self.connections.len() - 1
    }

    pub(super) fn node(&self, wire: Wire) -> usize {
        self.connections[wire].node
    }

    /// Whether something does not pass just now, one way or the other.
    pub(super) fn is_cut(&self, node: usize, now: Time) -> bool {
        self.cuts[node].iter().any(|until| *until > now)
    }

    /// Lets nothing pass until then.
    pub(super) fn cut(&mut self, node: usize, way: Way, until: Time) {
        let cut = &mut self.cuts[node][way as usize];
        *cut = until.max(*cut);
    }

    /// Every link is well: what waited comes now.
    pub(super) fn heal(&mut self, now: Time, agenda: &mut Agenda<Event>) {
        self.cuts.fill([Time::default(); 2]);
        for wire in 0..self.connections.len() {
            for way in [Way::Up, Way::Down] {
                for _ in 0..self.pipe(wire, way).parcels.len() {
                    let latency = self.latency();
                    agenda.add(now + latency, Event::Arrive(wire, way));
                }
            }
        }
    }

    /// The place that the next connection will have.
    pub(super) fn next_wire(&self) -> Wire {
        self.connections.len()
    }

    /// Hands bytes to a connection.
    pub(super) fn send(&mut self, wire: Wire, way: Way, mut bytes: Vec<u8>, now: Time, agenda: &mut Agenda<Event>) {
        if bytes.is_empty() || self.pipe(wire, way).is_shut {
            return;
        }
        if bytes.len() > 1 && self.chance.percent(10) {
            let rest = bytes.split_off(1 + self.chance.index(bytes.len() - 1));
            self.push(wire, way, Parcel::Bytes(bytes), now, agenda);
            bytes = rest;
        }
        self.push(wire, way, Parcel::Bytes(bytes), now, agenda);
    }

    /// An end closes a connection: what it sent before arrives before that. Nothing more is sent to it.
    pub(super) fn close(&mut self, wire: Wire, by: Way, now: Time, agenda: &mut Agenda<Event>) {
        if !self.pipe(wire, by).is_shut {
            self.push(wire, by, Parcel::Close, now, agenda);
            self.pipe(wire, by).is_shut = true;
        }
        self.discard(wire, if by == Way::Up { Way::Down } else { Way::Up });
    }

    /// An end is gone without a word: the other one hears nothing more, and is not told.
    pub(super) fn vanish(&mut self, wire: Wire, by: Way) {
        self.pipe(wire, by).is_shut = true;
        self.discard(wire, if by == Way::Up { Way::Down } else { Way::Up });
    }

    fn discard(&mut self, wire: Wire, way: Way) {
        let pipe = self.pipe(wire, way);
        pipe.is_shut = true;
        pipe.parcels.clear();
    }

    /// The connection breaks: of what is under way, a part may still arrive.
    pub(super) fn reset(&mut self, wire: Wire, now: Time, agenda: &mut Agenda<Event>) {
        for way in [Way::Up, Way::Down] {
            if self.pipe(wire, way).is_shut {
                continue;
            }
            let first = self.pipe(wire, way).parcels.pop_front();
            self.pipe(wire, way).parcels.clear();
            if let Some(Parcel::Bytes(mut bytes)) = first {
                bytes.truncate(self.chance.index(bytes.len()));
                if !bytes.is_empty() {
                    self.push(wire, way, Parcel::Bytes(bytes), now, agenda);
                }
            }
            self.push(wire, way, Parcel::Close, now, agenda);
            self.pipe(wire, way).is_shut = true;
        }
    }

    fn push(&mut self, wire: Wire, way: Way, parcel: Parcel, now: Time, agenda: &mut Agenda<Event>) {
        let latency = self.latency();
        self.pipe(wire, way).parcels.push_back(parcel);
        agenda.add(now + latency, Event::Arrive(wire, way));
    }

    /// The next of what is under way, unless the link is cut: then it comes after that.
    pub(super) fn arrive(&mut self, wire: Wire, way: Way, now: Time, agenda: &mut Agenda<Event>) -> Option<Parcel> {
        let until = self.cuts[self.connections[wire].node][way as usize];
        if until > now {
            let latency = self.latency();
            agenda.add(until + latency, Event::Arrive(wire, way));
            return None;
        }
        self.pipe(wire, way).parcels.pop_front()
    }

    fn pipe(&mut self, wire: Wire, way: Way) -> &mut Pipe {
        let connection = &mut self.connections[wire];
        match way {
            Way::Up => &mut connection.up,
            Way::Down => &mut connection.down,
        }
    }
}

/// Cuts bytes into pieces, as a socket may give them: mostly few, at times one by one.
pub(super) fn pieces<'a>(bytes: &'a [u8], chance: &mut Chance) -> Vec<&'a [u8]> {
    match chance.below(48) {
        0 => bytes.chunks(1).collect(),
        1..16 => {
            let (mut pieces, mut rest) = (Vec::new(), bytes);
            while !rest.is_empty() && pieces.len() < 4 {
                let (piece, after) = rest.split_at(1 + chance.index(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            if !rest.is_empty() {
                pieces.push(rest);
            }
            pieces
        }
        _ => vec![bytes],
    }
}
