//! The conversation. Only the lines that are in sight are laid out, so that thousands cost no more
//! than a screenful.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::scroll_area::State as ScrollState;
use egui::{Align, Align2, Button, FontId, Layout, Rect, Response, RichText, ScrollArea, Sense, TextStyle, Ui, UiBuilder, pos2, vec2};
use twopc_runner::snapshot::{Line, LineKind, Person};

use crate::mark;
use crate::palette::Palette;
use crate::pane::{empty_ui, pane_ui};
use crate::text::{line_ui, width};
use crate::theme::{CONTROL, ROW, UNIT};

/// More names than fit in the heading's row.
const MOST_NAMES: usize = 100;

/// Where a person is in the conversation.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The number of the first line there was.
    first: u64,
    /// The last line that has been in sight.
    seen: u64,
    /// How far from the top, in points.
    offset: f32,
    /// Scrolled up, away from the newest line.
    is_away: bool,
    /// The person pressed `↓`.
    jump: bool,
}

/// The pane `Messages`. New lines keep the end in sight, unless the person has scrolled up: then
/// nothing moves, and a button counts what came since.
pub fn messages_ui(ui: &mut Ui, lines: &Arc<Vec<Line>>, room: &[Person], reading: &mut Reading, empty: &str) {
    pane_ui(
        ui,
        "Messages",
        Role::Log,
        |ui| people_ui(ui, room),
        |ui| {
            ui.take_available_height();
            if lines.is_empty() {
                empty_ui(ui, empty);
            }
            // In the lowest of windows only the heading is left.
            if ui.available_height() >= ROW / 2.0 {
                lines_ui(ui, lines, reading);
            }
        },
    );
}

/// Everybody in the room, in what the heading leaves of its row; only how many where that is little.
fn people_ui(ui: &mut Ui, room: &[Person]) {
    if room.is_empty() {
        return;
    }
    let names: Vec<&str> = room.iter().take(MOST_NAMES).map(|person| person.user.as_str()).collect();
    let names = names.join(", ");
    let (whole, count) = (format!("In the room: {names}"), format!("{} here", room.len()));
    let fits = |words: &&String| width(ui, words, &TextStyle::Body) <= ui.available_width();
    let words = [&whole, &names].into_iter().find(fits).unwrap_or(&count);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let label = line_ui(ui, words, RichText::weak);
        if *words != whole {
            label.on_hover_text(&whole);
        }
    });
}

fn lines_ui(ui: &mut Ui, lines: &[Line], reading: &mut Reading) {
    let (first, last) = (lines.first().map_or(0, |line| line.number), lines.last().map_or(0, |line| line.number));
    let mut area = ScrollArea::vertical().id_salt("lines").auto_shrink(false).min_scrolled_height(0.0).stick_to_bottom(true);
    if reading.jump {
        area = area.vertical_scroll_offset(lines.len() as f32 * ROW);
    } else if reading.is_away && first > reading.first {
        // The oldest lines were dropped: what is being read stays where it is.
        area = area.vertical_scroll_offset((reading.offset - (first - reading.first) as f32 * ROW).max(0.0));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let gutter = gutter_width(ui, last);
    let output = area.show_rows(ui, ROW, lines.len(), |ui, in_sight| {
        for line in &lines[in_sight] {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
            row_ui(ui, rect, gutter, line);
        }
    });
    reading.note(first, last, &output.state, output.content_size.y - output.inner_rect.height());
    let new = last.saturating_sub(reading.seen);
    if reading.is_away && new > 0 {
        reading.jump = new_lines_ui(ui, output.inner_rect, new).clicked();
        if reading.jump {
            ui.ctx().request_repaint();
        }
    }
}

impl Reading {
    fn note(&mut self, first: u64, last: u64, scrolled: &ScrollState, farthest: f32) {
        self.first = first;
        self.offset = scrolled.clamped_offset().y;
        self.is_away = self.offset < farthest - ROW / 2.0;
        self.jump = false;
        if !self.is_away {
            self.seen = last;
        }
    }
}

/// `↓ 3`, on top of the lines, at the end of the pane.
fn new_lines_ui(ui: &mut Ui, pane: Rect, new: u64) -> Response {
    let size = vec2(9.0 * UNIT, CONTROL);
    let rect = Align2::RIGHT_BOTTOM.align_size_within_rect(size, pane.shrink2(vec2(2.0 * UNIT, UNIT)));
    ui.place(rect, Button::new(format!("↓ {new}")).min_size(size)).on_hover_text("Go to the newest message")
}

/// As wide as the highest number.
fn gutter_width(ui: &Ui, last: u64) -> f32 {
    let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&number_font(ui), '0'));
    digit * last.max(10).to_string().len() as f32 + UNIT
}

fn number_font(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

fn row_ui(ui: &mut Ui, rect: Rect, gutter: f32, line: &Line) {
    let palette = Palette::of(ui.visuals());
    let number_at = pos2(rect.left() + gutter - UNIT, rect.center().y);
    ui.painter().text(number_at, Align2::RIGHT_CENTER, line.number, number_font(ui), palette.muted);
    let text_rect = rect.with_min_x(rect.left() + gutter);
    let builder = UiBuilder::new().id_salt(line.number).max_rect(text_rect).layout(Layout::left_to_right(Align::Center));
    let mut row = ui.new_child(builder);
    // Marks stacked on a letter stay within their own line.
    row.shrink_clip_rect(rect);
    match &line.kind {
        LineKind::Room(text) => {
            let _ = copyable_ui(&mut row, text, RichText::weak);
        }
        LineKind::Chat { from, text, seq, unsent, proposal, history } => {
            let said = format!("[{from}]: {text}");
            let is_pale = *unsent || (seq.is_none() && !history);
            if *unsent {
                unsent_ui(&mut row);
            }
            let response = copyable_ui(&mut row, &said, |words| if is_pale { words.weak() } else { words });
            if proposal.is_some() {
                rule_ui(&row, response.rect, text_rect);
            }
        }
    }
}

/// Why a line stays pale: it never left.
fn unsent_ui(row: &mut Ui) {
    mark::trouble_ui(row);
    let error = Palette::of(row.visuals()).error;
    row.label(RichText::new("not sent").color(error)).on_hover_text("There was no connection to the relay. Send it again once there is.");
}

/// A proposal is marked by a line through the rest of its row.
fn rule_ui(row: &Ui, words: Rect, row_rect: Rect) {
    let from = words.right() + UNIT;
    if from < row_rect.right() - UNIT {
        let colour = Palette::of(row.visuals()).accent;
        row.painter().hline(from..=row_rect.right(), row_rect.center().y, egui::Stroke::new(1.0, colour));
    }
}

/// A line whose whole text a right click copies, however long it is.
fn copyable_ui(row: &mut Ui, text: &str, look: impl FnOnce(RichText) -> RichText) -> Response {
    let response = line_ui(row, text, look);
    response.context_menu(|ui| {
        if ui.button("Copy line").clicked() {
            ui.ctx().copy_text(text.to_owned());
            ui.close();
        }
    });
    response
}
