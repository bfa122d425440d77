//! The head of the lab's window: where the relay is found, what there is to see, what is looked at.
//!
//! Deliberately absent: any of it.

use egui::{Button, RichText, Ui, vec2};
use twopc_ui::text::line_ui;
use twopc_ui::theme::{CONTROL, SWITCH, UNIT, side_button, theme_switch_ui};

use super::{Desk, Shown, Source, Tab, WIDE, Wish, programs, shown_tab};

/// The button behind the address.
const COPY: f32 = 8.0 * UNIT;

/// Where the relay is found, what there is to see, and the theme's switch.
pub(super) fn head_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    programs::row_ui(ui, |ui| {
        let switches = CONTROL + SWITCH + UNIT;
        let copy = shown.room.map_or(0.0, |_| COPY + UNIT);
        programs::cell_ui(ui, ui.available_width() - switches - copy - UNIT, |ui| match shown.room {
            Some(room) => drop(line_ui(ui, &format!("Relay: {}", room.relay), |text| text)),
            None => drop(line_ui(ui, "No room: no program runs for what is shown here.", RichText::weak)),
        });
        if let Some(room) = shown.room {
            programs::copy_ui(ui, "Copy", COPY, "Copy the relay's address", &room.relay);
        }
        if ui.add(Button::new("?").min_size(vec2(CONTROL, CONTROL))).accessible_name("Keys").clicked() {
            desk.shows_keys = !desk.shows_keys;
        }
        theme_switch_ui(ui);
    });
    ui.horizontal_wrapped(|ui| {
        let is_wide = ui.available_width() >= WIDE;
        for tab in Tab::ALL.into_iter().filter(|tab| !(is_wide && *tab == Tab::Diagram)) {
            let is_shown = shown_tab(desk.tab, is_wide) == tab;
            let label = Button::selectable(is_shown, tab.word()).min_size(vec2(0.0, CONTROL));
            if ui.add(label).clicked() {
                desk.tab = tab;
            }
        }
        match shown.source {
            Source::Room => {}
            Source::Scenario(title) => {
                line_ui(ui, &format!("Scenario: {title}"), RichText::strong);
                back_ui(ui, shown, wishes);
            }
            Source::Recorded(dir) => {
                line_ui(ui, &format!("Recorded run: {}", dir.display()), RichText::strong);
                back_ui(ui, shown, wishes);
            }
        }
    });
}

fn back_ui(ui: &mut Ui, shown: &Shown<'_>, wishes: &mut Vec<Wish>) {
    let home = if shown.room.is_some() { "Back to the room" } else { "Back to the first run" };
    if shown.is_elsewhere && ui.add(side_button(home)).clicked() {
        wishes.push(Wish::Home);
    }
}
