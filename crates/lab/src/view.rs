//! The lab's window: who is in the room and where each stands, the relay's address, the files.
//!
//! A function of what is seen of the room; it gives back what was pressed. Deliberately absent: any
//! process, and what the room talks about (each program's own window shows that).

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Align, Button, Label, Layout, Rect, Response, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, vec2};
use twopc_ui::button::button_ui;
use twopc_ui::layout::{Part, window_ui};
use twopc_ui::mark::{self, Mark};
use twopc_ui::palette::Palette;
use twopc_ui::pane::pane_ui;
use twopc_ui::sight::scrolled_ui;
use twopc_ui::text::{error_ui, line_ui};
use twopc_ui::theme::{CONTROL, UNIT, side_button, theme_switch_ui};

use crate::life::Life;
use crate::room::{Program, RoomView};
use crate::run::Deed;

/// The columns of the list; what they leave is the state's.
const NAME: f32 = 12.0 * UNIT;
const ROLE: f32 = 13.0 * UNIT;
const PROCESS: f32 = 9.0 * UNIT;
/// Both buttons of a row.
const BUTTONS: f32 = 19.0 * UNIT;
/// The least that a state needs.
const STATE: f32 = 13.0 * UNIT;
/// Narrower than this, a program has two lines.
const ONE_LINE: f32 = NAME + ROLE + PROCESS + STATE + BUTTONS + 4.0 * UNIT + PADDING;
/// What the list's frame takes of the width.
const PADDING: f32 = 3.0 * UNIT;

/// Where the room's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The committed strings and the stable logs.
    pub data: PathBuf,
    /// What the relay writes.
    pub logs: PathBuf,
}

/// Draws the window, and gives back what is to be done.
pub fn lab_ui(ui: &mut Ui, room: &RoomView, files: &Files) -> Vec<Deed> {
    let mut actions = Vec::new();
    window_ui(ui, |ui, part| match part {
        Part::Head => head_ui(ui, room),
        Part::Middle => {
            scrolled_ui(ui, ScrollArea::vertical().auto_shrink(false), |ui| {
                programs_ui(ui, &room.programs, &mut actions);
                files_ui(ui, files);
            });
        }
        Part::Foot => {}
    });
    actions
}

/// Where the relay is found, and the theme's switch.
fn head_ui(ui: &mut Ui, room: &RoomView) {
    row_ui(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            theme_switch_ui(ui);
            copy_ui(ui, "Copy", "Copy the relay's address", &room.relay);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| line_ui(ui, &format!("Relay: {}", room.relay), |text| text));
        });
    });
}

fn programs_ui(ui: &mut Ui, programs: &[Program], actions: &mut Vec<Deed>) {
    let is_wide = ui.available_width() >= ONE_LINE;
    let headings = |ui: &mut Ui| {
        if is_wide {
            headings_ui(ui);
        }
    };
    pane_ui(ui, "Programs", Role::Table, headings, |ui| {
        for (index, program) in programs.iter().enumerate() {
            ui.push_id(index, |ui| program_ui(ui, program, is_wide, actions));
        }
    });
}

/// What stands in the columns, beside the heading of the list, which stands over the names.
fn headings_ui(ui: &mut Ui) {
    let names = NAME - (ui.cursor().left() - ui.min_rect().left()) + UNIT;
    ui.add_space(names.max(0.0));
    for (heading, width) in [("Role", ROLE), ("Process", PROCESS), ("State", STATE)] {
        cell_ui(ui, width, |ui| drop(ui.weak(heading)));
    }
}

/// One program: a line, or two where that is too narrow, and under them what is wrong with it.
fn program_ui(ui: &mut Ui, program: &Program, is_wide: bool, actions: &mut Vec<Deed>) {
    let Program { member, life } = program;
    let process = life.pid().map_or_else(|| String::from("–"), |pid| pid.to_string());
    if is_wide {
        row_ui(ui, |ui| {
            cell_ui(ui, NAME, |ui| drop(line_ui(ui, &member.name, RichText::strong)));
            cell_ui(ui, ROLE, |ui| drop(ui.label(member.part.to_string())));
            cell_ui(ui, PROCESS, |ui| drop(ui.add(Label::new(process).extend())));
            let state = ui.available_width() - BUTTONS - UNIT;
            cell_ui(ui, state, |ui| state_ui(ui, life));
            buttons_ui(ui, program, actions);
        });
    } else {
        row_ui(ui, |ui| {
            let names = ui.available_width() - BUTTONS - UNIT;
            cell_ui(ui, names, |ui| {
                line_ui(ui, &member.name, RichText::strong);
                ui.weak(member.part.to_string());
            });
            buttons_ui(ui, program, actions);
        });
        ui.horizontal(|ui| {
            state_ui(ui, life);
            ui.weak(format!("process {process}"));
        });
    }
    if let Life::Ended(end) = life
        && end.is_trouble()
    {
        error_ui(ui, &end.sentence());
    }
}

/// The state's shape and word; a change is said by a screen reader.
fn state_ui(ui: &mut Ui, life: &Life) {
    let (rect, _) = ui.allocate_exact_size(vec2(2.0 * UNIT, 2.0 * UNIT), Sense::hover());
    shape(ui, rect, life);
    let label = ui.add(Label::new(life.word()).extend());
    mark::announce(&label);
}

/// A full dot for what runs, a quarter for what is on its way, a hollow one for what has ended, a
/// cross for what failed.
fn shape(ui: &Ui, rect: Rect, life: &Life) {
    let (painter, palette, radius) = (ui.painter(), Palette::of(ui.visuals()), 6.0);
    match life {
        Life::Running { .. } => drop(painter.circle_filled(rect.center(), radius, palette.green)),
        Life::Waiting | Life::Starting { .. } | Life::Frozen { .. } | Life::Ending { .. } => {
            Mark::Wait.paint(painter, rect.center(), radius, palette);
        }
        Life::Ended(end) if end.is_trouble() => Mark::Abort.paint(painter, rect.center(), radius, palette),
        Life::Ended(_) => drop(painter.circle_stroke(rect.center(), radius - 1.0, Stroke::new(2.0, palette.grey))),
    }
}

fn buttons_ui(ui: &mut Ui, program: &Program, actions: &mut Vec<Deed>) {
    let Program { member, life } = program;
    let mut press = |ui: &mut Ui, can, word: &'static str, action| {
        let button = button_ui(ui, can, side_button(word)).accessible_name(format!("{word} {}", member.name));
        if button.clicked() {
            actions.push(action);
        }
    };
    let program = || member.name.clone();
    press(ui, life.can_start(), "Start", Deed::Start { program: program(), crash_at: None });
    press(ui, life.can_stop(), "Stop", Deed::Stop { program: program() });
}

/// Where the files are, and what closing does.
fn files_ui(ui: &mut Ui, files: &Files) {
    path_ui(ui, "Strings and stable logs", "Copy path of the data folder", &files.data);
    path_ui(ui, "The relay's record", "Copy path of the relay's folder", &files.logs);
    ui.add(Label::new(RichText::new("Closing this window ends every program in the list.").weak()).wrap());
}

fn path_ui(ui: &mut Ui, what: &str, copy: &str, path: &Path) {
    row_ui(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let path = path.display().to_string();
            copy_ui(ui, "Copy path", copy, &path);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.weak(what);
                line_ui(ui, &path, |text| text);
            });
        });
    });
}

fn copy_ui(ui: &mut Ui, word: &str, name: &str, text: &str) -> Response {
    let button = ui.add(Button::new(word).min_size(vec2(0.0, CONTROL))).accessible_name(name);
    if button.clicked() {
        ui.ctx().copy_text(String::from(text));
    }
    button
}

fn row_ui(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(vec2(ui.available_width(), CONTROL), Layout::left_to_right(Align::Center), contents);
}

/// A place of a width of its own, whatever stands in it.
fn cell_ui(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, CONTROL), Sense::hover());
    let salt = ui.next_auto_id();
    contents(&mut ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::left_to_right(Align::Center))));
}
