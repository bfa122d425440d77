//! Messages as arrows: from the sender to the receiver, and by way of the relay's lane where they were
//! kept or lost there.

use super::places::width_of;
use super::{Drawing, HEAD, places};
use crate::diagram::chart::{EntryId, Kept, Leg, Loss, Lost, Message, MessageId};
use crate::diagram::scene::{Dash, Ink, Label, Line, Pick, Point, Tip, at};

/// From a lane's line to an arrow's tip, and to the words on an arrow.
const SHORT: f32 = 5.0;
const CLEAR: f32 = 16.0;
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
        for id in order {
            let message = self.chart.message(id);
            let start = self.chart.entry(message.start);
            let (Some(from), Some(to)) = (self.columns.x(message.from), self.columns.x(message.to)) else { continue };
            // By way of the relay it may be seen although neither end is.
            let relay = self.relay_x(from, to);
            if self.is_across(from.min(to).min(relay), from.max(to).max(relay)) && self.axis.lens().filter.shows(self.chart, start) {
                self.message(id, message, from, to);
            }
        }
    }

    fn message(&mut self, id: MessageId, message: &Message, from: f32, to: f32) {
        let way = if to < from { -1.0 } else { 1.0 };
        let begin = at(from, self.y(message.start));
        let first = self.scene.lines.len();
        let pen = Pen { id, ink: self.ink(id, message), picked: self.focus.picked == Some(Pick::Message(id)) };
        match message.kept {
            Some(kept) => self.kept(&pen, message, kept, begin, to),
            None => {
                for leg in &message.legs {
                    self.leg(&pen, message.lost, *leg, begin, to - way * SHORT);
                }
                match message.lost {
                    Some(Lost { at: lost, how: Loss::Dropped | Loss::NobodyThere | Loss::RelayGone }) => {
                        let end = at(self.relay_x(from, to), self.y(lost).max(begin.y));
                        self.stroke(&pen, begin, end, Dash::Solid, Tip::Cross);
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
        self.arrow_label(id, message, first);
    }

    /// To the relay, there until it goes on, and then on.
    fn kept(&mut self, pen: &Pen, message: &Message, kept: Kept, begin: Point, to: f32) {
        let way = if to < begin.x { -1.0 } else { 1.0 };
        let x = self.relay_x(begin.x, to) + SLOT * (1 + kept.slot % SLOTS) as f32;
        let taken = at(x, self.y(kept.from).max(begin.y));
        self.stroke(pen, begin, taken, Dash::Solid, Tip::Plain);
        let until = kept.until.map_or_else(|| self.down(self.axis.height(self.chart, self.view.now_us)) + DROOP, |until| self.y(until));
        let tip = match (message.lost, kept.until) {
            (Some(_), _) => Tip::Cross,
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
                let end = at(to - (to - begin.x).signum() * 10.0, self.y(lost));
                self.stroke(pen, begin, end, Dash::Solid, Tip::Cross);
            }
            (None, _) => {
                let end = at(begin.x + (to - begin.x) * 0.75, begin.y + DROOP);
                self.stroke(pen, begin, end, Dash::Solid, Tip::Open);
            }
        }
    }

    /// Where a message is that is kept or lost on its way.
    fn relay_x(&self, from: f32, to: f32) -> f32 {
        self.columns.relay().unwrap_or(f32::midpoint(from, to))
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

    /// The name: on the first part of the way that is visible; and again on each way on from the relay,
    /// since whoever looks there may not see where the message came from.
    fn arrow_label(&mut self, id: MessageId, message: &Message, first: usize) {
        let mut words = self.named(&message.label, message.txn);
        // What the relay did stands on its own lane.
        if let Some(Lost { how: how @ (Loss::ReceiverGone | Loss::RelayGone), .. }) = message.lost {
            words = format!("{words} {}", how.word());
        }
        let is_aside = self.scene.lines.get(first).is_some_and(|line| line.ink == Ink::Faint);
        let ink = if is_aside { Ink::Muted } else { Ink::Text };
        let slanted = self.scene.lines[first..].iter().filter(|line| line.dash == Dash::Solid);
        let lines: Vec<(Point, Point)> = slanted.map(|line| (line.from, line.to)).collect();
        for (from, to) in lines {
            let is_named = self.name_line(id, &words, from, to, ink);
            if is_named && message.kept.is_none() {
                return;
            }
        }
    }

    /// Words on a line, near where it begins if there is room.
    fn name_line(&mut self, id: MessageId, words: &str, from: Point, to: Point, ink: Ink) -> bool {
        let reach = (to.x - from.x).abs();
        let text = places::fit(words, (reach - CLEAR - 12.0).max(0.0));
        if text != words && text.chars().count() < 4 {
            return false;
        }
        let width = width_of(&text);
        let spots = [0.0, 0.5, 1.0, 0.25, 0.75].map(|share| {
            let middle = CLEAR + width / 2.0 + share * (reach - CLEAR - 12.0 - width).max(0.0);
            let part = (middle / reach).min(1.0);
            at(from.x + (to.x - from.x) * part - width / 2.0, from.y + (to.y - from.y) * part)
        });
        let free = spots.into_iter().find(|spot| spot.y > HEAD + 4.0 && self.is_inside(spot.y) && self.places.take(*spot, width));
        if let Some(at) = free {
            self.scene.labels.push(Label { at, width, text, ink, covers: true, of: Some(Pick::Message(id)) });
        }
        free.is_some()
    }
}

/// What the lines of one message have in common.
struct Pen {
    id: MessageId,
    ink: Ink,
    picked: bool,
}
