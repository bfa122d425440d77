//! A run that is gone through forwards and back is the run as it stood.

use twopc_lab::diagram::Chart;
use twopc_lab::run::Moment;
use twopc_lab::watched::Watched;

use crate::play::long_run;

/// All that is drawn of a chart, lanes by name.
fn drawn(chart: &Chart) -> String {
    let name = |lane| &chart.lane(lane).name;
    let entries = chart.entries().iter().map(|entry| format!("{} {entry:?}", name(entry.lane)));
    let messages = chart.messages().iter().map(|message| format!("{} {} {message:?}", name(message.from), name(message.to)));
    let spans = chart.spans().iter().map(|span| format!("{} {span:?}", name(span.lane)));
    entries.chain(messages).chain(spans).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_moment_that_was_stepped_to_is_the_moment_that_is_built_anew() {
    let events = long_run(&["alice", "bob", "carol"], 3_500);
    let mut watched = Watched::of(events.clone());
    // Back over the whole, on again, back into what was kept, and to and fro.
    let back = (0..events.len()).rev().step_by(97);
    let places = back.clone().chain((0..events.len()).step_by(131)).chain([3_400, 3_399, 2_000, 1_999, 2_001, 1_000, 999, 1, 0]);
    for place in places {
        watched.seek(place);
        assert_eq!(watched.place(), place);
        assert_eq!(*watched.moment(), Moment::after(&events[..place]), "after {place} events");
    }
    for place in [3_400, 2_001, 2_000, 1_999, 300, 17] {
        watched.seek(place);
        assert_eq!(drawn(watched.chart()), drawn(&Chart::of(&events[..place])), "after {place} events");
    }
}

#[test]
fn lanes_stay_where_they_are_at_every_moment() {
    let events = long_run(&["alice", "bob", "carol"], 1_500);
    let mut watched = Watched::of(events.clone());
    let order = watched.chart().order().to_vec();
    let names: Vec<String> = order.iter().map(|lane| watched.chart().lane(*lane).name.clone()).collect();
    assert_eq!(names, ["chair", "relay", "alice", "bob", "carol"]);
    for place in [0, 1, 2, 5, 1_200] {
        watched.seek(place);
        assert_eq!(watched.chart().order(), order, "after {place} events");
    }
}
