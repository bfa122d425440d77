//! The visible part of a chart, as a scene.
//!
//! A pure function of the chart, the axis and the view. What it costs grows with what is visible: rows
//! are found by halving, messages and spans by a tree. Deliberately absent: fonts. Widths of words are
//! estimated on the safe side, so that the same chart gives the same scene everywhere.

mod columns;
mod glyphs;
mod messages;
mod names;
mod places;
mod spans;

use self::columns::Columns;
use self::places::{Places, width_of};
use super::axis::{Axis, ROW};
use super::chart::{Chart, Entry, EntryId, Kind, MessageId};
use super::scene::{Badge, Dash, Glyph, Head, Ink, Label, Line, Pick, Point, Scene, Tip, at};
use super::words;

/// The height of the heads of the lanes.
pub const HEAD: f32 = 52.0;
/// What is free above the first entry and below the last one.
const PAD: f32 = 22.0;
/// From a lane's line to its words.
const BESIDE: f32 = 16.0;

/// The window on a diagram.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The window's width.
    pub width: f32,
    /// Its height.
    pub height: f32,
    /// How far it is moved to the right.
    pub left: f32,
    /// How far it is moved down.
    pub top: f64,
    /// What was picked: all that neither caused it nor was caused by it steps back.
    pub picked: Option<Pick>,
    /// The time now, in microseconds since the run began, if the run goes on.
    pub now_us: u64,
    /// The run is over, and nothing in it lasts any more.
    pub is_over: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { width: 1_200.0, height: 800.0, left: 0.0, top: 0.0, picked: None, now_us: 0, is_over: false }
    }
}

impl View {
    /// A view that shows the whole of a diagram, at that width.
    #[must_use]
    pub fn whole(chart: &Chart, axis: &Axis, width: f32) -> Self {
        let height = axis.height(chart, chart.last_us()) as f32 + HEAD + 2.0 * PAD;
        let width = width.max(Columns::new(chart, axis, width, 0.0).width());
        Self { width, height, ..Self::default() }
    }
}

/// The visible part of a chart. The axis must have followed that chart.
#[must_use]
pub fn layout(chart: &Chart, axis: &Axis, view: &View) -> Scene {
    let columns = Columns::new(chart, axis, view.width, view.left);
    let whole = (columns.width(), axis.height(chart, view.now_us) + f64::from(HEAD + 2.0 * PAD));
    let scene = Scene { size: (view.width, view.height), whole, head: HEAD, ..Scene::default() };
    let mut drawing = Drawing { chart, axis, view, columns, focus: Focus::new(chart, view.picked), places: Places::default(), scene };
    drawing.times();
    let (first, last) = drawing.around();
    let spans = first.zip(last).map_or_else(Vec::new, |(first, last)| chart.spans_between(first, last));
    let messages = first.zip(last).map_or_else(Vec::new, |(first, last)| chart.messages_between(first, last));
    drawing.lanes(&spans);
    drawing.bands(&spans);
    drawing.entries();
    drawing.messages(&messages);
    drawing.lengths(&spans);
    drawing.heads();
    drawing.scene
}

/// How high a diagram is, and how wide at least: what can be scrolled.
#[must_use]
pub fn extent(chart: &Chart, axis: &Axis, view: &View) -> (f32, f64) {
    (Columns::new(chart, axis, view.width, 0.0).width(), axis.height(chart, view.now_us) + f64::from(HEAD + 2.0 * PAD))
}

/// How far down a view is moved that has that entry a third down from its top.
#[must_use]
pub fn top_for(axis: &Axis, entry: EntryId, height: f32) -> f64 {
    (axis.y(entry) + f64::from(PAD) - f64::from((height - HEAD) / 3.0)).max(0.0)
}

/// Whether a view shows that entry's row whole.
#[must_use]
pub fn is_in_view(axis: &Axis, entry: EntryId, view: &View) -> bool {
    let y = axis.y(entry) + f64::from(PAD) - view.top;
    (f64::from(ROW) / 2.0..=f64::from(view.height - HEAD - ROW / 2.0)).contains(&y)
}

/// A scene in the making.
struct Drawing<'a> {
    chart: &'a Chart,
    axis: &'a Axis,
    view: &'a View,
    columns: Columns,
    focus: Focus<'a>,
    places: Places,
    scene: Scene,
}

/// What stays in front when something was picked: its causes and its consequences.
struct Focus<'a> {
    chart: &'a Chart,
    picked: Option<Pick>,
    /// What it was caused by was caused by this; what it causes is caused by that.
    ends: Option<(EntryId, EntryId)>,
}

impl<'a> Focus<'a> {
    fn new(chart: &'a Chart, picked: Option<Pick>) -> Self {
        let picked = picked.filter(|pick| chart.has(*pick));
        let ends = picked.and_then(|pick| match pick {
            Pick::Entry(entry) if chart.entry(entry).number.is_some() => Some((entry, entry)),
            Pick::Entry(entry) => chart.entry(entry).message.and_then(|message| Self::ends(chart, message)),
            Pick::Message(message) => Self::ends(chart, message),
        });
        Self { chart, picked, ends }
    }

    fn ends(chart: &Chart, message: MessageId) -> Option<(EntryId, EntryId)> {
        let message = chart.message(message);
        let sent = message.sent?;
        Some((sent, message.arrivals().next().unwrap_or(sent)))
    }

    /// Whether an entry steps back: it is known to be neither cause nor consequence.
    fn is_aside(&self, entry: EntryId) -> bool {
        let Some((first, last)) = self.ends else { return false };
        let before = entry == first || self.chart.precedes(entry, first).unwrap_or(true);
        let after = entry == last || self.chart.precedes(last, entry).unwrap_or(true);
        !before && !after
    }
}

impl Drawing<'_> {
    /// An entry's height in the window.
    fn y(&self, entry: EntryId) -> f32 {
        self.down(self.axis.y(entry))
    }

    fn down(&self, y: f64) -> f32 {
        (y - self.view.top) as f32 + HEAD + PAD
    }

    /// The places that are visible, with something beyond.
    fn visible(&self) -> (f64, f64) {
        let top = self.view.top - f64::from(PAD);
        (top - f64::from(ROW), top + f64::from(self.view.height - HEAD + ROW))
    }

    fn around(&self) -> (Option<EntryId>, Option<EntryId>) {
        let (top, bottom) = self.visible();
        self.axis.around(top, bottom).unzip()
    }

    /// Between the heads and the lower edge, and not farther outside than is worth a line.
    fn clamp(&self, y: f32) -> f32 {
        y.clamp(HEAD - 40.0, self.view.height + 40.0)
    }

    fn is_inside(&self, y: f32) -> bool {
        (HEAD - ROW..=self.view.height + ROW).contains(&y)
    }

    /// Whether anything between these two can be seen, words beside a lane included.
    fn is_across(&self, a: f32, b: f32) -> bool {
        a.max(b) > -2.0 * BESIDE && a.min(b) < self.view.width + 2.0 * BESIDE
    }

    fn line(&mut self, from: Point, to: Point, ink: Ink, dash: Dash) {
        self.scene.lines.push(Line { from, to, ink, width: 1.5, dash, tip: Tip::Plain, of: None });
    }

    /// The times in the margin, and what was folded.
    fn times(&mut self) {
        let (top, bottom) = self.visible();
        let left = self.columns.left();
        for time in self.axis.times(top, bottom) {
            let y = self.down(time.y);
            let text = if time.is_close { words::fine_clock(time.us) } else { words::clock(time.us) };
            let label = Label { at: at(left + 8.0, y), width: width_of(&text), text, ink: Ink::Muted, covers: false, of: None };
            self.places.take(label.at, label.width);
            self.scene.labels.push(label);
        }
        for fold in self.axis.folds(top, bottom) {
            let y = self.down(fold.y);
            self.line(at(left + 8.0, y), at(left + self.columns.width() - 8.0, y), Ink::Faint, Dash::Dotted);
            let text = format!("⋯ {}", words::seconds(fold.us));
            let label = Label { at: at(left + 8.0, y), width: width_of(&text), text, ink: Ink::Muted, covers: true, of: None };
            self.places.take(label.at, label.width);
            self.scene.labels.push(label);
        }
    }

    /// The badges of what is visible, and their words beside them.
    fn entries(&mut self) {
        let (top, bottom) = self.visible();
        let axis = self.axis;
        for row in axis.rows(top, bottom) {
            let entry = self.chart.entry(row.entry);
            // A row keeps its place although what stood there has gone to another one.
            let Some(x) = self.columns.x(entry.lane).filter(|_| entry.kind != Kind::Superseded) else { continue };
            if !self.is_across(x, x + self.columns.room(entry.lane)) {
                continue;
            }
            let y = self.down(row.y);
            let aside = self.focus.is_aside(row.entry);
            let picked = self.focus.picked == Some(Pick::Entry(row.entry));
            let (glyph, ink) = glyphs::of(entry.kind);
            let ink = if aside { Ink::Faint } else { ink };
            self.places.keep_shape(at(x, y), if glyph == Glyph::Dot { 4.0 } else { 8.5 });
            self.scene.badges.push(Badge { at: at(x, y), glyph, ink, of: Pick::Entry(row.entry), picked });
            if !entry.kind.is_arrow_end() || self.has_no_arrow(entry) {
                self.entry_label(row.entry, entry, at(x + BESIDE, y), aside);
            }
        }
    }

    /// Whether no arrow says what it is: its other end is on a lane that is hidden, or was never seen.
    fn has_no_arrow(&self, entry: &Entry) -> bool {
        entry.message.is_none_or(|message| {
            let message = self.chart.message(message);
            self.columns.x(message.from).is_none() || self.columns.x(message.to).is_none()
        })
    }

    fn entry_label(&mut self, id: EntryId, entry: &Entry, place: Point, aside: bool) {
        let room = self.columns.room(entry.lane);
        // Of what the relay did with a message, the arrow says which transaction it is about.
        let txn = entry.txn.filter(|_| Some(entry.lane) != self.chart.relay());
        let text = places::fit(&self.named(&entry.label, txn), room);
        let width = width_of(&text);
        if self.is_inside(place.y) && self.places.take(place, width) {
            let ink = if aside { Ink::Muted } else { Ink::Text };
            self.scene.labels.push(Label { at: place, width, text, ink, covers: true, of: Some(Pick::Entry(id)) });
        }
    }

    /// Words, with the transaction behind them where there are several in sight.
    fn named(&self, words: &str, txn: Option<super::chart::TxnRef>) -> String {
        let is_one = self.chart.txns().len() < 2 || self.axis.lens().filter.txn.is_some();
        match txn {
            Some(txn) if !is_one => format!("{words} {}", words::foreign(&self.chart.txn(txn).short())),
            Some(_) | None => words.to_owned(),
        }
    }

    fn heads(&mut self) {
        for (lane, x, column) in self.columns.within(self.view.width).iter().copied() {
            let known = self.chart.lane(lane);
            let room = column.1 - x + columns::BEFORE - 8.0;
            let name = places::fit(&known.name, room);
            self.scene.heads.push(Head { lane, x, column, name, part: known.part.word() });
        }
    }
}
