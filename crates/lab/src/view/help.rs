//! The keys, and the three sentences for whoever is here for the first time.
//!
//! Deliberately absent: what the keys do, the one that closes this among them.

use egui::{Align2, Grid, RichText, ScrollArea, Ui, Window, vec2};

/// What is said at the first start.
pub const WELCOME: [&str; 3] = [
    "This lab runs a relay, participants and a coordinator as real programs, and draws every message that passes between them.",
    "Hold, lose or delay messages, kill a program in the middle of its work, and see from its own files how it recovers.",
    "Begin with the first scenario: it plays a whole vote, and asks you what comes of it.",
];

/// The keys that matter.
pub const KEYS: [(&str, &str); 14] = [
    ("?", "Show or hide the keys"),
    ("1 to 6", "Room, Diagram, Messages, In doubt, Verdict, Scenarios"),
    ("H", "Hold all messages, or not any more"),
    ("N", "Deliver the next message that is held"),
    ("R", "Deliver all that is held"),
    ("S", "Slow motion as set under Messages, or not any more"),
    ("←, →", "One event back or on"),
    ("Space", "Play on from here, or stop"),
    ("End", "Go to the end, and follow it"),
    ("Drag, wheel", "Move the diagram"),
    ("Ctrl and wheel, +, −", "Zoom the diagram"),
    ("Arrows", "In the diagram: along a lane, to its neighbour"),
    ("Esc", "Close what is on top: this, a menu, a field, what was picked"),
    ("Ctrl +, Ctrl −", "Zoom everything"),
];

/// Draws the keys over everything else.
pub(super) fn keys_ui(ui: &Ui, is_open: &mut bool) {
    Window::new("Keys").open(is_open).collapsible(false).auto_sized().anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(ui.ctx(), |ui| {
        ScrollArea::vertical().max_height(ui.ctx().content_rect().height() - 96.0).show(ui, |ui| {
            Grid::new("keys").num_columns(2).spacing([24.0, 8.0]).show(ui, |ui| {
                for (key, what) in KEYS {
                    ui.label(RichText::new(key).strong());
                    ui.label(what);
                    ui.end_row();
                }
            });
        });
    });
}
