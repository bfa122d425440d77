//! Stretches of time on a lane: whether a process runs, what it waits for, and how long.

use std::collections::HashMap;

use super::Drawing;
use super::columns;
use super::places::{fit, width_of};
use crate::diagram::axis::ROW;
use crate::diagram::chart::{Kind, LaneId, Span, SpanId, SpanKind};
use crate::diagram::scene::{Band, Dash, Ink, Label, at};
use crate::diagram::words;

impl Drawing<'_> {
    /// The lanes' lines: whole while a process runs and can be reached.
    pub(super) fn lanes(&mut self, spans: &[SpanId]) {
        let end = self.clamp(self.down(self.axis.height(self.chart, self.view.now_us)) + super::PAD);
        let breaks = self.breaks(spans);
        let lanes: Vec<(LaneId, f32)> = self.columns.within(self.view.width).iter().map(|(lane, x, _)| (*lane, *x)).collect();
        for (lane, x) in lanes {
            self.places.keep_line(at(x, super::HEAD), at(x, end), None);
            let mut y = super::HEAD;
            for (from, to, dash) in breaks.get(&lane).into_iter().flatten().copied() {
                let (from, to) = (from.max(y), to.min(end));
                if from > y {
                    self.line(at(x, y), at(x, from), Ink::Lane, Dash::Solid);
                }
                if to > from {
                    self.line(at(x, from), at(x, to), Ink::Lane, dash);
                    y = to;
                }
            }
            if end > y {
                self.line(at(x, y), at(x, end), Ink::Lane, Dash::Solid);
            }
        }
    }

    /// Where the lanes' lines are not whole, from above.
    fn breaks(&self, spans: &[SpanId]) -> HashMap<LaneId, Vec<(f32, f32, Dash)>> {
        let mut breaks: HashMap<LaneId, Vec<(f32, f32, Dash)>> = HashMap::new();
        // Before its process was started there is nothing, and nothing is said where nothing was heard yet.
        for (lane, _, _) in self.columns.within(self.view.width) {
            let first = self.chart.lane(*lane).entries.first();
            let start = match first.map(|first| (*first, self.chart.entry(*first).kind)) {
                Some((first, Kind::Started | Kind::Start)) => self.clamp(self.y(first)),
                Some(_) => continue,
                None => self.clamp(f32::INFINITY),
            };
            breaks.entry(*lane).or_default().push((self.clamp(f32::NEG_INFINITY), start, Dash::Dotted));
        }
        for span in spans.iter().map(|span| &self.chart.spans()[span.index()]) {
            let dash = match span.kind {
                SpanKind::Down => Dash::Dotted,
                SpanKind::Frozen | SpanKind::Offline | SpanKind::Blind => Dash::Dashed,
                SpanKind::Forcing | SpanKind::InDoubt | SpanKind::Blocked | SpanKind::Rules => continue,
            };
            let (from, to) = self.stretch(span);
            breaks.entry(span.lane).or_default().push((self.clamp(from), self.clamp(to), dash));
        }
        breaks.values_mut().for_each(|breaks| breaks.sort_by(|a, b| a.0.total_cmp(&b.0)));
        breaks
    }

    fn stretch(&self, span: &Span) -> (f32, f32) {
        let to = span.to.map_or_else(|| self.down(self.axis.height(self.chart, self.view.now_us)) + super::PAD, |to| self.y(to));
        (self.y(span.from), to)
    }

    fn is_shown(&self, span: &Span) -> bool {
        self.axis.lens().filter.shows(self.chart, self.chart.entry(span.from))
    }

    /// The shades on the lanes. Those of several transactions on one lane lie on each other.
    pub(super) fn bands(&mut self, spans: &[SpanId]) {
        for span in spans {
            let span = &self.chart.spans()[span.index()];
            let Some(x) = self.columns.x(span.lane).filter(|x| self.is_across(*x, *x) && self.is_shown(span)) else { continue };
            let (half, ink, hatched) = match span.kind {
                SpanKind::Forcing => (3.0, Ink::Lane, false),
                SpanKind::InDoubt => (8.0, Ink::Amber, false),
                SpanKind::Blocked => (8.0, Ink::Amber, true),
                SpanKind::Rules => (8.0, Ink::Blue, false),
                SpanKind::Down | SpanKind::Frozen | SpanKind::Offline | SpanKind::Blind => continue,
            };
            let (from, to) = self.stretch(span);
            let (from, to) = (self.clamp(from), self.clamp(to));
            if to - from >= 1.0 {
                self.scene.bands.push(Band { min: at(x - half, from), max: at(x + half, to), ink, hatched });
            }
        }
    }

    /// How long it took, on the left of the lane; words that find no place there are not shown.
    pub(super) fn lengths(&mut self, spans: &[SpanId]) {
        for span in spans {
            let span = &self.chart.spans()[span.index()];
            let Some(x) = self.columns.x(span.lane).filter(|x| self.is_across(*x, *x) && self.is_shown(span)) else { continue };
            let Some(word) = span.kind.word().filter(|_| span.to != Some(span.from)) else { continue };
            // How long somebody is down who does not come back is counted by nobody.
            if span.to.is_none() && self.chart.is_off(span.lane) {
                continue;
            }
            let length = words::precise(self.chart.length_us(span, self.view.now_us));
            let still = if span.to.is_none() && !self.view.is_over { " so far" } else { "" };
            let text = self.named(&format!("{word} {length}{still}"), span.txn);
            let width = width_of(&text);
            let (from, to) = self.stretch(span);
            let (from, to) = (from.max(super::HEAD + ROW / 2.0), to.min(self.view.height - ROW / 2.0));
            if to < from {
                continue;
            }
            let middle = f32::midpoint(from, to);
            let spots = [middle, middle - ROW / 2.0, middle + ROW / 2.0, from + 0.25 * (to - from), from + 0.75 * (to - from), from, to];
            // On the right there may be room where the left has none; over the times there is none, nor beyond
            // the last lane's column, nor beside the line of the lane before.
            let (left, right) = (x - 14.0 - width, x + 14.0);
            let room = self.columns.left() + self.columns.width() - right;
            let is_over_times = left < self.columns.left() + columns::MARGIN;
            let reads_as_another = self.columns.before(span.lane).is_some_and(|x| left < x + columns::CLEAR);
            let sides: &[f32] = match (is_over_times, width > room) {
                (true, _) => &[right, left],
                // Words that would be taken for the other lane's are none.
                (false, false) if reads_as_another => &[right],
                (false, true) if reads_as_another => &[],
                (false, false) => &[left, right],
                (false, true) => &[left],
            };
            let costs = |(rank, place): (usize, crate::diagram::scene::Point)| (place, rank as f32 * 0.1);
            let places = sides.iter().flat_map(|x| spots.iter().map(|y| at(*x, *y))).enumerate().map(costs);
            if let Some(place) = self.places.choose(places, width, None) {
                self.scene.labels.push(Label { at: place, width, text, ink: Ink::Text, covers: true, of: None });
            } else if width > room {
                let text = fit(&text, room);
                let width = width_of(&text);
                if let Some(place) = self.places.choose(spots.map(|y| at(right, y)).into_iter().enumerate().map(costs), width, None) {
                    self.scene.labels.push(Label { at: place, width, text, ink: Ink::Text, covers: true, of: None });
                }
            }
        }
    }
}
