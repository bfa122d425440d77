//! Who is in the room.

use egui::accesskit::Role;
use egui::{Align, Layout, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};
use twopc_runner::snapshot::Person;

use crate::mark::dot_ui;
use crate::pane::{empty_ui, pane_ui};
use crate::text::line_ui;
use crate::theme::{ROW, UNIT};

/// The pane `In the room`: everybody who is logged in, with role and dot.
pub fn room_ui(ui: &mut Ui, room: &[Person]) {
    pane_ui(
        ui,
        "In the room",
        Role::List,
        |_| (),
        |ui| {
            ui.take_available_height();
            if room.is_empty() {
                empty_ui(ui, "Nobody that is known of.");
            }
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical().id_salt("people").auto_shrink([false, true]).min_scrolled_height(0.0).show_rows(
                ui,
                ROW,
                room.len(),
                |ui, in_sight| {
                    for person in &room[in_sight] {
                        person_ui(ui, person);
                    }
                },
            );
        },
    );
}

fn person_ui(ui: &mut Ui, person: &Person) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let half = (rect.width() / 2.0).round();
    let left =
        UiBuilder::new().id_salt(&person.user).max_rect(rect.with_max_x(rect.left() + half)).layout(Layout::left_to_right(Align::Center));
    let mut row = ui.new_child(left);
    dot_ui(&mut row, true);
    line_ui(&mut row, person.user.as_str(), |name| name);
    let right = UiBuilder::new().id_salt((&person.user, "role")).max_rect(rect.with_min_x(rect.left() + half + UNIT));
    line_ui(&mut ui.new_child(right.layout(Layout::left_to_right(Align::Center))), person.role.as_str(), RichText::weak);
}
