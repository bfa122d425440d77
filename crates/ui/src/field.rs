//! A field of one line.

use egui::{Align2, Event, EventFilter, Key, Response, TextEdit, Ui, vec2};

use crate::theme::CONTROL;

/// Draws a field, `width` points wide. Esc empties it; Enter is told by [`is_entered`].
pub fn field_ui(ui: &mut Ui, edit: TextEdit<'_>, width: f32) -> Response {
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, ..EventFilter::default() };
    let edit = edit.event_filter(filter).align(Align2::LEFT_CENTER).desired_width(width).min_size(vec2(width, CONTROL));
    let (output, text) = edit.show_returning_text(ui);
    let mut field = output.response.response;
    let is_escape = |event: &Event| matches!(event, Event::Key { key: Key::Escape, pressed: true, .. });
    // As the field itself judges: `has_focus` would also want the window to be in front.
    if ui.memory(|memory| memory.has_focus(field.id)) && ui.input(|input| input.events.iter().any(is_escape)) {
        text.clear();
        field.mark_changed();
    }
    field
}

/// Whether Enter was pressed in this field just now, without Ctrl, which is for the main button.
#[must_use]
pub fn is_entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.command)
}
