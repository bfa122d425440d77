//! What the relay says: messages that it took, and what became of those that did not go straight on.

use serde::Deserialize;
use twopc_proto::bench::{Fate, Rule};
use twopc_proto::frame::{Chat, Decoder, FromRelay, Protocol, Side};
use twopc_proto::trace::Origin;
use twopc_proto::{PeerState, TxnId, json};

use super::intervals::OPEN;
use super::message::{Kept, Leg, Loss, Lost};
use super::told::receiver_of;
use super::{Chart, EntryId, Kind, LaneId, Message, MessageId, Part, SpanKind};
use crate::diagram::words;

/// What the diagram reads of a message's body.
#[derive(Deserialize)]
struct Said {
    txn: TxnId,
    #[serde(default)]
    state: Option<PeerState>,
}

impl Chart {
    /// The relay took a message. A frame that does not read as one is nothing that can be drawn.
    pub(super) fn on_frame(&mut self, frame: &str) {
        let mut decoder = Decoder::new(Side::Client);
        decoder.feed(frame.as_bytes());
        let Ok(Some(frame)) = decoder.next_frame() else { return };
        match FromRelay::read(&frame) {
            Ok(FromRelay::Protocol(protocol)) => self.on_protocol(&protocol),
            Ok(FromRelay::Chat(chat)) => self.on_chat(&chat),
            Ok(
                FromRelay::Welcome(_)
                | FromRelay::Joined(_)
                | FromRelay::Left(_)
                | FromRelay::Ping
                | FromRelay::Error(_)
                | FromRelay::Trace { .. }
                | FromRelay::Lab(_)
                | FromRelay::Unknown,
            )
            | Err(_) => {}
        }
    }

    /// Chat is not drawn but for the line that starts it all.
    fn on_chat(&mut self, chat: &Chat) {
        if chat.coordinator && !chat.history && twopc_proto::text::proposal(&chat.text).is_some() {
            let lane = self.lane_of(&chat.from, chat.role.into());
            let (_, text) = twopc_proto::text::split_time(&chat.text);
            self.note(lane, Kind::Proposal, None, words::foreign(text));
        }
    }

    fn on_protocol(&mut self, protocol: &Protocol) {
        let from = self.lane_of(&protocol.from, protocol.role.into());
        let said = json::parse::<Said>(&protocol.body).ok();
        let origin = Origin::read(&protocol.body);
        let id = match origin.and_then(|origin| self.by_origin.get(&(from, origin))).copied() {
            Some(known) => known,
            None => self.untold(from, protocol, said.as_ref(), origin),
        };
        let event = self.heard;
        let message = &mut self.messages[id.index()];
        if let Some(state) = said.and_then(|said| said.state) {
            message.label = format!("{} {}", words::foreign(&protocol.word), state.as_str());
        }
        (message.seq, message.frame) = (Some(protocol.seq), Some(event));
        let (start, to) = (message.start, message.to);
        self.lanes[from.index()].fold.set_out.retain(|known| *known != id);
        let message = &mut self.messages[id.index()];
        message.lost = None;
        message.legs.push(Leg { from: start, to: None, copy: !message.legs.is_empty() });
        self.by_seq.insert(protocol.seq, id);
        self.lanes[to.index()].fold.on_way.insert(id);
        self.relay_lane();
    }

    /// A message of which its sender has told nothing, or not yet.
    fn untold(&mut self, from: LaneId, protocol: &Protocol, said: Option<&Said>, origin: Option<Origin>) -> MessageId {
        let part = match (protocol.kind(), said) {
            (Some(kind), Some(said)) => receiver_of(&protocol.to, kind, &said.txn),
            (None, _) | (_, None) => Part::Unknown,
        };
        let to = self.lane_of(&protocol.to, part);
        let txn = said.map(|said| self.refer(&said.txn));
        let label = words::foreign(&protocol.word);
        let start = self.note(from, Kind::Relayed, txn, format!("sends {label} to {}", protocol.to));
        let (kept, legs, lost) = (None, Vec::new(), None);
        let id = self.set_out(Message { from, to, label, txn, start, sent: None, origin, seq: None, frame: None, kept, legs, lost });
        if let Some(origin) = origin {
            self.by_origin.insert((from, origin), id);
        }
        id
    }

    pub(super) fn set_out(&mut self, message: Message) -> MessageId {
        let id = MessageId::at(self.messages.len());
        self.entries[message.start.index()].message = Some(id);
        self.flights.push(message.start.0, message.start.0);
        self.messages.push(message);
        id
    }

    /// A message is seen at least up to here.
    pub(super) fn seen_until(&mut self, id: MessageId, entry: EntryId) {
        let end = self.flights.end(id.index());
        if end != OPEN && end < entry.0 {
            self.flights.set_end(id.index(), entry.0);
        }
    }

    /// The relay said what became of a message.
    pub(super) fn on_fate(&mut self, fate: &Fate) {
        self.relay.acts |= match fate {
            Fate::Rules { rules, held: _ } => !rules.is_empty(),
            Fate::Held { .. } | Fate::Delivered { .. } | Fate::Duplicated { .. } => true,
            // It lost nothing that it could have passed on.
            Fate::Dropped { seq: _, gone } => !gone,
        };
        match fate {
            Fate::Rules { rules, held: _ } => self.on_rules(rules),
            Fate::Held { seq, ms } => self.on_held(*seq, *ms),
            Fate::Delivered { seq } => {
                if let Some((id, entry)) = self.fate(*seq, Kind::Delivered, "goes on") {
                    self.let_go(id, entry);
                    self.go_on(id, Leg { from: entry, to: None, copy: false });
                }
            }
            Fate::Duplicated { seq } => {
                if let Some((id, entry)) = self.fate(*seq, Kind::Duplicated, "copy goes on") {
                    self.go_on(id, Leg { from: entry, to: None, copy: true });
                }
            }
            Fate::Dropped { seq, gone } => {
                let (how, word) = if *gone { (Loss::NobodyThere, "nobody there") } else { (Loss::Dropped, "dropped") };
                if let Some((id, entry)) = self.fate(*seq, Kind::Dropped, word) {
                    self.let_go(id, entry);
                    self.lose(id, Lost { at: entry, how });
                }
            }
        }
    }

    /// An entry at the relay for what became of that message.
    fn fate(&mut self, seq: u64, kind: Kind, label: &'static str) -> Option<(MessageId, EntryId)> {
        let id = self.by_seq.get(&seq).copied()?;
        let relay = self.relay_lane();
        let entry = self.note(relay, kind, self.message(id).txn, label);
        self.entries[entry.index()].message = Some(id);
        self.seen_until(id, entry);
        Some((id, entry))
    }

    fn on_held(&mut self, seq: u64, ms: Option<u64>) {
        let Some((id, entry)) = self.fate(seq, Kind::Held, "held") else { return };
        if let Some(ms) = ms {
            self.entries[entry.index()].label = format!("delayed {ms} ms").into();
        }
        self.recall(id);
        let slot = self.relay.slots.iter().position(Option::is_none).unwrap_or_else(|| {
            self.relay.slots.push(None);
            self.relay.slots.len() - 1
        });
        self.relay.slots[slot] = Some(id);
        self.relay.kept.insert(id);
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        self.messages[id.index()].kept = Some(Kept { from: entry, until: None, ms, slot });
        self.flights.set_end(id.index(), OPEN);
    }

    /// It did not go straight on: the way that was drawn at once is no way that it went.
    fn recall(&mut self, id: MessageId) {
        let message = &mut self.messages[id.index()];
        message.legs.retain(|leg| leg.to.is_some());
        let to = message.to;
        self.lanes[to.index()].fold.on_way.remove(&id);
    }

    fn go_on(&mut self, id: MessageId, leg: Leg) {
        let message = &mut self.messages[id.index()];
        message.legs.push(leg);
        let to = message.to;
        self.lanes[to.index()].fold.on_way.insert(id);
    }

    /// It is not kept any more.
    fn let_go(&mut self, id: MessageId, entry: EntryId) {
        if !self.relay.kept.remove(&id) {
            return;
        }
        let Some(kept) = self.messages[id.index()].kept.as_mut() else { return };
        kept.until = Some(entry);
        self.relay.slots[kept.slot as usize] = None;
        self.flights.set_end(id.index(), entry.0);
    }

    fn lose(&mut self, id: MessageId, lost: Lost) {
        self.recall(id);
        self.messages[id.index()].lost = Some(lost);
        self.seen_until(id, lost.at);
    }

    fn on_rules(&mut self, rules: &[Rule]) {
        if self.relay.rules == rules {
            return;
        }
        self.relay.rules = rules.to_vec();
        let relay = self.relay_lane();
        let words = words::rules(rules);
        let entry = self.note(relay, Kind::Rules, None, words.clone());
        let before = self.relay.ruled.take();
        self.end(before, entry);
        if !rules.is_empty() {
            let span = self.begin(SpanKind::Rules, relay, None, entry);
            self.spans[span.index()].label = Some(words);
            self.relay.ruled = Some(span);
        }
    }

    /// The lab sees the relay's traffic: another life of the relay has its own numbers.
    pub(super) fn on_watching(&mut self) {
        self.by_seq.clear();
        let relay = self.relay_lane();
        let entry = self.note(relay, Kind::Watching, None, "lab watches");
        let blind = self.relay.blind.take();
        self.end(blind, entry);
    }

    /// The relay is gone, and all that it kept.
    pub(super) fn on_blind(&mut self) {
        let relay = self.relay_lane();
        let entry = self.note(relay, Kind::Blind, None, "lab sees nothing");
        if self.relay.blind.is_none() {
            self.relay.blind = Some(self.begin(SpanKind::Blind, relay, None, entry));
        }
        self.forget_kept(entry);
        self.unplug();
    }

    /// The relay refused what this one has told of and nobody has seen: whatever it says, it says in order.
    pub(super) fn refuse(&mut self, lane: LaneId, otherwise: Loss) {
        for id in std::mem::take(&mut self.lanes[lane.index()].fold.set_out) {
            let message = self.message(id);
            let how = if self.lane(message.to).fold.is_here { otherwise } else { Loss::NobodyThere };
            let lost = message.lost.unwrap_or(Lost { at: message.start, how });
            self.messages[id.index()].lost = Some(lost);
        }
    }

    /// Without a relay nobody has a link. Whoever had one can say so when it has one again.
    pub(super) fn unplug(&mut self) {
        for lane in (0..self.lanes.len()).map(LaneId::at) {
            self.refuse(lane, Loss::RelayGone);
            if !std::mem::take(&mut self.lanes[lane.index()].fold.is_here) || self.lane(lane).fold.offline.is_some() {
                continue;
            }
            let entry = self.note(lane, Kind::Offline, None, "offline");
            let span = self.begin(SpanKind::Offline, lane, None, entry);
            let fold = &mut self.lanes[lane.index()].fold;
            (fold.offline, fold.away) = (Some(span), Some(entry));
        }
    }

    /// What a relay kept goes with it.
    pub(super) fn forget_kept(&mut self, entry: EntryId) {
        for id in self.relay.kept.clone() {
            self.let_go(id, entry);
            self.lose(id, Lost { at: entry, how: Loss::RelayGone });
        }
        let ruled = self.relay.ruled.take();
        self.end(ruled, entry);
        self.relay.rules.clear();
    }

    /// Whoever is gone receives nothing more.
    pub(super) fn forget_way(&mut self, lane: LaneId, entry: EntryId) {
        for id in std::mem::take(&mut self.lanes[lane.index()].fold.on_way) {
            self.messages[id.index()].lost = Some(Lost { at: entry, how: Loss::ReceiverGone });
            self.seen_until(id, entry);
        }
    }
}
