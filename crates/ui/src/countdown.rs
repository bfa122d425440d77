//! Time that runs out: a bar, the seconds left, and the repaints that make both be seen to run.
//!
//! A repaint is asked for only while something counts, so an idle window uses no processor.

use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Label, Sense, Ui, WidgetInfo, vec2};

use crate::mark;
use crate::palette::Palette;
use crate::theme::UNIT;

/// What is left until `deadline`.
#[must_use]
pub fn left(deadline: Instant, now: Instant) -> Duration {
    deadline.saturating_duration_since(now)
}

/// Whole seconds, rounded up: 14 is shown until 13 s are left, and 0 only when the time is over.
#[must_use]
pub fn seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// The label `Time left: 14 s`. It asks for the repaint that shows the next second, and lets a screen
/// reader speak at 10 s and at 5 s.
pub fn time_left_ui(ui: &mut Ui, left: Duration) {
    ui.add(Label::new(format!("Time left: {} s", seconds(left))).extend());
    spoken_ui(ui, left);
    if !left.is_zero() {
        let to_next = Duration::from_nanos(u64::from(left.subsec_nanos()).max(1));
        // A little later than the second itself, so that the new one is shown for certain.
        ui.ctx().request_repaint_after(to_next + Duration::from_millis(5));
    }
}

/// A bar that empties from the right. It asks for a repaint whenever it would look different.
pub fn bar_ui(ui: &mut Ui, left: Duration, whole: Duration) {
    let palette = Palette::of(ui.visuals());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), UNIT), Sense::hover());
    let share = if whole.is_zero() { 0.0 } else { (left.as_secs_f32() / whole.as_secs_f32()).clamp(0.0, 1.0) };
    ui.painter().rect_filled(rect, UNIT / 2.0, palette.line);
    let mut full = rect;
    full.set_width(rect.width() * share);
    ui.painter().rect_filled(full, UNIT / 2.0, palette.accent);
    if !left.is_zero() {
        let a_pixel = whole.div_f32((rect.width() * ui.pixels_per_point()).max(1.0));
        ui.ctx().request_repaint_after(a_pixel.clamp(Duration::from_millis(50), Duration::from_secs(1)));
    }
}

/// A label without a size, whose text changes twice in a countdown.
fn spoken_ui(ui: &mut Ui, left: Duration) {
    let Some(words) = spoken(left) else { return };
    let (_, response) = ui.allocate_exact_size(vec2(0.0, 0.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    mark::announce(&response);
}

/// What a screen reader says of the time left: a person who listens is not counted at.
fn spoken(left: Duration) -> Option<&'static str> {
    match seconds(left) {
        0 => None,
        1..=5 => Some("5 seconds left to vote"),
        6..=10 => Some("10 seconds left to vote"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, shown) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (14_000, 14), (13_999, 14)] {
            assert_eq!(seconds(Duration::from_millis(millis)), shown, "{millis} ms");
        }
    }

    #[test]
    fn a_countdown_is_spoken_at_ten_and_at_five_seconds_only() {
        let all: Vec<_> = (0..=20).rev().map(|s| spoken(Duration::from_secs(s))).collect();
        let mut said = all.clone();
        said.dedup();
        assert_eq!(said, [None, Some("10 seconds left to vote"), Some("5 seconds left to vote"), None]);
        assert_eq!(all[10], Some("10 seconds left to vote"));
        assert_eq!(all[15], Some("5 seconds left to vote"));
    }
}
