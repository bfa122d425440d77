//! Cause and effect: known from numbers and origins, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use twopc_lab::diagram::chart::{Chart, Entry, Kind};
use twopc_lab::diagram::{Axis, Lens, Pick, layout};
use twopc_lab::diagram::{EntryId, layout::View};
use twopc_lab::run::Event;

use crate::play::{Room, long_run};

fn entries(chart: &Chart) -> Vec<(EntryId, &Entry)> {
    let mut all: Vec<(EntryId, &Entry)> = chart.lanes().iter().flat_map(|lane| &lane.entries).map(|id| (*id, chart.entry(*id))).collect();
    all.sort_by_key(|(id, _)| *id);
    all
}

/// Everything before an entry, by walking back along lanes and arrows.
fn walked(chart: &Chart, from: EntryId) -> BTreeSet<EntryId> {
    let mut before: BTreeMap<EntryId, EntryId> = BTreeMap::new();
    for lane in chart.lanes() {
        let numbered: Vec<EntryId> = lane.entries.iter().copied().filter(|id| chart.entry(*id).number.is_some()).collect();
        before.extend(numbered.windows(2).map(|pair| (pair[1], pair[0])));
    }
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        let entry = chart.entry(id);
        let sent = entry.message.filter(|_| entry.kind == Kind::Receive).and_then(|message| chart.message(message).sent);
        for cause in [before.get(&id).copied(), sent].into_iter().flatten() {
            if seen.insert(cause) {
                open.push(cause);
            }
        }
    }
    seen
}

#[test]
fn happened_before_is_what_a_walk_along_lanes_and_arrows_finds() {
    let chart = Chart::of(&long_run(&["alice", "bob", "carol"], 600));
    let all = entries(&chart);
    let numbered: Vec<EntryId> = all.iter().filter(|(_, entry)| entry.number.is_some()).map(|(id, _)| *id).collect();
    let mut concurrent = 0;
    for b in numbered.iter().step_by(7) {
        let causes = walked(&chart, *b);
        for a in &numbered {
            let precedes = chart.precedes(*a, *b).unwrap();
            assert_eq!(precedes, causes.contains(a), "{a:?} {b:?}");
            concurrent += usize::from(!precedes && a != b && !chart.precedes(*b, *a).unwrap());
        }
    }
    assert!(concurrent > 100, "a run in which everything has one order shows nothing: {concurrent}");
}

#[test]
fn when_the_lab_saw_something_says_nothing_of_its_cause() {
    let events = long_run(&["alice", "bob"], 300);
    let stopped: Vec<Event> = events.iter().map(|event| Event { at_us: 0, what: event.what.clone() }).collect();
    let (chart, still) = (Chart::of(&events), Chart::of(&stopped));
    let clocks = |chart: &Chart| entries(chart).into_iter().map(|(id, _)| chart.clock(id)).collect::<Vec<_>>();
    assert_eq!(clocks(&chart), clocks(&still));
}

#[test]
fn what_no_process_numbered_has_no_order() {
    let mut room = Room::new(&["alice"]);
    room.kill("alice");
    let chart = Chart::of(&room.events);
    let (death, _) = *entries(&chart).iter().find(|(_, entry)| entry.kind == Kind::Ended { killed: true }).unwrap();
    let (start, _) = *entries(&chart).iter().find(|(_, entry)| entry.kind == Kind::Start).unwrap();
    assert_eq!((chart.precedes(start, death), chart.clock(death)), (None, None));
}

#[test]
fn what_is_told_twice_happened_once() {
    let mut room = Room::new(&["alice"]);
    room.request("Hello");
    room.pass(1_000_000);
    let once = Chart::of(&room.events);
    let twice: Vec<Event> = room
        .events
        .iter()
        .flat_map(|event| {
            let is_told = matches!(event.what, twopc_lab::run::Happening::Told { .. });
            std::iter::repeat_n(event.clone(), if is_told { 2 } else { 1 })
        })
        .collect();
    assert_eq!(Chart::of(&twice).entries().len(), once.entries().len());
}

#[test]
fn what_neither_caused_nor_was_caused_by_the_picked_event_steps_back() {
    let mut room = Room::new(&["alice", "bob"]);
    room.request("Hello");
    room.pass(1_000_000);
    let chart = Chart::of(&room.events);
    let axis = Axis::of(&chart, &Lens::default());
    let (pressed, _) =
        *entries(&chart).iter().find(|(_, entry)| entry.kind == Kind::Press && chart.lane(entry.lane).name == "alice").unwrap();
    let view = View { picked: Some(Pick::Entry(pressed)), ..View::whole(&chart, &axis, 1_000.0) };
    let scene = layout(&chart, &axis, &view);
    let aside = |name: &str| {
        let of_lane =
            scene.badges.iter().filter(|badge| matches!(badge.of, Pick::Entry(id) if chart.lane(chart.entry(id).lane).name == name));
        of_lane.filter(|badge| badge.ink == twopc_lab::diagram::scene::Ink::Faint).count()
    };
    assert_eq!(aside("alice"), 0, "all of a process's own events are before or after");
    assert!(aside("bob") > 3, "bob's vote has nothing to do with alice's");
    assert_eq!(layout(&chart, &axis, &View { picked: None, ..view }).badges.len(), scene.badges.len());
}
