//! A diagram with the keyboard: along a lane, to its neighbours, along an arrow.

use egui::{InputState, Key, vec2};

use super::{Diagram, ZOOM_STEP, entry_of};
use crate::diagram::chart::{Chart, EntryId, LaneId};
use crate::diagram::layout::HEAD;
use crate::diagram::scene::Pick;

/// The keys that mean something here.
const KEYS: [Key; 13] = [
    Key::ArrowUp,
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::Home,
    Key::End,
    Key::PageUp,
    Key::PageDown,
    Key::Enter,
    Key::Escape,
    Key::Plus,
    Key::Equals,
    Key::Minus,
];

/// Those that were pressed, without Ctrl or Alt, which mean the whole window.
pub(super) fn pressed(input: &InputState) -> Vec<Key> {
    if input.modifiers.command || input.modifiers.ctrl || input.modifiers.alt {
        return Vec::new();
    }
    KEYS.into_iter().filter(|key| input.key_pressed(*key)).collect()
}

/// Does what a key says.
pub(super) fn obey(chart: &Chart, diagram: &mut Diagram, key: Key) {
    let page = diagram.view.height - HEAD;
    match key {
        Key::ArrowUp => go(chart, diagram, |chart, diagram, entry| along(chart, diagram, entry, -1)),
        Key::ArrowDown => go(chart, diagram, |chart, diagram, entry| along(chart, diagram, entry, 1)),
        Key::ArrowLeft => go(chart, diagram, |chart, diagram, entry| across(chart, diagram, entry, -1)),
        Key::ArrowRight => go(chart, diagram, |chart, diagram, entry| across(chart, diagram, entry, 1)),
        Key::Enter => follow_arrow(chart, diagram),
        Key::Escape => diagram.choose(None),
        Key::Home => diagram.shift(chart, vec2(0.0, f32::MAX)),
        Key::End => diagram.follows = true,
        Key::PageUp => diagram.shift(chart, vec2(0.0, page)),
        Key::PageDown => diagram.shift(chart, vec2(0.0, -page)),
        Key::Plus | Key::Equals => diagram.zoom(chart, ZOOM_STEP, (HEAD + diagram.view.height) / 2.0),
        Key::Minus => diagram.zoom(chart, 1.0 / ZOOM_STEP, (HEAD + diagram.view.height) / 2.0),
        _ => {}
    }
}

/// From what is picked to another entry; to the first one in view where nothing is.
fn go(chart: &Chart, diagram: &mut Diagram, to: impl FnOnce(&Chart, &Diagram, EntryId) -> Option<EntryId>) {
    let next = match diagram.picked() {
        Some(pick) => to(chart, diagram, entry_of(chart, pick)),
        None => diagram.axis.rows(diagram.view.top, f64::MAX).first().map(|row| row.entry),
    };
    if let Some(next) = next {
        diagram.pick(chart, Some(Pick::Entry(next)));
    }
}

fn is_shown(chart: &Chart, diagram: &Diagram, entry: EntryId) -> bool {
    diagram.lens.filter.shows(chart, chart.entry(entry))
}

/// The entry before or after on the same lane.
fn along(chart: &Chart, diagram: &Diagram, entry: EntryId, way: i32) -> Option<EntryId> {
    let entries = &chart.lane(chart.entry(entry).lane).entries;
    let at = entries.partition_point(|other| *other < entry);
    let shown = |other: &&EntryId| is_shown(chart, diagram, **other);
    if way < 0 { entries[..at].iter().rev().find(shown).copied() } else { entries.get(at + 1..)?.iter().find(shown).copied() }
}

/// The entry of the next lane on that side that stands nearest.
fn across(chart: &Chart, diagram: &Diagram, entry: EntryId, way: i32) -> Option<EntryId> {
    let order = chart.order();
    let at = order.iter().position(|lane| *lane == chart.entry(entry).lane)?;
    let near = |lane: &LaneId| nearest(chart, diagram, *lane, entry);
    if way < 0 { order[..at].iter().rev().find_map(near) } else { order.get(at + 1..)?.iter().find_map(near) }
}

fn nearest(chart: &Chart, diagram: &Diagram, lane: LaneId, entry: EntryId) -> Option<EntryId> {
    let entries = &chart.lane(lane).entries;
    let at = entries.partition_point(|other| *other < entry);
    let shown = |other: &&EntryId| is_shown(chart, diagram, **other);
    let (before, after) = (entries[..at].iter().rev().find(shown), entries[at..].iter().find(shown));
    let y = |entry: EntryId| diagram.axis.y(entry);
    match (before.copied(), after.copied()) {
        (Some(before), Some(after)) => Some(if y(entry) - y(before) <= y(after) - y(entry) { before } else { after }),
        (before, after) => before.or(after),
    }
}

/// From a sending to its message, from a message to its arrival, from an arrival back to the message.
fn follow_arrow(chart: &Chart, diagram: &mut Diagram) {
    let next = match diagram.picked() {
        Some(Pick::Entry(entry)) => chart.entry(entry).message.map(Pick::Message),
        Some(Pick::Message(message)) => chart.message(message).arrivals().next().map(Pick::Entry),
        None => None,
    };
    if next.is_some() {
        diagram.pick(chart, next);
    }
}
