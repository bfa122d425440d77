//! The committed strings, as they stand in the text file, and where that file is.

use std::path::Path;

use egui::accesskit::Role;
use egui::{Align, Layout, RichText, ScrollArea, Sense, TextStyle, Ui, UiBuilder, vec2};
use twopc_proto::text::Shown;
use twopc_runner::snapshot::TextFileView;
use twopc_ui::pane::{empty_ui, pane_ui};
use twopc_ui::text::{line_ui, width};
use twopc_ui::theme::{CONTROL, ROW, UNIT, side_button};

/// The pane `Committed strings`.
pub(crate) fn strings_ui(ui: &mut Ui, file: &TextFileView) {
    let is_open = !file.path.as_os_str().is_empty();
    let count = file.lines.len().to_string();
    let beside = |ui: &mut Ui| {
        if is_open && width(ui, &count, &TextStyle::Body) <= ui.available_width() {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(count).weak()));
        }
    };
    pane_ui(ui, "Committed strings", Role::List, beside, |ui| {
        ui.take_available_height();
        if !is_open {
            return empty_ui(ui, "The strings that were committed under your name will stand here.");
        }
        if file.lines.is_empty() {
            empty_ui(ui, "No string has been committed yet.");
        }
        // In a low pane the strings come first.
        let foot = CONTROL + 2.0 * ui.spacing().item_spacing.y;
        let has_foot = ui.available_height() >= ROW + foot;
        let height = if has_foot { ui.available_height() - foot } else { ui.available_height() };
        if height >= ROW / 2.0 {
            lines_ui(ui, &file.lines, height);
        }
        if has_foot {
            path_ui(ui, &file.path);
        }
    });
}

fn lines_ui(ui: &mut Ui, lines: &[String], height: f32) {
    let digits = lines.len().to_string().len().max(2) as f32;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let area =
            ScrollArea::vertical().id_salt("strings").auto_shrink(false).min_scrolled_height(0.0).max_height(height).stick_to_bottom(true);
        area.show_rows(ui, ROW, lines.len(), |ui, in_sight| {
            for index in in_sight {
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
                let builder = UiBuilder::new().id_salt(index).max_rect(rect).layout(Layout::left_to_right(Align::Center));
                let mut row = ui.new_child(builder);
                row.shrink_clip_rect(rect);
                let number = vec2(digits * 1.25 * UNIT, ROW);
                row.allocate_ui_with_layout(number, Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(number.x);
                    ui.label(RichText::new((index + 1).to_string()).weak());
                });
                line_ui(&mut row, &lines[index], |text| text);
            }
        });
    });
}

fn path_ui(ui: &mut Ui, path: &Path) {
    ui.allocate_ui_with_layout(vec2(ui.available_width(), CONTROL), Layout::left_to_right(Align::Center), |ui| {
        let button = 13.0 * UNIT;
        let left = vec2((ui.available_width() - button - UNIT).max(0.0), CONTROL);
        ui.allocate_ui_with_layout(left, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(left.x);
            line_ui(ui, &short(path), RichText::weak).on_hover_text(Shown::new(&path.display().to_string()).to_string());
        });
        if ui.add(side_button("Copy path").min_size(vec2(button, CONTROL))).clicked() {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            ui.ctx().copy_text(whole.display().to_string());
        }
    });
}

/// The folder and the file; what stands before them is seen when pointed at.
fn short(path: &Path) -> String {
    let mut parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if parts.len() <= 2 {
        return path.display().to_string();
    }
    let last = parts.split_off(parts.len() - 2);
    format!("…/{}", last.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_shown_by_its_end() {
        assert_eq!(short(Path::new("data/alice.txt")), "data/alice.txt");
        assert_eq!(short(Path::new("/home/alice/data/alice.txt")), "…/data/alice.txt");
    }
}
