//! How long a frame of the diagram takes: 10,000 events, about 100 of them visible.
//!
//! `cargo run --release -p twopc-lab --example diagram_bench`. A frame is laid out, painted to shapes and
//! tessellated in egui without a window; what remains of a real frame is the graphics card's. A frame
//! with nothing in it is measured beside it, and what the diagram adds is told. CPU time is that of this
//! thread. Fails if it is 2 ms or more.
#![allow(clippy::unwrap_used)] // a benchmark that cannot go on says where

use std::process::ExitCode;
use std::time::Duration;

use egui::{Context, RawInput, Rect, Ui, pos2, vec2};
use rustix::time::{ClockId, clock_gettime};
use twopc_lab::diagram::{Chart, Diagram, diagram_ui};
use twopc_ui::theme;

#[path = "../tests/diagram/play.rs"]
mod play;

const EVENTS: usize = 10_000;
const VISIBLE: usize = 100;
const FRAMES: usize = 500;
const BAR: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    let chart = Chart::of(&play::long_run(&["alice", "bob", "carol"], EVENTS));
    let (size, visible) = window_for(&chart);
    let mut diagram = Diagram::default();
    diagram.follows = false;
    diagram.view.top = 60_000.0;
    // A person who scrolls: every frame shows another part.
    let drawn = measure(size, |ui| {
        diagram.view.top += 3.0;
        diagram_ui(ui, &chart, &mut diagram);
    });
    let empty = measure(size, |_| {});
    println!("{} events, {visible} visible, {} entries, {} messages", chart.heard(), chart.entries().len(), chart.messages().len());
    println!("a frame with the diagram: median {:?}, slowest of 100 {:?}", drawn.median, drawn.slow);
    let ratio = drawn.median.as_secs_f64() / empty.median.as_secs_f64();
    println!("an empty frame:           median {:?}, {ratio:.0} times less", empty.median);
    println!("the diagram takes {:?}, {:.1} % of a frame at 60 Hz", drawn.median - empty.median, drawn.median.as_secs_f64() * 6_000.0);
    if drawn.median < BAR { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A window in which about as many events are visible as are wanted.
fn window_for(chart: &Chart) -> (egui::Vec2, usize) {
    let mut diagram = Diagram::default();
    diagram.follows = false;
    diagram.view.top = 60_000.0;
    let mut size = vec2(1_280.0, 400.0);
    loop {
        let visible = diagram.scene(chart, size).badges.len();
        if visible >= VISIBLE {
            return (size, visible);
        }
        size.y += 20.0;
    }
}

struct Measured {
    median: Duration,
    slow: Duration,
}

fn measure(size: egui::Vec2, mut draw: impl FnMut(&mut Ui)) -> Measured {
    let ctx = Context::default();
    theme::apply(&ctx);
    let mut times: Vec<Duration> = (0..FRAMES)
        .map(|frame| {
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)),
                time: Some(frame as f64 / 60.0),
                ..RawInput::default()
            };
            let began = cpu_time();
            let output = ctx.run_ui(input, &mut draw);
            let (shapes, scale) = (output.shapes.clone(), output.pixels_per_point);
            output.drop_without_applying_deltas();
            std::hint::black_box(ctx.tessellate(shapes, scale));
            cpu_time() - began
        })
        // The first frames make fonts.
        .skip(20)
        .collect();
    times.sort_unstable();
    Measured { median: times[times.len() / 2], slow: times[times.len() * 99 / 100] }
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
