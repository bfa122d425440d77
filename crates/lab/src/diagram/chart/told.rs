//! What nodes say of themselves.

use twopc_proto::trace::{Origin, Trace, What};
use twopc_proto::{MessageKind, RecordKind, Role, TxnId, UserName};

use super::lane::{Doubt, Writing};
use super::message::Leg;
use super::{BookState, Chart, EntryId, Kind, LaneId, Loss, Lost, Message, MessageId, Number, Part, SpanKind, TxnRef};
use crate::diagram::words;

impl Chart {
    /// A node told something. What it has told before is not told again.
    pub(super) fn on_told(&mut self, user: &UserName, role: Role, trace: &Trace) {
        let lane = self.lane_of(user, role.into());
        let is_same_life = self.lanes[lane.index()].fold.told.is_some_and(|(life, _)| life == trace.life);
        if !self.lanes[lane.index()].fold.takes(trace.life, trace.n) {
            return;
        }
        self.refuse(lane, Loss::NotPassedOn);
        let seen = self.seen_going(lane).filter(|_| matches!(trace.what, What::Offline));
        let (kind, txn, mut label) = words::told(&trace.what);
        let mut txn = txn.map(|txn| self.refer(txn));
        let mut written = Vec::new();
        if let What::Durable { lsn } = &trace.what {
            written = self.lanes[lane.index()].fold.written(*lsn);
            let records: Vec<&str> = written.iter().map(|writing| writing.record.as_str()).collect();
            label = words::durable(&records).map_or(label, Into::into);
            txn = written.last().map(|writing| writing.txn).filter(|txn| written.iter().all(|writing| writing.txn == *txn));
        }
        let message =
            if let What::Receive { from, seq, origin, .. } = &trace.what { self.received(lane, from, *seq, *origin) } else { None };
        let cause = message.and_then(|message| self.message(message).sent).and_then(|sent| self.entry(sent).tick());
        let entry = match seen {
            // It says now what was seen then, and it happened then.
            Some(seen) => {
                let event = self.heard;
                let known = &mut self.entries[seen.index()];
                (known.kind, known.label, known.event) = (kind, label, event);
                self.lanes[lane.index()].fold.left = None;
                seen
            }
            None => self.note(lane, kind, txn, label),
        };
        let tick = self.clocks.tick(lane, cause);
        self.entries[entry.index()].number = Some(Number { life: trace.life, n: trace.n, tick, own_us: trace.at_us });
        self.follow(lane, entry, trace, txn, message, &written);
        if is_same_life {
            self.outlive(lane);
        }
    }

    /// The entry at which the lab saw the link go, if the process has told of nothing since.
    fn seen_going(&mut self, lane: LaneId) -> Option<EntryId> {
        let away = self.lanes[lane.index()].fold.away.take()?;
        let since = self.lane(lane).entries.iter().rev().take_while(|entry| **entry > away);
        since.into_iter().all(|entry| self.entry(*entry).number.is_none()).then_some(away)
    }

    /// The lab saw the process end before its last words had come by way of the relay: the end was later.
    fn outlive(&mut self, lane: LaneId) {
        let Some(ended) = self.lanes[lane.index()].fold.ended else { return };
        let (kind, event) = (self.entry(ended).kind, self.entry(ended).event);
        let label = self.entry(ended).label.clone();
        self.entries[ended.index()].kind = Kind::Superseded;
        let end = self.note(lane, kind, None, label);
        self.entries[end.index()].event = event;
        let down = self.lanes[lane.index()].fold.down.take();
        self.end(down, ended);
        let down = self.begin(SpanKind::Down, lane, None, end);
        let fold = &mut self.lanes[lane.index()].fold;
        (fold.down, fold.ended) = (Some(down), Some(end));
    }

    /// What follows from it for what is open on the lane.
    fn follow(
        &mut self,
        lane: LaneId,
        entry: EntryId,
        trace: &Trace,
        txn: Option<TxnRef>,
        message: Option<MessageId>,
        written: &[Writing],
    ) {
        match &trace.what {
            What::Start { .. } => self.restart(lane, entry),
            What::Online { .. } => {
                let fold = &mut self.lanes[lane.index()].fold;
                (fold.left, fold.away, fold.is_here) = (None, None, true);
                let offline = self.lanes[lane.index()].fold.offline.take();
                self.end(offline, entry);
            }
            What::Offline => {
                if self.lanes[lane.index()].fold.offline.is_none() {
                    let span = self.begin(SpanKind::Offline, lane, None, entry);
                    self.lanes[lane.index()].fold.offline = Some(span);
                }
            }
            What::Send { to, kind, txn: id } => {
                let origin = Origin { life: trace.life, n: trace.n };
                self.sent(lane, entry, to, *kind, id, origin);
            }
            What::Receive { .. } => {
                if let Some(message) = message {
                    self.arrive(message, entry);
                }
            }
            What::Log { lsn, record, forced, .. } => {
                let span = forced.then(|| self.begin(SpanKind::Forcing, lane, txn, entry));
                if let Some(txn) = txn {
                    self.lanes[lane.index()].fold.writing.push_back(Writing { lsn: *lsn, record: *record, txn, span });
                }
            }
            What::Durable { .. } => {
                for writing in written {
                    self.end(writing.span, entry);
                    self.on_disk(lane, writing.record, writing.txn, entry);
                }
            }
            What::State { state, .. } => {
                if let Some(txn) = txn {
                    self.on_state(lane, BookState::read(state), txn, entry);
                }
            }
            What::Doubt { blocked, .. } => {
                if let Some(txn) = txn {
                    self.doubt(lane, txn, entry);
                    self.block(lane, txn, *blocked, entry);
                }
            }
            What::Settled { .. } => self.settle(lane, txn, entry),
            What::Press { .. } | What::Applied { .. } | What::Timeout { .. } | What::Done { .. } | What::Notice { .. } => {}
        }
    }

    /// The process runs again: whatever was open in its life before is over. Its doubts are not; they
    /// are in its log.
    fn restart(&mut self, lane: LaneId, entry: EntryId) {
        self.revive(lane, entry);
        self.forget_way(lane, entry);
        let fold = &mut self.lanes[lane.index()].fold;
        let lost: Vec<Writing> = fold.writing.drain(..).collect();
        let offline = fold.offline.take();
        lost.iter().for_each(|writing| self.end(writing.span, entry));
        self.end(offline, entry);
    }

    fn sent(&mut self, lane: LaneId, entry: EntryId, to: &UserName, kind: MessageKind, txn: &TxnId, origin: Origin) {
        if let Some(known) = self.by_origin.get(&(lane, origin)).copied() {
            // The relay was quicker than the sender's own word.
            self.messages[known.index()].sent = Some(entry);
            self.entries[entry.index()].message = Some(known);
            return;
        }
        let to = self.lane_of(to, receiver_of(to, kind, txn));
        // The relay says who is in the room in the order in which it passes messages on: who is not there now
        // gets nothing, unless it passes this one on after all.
        let lost = (!self.lane(to).fold.is_here).then_some(Lost { at: entry, how: Loss::NobodyThere });
        let txn = self.refer(txn);
        let id = self.set_out(Message {
            from: lane,
            to,
            label: kind.as_str().to_owned(),
            txn: Some(txn),
            start: entry,
            sent: Some(entry),
            origin: Some(origin),
            seq: None,
            frame: None,
            kept: None,
            legs: Vec::new(),
            lost,
        });
        self.by_origin.insert((lane, origin), id);
        self.lanes[lane.index()].fold.set_out.push(id);
    }

    /// Which message it is that arrived here.
    fn received(&self, lane: LaneId, from: &UserName, seq: u64, origin: Option<Origin>) -> Option<MessageId> {
        let numbered = self.by_seq.get(&seq).copied().filter(|id| {
            let message = self.message(*id);
            message.to == lane && message.origin == origin
        });
        numbered.or_else(|| {
            let lanes = self.by_user.get(from)?;
            lanes.iter().rev().find_map(|sender| self.by_origin.get(&(*sender, origin?)).copied())
        })
    }

    fn arrive(&mut self, id: MessageId, entry: EntryId) {
        self.entries[entry.index()].message = Some(id);
        let message = &mut self.messages[id.index()];
        // It arrived after all, or a copy of it did, wherever else one was lost.
        if message.kept.is_none() {
            message.lost = None;
        }
        let start = message.start;
        match message.legs.iter_mut().find(|leg| leg.to.is_none()) {
            Some(leg) => leg.to = Some(entry),
            None => message.legs.push(Leg { from: start, to: Some(entry), copy: true }),
        }
        if message.legs.iter().all(|leg| leg.to.is_some()) {
            let to = message.to;
            self.lanes[to.index()].fold.on_way.remove(&id);
        }
        self.seen_until(id, entry);
    }

    /// A record is on a lane's disk, or was found there.
    pub(super) fn on_disk(&mut self, lane: LaneId, record: RecordKind, txn: TxnRef, entry: EntryId) {
        match record {
            RecordKind::Ready => self.doubt(lane, txn, entry),
            RecordKind::Commit | RecordKind::Abort => self.settle(lane, Some(txn), entry),
            RecordKind::Start | RecordKind::End | RecordKind::Applied | RecordKind::Decided => {}
        }
    }

    fn on_state(&mut self, lane: LaneId, state: BookState, txn: TxnRef, entry: EntryId) {
        match state {
            BookState::Ready => self.doubt(lane, txn, entry),
            BookState::Commit | BookState::Abort => self.settle(lane, Some(txn), entry),
            BookState::Init | BookState::Wait | BookState::Other => {}
        }
    }

    fn doubt(&mut self, lane: LaneId, txn: TxnRef, entry: EntryId) {
        if !self.lanes[lane.index()].fold.doubts.contains_key(&txn) {
            let span = self.begin(SpanKind::InDoubt, lane, Some(txn), entry);
            self.lanes[lane.index()].fold.doubts.insert(txn, Doubt { span, blocked: None });
        }
    }

    fn block(&mut self, lane: LaneId, txn: TxnRef, blocked: bool, entry: EntryId) {
        let Some(doubt) = self.lanes[lane.index()].fold.doubts.get(&txn).copied() else { return };
        let now = match (doubt.blocked, blocked) {
            (None, true) => Some(self.begin(SpanKind::Blocked, lane, Some(txn), entry)),
            (Some(span), false) => {
                self.end(Some(span), entry);
                None
            }
            (same, _) => same,
        };
        self.lanes[lane.index()].fold.doubts.insert(txn, Doubt { blocked: now, ..doubt });
    }

    fn settle(&mut self, lane: LaneId, txn: Option<TxnRef>, entry: EntryId) {
        if let Some(doubt) = txn.and_then(|txn| self.lanes[lane.index()].fold.doubts.remove(&txn)) {
            self.end(Some(doubt.span), entry);
            self.end(doubt.blocked, entry);
        }
    }
}

/// Whom a message of that type goes to.
pub(super) fn receiver_of(to: &UserName, kind: MessageKind, txn: &TxnId) -> Part {
    match kind {
        MessageKind::VoteRequest | MessageKind::GlobalCommit | MessageKind::GlobalAbort => Part::Participant,
        MessageKind::VoteCommit | MessageKind::VoteAbort | MessageKind::Ack => Part::Coordinator,
        MessageKind::DecisionRequest if to == txn.coordinator() => Part::Coordinator,
        MessageKind::DecisionRequest | MessageKind::DecisionReply => Part::Participant,
    }
}
