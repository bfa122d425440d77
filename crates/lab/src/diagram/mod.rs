//! The space-time diagram of a run: a lane a process, time downwards, a message an arrow.
//!
//! - [`chart`]: what happened, folded from the run's events one by one: lanes, entries, messages, spans,
//!   and the vector clocks that say what was caused by what.
//! - [`axis`]: where on the way down each entry stands. Idle time is folded, crowds are spread.
//! - [`mod@layout`]: the visible part of a chart as a [`scene`] of lines, badges and labels.
//! - [`paint`]: a scene in a window, with mouse and keyboard; [`svg`] and [`plain`]: as a file and as text.
//! - [`detail`]: all that is known of one entry or message, as text.
//! - [`shiviz`]: the events for another tool.
//!
//! Everything but [`paint`] is a pure function of the events. Deliberately absent: clocks, files, and
//! guesses; whatever the events do not say is drawn as not known.

pub mod axis;
pub mod chart;
pub mod detail;
pub mod layout;
pub mod paint;
pub mod plain;
pub mod scene;
pub mod shiviz;
pub mod svg;
mod words;

pub use axis::{Axis, Filter, Lens};
pub use chart::{Chart, EntryId, LaneId, MessageId, SpanId};
pub use layout::{View, layout};
pub use paint::{Diagram, diagram_ui};
pub use scene::{Pick, Scene};
pub(crate) use words::clock;
