//! How a window's parts share it: head, middle and foot from top to bottom; the middle's halves
//! beside each other where there is room, else under each other; everything scrolling where even
//! that is too much.
//!
//! The parts are drawn in the order of reading, which is also the order of the Tab key.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Rect, ScrollArea, Sense, Ui, UiBuilder, Vec2, pos2, vec2};

use crate::sight::{note_focus, scrolled_ui};
use crate::theme::UNIT;

/// The smallest window that needs no scrolling.
pub const SMALLEST: Vec2 = vec2(400.0, 300.0);
/// Narrower than this, the halves go under each other.
const BESIDE: f32 = 75.0 * UNIT;
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
pub fn window_ui(ui: &mut Ui, mut draw: impl FnMut(&mut Ui, Part)) {
    let margin = Margin::same(UNIT as i8);
    let frame = Frame::central_panel(ui.style()).inner_margin(margin);
    CentralPanel::default().frame(frame).show(ui, |ui| {
        let bar = ui.spacing().scroll.allocated_width();
        let smallest = SMALLEST - margin.sum() - vec2(bar, bar);
        note_focus(ui);
        scrolled_ui(ui, ScrollArea::both().id_salt("window").auto_shrink(false), |ui| {
            let room = ui.available_size().max(smallest);
            let key = ui.scope_id().with("foot");
            let foot_before = ui.data(|data| data.get_temp::<f32>(key)).unwrap_or_default();
            ui.set_width(room.x);
            let top = ui.cursor().top();
            draw(ui, Part::Head);
            let head = ui.cursor().top() - top;
            let (middle, _) = ui.allocate_exact_size(vec2(room.x, (room.y - head - foot_before - UNIT).floor().max(LEAST)), Sense::hover());
            part_ui(ui, Part::Middle, middle, |ui| draw(ui, Part::Middle));
            let foot = ui.scope(|ui| draw(ui, Part::Foot)).response.rect.height();
            if (foot - foot_before).abs() > 0.5 {
                ui.data_mut(|data| data.insert_temp(key, foot));
                ui.ctx().request_discard("the foot of the window has another height");
            }
        });
    });
}

/// One of the two parts of a window's middle, in the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// On the left, or above.
    First,
    /// On the right, or below.
    Second,
}

/// Draws both halves: beside each other, the second at most `right` points wide, or under each other
/// where the window is too narrow for that, each at least as high as `stacked` says.
pub fn halves_ui(ui: &mut Ui, right: f32, stacked: [f32; 2], mut draw: impl FnMut(&mut Ui, Half)) {
    let area = ui.available_rect_before_wrap();
    if area.width() >= BESIDE {
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

fn part_ui(ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, rect: Rect, draw: impl FnOnce(&mut Ui)) {
    draw(&mut ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::top_down(Align::LEFT))));
}
