//! The words on messages: their names on their lines, and what became of those that did not arrive at
//! the end of theirs.
//!
//! Deliberately absent: the lines.

use std::ops::Range;

use super::places::width_of;
use super::{Drawing, HEAD};
use crate::diagram::chart::{Kept, Loss, Lost, Message, MessageId};
use crate::diagram::scene::{Dash, Ink, Label, Line, Pick, Point, Tip, at};

/// From a lane's line to the words on an arrow, and from them to its tip.
const CLEAR: f32 = 16.0;
const BEFORE_TIP: f32 = 18.0;
/// From a line to words beside it.
const ASIDE: f32 = 13.0;
/// From a line's end to words beside it that go on where it does not.
const BEYOND: f32 = 18.0;
/// What it costs words to stand beside their line.
const BESIDE_LINE: f32 = 1.5;
/// From a tip to the words that say what became of the message.
const AFTER_TIP: f32 = 12.0;
/// And over it or under it.
const OVER_TIP: f32 = 20.0;
/// Where on a line words may stand, the best first.
const SHARES: [f32; 9] = [0.0, 0.5, 1.0, 0.25, 0.75, 0.12, 0.37, 0.62, 0.87];
/// In how many steps a line is gone along for a place where none of these is free.
const STEPS: u8 = 24;

impl Drawing<'_> {
    /// The words on messages whose lines are there.
    pub(super) fn names(&mut self, drawn: &[(MessageId, Range<usize>)]) {
        // What became of a message has one place, its name has many.
        for (id, lines) in drawn {
            self.ending(*id, lines.clone());
        }
        for (id, lines) in drawn {
            self.name(*id, lines.clone());
        }
    }

    /// The name: on the first part of the way that is visible; and again on each way on from the relay,
    /// since whoever looks there may not see where the message came from.
    fn name(&mut self, id: MessageId, lines: Range<usize>) {
        let message = self.chart.message(id);
        let words = self.named(&message.label, message.txn);
        let lines: Vec<Line> = self.scene.lines[lines].iter().filter(|line| line.dash == Dash::Solid).cloned().collect();
        for line in lines {
            let is_named = self.name_line(id, &words, &line);
            if is_named && message.kept.is_none() {
                return;
            }
        }
    }

    /// A name on a line, near where it begins if there is room, or beside it; in a crowd wherever there is any,
    /// and without its first word rather than not at all.
    fn name_line(&mut self, id: MessageId, words: &str, line: &Line) -> bool {
        let anywhere: Vec<f32> = (0..=STEPS).map(|step| f32::from(step) / f32::from(STEPS)).collect();
        let short = words.split_once('_').map(|(_, rest)| format!("…{rest}"));
        let tries = [Some(words), short.as_deref()].into_iter().flatten().flat_map(|words| [(words, &SHARES[..]), (words, &anywhere)]);
        for (text, shares) in tries {
            let width = width_of(text);
            let spots = self.spots(line, width, shares);
            if let Some(at) = self.places.choose(spots, width, Some(id)) {
                let ink = if line.ink == Ink::Faint { Ink::Muted } else { Ink::Text };
                self.scene.labels.push(Label { at, width, text: text.to_owned(), ink, covers: true, of: Some(Pick::Message(id)) });
                return true;
            }
        }
        false
    }

    /// Where words may stand on a line and beside it, each with what that costs.
    fn spots(&self, line: &Line, width: f32, shares: &[f32]) -> Vec<(Point, f32)> {
        let (from, to) = (line.from, line.to);
        let (across, down) = (to.x - from.x, to.y - from.y);
        let reach = across.abs();
        let room = reach - CLEAR - BEFORE_TIP - width;
        let (upper, lower) = (HEAD + 12.0, self.view.height - 12.0);
        let mut spots = Vec::with_capacity(3 * shares.len());
        for (rank, share) in shares.iter().enumerate() {
            // Words that are longer than the line begin where it does, and stand beside it.
            let middle = CLEAR + width / 2.0 + share * room.max(0.0);
            let part = if reach > 0.0 { (middle / reach).min(1.0) } else { 0.5 };
            let x = if across < 0.0 { from.x - middle } else { from.x + middle } - width / 2.0;
            let (y, cost) = (from.y + down * part, rank as f32 * 0.1);
            if room >= 0.0 {
                spots.push((at(x, y), cost));
            }
            // Beside a line that falls, words have to be farther away from it.
            let aside = if room >= 0.0 { ASIDE } else { BEYOND } + (down / reach.max(1.0)).abs() * width / 2.0;
            if aside < 3.0 * ASIDE {
                spots.extend([y - aside, y + aside].map(|y| (at(x, y), cost + BESIDE_LINE)));
            }
        }
        spots.retain(|(spot, _)| (upper..=lower).contains(&spot.y));
        spots
    }

    /// What became of a message that did not go straight on, beside the end of its line.
    fn ending(&mut self, id: MessageId, lines: Range<usize>) {
        let message = self.chart.message(id);
        let Some((words, line)) = self.outcome(message, &self.scene.lines[lines]) else { return };
        let (end, width) = (line.to, width_of(&words));
        let ink = if line.ink == Ink::Faint { Ink::Muted } else { Ink::Text };
        let (after, before) = (end.x + AFTER_TIP, end.x - AFTER_TIP - width);
        let sides = if line.to.x < line.from.x { [before, after] } else { [after, before] };
        let middle = end.x - width / 2.0;
        let (above, below) = (end.y - OVER_TIP, end.y + OVER_TIP);
        let spots = [
            (at(sides[0], end.y), 0.0),
            (at(middle, below), 1.0),
            (at(middle, above), 1.2),
            (at(sides[0], below), 1.4),
            (at(sides[0], above), 1.5),
            (at(sides[1], below), 1.6),
            (at(sides[1], above), 1.7),
            (at(sides[1], end.y), 1.8),
        ];
        let seen = spots.into_iter().filter(|(spot, _)| (HEAD + 12.0..=self.view.height - 8.0).contains(&spot.y));
        if let Some(at) = self.places.choose(seen, width, Some(id)) {
            self.scene.labels.push(Label { at, width, text: words, ink, covers: true, of: Some(Pick::Message(id)) });
        }
    }

    /// The words for it, and the line at whose end they stand. What stands on the relay's lane is not said twice.
    fn outcome(&self, message: &Message, lines: &[Line]) -> Option<(String, Line)> {
        let has_relay = self.columns.relay().is_some();
        if let Some(Lost { how, .. }) = message.lost {
            let is_said = has_relay
                && match how {
                    Loss::Dropped => true,
                    // Only what was kept has an entry there.
                    Loss::NobodyThere => message.kept.is_some(),
                    Loss::NotPassedOn | Loss::ReceiverGone | Loss::RelayGone => false,
                };
            let line = lines.iter().rev().find(|line| matches!(line.tip, Tip::Cross | Tip::Nobody))?;
            return (!is_said).then(|| (how.word().to_owned(), line.clone()));
        }
        let Kept { ms, .. } = message.kept.filter(|_| !has_relay)?;
        let taken = lines.iter().find(|line| line.dash == Dash::Solid && line.tip == Tip::Plain)?;
        Some((ms.map_or_else(|| "held".to_owned(), |ms| format!("delayed {ms} ms")), taken.clone()))
    }
}
