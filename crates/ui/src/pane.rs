//! A pane: a frame with a heading, and a name for whoever does not see it.
//!
//! Deliberately absent: what stands in it.

use egui::accesskit::Role;
use egui::text::{LayoutJob, TextWrapping};
use egui::{Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextStyle, Ui, UiBuilder, vec2};

use crate::palette::Palette;
use crate::sight::scrolled_ui;
use crate::theme::{CONTROL, ROW, UNIT};

/// Lower than this, every row counts.
const LOW: f32 = 14.0 * UNIT;

/// A pane: a frame with a heading, known to assistive technology by that heading. `beside` is drawn
/// in what the heading leaves of its row.
pub fn pane_ui<R>(ui: &mut Ui, name: &'static str, role: Role, beside: impl FnOnce(&mut Ui), contents: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::of(ui.visuals());
    // In a low place the heading leaves more to what it heads.
    let (margin, heading) = if ui.available_height() < LOW { (4, ROW) } else { (8, CONTROL) };
    let frame = Frame::new().fill(palette.surface).stroke(Stroke::new(1.0, palette.line)).corner_radius(8.0);
    let frame = frame.inner_margin(Margin::symmetric(12, margin));
    let pane = region_ui(ui, name, role, |ui| {
        frame.show(ui, |ui| {
            ui.take_available_width();
            ui.spacing_mut().item_spacing.y = UNIT / 2.0;
            heading_ui(ui, name, heading, beside);
            contents(ui)
        })
    });
    pane.inner
}

/// Something that looks like the rest, and that assistive technology knows by a name of its own.
pub fn region_ui<R>(ui: &mut Ui, name: &str, role: Role, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let builder = UiBuilder::new().id_salt(name).accessibility_label(name).accessibility_role(role);
    let region = ui.scope_builder(builder, contents);
    // A region that is read out, or pointed at by its name, has a place.
    ui.ctx().accesskit_node_builder(region.response.id, |node| node.set_bounds(bounds(region.response.rect)));
    region.inner
}

/// A pane whose contents scroll.
pub fn scrolled_pane_ui(ui: &mut Ui, name: &'static str, contents: impl FnOnce(&mut Ui)) {
    let scrolled = |ui: &mut Ui| scrolled_ui(ui, ScrollArea::vertical().id_salt(name).auto_shrink(false), contents);
    pane_ui(ui, name, Role::Group, |_| (), scrolled);
}

/// A rectangle in the words of assistive technology.
pub(crate) fn bounds(rect: egui::Rect) -> egui::accesskit::Rect {
    egui::accesskit::Rect { x0: rect.left().into(), y0: rect.top().into(), x1: rect.right().into(), y1: rect.bottom().into() }
}

/// The heading's words are drawn, and no label: the pane itself has that name.
fn heading_ui(ui: &mut Ui, name: &str, height: f32, beside: impl FnOnce(&mut Ui)) {
    let mut words = LayoutJob::simple_singleline(name.to_owned(), TextStyle::Heading.resolve(ui.style()), ui.visuals().text_color());
    words.wrap = TextWrapping::truncate_at_width(ui.available_width());
    let galley = ui.painter().layout_job(words);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::left_to_right(Align::Center), |ui| {
        let (rect, _) = ui.allocate_exact_size(galley.size(), Sense::hover());
        ui.painter().galley(rect.min, galley, ui.visuals().text_color());
        beside(ui);
    });
}

/// What is said in a pane that has nothing to show yet.
pub fn empty_ui(ui: &mut Ui, sentence: &str) {
    let label = Label::new(RichText::new(sentence).weak());
    ui.add(if ui.available_height() < 2.0 * ROW { label.truncate() } else { label.wrap() });
}
