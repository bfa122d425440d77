//! What scrolls: a screen reader is told which part of it is in sight, and what the keyboard goes to
//! is brought into sight.
//!
//! Deliberately absent: lists that lay out only what is in sight; in those there is nothing to go to.

use egui::accesskit::Role;
use egui::style::ScrollAnimation;
use egui::{Id, Rangef, Rect, ScrollArea, Ui};

use crate::pane::bounds;

/// For how many frames what has the keyboard is followed: one for each area around it, and one more.
const FRAMES: u8 = 4;

/// What has the keyboard, and for how many frames more it is brought into sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Followed {
    id: Option<Id>,
    frames: u8,
}

/// Draws what scrolls in `area`.
pub fn scrolled_ui<R>(ui: &mut Ui, area: ScrollArea, contents: impl FnOnce(&mut Ui) -> R) -> R {
    // Across its direction, what scrolls is clipped only where all around it is.
    let across = ui.max_rect().x_range();
    let scrolled = area.show(ui, |ui| {
        tell_sight(ui, across);
        let followed = followed(ui);
        let result = contents(ui);
        if let Some(id) = followed {
            bring_into_sight(ui, id);
        }
        result
    });
    scrolled.inner
}

/// Notes where the keyboard is; called once a frame, before anything that scrolls.
pub(crate) fn note_focus(ui: &Ui) {
    let id = ui.memory(egui::Memory::focused);
    let before = ui.data(|data| data.get_temp::<Followed>(key())).unwrap_or_default();
    let frames = if id == before.id { before.frames.saturating_sub(1) } else { FRAMES };
    let now = Followed { id, frames };
    if now != before {
        ui.data_mut(|data| data.insert_temp(key(), now));
    }
    if id.is_some() && frames > 0 {
        ui.ctx().request_repaint();
    }
}

fn key() -> Id {
    Id::unique("what has the keyboard")
}

fn tell_sight(ui: &Ui, across: Rangef) {
    let clip = ui.clip_rect();
    let sight = bounds(Rect::from_x_y_ranges(clip.x_range().intersection(across), clip.y_range()));
    ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
        node.set_role(Role::ScrollView);
        node.set_bounds(sight);
        node.set_clips_children();
    });
}

/// What is to be brought into sight, if it is not drawn yet: then it may be part of what is drawn next.
fn followed(ui: &Ui) -> Option<Id> {
    let Some(Followed { id: Some(id), frames: 1.. }) = ui.data(|data| data.get_temp(key())) else { return None };
    (!is_drawn(ui, id)).then_some(id)
}

fn is_drawn(ui: &Ui, id: Id) -> bool {
    ui.ctx().viewport(|viewport| viewport.this_pass.widgets.contains(id))
}

/// What has just been drawn, if it was. Its place alone does not say that: what is scrolled out of sight
/// lies over what stands beside it.
fn bring_into_sight(ui: &Ui, id: Id) {
    if !is_drawn(ui, id) {
        return;
    }
    let Some(focused) = ui.ctx().read_response(id) else { return };
    if !ui.clip_rect().contains_rect(focused.rect) {
        ui.scroll_to_rect_animation(focused.rect, None, ScrollAnimation::none());
    }
}
