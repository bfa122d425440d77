//! What becomes of processes, as the lab sees it from outside.

use twopc_proto::{RecordKind, Role, TxnId, UserName};

use super::{Chart, EntryId, Kind, LaneId, Loss, Part, SpanKind};
use crate::diagram::words;
use crate::life::DIED_AT;
use crate::member::RELAY;
use crate::run::Stage;

impl Chart {
    /// One of the room's programs came into another stage.
    pub(super) fn on_stage(&mut self, program: &str, stage: &Stage) {
        let lane = if program == RELAY {
            self.relay_lane()
        } else {
            match UserName::parse(program) {
                Ok(user) => self.lane_of(&user, Part::Unknown),
                Err(_) => return,
            }
        };
        let fold = &mut self.lanes[lane.index()].fold;
        (fold.is_ours, fold.is_off) = (true, false);
        self.relay.acts |= program == RELAY && matches!(stage, Stage::Frozen | Stage::Ended { .. });
        match stage {
            Stage::Started { pid, crash_at } => {
                let label = match crash_at {
                    Some(point) => format!("process {pid}, dies {}", words::foreign(point)),
                    None => format!("process {pid}"),
                };
                let entry = self.note(lane, Kind::Started, None, label);
                self.revive(lane, entry);
            }
            // It says so itself.
            Stage::Ready => {}
            Stage::Frozen => {
                let entry = self.note(lane, Kind::Frozen, None, "frozen");
                if self.lanes[lane.index()].fold.frozen.is_none() {
                    let span = self.begin(SpanKind::Frozen, lane, None, entry);
                    self.lanes[lane.index()].fold.frozen = Some(span);
                }
            }
            Stage::Thawed => {
                let entry = self.note(lane, Kind::Thawed, None, "goes on");
                let frozen = self.lanes[lane.index()].fold.frozen.take();
                self.end(frozen, entry);
            }
            Stage::Ended { killed, how } => self.on_ended(lane, *killed, how),
        }
    }

    /// A participant was taken off the list: nobody waits for it any more.
    pub(super) fn on_removed(&mut self, program: &str) {
        let lane = UserName::parse(program).ok().map(|user| self.lane_of(&user, Part::Unknown));
        if let Some(lane) = lane {
            self.lanes[lane.index()].fold.is_off = true;
        }
    }

    fn on_ended(&mut self, lane: LaneId, killed: bool, how: &str) {
        let label = match (killed, how.starts_with(DIED_AT)) {
            (true, true) => "dies at its crash point".to_owned(),
            (true, false) => "killed".to_owned(),
            (false, _) => format!("ended: {}", words::foreign(how.trim_end_matches('.'))),
        };
        let entry = self.note(lane, Kind::Ended { killed }, None, label);
        let fold = &mut self.lanes[lane.index()].fold;
        fold.ended = Some(entry);
        (fold.is_here, fold.away) = (false, None);
        let left = fold.left.take();
        let gone_at = left.unwrap_or(entry);
        let (frozen, offline) = (fold.frozen.take(), fold.offline.take());
        let blocked: Vec<_> = fold.doubts.values_mut().filter_map(|doubt| doubt.blocked.take()).collect();
        let written: Vec<_> = fold.writing.iter_mut().filter_map(|writing| writing.span.take()).collect();
        // That it left the room goes without saying.
        if let Some(left) = left {
            self.entries[left.index()].kind = Kind::Superseded;
        }
        self.end(offline, gone_at);
        for span in frozen.into_iter().chain(blocked).chain(written) {
            self.end(Some(span), entry);
        }
        self.forget_way(lane, entry);
        if self.relay.lane == Some(lane) {
            self.forget_kept(entry);
            self.unplug();
        }
        if self.lanes[lane.index()].fold.down.is_none() {
            let span = self.begin(SpanKind::Down, lane, None, entry);
            self.lanes[lane.index()].fold.down = Some(span);
        }
    }

    /// A process runs on this lane.
    pub(super) fn revive(&mut self, lane: LaneId, entry: EntryId) {
        let fold = &mut self.lanes[lane.index()].fold;
        (fold.ended, fold.left) = (None, None);
        let (down, frozen) = (fold.down.take(), fold.frozen.take());
        self.end(down, entry);
        self.end(frozen, entry);
    }

    /// Somebody logged in. Who tells of itself, or is one of the lab's processes, needs no second word.
    pub(super) fn on_joined(&mut self, user: &UserName, role: Role) {
        if Part::from(role) == Part::Unknown {
            return;
        }
        let lane = self.lane_of(user, role.into());
        self.lanes[lane.index()].fold.is_here = true;
        if self.is_silent(lane) {
            let entry = self.note(lane, Kind::Joined, None, "joined");
            let offline = self.lanes[lane.index()].fold.offline.take();
            self.end(offline, entry);
        }
    }

    /// Somebody is gone, and does not receive what was on its way. It cannot say so itself before it is back.
    pub(super) fn on_left(&mut self, user: &UserName, role: Role) {
        if Part::from(role) == Part::Unknown {
            return;
        }
        let lane = self.lane_of(user, role.into());
        self.lanes[lane.index()].fold.is_here = false;
        self.refuse(lane, Loss::NotPassedOn);
        if self.lane(lane).fold.down.is_some() {
            return;
        }
        let entry = self.note(lane, Kind::Left, None, "gone from the room");
        self.forget_way(lane, entry);
        let offline = match self.lane(lane).fold.offline {
            Some(known) => known,
            None => self.begin(SpanKind::Offline, lane, None, entry),
        };
        let fold = &mut self.lanes[lane.index()].fold;
        (fold.offline, fold.left, fold.away) = (Some(offline), Some(entry), Some(entry));
    }

    fn is_silent(&self, lane: LaneId) -> bool {
        let fold = &self.lane(lane).fold;
        fold.told.is_none() && !fold.is_ours
    }

    /// A record stands in a log whose process died before it told of it.
    pub(super) fn on_found(&mut self, user: &UserName, role: Role, record: RecordKind, txn: &TxnId) {
        let lane = self.lane_of(user, role.into());
        let txn = self.refer(txn);
        let entry = self.note(lane, Kind::Found, Some(txn), format!("{record} found on disk"));
        self.on_disk(lane, record, txn, entry);
    }
}
