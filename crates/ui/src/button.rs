//! A button and a tick box that say why they can't be pressed.

use egui::{Button, Checkbox, Response, Stroke, Ui};

use crate::palette::Palette;
use crate::theme::UNIT;

/// Adds a button that is enabled, or says why it is not: to who points at it, and to a screen
/// reader.
pub fn button_ui(ui: &mut Ui, can: Result<(), &str>, button: Button<'_>) -> Response {
    let response = ui.add_enabled(can.is_ok(), button);
    why_not(ui, can, response)
}

/// A box that is empty or ticked; it says why it can be neither, too.
pub fn tick_ui(ui: &mut Ui, can: Result<(), &str>, is_on: &mut bool, word: &str) -> Response {
    let ground = Palette::of(ui.visuals()).surface;
    let tick = ui.scope(|ui| {
        ui.spacing_mut().icon_width = 2.5 * UNIT;
        let widgets = &mut ui.visuals_mut().widgets;
        for look in [&mut widgets.noninteractive, &mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
            // What is filled looks ticked from afar.
            look.bg_fill = ground;
            look.bg_stroke = Stroke::new(1.5, look.fg_stroke.color);
        }
        ui.add_enabled(can.is_ok(), Checkbox::new(is_on, word))
    });
    why_not(ui, can, tick.inner)
}

fn why_not(ui: &Ui, can: Result<(), &str>, response: Response) -> Response {
    let Err(why) = can else { return response };
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
    response.on_disabled_hover_text(why)
}
