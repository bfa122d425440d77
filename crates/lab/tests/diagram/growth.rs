//! What a frame costs does not grow with what is not visible.

use std::time::{Duration, Instant};

use egui::{Context, RawInput, Rect, pos2, vec2};
use twopc_lab::diagram::{Axis, Chart, Diagram, Lens, View, diagram_ui, layout};
use twopc_ui::theme;

use crate::play::long_run;

fn in_the_middle(chart: &Chart, axis: &Axis) -> View {
    View { top: axis.height(chart, chart.last_us()) / 2.0, ..View::default() }
}

/// How often something is timed.
const RUNS: usize = 30;

/// The shortest of several, so that a busy machine counts for little.
fn shortest(mut work: impl FnMut()) -> Duration {
    let time = || {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    std::iter::repeat_with(time).take(RUNS).min().unwrap_or_default()
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
fn a_whole_frame_of_ten_times_as_many_events_takes_as_long() {
    let frames = [1_000, 10_000].map(|count| {
        let chart = Chart::of(&long_run(&["alice", "bob", "carol"], count));
        let ctx = Context::default();
        theme::apply(&ctx);
        let mut diagram = Diagram::default();
        diagram.follows = false;
        diagram.view.top = 2_000.0;
        shortest(|| {
            let screen_rect = Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1_200.0, 800.0)));
            let output = ctx.run_ui(RawInput { screen_rect, ..RawInput::default() }, |ui| _ = diagram_ui(ui, &chart, &mut diagram));
            let (shapes, scale) = (output.shapes.clone(), output.pixels_per_point);
            output.drop_without_applying_deltas();
            std::hint::black_box(ctx.tessellate(shapes, scale));
        })
    });
    assert!(frames[1] < 3 * frames[0], "{frames:?}");
}

#[test]
fn an_event_more_costs_no_more_in_a_long_run() {
    const MORE: usize = 500;
    let events = long_run(&["alice", "bob", "carol"], 20_000);
    let after = |count: usize| {
        let chart = Chart::of(&events[..count]);
        let mut charts = vec![chart; RUNS].into_iter();
        shortest(|| {
            let mut chart = charts.next().unwrap_or_default();
            events[count..count + MORE].iter().for_each(|event| chart.push(event));
            std::hint::black_box(&chart);
        })
    };
    let (early, late) = (after(1_000), after(19_000));
    assert!(late < 4 * early, "{MORE} events more: {early:?} after 1,000, {late:?} after 19,000");
}
