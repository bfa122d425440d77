//! A button that says why it can't be pressed.

use egui::{Button, Response, Ui};

/// Adds a button that is enabled, or says why it is not: to who points at it, and to a screen
/// reader.
pub fn button_ui(ui: &mut Ui, can: Result<(), &str>, button: Button<'_>) -> Response {
    let response = ui.add_enabled(can.is_ok(), button);
    match can {
        Ok(()) => response,
        Err(why) => {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
            response.on_disabled_hover_text(why)
        }
    }
}
