//! What a frame costs does not grow with what is not visible.

use std::time::{Duration, Instant};

use twopc_lab::diagram::{Axis, Chart, Lens, View, layout};

use crate::play::long_run;

fn in_the_middle(chart: &Chart, axis: &Axis) -> View {
    View { top: axis.height(chart, chart.last_us()) / 2.0, ..View::default() }
}

/// The shortest of several, so that a busy machine counts for little.
fn shortest(mut work: impl FnMut()) -> Duration {
    let time = || {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    std::iter::repeat_with(time).take(30).min().unwrap_or_default()
}

#[test]
fn laying_out_ten_times_as_many_events_takes_as_long_as_long_as_as_many_are_visible() {
    let times = [1_000, 10_000].map(|count| {
        let chart = Chart::of(&long_run(&["alice", "bob", "carol"], count));
        let axis = Axis::of(&chart, &Lens::default());
        let view = in_the_middle(&chart, &axis);
        let visible = layout(&chart, &axis, &view).badges.len();
        assert!((30..150).contains(&visible), "{visible} are visible");
        shortest(|| drop(std::hint::black_box(layout(&chart, &axis, &view)))) / u32::try_from(visible).unwrap()
    });
    assert!(times[1] < 3 * times[0], "{times:?} for each that is visible");
}

#[test]
fn an_event_more_costs_no_more_in_a_long_run() {
    let events = long_run(&["alice", "bob", "carol"], 20_000);
    let per_event = |count: usize| shortest(|| drop(std::hint::black_box(Chart::of(&events[..count])))) / u32::try_from(count).unwrap();
    let (few, many) = (per_event(1_000), per_event(20_000));
    assert!(many < 4 * few, "{few:?} and {many:?} an event");
}
