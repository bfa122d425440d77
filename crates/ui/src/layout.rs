//! How a window's parts share it: head, middle and foot from top to bottom; the middle's halves
//! beside each other where there is room, else under each other; everything scrolling where even
//! that is too much.
//!
//! The parts are drawn in the order of reading, which is also the order of the Tab key.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Rect, ScrollArea, Sense, Ui, UiBuilder, Vec2, pos2, vec2};

use crate::sight::{note_focus, scrolled_ui};
use crate::theme::{UNIT, fit_tooltips};

/// The smallest window that needs no scrolling.
pub const SMALLEST: Vec2 = vec2(400.0, 300.0);
/// Narrower than this, the halves go under each other where that is not too high.
pub const BESIDE: f32 = 75.0 * UNIT;
/// What is left for the middle at least, before the whole window scrolls.
const LEAST: f32 = 4.0 * UNIT;

/// A part of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// At the top, as high as it needs.
    Head,
    /// All that the others leave.
    Middle,
    /// At the bottom, as high as it needs.
    Foot,
}

/// Draws a window: `draw` is called once for each part, from top to bottom.
///
/// The middle has to know how high the foot will be before the foot is drawn, so the foot's last
/// height is kept; where it differs now, the frame is drawn again before anybody sees it.
pub fn window_ui(ui: &mut Ui, draw: impl FnMut(&mut Ui, Part)) {
    window_of(ui, LEAST, draw);
}

/// The same where the middle needs a height: where less is left of it, the whole window scrolls.
pub fn window_of(ui: &mut Ui, least: f32, mut draw: impl FnMut(&mut Ui, Part)) {
    let margin = Margin::same(UNIT as i8);
    let frame = Frame::central_panel(ui.style()).inner_margin(margin);
    CentralPanel::default().frame(frame).show(ui, |ui| {
        let bar = ui.spacing().scroll.allocated_width();
        let smallest = SMALLEST - margin.sum() - vec2(bar, bar);
        fit_tooltips(ui.ctx());
        note_focus(ui);
        scrolled_ui(ui, ScrollArea::both().id_salt("window").auto_shrink(false), |ui| {
            let room = ui.available_size().max(smallest);
            let key = ui.scope_id().with("foot");
            let foot_before = ui.data(|data| data.get_temp::<f32>(key)).unwrap_or_default();
            ui.set_width(room.x);
            let top = ui.cursor().top();
            draw(ui, Part::Head);
            let head = ui.cursor().top() - top;
            let (middle, _) = ui.allocate_exact_size(vec2(room.x, (room.y - head - foot_before - UNIT).floor().max(least)), Sense::hover());
            note_size(ui, middle.size());
            part_ui(ui, Part::Middle, middle, |ui| draw(ui, Part::Middle));
            let foot = ui.scope(|ui| draw(ui, Part::Foot)).response.rect.height();
            if (foot - foot_before).abs() > 0.5 {
                ui.data_mut(|data| data.insert_temp(key, foot));
                ui.ctx().request_discard("the foot of the window has another height");
            }
        });
    });
}

/// What scrolls finds its place in another size a frame later.
fn note_size(ui: &Ui, size: Vec2) {
    let key = ui.scope_id().with("middle");
    if ui.data(|data| data.get_temp(key)) != Some(size) {
        ui.data_mut(|data| data.insert_temp(key, size));
        ui.ctx().request_repaint();
    }
}

/// One of the two parts of a window's middle, in the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// On the left, or above.
    First,
    /// On the right, or below.
    Second,
}

/// What two halves need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halves {
    /// The width of the second one beside the first; never more than six tenths of all.
    pub right: f32,
    /// The least height of each, one under the other.
    pub stacked: [f32; 2],
    /// The least width at which they go beside each other because one under the other is too high.
    pub narrowest: f32,
}

impl Halves {
    /// Beside each other where there is room for it, and where there is no room for anything else.
    fn are_beside(&self, area: Vec2) -> bool {
        let is_low = area.y < self.stacked.iter().sum::<f32>() + UNIT;
        area.x >= if is_low { self.narrowest.min(BESIDE) } else { BESIDE }
    }
}

/// Draws both halves, beside or under each other; where even that is too high, they scroll.
pub fn halves_ui(ui: &mut Ui, halves: Halves, mut draw: impl FnMut(&mut Ui, Half)) {
    let Halves { right, stacked, .. } = halves;
    let area = ui.available_rect_before_wrap();
    if halves.are_beside(area.size()) {
        let middle = area.right() - right.min(area.width() * 0.6).round();
        half_ui(ui, Half::First, Rect::from_min_max(area.min, pos2(middle - UNIT, area.bottom())), &mut draw);
        half_ui(ui, Half::Second, Rect::from_min_max(pos2(middle, area.top()), area.max), &mut draw);
        ui.advance_cursor_after_rect(area);
    } else {
        scrolled_ui(ui, ScrollArea::vertical().id_salt("halves").auto_shrink(false), |ui| {
            for (half, least) in [Half::First, Half::Second].into_iter().zip(stacked) {
                let height = least.max((area.height() - UNIT) / 2.0);
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
                half_ui(ui, half, rect, &mut draw);
            }
        });
    }
}

fn half_ui(ui: &mut Ui, half: Half, rect: Rect, draw: &mut impl FnMut(&mut Ui, Half)) {
    part_ui(ui, half, rect, |ui| draw(ui, half));
}

/// Draws into a part of what there is.
pub fn part_ui(ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, rect: Rect, draw: impl FnOnce(&mut Ui)) {
    draw(&mut ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::top_down(Align::LEFT))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_under_each_other_only_in_a_window_that_is_narrow_and_high() {
        let halves = Halves { right: 280.0, stacked: [144.0; 2], narrowest: 360.0 };
        for (width, height, are_beside) in [
            (600.0, 900.0, true),
            (600.0, 100.0, true),
            (599.0, 296.0, false),
            (599.0, 295.0, true),
            (360.0, 295.0, true),
            (359.0, 295.0, false),
        ] {
            assert_eq!(halves.are_beside(vec2(width, height)), are_beside, "{width} x {height}");
        }
        let wide = Halves { narrowest: f32::INFINITY, ..halves };
        assert!(!wide.are_beside(vec2(599.0, 100.0)) && wide.are_beside(vec2(600.0, 100.0)));
    }
}
