//! Messages as arrows: from the sender to the receiver, and by way of the relay's lane where they were
//! kept or lost there. Where the relay's lane is hidden, that is short of the next lane on the way.
//! Deliberately absent: their names, see [`super::names`].

use super::Drawing;
use crate::diagram::chart::{EntryId, Kept, Leg, Loss, Lost, Message, MessageId};
use crate::diagram::scene::{Dash, Ink, Line, Pick, Point, Tip, at};

/// From a lane's line to an arrow's tip.
const SHORT: f32 = 5.0;
/// From a lane's line to the end of a message that was lost with its receiver, and above the death.
const SHORT_OF_DEATH: (f32, f32) = (16.0, 13.0);
/// What words keep free of around a tip.
const TIP: f32 = 8.0;
/// What messages are apart that are kept side by side, and how many places there are.
const SLOT: f32 = 7.0;
const SLOTS: u32 = 5;
/// How far down the arrow of a message goes whose arrival was not told.
const DROOP: f32 = 9.0;

impl Drawing<'_> {
    pub(super) fn messages(&mut self, visible: &[MessageId]) {
        // What was picked has the first choice of a place for its words.
        let picked = visible.iter().filter(|id| self.focus.picked == Some(Pick::Message(**id)));
        let others = visible.iter().filter(|id| self.focus.picked != Some(Pick::Message(**id)));
        let order: Vec<MessageId> = picked.chain(others).copied().collect();
        let mut drawn = Vec::with_capacity(order.len());
        for id in order {
            let message = self.chart.message(id);
            let start = self.chart.entry(message.start);
            let (Some(from), Some(to)) = (self.columns.x(message.from), self.columns.x(message.to)) else { continue };
            // By way of the relay it may be seen although neither end is.
            let relay = self.relay_x(from, to);
            if self.is_across(from.min(to).min(relay), from.max(to).max(relay)) && self.axis.lens().filter.shows(self.chart, start) {
                let first = self.scene.lines.len();
                self.message(id, message, from, to);
                drawn.push((id, first..self.scene.lines.len()));
            }
        }
        // Words come when all lines are known: they hide as little as can be.
        self.names(&drawn);
    }

    fn message(&mut self, id: MessageId, message: &Message, from: f32, to: f32) {
        let way = if to < from { -1.0 } else { 1.0 };
        let begin = at(from, self.y(message.start));
        let pen = Pen { id, ink: self.ink(id, message), picked: self.focus.picked == Some(Pick::Message(id)) };
        match message.kept {
            Some(kept) => self.kept(&pen, message, kept, begin, to),
            None => {
                for leg in &message.legs {
                    self.leg(&pen, message.lost, *leg, begin, to - way * SHORT);
                }
                match message.lost {
                    Some(Lost { at: lost, how: how @ (Loss::Dropped | Loss::NobodyThere | Loss::NotPassedOn | Loss::RelayGone) }) => {
                        let end = at(self.relay_x(from, to), self.y(lost).max(begin.y));
                        self.stroke(&pen, begin, end, Dash::Solid, tip_of(how));
                    }
                    Some(Lost { how: Loss::ReceiverGone, .. }) => {}
                    None if message.legs.is_empty() => {
                        let end = at(self.relay_x(from, to) - way * SHORT, begin.y + DROOP);
                        self.stroke(&pen, begin, end, Dash::Solid, Tip::Open);
                    }
                    None => {}
                }
            }
        }
    }

    /// To the relay, there until it goes on, and then on.
    fn kept(&mut self, pen: &Pen, message: &Message, kept: Kept, begin: Point, to: f32) {
        let way = if to < begin.x { -1.0 } else { 1.0 };
        let x = self.relay_x(begin.x, to) + SLOT * (1 + kept.slot % SLOTS) as f32;
        let taken = at(x, self.y(kept.from).max(begin.y));
        self.stroke(pen, begin, taken, Dash::Solid, Tip::Plain);
        let until = kept.until.map_or_else(|| self.down(self.axis.height(self.chart, self.view.now_us)) + DROOP, |until| self.y(until));
        let tip = match (message.lost, kept.until) {
            (Some(lost), _) => tip_of(lost.how),
            (None, None) => Tip::Open,
            (None, Some(_)) => Tip::Plain,
        };
        self.stroke(pen, taken, at(x, until), Dash::Dashed, tip);
        for leg in &message.legs {
            self.leg(pen, message.lost, *leg, at(x, self.y(leg.from)), to - way * SHORT);
        }
    }

    fn leg(&mut self, pen: &Pen, lost: Option<Lost>, leg: Leg, begin: Point, to: f32) {
        match (leg.to, lost) {
            (Some(arrival), _) => {
                let end = at(to, self.y(arrival));
                self.stroke(pen, begin, end, Dash::Solid, Tip::Arrow);
            }
            (None, Some(Lost { at: lost, how: Loss::ReceiverGone })) => {
                let (short, above) = SHORT_OF_DEATH;
                let end = at(to - (to - begin.x).signum() * short, (self.y(lost) - above).max(begin.y));
                self.stroke(pen, begin, end, Dash::Solid, Tip::Cross);
            }
            (None, _) => {
                let end = at(begin.x + (to - begin.x) * 0.75, begin.y + DROOP);
                self.stroke(pen, begin, end, Dash::Solid, Tip::Open);
            }
        }
    }

    /// Where a message is that is kept or lost on its way.
    pub(super) fn relay_x(&self, from: f32, to: f32) -> f32 {
        self.columns.relay().unwrap_or_else(|| self.columns.short_of(from, to))
    }

    fn stroke(&mut self, pen: &Pen, from: Point, to: Point, dash: Dash, tip: Tip) {
        let is_level = (from.x - to.x).abs() < 1.0;
        let (from, to, tip) = if is_level {
            let end = self.clamp(to.y);
            (at(from.x, self.clamp(from.y)), at(to.x, end), if end < to.y { Tip::Plain } else { tip })
        } else {
            (from, to, tip)
        };
        if from.y.min(to.y) > self.view.height + 40.0 || from.y.max(to.y) < 0.0 || (is_level && (from.y - to.y).abs() < 0.5) {
            return;
        }
        self.places.keep_line(from, to, Some(pen.id));
        if tip != Tip::Plain {
            self.places.keep_shape(to, TIP);
        }
        let width = if pen.picked { 3.0 } else { 1.8 };
        self.scene.lines.push(Line { from, to, ink: pen.ink, width, dash, tip, of: Some(Pick::Message(pen.id)) });
    }

    /// A decision's colour, and no colour for what is aside.
    fn ink(&self, id: MessageId, message: &Message) -> Ink {
        if self.focus.picked == Some(Pick::Message(id)) {
            return Ink::Accent;
        }
        let is_aside = |entry: EntryId| self.focus.is_aside(entry);
        let ends = message.arrivals().next();
        if message.sent.is_some_and(is_aside) || (message.sent.is_none() && self.focus.ends.is_some()) || ends.is_some_and(is_aside) {
            return Ink::Faint;
        }
        match message.label.as_str() {
            "VOTE_COMMIT" | "GLOBAL_COMMIT" | "DECISION_REPLY COMMIT" => Ink::Green,
            "VOTE_ABORT" | "GLOBAL_ABORT" | "DECISION_REPLY ABORT" => Ink::Vermilion,
            _ => Ink::Blue,
        }
    }
}

/// What the lines of one message have in common.
struct Pen {
    id: MessageId,
    ink: Ink,
    picked: bool,
}

/// How the line of a message ends that was lost.
fn tip_of(how: Loss) -> Tip {
    match how {
        Loss::NobodyThere | Loss::NotPassedOn => Tip::Nobody,
        Loss::Dropped | Loss::ReceiverGone | Loss::RelayGone => Tip::Cross,
    }
}
