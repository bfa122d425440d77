//! What happened, folded from a run's events: lanes, entries, messages, spans.
//!
//! [`Chart::push`] takes one event at a time, so a live run is drawn as it goes, at a cost that does not
//! grow with the run. Here: the chart and what can be asked of it. `told` takes what nodes say, `relayed`
//! what the relay says, `staged` what becomes of processes. Deliberately absent: where anything stands
//! on a screen, and what whoever sits in front of the lab did: what came of it stands where it happened.

mod clocks;
mod entry;
mod ids;
mod intervals;
mod lane;
mod message;
mod relayed;
mod span;
mod staged;
mod told;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use twopc_proto::bench::Rule;
use twopc_proto::trace::Origin;
use twopc_proto::{TxnId, UserName};

use self::clocks::Clocks;
use self::intervals::{Intervals, OPEN};
use super::scene::Pick;
use crate::run::{Deed, Event, Happening};

pub use entry::{BookState, Entry, Kind, Number};
pub use ids::{EntryId, LaneId, MessageId, SpanId, TxnRef};
pub use lane::{Lane, Part};
pub use message::{Kept, Leg, Loss, Lost, Message};
pub use span::{Span, SpanKind};

/// Everything that is known of a run, in a form that can be drawn.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    lanes: Vec<Lane>,
    /// The lanes from left to right.
    order: Vec<LaneId>,
    entries: Vec<Entry>,
    messages: Vec<Message>,
    spans: Vec<Span>,
    txns: Vec<TxnId>,
    /// By messages and by spans: the entries between which they are seen.
    flights: Intervals,
    stretches: Intervals,
    clocks: Clocks,
    /// How many events were pushed, and when the last of them was seen.
    heard: usize,
    last_us: u64,
    by_txn: HashMap<TxnId, TxnRef>,
    by_user: HashMap<UserName, Vec<LaneId>>,
    by_origin: HashMap<(LaneId, Origin), MessageId>,
    /// By the relay's number, in this life of the relay.
    by_seq: HashMap<u64, MessageId>,
    relay: Relay,
}

/// What the fold remembers of the relay.
#[derive(Clone, Debug, Default)]
struct Relay {
    lane: Option<LaneId>,
    /// See [`Chart::relay_acts`].
    acts: bool,
    rules: Vec<Rule>,
    /// The span in which those rules hold, and the one in which the lab sees nothing.
    ruled: Option<SpanId>,
    blind: Option<SpanId>,
    kept: BTreeSet<MessageId>,
    /// Which places beside each other are taken by what is kept.
    slots: Vec<Option<MessageId>>,
}

impl Chart {
    /// The chart of all these events.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut chart = Self::default();
        events.iter().for_each(|event| chart.push(event));
        chart
    }

    /// A chart of no events yet with the lanes of another one, where they are there: a part of a run is seen
    /// beside the whole of it, and nothing moves sideways.
    #[must_use]
    pub fn beside(whole: &Self) -> Self {
        let lanes = whole.lanes.iter().map(|lane| Lane::new(lane.name.clone(), lane.part)).collect();
        let mut by_user = whole.by_user.clone();
        // Where two have one name, the one that was seen first is the one that is seen next.
        by_user.values_mut().for_each(|lanes| lanes.sort_by_key(|lane| std::cmp::Reverse(*lane)));
        let relay = Relay { lane: whole.relay.lane, acts: whole.relay.acts, ..Relay::default() };
        Self { lanes, order: whole.order.clone(), by_user, relay, ..Self::default() }
    }

    /// Whether another chart has the same lanes in the same order, and as much to say on the relay's.
    #[must_use]
    pub fn has_lanes_of(&self, other: &Self) -> bool {
        let same = |(a, b): (&Lane, &Lane)| a.part == b.part && a.name == b.name;
        self.relay.acts == other.relay.acts
            && self.lanes.len() == other.lanes.len()
            && self.order == other.order
            && self.lanes.iter().zip(&other.lanes).all(same)
    }

    /// Takes the run's next event.
    pub fn push(&mut self, event: &Event) {
        self.last_us = self.last_us.max(event.at_us);
        match &event.what {
            Happening::Frame { frame } => self.on_frame(frame),
            Happening::Told { user, role, trace } => self.on_told(user, *role, trace),
            Happening::Fate { fate } => self.on_fate(fate),
            Happening::Joined { user, role } => self.on_joined(user, *role),
            Happening::Left { user, role } => self.on_left(user, *role),
            Happening::Watching { room: _ } => self.on_watching(),
            Happening::Blind => self.on_blind(),
            Happening::Process { program, stage } => self.on_stage(program, stage),
            Happening::Found { user, role, lsn: _, record, txn } => self.on_found(user, *role, *record, txn),
            Happening::Did { deed: Deed::Remove { program } } => self.on_removed(program),
            Happening::Did { deed: _ } => {}
        }
        self.heard += 1;
    }

    /// Whether the program of that lane was taken off the list.
    #[must_use]
    pub fn is_off(&self, lane: LaneId) -> bool {
        self.lane(lane).fold.is_off
    }

    /// How many events were pushed.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// When the last event was seen, in microseconds since the run began.
    #[must_use]
    pub fn last_us(&self) -> u64 {
        self.last_us
    }

    /// The lanes from left to right: coordinators, the relay, participants, each by name.
    #[must_use]
    pub fn order(&self) -> &[LaneId] {
        &self.order
    }

    /// All lanes, by [`LaneId`].
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// One lane.
    #[must_use]
    pub fn lane(&self, lane: LaneId) -> &Lane {
        &self.lanes[lane.index()]
    }

    /// The relay's lane, if anything was seen of it.
    #[must_use]
    pub fn relay(&self) -> Option<LaneId> {
        self.relay.lane
    }

    /// Whether the relay ever did something else than pass on what could be passed on: it had rules, kept or
    /// lost a message, was frozen, or ended. Before that its lane says nothing that matters.
    #[must_use]
    pub fn relay_acts(&self) -> bool {
        self.relay.acts
    }

    /// Everything that happened, by [`EntryId`] and in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What happened last.
    #[must_use]
    pub fn last(&self) -> Option<EntryId> {
        self.entries.len().checked_sub(1).map(EntryId::at)
    }

    /// One entry.
    #[must_use]
    pub fn entry(&self, entry: EntryId) -> &Entry {
        &self.entries[entry.index()]
    }

    /// All messages, by [`MessageId`].
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// One message.
    #[must_use]
    pub fn message(&self, message: MessageId) -> &Message {
        &self.messages[message.index()]
    }

    /// All spans, by [`SpanId`].
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The transactions, in the order in which they were first seen.
    #[must_use]
    pub fn txns(&self) -> &[TxnId] {
        &self.txns
    }

    /// A transaction's identifier.
    #[must_use]
    pub fn txn(&self, txn: TxnRef) -> &TxnId {
        &self.txns[txn.index()]
    }

    /// How a chart names a transaction, if it was seen.
    #[must_use]
    pub fn txn_ref(&self, txn: &TxnId) -> Option<TxnRef> {
        self.by_txn.get(txn).copied()
    }

    /// The messages that are seen between two entries, both included.
    #[must_use]
    pub fn messages_between(&self, first: EntryId, last: EntryId) -> Vec<MessageId> {
        self.flights.touching(first.0, last.0).into_iter().map(MessageId::at).collect()
    }

    /// The spans that touch the time between two entries, both included.
    #[must_use]
    pub fn spans_between(&self, first: EntryId, last: EntryId) -> Vec<SpanId> {
        self.stretches.touching(first.0, last.0).into_iter().map(SpanId::at).collect()
    }

    /// Whether the first happened before the second, as the processes' numbers and the messages' origins
    /// say; `None` where one of them has no number, so nobody knows.
    #[must_use]
    pub fn precedes(&self, a: EntryId, b: EntryId) -> Option<bool> {
        let (a, b) = (self.entry(a).tick()?, self.entry(b).tick()?);
        Some(self.clocks.precedes(a, b))
    }

    /// The vector clock of an entry: how many events of each lane happened before it, itself included;
    /// lanes of which it knows nothing are left out.
    #[must_use]
    pub fn clock(&self, entry: EntryId) -> Option<Vec<(LaneId, u32)>> {
        let tick = self.entry(entry).tick()?;
        let lanes = (0..self.lanes.len()).map(LaneId::at);
        Some(lanes.map(|lane| (lane, self.clocks.known(tick, lane))).filter(|(_, known)| *known > 0).collect())
    }

    /// How long a span lasts, up to now where it has no end: by the process's own clock where both ends are
    /// events of one life of it, else by when the lab saw them.
    #[must_use]
    pub fn length_us(&self, span: &Span, now_us: u64) -> u64 {
        let from = self.entry(span.from);
        let Some(to) = span.to.map(|to| self.entry(to)) else { return now_us.max(self.last_us) - from.at_us };
        match (from.number, to.number) {
            (Some(from), Some(to)) if from.life == to.life => to.own_us.saturating_sub(from.own_us),
            (Some(_) | None, _) => to.at_us - from.at_us,
        }
    }

    /// Whether this chart has what was picked: another chart need not.
    #[must_use]
    pub fn has(&self, pick: Pick) -> bool {
        match pick {
            Pick::Entry(entry) => self.entries.get(entry.index()).is_some_and(|entry| entry.kind != Kind::Superseded),
            Pick::Message(message) => message.index() < self.messages.len(),
        }
    }

    fn note(&mut self, lane: LaneId, kind: Kind, txn: Option<TxnRef>, label: impl Into<Cow<'static, str>>) -> EntryId {
        let id = EntryId::at(self.entries.len());
        let (event, at_us, label) = (self.heard, self.last_us, label.into());
        self.entries.push(Entry { event, at_us, lane, txn, kind, label, message: None, number: None });
        self.lanes[lane.index()].entries.push(id);
        id
    }

    fn begin(&mut self, kind: SpanKind, lane: LaneId, txn: Option<TxnRef>, from: EntryId) -> SpanId {
        let id = SpanId::at(self.spans.len());
        self.spans.push(Span { kind, lane, txn, from, to: None, label: None });
        self.stretches.push(from.0, OPEN);
        id
    }

    fn end(&mut self, span: Option<SpanId>, to: EntryId) {
        if let Some(span) = span {
            self.spans[span.index()].to = Some(to);
            self.stretches.set_end(span.index(), to.0);
        }
    }

    fn refer(&mut self, txn: &TxnId) -> TxnRef {
        if let Some(known) = self.by_txn.get(txn) {
            return *known;
        }
        let id = TxnRef::at(self.txns.len());
        self.txns.push(txn.clone());
        self.by_txn.insert(txn.clone(), id);
        id
    }

    /// The lane of somebody in the room, made if it is not there. Where the part is not known, the one of
    /// that name that was seen last.
    fn lane_of(&mut self, user: &UserName, part: Part) -> LaneId {
        let named = self.by_user.entry(user.clone()).or_default();
        let fits = |lane: &LaneId| {
            part == Part::Unknown || matches!(self.lanes[lane.index()].part, known if known == part || known == Part::Unknown)
        };
        if let Some(at) = named.iter().rposition(fits) {
            let lane = named.remove(at);
            named.push(lane);
            if part != Part::Unknown && self.lanes[lane.index()].part != part {
                self.lanes[lane.index()].part = part;
                self.sort();
            }
            return lane;
        }
        let lane = LaneId::at(self.lanes.len());
        named.push(lane);
        self.add(Lane::new(user.as_str().to_owned(), part))
    }

    fn add(&mut self, lane: Lane) -> LaneId {
        let id = LaneId::at(self.lanes.len());
        self.lanes.push(lane);
        self.order.push(id);
        self.sort();
        id
    }

    fn sort(&mut self) {
        let lanes = &self.lanes;
        self.order.sort_by(|a, b| {
            let (a, b) = (&lanes[a.index()], &lanes[b.index()]);
            (a.part, &a.name).cmp(&(b.part, &b.name))
        });
    }

    fn relay_lane(&mut self) -> LaneId {
        if let Some(lane) = self.relay.lane {
            return lane;
        }
        let lane = self.add(Lane::new("relay".to_owned(), Part::Relay));
        self.relay.lane = Some(lane);
        lane
    }
}
