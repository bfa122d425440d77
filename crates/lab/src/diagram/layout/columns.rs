//! Where the lanes are: times on the left, then a column a lane.
//!
//! The relay's is narrow: it has no states. Deliberately absent: anything vertical.

use crate::diagram::axis::Axis;
use crate::diagram::chart::{Chart, LaneId, Part};

/// What the times take.
pub(super) const MARGIN: f32 = 96.0;
/// The least width of a lane, and of the relay's.
const LEAST: f32 = 184.0;
const RELAY: f32 = 168.0;
/// From a column's edge to its line.
pub(super) const BEFORE: f32 = 40.0;
/// Words on the left of a lane that come nearer than this to the line before it read as that one's.
pub(super) const CLEAR: f32 = 44.0;
/// What words leave free before the next lane's line.
const GAP: f32 = 20.0;

/// The columns of the lanes that are shown, from left to right.
pub(super) struct Columns {
    left: f32,
    width: f32,
    shown: Vec<(LaneId, f32, (f32, f32))>,
    /// By lane: where it is among those.
    places: Vec<Option<usize>>,
    relay: Option<f32>,
}

impl Columns {
    /// The columns in a window of that width, moved to the left by so much.
    pub(super) fn new(chart: &Chart, axis: &Axis, width: f32, moved: f32) -> Self {
        let hidden = &axis.lens().filter.hidden;
        let shown: Vec<LaneId> = chart.order().iter().copied().filter(|lane| !hidden.contains(lane)).collect();
        let is_relay = |lane: &LaneId| chart.lane(*lane).part == Part::Relay;
        let relays = shown.iter().filter(|lane| is_relay(lane)).count();
        let nodes = shown.len() - relays;
        let free = width - MARGIN - relays as f32 * RELAY;
        let node = (free / nodes.max(1) as f32).max(LEAST).floor();
        let mut columns = Self { left: -moved, width: MARGIN, shown: Vec::new(), places: vec![None; chart.lanes().len()], relay: None };
        for lane in shown {
            let wide = if is_relay(&lane) { RELAY } else { node };
            let from = columns.left + columns.width;
            let x = from + BEFORE;
            if is_relay(&lane) {
                columns.relay = Some(x);
            }
            columns.places[lane.index()] = Some(columns.shown.len());
            columns.shown.push((lane, x, (from, from + wide)));
            columns.width += wide;
        }
        columns
    }

    /// How wide all of them are, the times included.
    pub(super) fn width(&self) -> f32 {
        self.width
    }

    /// Where the times begin.
    pub(super) fn left(&self) -> f32 {
        self.left
    }

    /// Where a lane's line is, if it is shown.
    pub(super) fn x(&self, lane: LaneId) -> Option<f32> {
        let place = (*self.places.get(lane.index())?)?;
        Some(self.shown[place].1)
    }

    /// Where the line of the lane before that one is, if it is not the first.
    pub(super) fn before(&self, lane: LaneId) -> Option<f32> {
        let place = (*self.places.get(lane.index())?)?;
        Some(self.shown.get(place.checked_sub(1)?)?.1)
    }

    /// What words beside a lane's line may take.
    pub(super) fn room(&self, lane: LaneId) -> f32 {
        let place = self.places.get(lane.index()).copied().flatten();
        place.map_or(0.0, |place| self.shown[place].2.1 + BEFORE - self.shown[place].1 - super::BESIDE - GAP)
    }

    /// Where the relay is, if it is shown.
    pub(super) fn relay(&self) -> Option<f32> {
        self.relay
    }

    /// A place between a lane and the next one on the way to another, nearer to the second.
    pub(super) fn short_of(&self, from: f32, to: f32) -> f32 {
        const SHARE: f32 = 0.8;
        let lines = self.shown.iter().map(|(_, x, _)| *x);
        let next = if to > from { lines.filter(|x| *x > from).reduce(f32::min) } else { lines.filter(|x| *x < from).reduce(f32::max) };
        from + (next.unwrap_or(to) - from) * SHARE
    }

    /// The lanes whose words may be seen between the left edge and there: their lines, and their columns
    /// from edge to edge.
    pub(super) fn within(&self, width: f32) -> &[(LaneId, f32, (f32, f32))] {
        let from = self.shown.partition_point(|(_, _, column)| column.1 < -BEFORE);
        let to = self.shown.partition_point(|(_, _, column)| column.0 <= width);
        &self.shown[from..to.max(from)]
    }
}
