//! Where on the way down each entry stands.
//!
//! Time runs downwards at so many pixels a second, with two liberties: entries that would coincide are
//! spread, so that their order can be read, and time in which nothing happens is folded. Places are kept
//! for what the lens lets through and follow the chart at a cost a new entry; only another lens, which
//! is a person's choice, is worked out anew. Deliberately absent: the window; a place is in pixels from
//! the beginning of the run.

use std::collections::BTreeSet;

use twopc_proto::TxnId;

use super::chart::{Chart, Entry, EntryId, Kind, LaneId};

/// The height of a row of text: what two entries of one lane are apart.
pub const ROW: f32 = 26.0;
/// What an entry and the one before it, of another lane, are apart.
const STEP: f32 = 8.0;
/// Longer than this nothing happens: the time is folded.
const IDLE_US: u64 = 1_000_000;
/// The height of a fold.
const FOLD: f32 = 52.0;
/// What two times in the margin are apart at least.
const BETWEEN_TIMES: f64 = 78.0;
/// Pixels a second where rows have their full height.
pub const NORMAL_ZOOM: f32 = 120.0;
/// The least and the most pixels a second.
pub const ZOOMS: (f32, f32) = (12.0, 2_400.0);

/// Which part of a run is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// This transaction alone, and what belongs to none.
    pub txn: Option<TxnId>,
    /// Without these lanes.
    pub hidden: BTreeSet<LaneId>,
}

impl Filter {
    /// Shows a lane, or hides it.
    pub fn show(&mut self, lane: LaneId, is_shown: bool) {
        if is_shown {
            self.hidden.remove(&lane);
        } else {
            self.hidden.insert(lane);
        }
    }

    /// Whether that entry is let through. What says no more than what stands before it never is.
    #[must_use]
    pub fn shows(&self, chart: &Chart, entry: &Entry) -> bool {
        !entry.kind.is_quiet()
            && !self.hidden.contains(&entry.lane)
            && match (&self.txn, entry.txn) {
                (None, _) | (_, None) => true,
                (Some(wanted), Some(of)) => chart.txn(of) == wanted,
            }
    }
}

/// How a run is looked at: all that places depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    /// Pixels a second.
    pub zoom: f32,
    /// Idle time is folded.
    pub fold: bool,
    /// What is let through.
    pub filter: Filter,
}

impl Default for Lens {
    fn default() -> Self {
        Self { zoom: NORMAL_ZOOM, fold: true, filter: Filter::default() }
    }
}

/// The places of all entries that the lens lets through.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    lens: Lens,
    rows: Vec<Row>,
    /// How many of the chart's entries have been looked at, and the last of them: by what it was seen that
    /// the chart is another one.
    read: usize,
    last_read: Option<(usize, u64, LaneId)>,
    folds: Vec<Fold>,
    times: Vec<Time>,
    /// The last place on each lane.
    last: Vec<f64>,
}

/// One entry's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Pixels from the beginning.
    pub y: f64,
    /// Which entry.
    pub entry: EntryId,
}

/// Time in which nothing happened, drawn shorter than it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fold {
    /// Its middle.
    pub y: f64,
    /// How long it was, in microseconds.
    pub us: u64,
}

/// A time in the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    /// Where.
    pub y: f64,
    /// Microseconds since the run began.
    pub us: u64,
    /// In milliseconds it is hardly told from the one before.
    pub is_close: bool,
}

impl Axis {
    /// The places in a chart, seen through that lens.
    #[must_use]
    pub fn of(chart: &Chart, lens: &Lens) -> Self {
        let mut axis = Self { lens: lens.clone(), ..Self::default() };
        axis.follow(chart, lens);
        axis
    }

    /// Takes what is new in the chart; everything, if the lens is another one.
    pub fn follow(&mut self, chart: &Chart, lens: &Lens) {
        let known = self.read.checked_sub(1).map(|last| chart.entries().get(last).map(Self::mark));
        if self.lens != *lens || known.is_some_and(|known| known != self.last_read) {
            *self = Self { lens: lens.clone(), ..Self::default() };
        }
        self.last.resize(chart.lanes().len(), f64::NEG_INFINITY);
        for (index, entry) in chart.entries().iter().enumerate().skip(self.read) {
            if self.lens.filter.shows(chart, entry) {
                self.place(chart, EntryId::at(index), entry);
            }
        }
        self.read = chart.entries().len();
        self.last_read = chart.entries().last().map(Self::mark);
    }

    fn mark(entry: &Entry) -> (usize, u64, LaneId) {
        (entry.event, entry.at_us, entry.lane)
    }

    fn place(&mut self, chart: &Chart, id: EntryId, entry: &Entry) {
        let tightness = f64::from((self.lens.zoom / NORMAL_ZOOM).min(1.0));
        let y = match self.rows.last() {
            None => 0.0,
            Some(before) => {
                let idle = entry.at_us - chart.entry(before.entry).at_us;
                let step = if entry.kind == Kind::Relayed { 0.0 } else { f64::from(STEP) * tightness };
                let timely = before.y + self.advance(idle).max(step);
                let spread = self.last[entry.lane.index()] + f64::from(ROW) * tightness;
                let y = timely.max(spread);
                if self.is_folded(idle) {
                    self.folds.push(Fold { y: f64::midpoint(before.y, y), us: idle });
                }
                y
            }
        };
        self.last[entry.lane.index()] = y;
        if self.times.last().is_none_or(|last| y - last.y >= BETWEEN_TIMES) {
            let is_close = self.times.last().is_some_and(|last| entry.at_us - last.us < 2_000);
            self.times.push(Time { y, us: entry.at_us, is_close });
        }
        self.rows.push(Row { y, entry: id });
    }

    fn is_folded(&self, idle: u64) -> bool {
        self.lens.fold && idle > IDLE_US
    }

    fn advance(&self, idle: u64) -> f64 {
        if self.is_folded(idle) { f64::from(FOLD) } else { idle as f64 / 1e6 * f64::from(self.lens.zoom) }
    }

    /// The lens.
    #[must_use]
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// How high all of it is, `now_us` included.
    #[must_use]
    pub fn height(&self, chart: &Chart, now_us: u64) -> f64 {
        self.rows.last().map_or(0.0, |last| last.y + self.advance(now_us.saturating_sub(chart.entry(last.entry).at_us)))
    }

    /// An entry's place; of one that the lens does not let through, the place of the one before.
    #[must_use]
    pub fn y(&self, entry: EntryId) -> f64 {
        let after = self.rows.partition_point(|row| row.entry <= entry);
        after.checked_sub(1).map_or(0.0, |at| self.rows[at].y)
    }

    /// The entry's row, if the lens lets it through.
    #[must_use]
    pub fn row_of(&self, entry: EntryId) -> Option<Row> {
        let at = self.rows.binary_search_by_key(&entry, |row| row.entry).ok()?;
        Some(self.rows[at])
    }

    /// The rows between two places.
    #[must_use]
    pub fn rows(&self, top: f64, bottom: f64) -> &[Row] {
        &self.rows[self.within(top, bottom)]
    }

    /// The last entry at or above the top and the first at or below the bottom: whatever is seen between
    /// two places touches the time between these.
    #[must_use]
    pub fn around(&self, top: f64, bottom: f64) -> Option<(EntryId, EntryId)> {
        let within = self.within(top, bottom);
        let first = self.rows.get(within.start.saturating_sub(1))?;
        let last = self.rows.get(within.end).or(self.rows.last())?;
        Some((first.entry, last.entry))
    }

    fn within(&self, top: f64, bottom: f64) -> std::ops::Range<usize> {
        let from = self.rows.partition_point(|row| row.y < top);
        from..self.rows.partition_point(|row| row.y <= bottom).max(from)
    }

    /// The folds between two places.
    #[must_use]
    pub fn folds(&self, top: f64, bottom: f64) -> &[Fold] {
        let from = self.folds.partition_point(|fold| fold.y < top);
        &self.folds[from..self.folds.partition_point(|fold| fold.y <= bottom).max(from)]
    }

    /// The times in the margin between two places.
    #[must_use]
    pub fn times(&self, top: f64, bottom: f64) -> &[Time] {
        let from = self.times.partition_point(|time| time.y < top);
        &self.times[from..self.times.partition_point(|time| time.y <= bottom).max(from)]
    }
}
