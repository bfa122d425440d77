//! The events for [ShiViz](https://bestchai.bitbucket.io/shiviz/), in the format that it expects by itself.
//!
//! Two lines an event: what happened, then the host and its vector clock:
//!
//! ```text
//! sends VOTE_REQUEST to alice
//! chair {"alice":2, "chair":5}
//! ```
//!
//! A host's own clock starts at 1 and rises by exactly 1, over its restarts too. Only events that
//! processes numbered themselves are there: of the others nobody knows what they were caused by.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::chart::{Chart, EntryId, LaneId};
use super::words;
use crate::run::Event;

/// The expression with which ShiViz reads this by default.
pub const PARSER: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

/// A run's events as a log for ShiViz.
#[must_use]
pub fn shiviz(events: &[Event]) -> String {
    of_chart(&Chart::of(events))
}

/// The same of a chart that is there already.
#[must_use]
pub fn of_chart(chart: &Chart) -> String {
    let hosts = hosts(chart);
    let mut log = String::new();
    for (index, entry) in chart.entries().iter().enumerate() {
        let Some(clock) = chart.clock(EntryId::at(index)) else { continue };
        let clock: Vec<String> = clock.iter().map(|(lane, ticks)| format!("\"{}\":{ticks}", hosts[lane])).collect();
        let txn = entry.txn.map(|txn| format!(" {}", chart.txn(txn))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(log, "{}{}\n{} {{{}}}", words::foreign(&entry.label), txn, hosts[&entry.lane], clock.join(", "));
    }
    log
}

/// A name for each lane, different from all others. User names have neither blanks nor quotation marks.
fn hosts(chart: &Chart) -> HashMap<LaneId, String> {
    let mut hosts = HashMap::new();
    for lane in chart.order() {
        let known = chart.lane(*lane);
        let is_shared = chart.order().iter().any(|other| other != lane && chart.lane(*other).name == known.name);
        let name = if is_shared { format!("{}.{}", known.name, known.part.word()) } else { known.name.clone() };
        hosts.insert(*lane, name);
    }
    hosts
}
