//! The room at a glance: who is in it and where each stands, what stands last in each log, the files.
//!
//! Deliberately absent: any process, and what the room talks about.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Align, Button, Label, Layout, Rect, Response, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, vec2};
use twopc_ui::button::button_ui;
use twopc_ui::mark::{self, Mark};
use twopc_ui::palette::Palette;
use twopc_ui::pane::{pane_ui, region_ui};
use twopc_ui::sight::scrolled_ui;
use twopc_ui::text::{error_ui, line_ui};
use twopc_ui::theme::{BUTTON, CONTROL, UNIT, side_button};

use super::points::{meaning, points};
use crate::life::{End, Life};
use crate::member::{Member, Part as MemberPart};
use crate::room::{Program, RoomView};
use crate::run::moment::{Standing, Written};
use crate::run::{Deed, Moment};

/// The columns of the list; what they leave is the state's.
const NAME: f32 = 12.0 * UNIT;
const ROLE: f32 = 13.0 * UNIT;
const PROCESS: f32 = 9.0 * UNIT;
/// The buttons of a row, and the first of them: as wide for either of its words.
const BUTTONS: f32 = 26.5 * UNIT;
const START: f32 = 10.0 * UNIT;
/// The button behind a path.
const COPY_PATH: f32 = 13.0 * UNIT;
/// The least that a state needs.
const STATE: f32 = 19.0 * UNIT;
/// Narrower than this, a program has two lines.
const ONE_LINE: f32 = NAME + ROLE + PROCESS + STATE + BUTTONS + 4.0 * UNIT + PADDING;
/// What the list's frame takes of the width.
const PADDING: f32 = 3.0 * UNIT;

/// Where the room's files are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The committed strings and the stable logs.
    pub data: PathBuf,
    /// What the relay writes.
    pub logs: PathBuf,
    /// Where this run is kept, if it is.
    pub run: Option<PathBuf>,
}

/// Draws the list of the room's programs.
pub(super) fn programs_ui(ui: &mut Ui, room: &RoomView, moment: &Moment, deeds: &mut Vec<Deed>) {
    let is_wide = ui.available_width() >= ONE_LINE;
    let headings = |ui: &mut Ui| {
        if is_wide {
            headings_ui(ui);
        }
    };
    pane_ui(ui, "Programs", Role::Table, headings, |ui| {
        for program in &room.programs {
            let Member { name, part } = &program.member;
            let standing = moment.of(name);
            let reach = Reach::of(room, moment, program, &standing);
            let row = if *part == MemberPart::Relay { name.clone() } else { format!("{name}, {part}") };
            region_ui(ui, &row, Role::Row, |ui| program_ui(ui, program, &standing, reach, is_wide, deeds));
        }
        if let Some(name) = room.next_name() {
            let can =
                if room.programs.iter().any(|program| program.life == Life::Waiting) { Err("The room is being opened.") } else { Ok(()) };
            if button_ui(ui, can, side_button("Add participant")).clicked() {
                deeds.push(Deed::Add { program: name });
            }
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
fn program_ui(ui: &mut Ui, program: &Program, standing: &Standing, reach: Reach, is_wide: bool, deeds: &mut Vec<Deed>) {
    let Program { member, life, began_with } = program;
    let process = life.pid().map_or_else(|| String::from("–"), |pid| pid.to_string());
    if is_wide {
        row_ui(ui, |ui| {
            cell_ui(ui, NAME, |ui| drop(line_ui(ui, &member.name, RichText::strong)));
            cell_ui(ui, ROLE, |ui| drop(ui.label(member.part.to_string())));
            cell_ui(ui, PROCESS, |ui| drop(ui.add(Label::new(process).extend())));
            let state = ui.available_width() - BUTTONS - UNIT;
            cell_ui(ui, state, |ui| state_ui(ui, life, reach));
            buttons_ui(ui, program, deeds);
        });
    } else {
        row_ui(ui, |ui| {
            let names = ui.available_width() - BUTTONS - UNIT;
            cell_ui(ui, names, |ui| {
                line_ui(ui, &member.name, RichText::strong);
                ui.weak(member.part.to_string());
            });
            buttons_ui(ui, program, deeds);
        });
        ui.horizontal(|ui| {
            state_ui(ui, life, reach);
            ui.weak(format!("process {process}"));
        });
    }
    if let Some(at) = &standing.crash_at {
        let words = format!("It dies when {}.", meaning(member.part, at));
        ui.add(Label::new(RichText::new(words).italics()).wrap());
    }
    standing_ui(ui, standing, began_with.as_ref());
    if let Life::Ended(end) = life {
        if end.is_trouble() {
            error_ui(ui, &end.sentence());
        } else if let End::AtPoint(at) = end {
            let words = format!("It died as it was to: {}. Restart opens it from its files.", meaning(member.part, at));
            ui.add(Label::new(RichText::new(words).weak()).wrap());
        } else if end.was_killed() {
            ui.add(Label::new(RichText::new(end.sentence()).weak()).wrap());
        }
    }
}

/// Whether a program that runs can be reached, as far as that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It is in the room, it is the relay, or nothing else is known.
    There,
    /// The relay has not let it in, or has lost it.
    Offline,
    /// No relay runs.
    NoRelay,
}

impl Reach {
    fn of(room: &RoomView, moment: &Moment, program: &Program, standing: &Standing) -> Self {
        let is_up = |other: &Program| other.member.part == MemberPart::Relay && other.life.pid().is_some();
        let logs_in = match program.member.part {
            MemberPart::Relay => false,
            MemberPart::Participant | MemberPart::Coordinator => true,
        };
        match program.life {
            Life::Running { .. } | Life::Frozen { .. } if logs_in => {}
            Life::Waiting | Life::Starting { .. } | Life::Running { .. } | Life::Frozen { .. } | Life::Ending { .. } | Life::Ended(_) => {
                return Self::There;
            }
        }
        if !room.programs.iter().any(is_up) {
            Self::NoRelay
        } else if moment.is_watching && !standing.is_online {
            Self::Offline
        } else {
            Self::There
        }
    }

    /// What it adds to the word for its process.
    fn words(self) -> &'static str {
        match self {
            Self::There => "",
            Self::Offline => ", offline",
            Self::NoRelay => ", no relay",
        }
    }
}

/// What stands last in its log, and what it has not decided. It `began_with` that record.
fn standing_ui(ui: &mut Ui, standing: &Standing, began_with: Option<&Written>) {
    let mut words = Vec::new();
    if let Some(Written { record, txn, .. }) = standing.record.as_ref().or(began_with) {
        words.push(format!("log: {record} {}", txn.short()));
    }
    let open: Vec<String> = standing.open().map(|(txn, stand)| format!("{} {}", txn.short(), stand.state)).collect();
    if !open.is_empty() {
        words.push(format!("open: {}", open.join(", ")));
    }
    if !words.is_empty() {
        line_ui(ui, &words.join("   "), RichText::weak);
    }
}

/// The state's shape and word; a change is said by a screen reader.
fn state_ui(ui: &mut Ui, life: &Life, reach: Reach) {
    let (rect, _) = ui.allocate_exact_size(vec2(2.0 * UNIT, 2.0 * UNIT), Sense::hover());
    shape(ui, rect, life, reach);
    let label = ui.add(Label::new(format!("{}{}", life.word(), reach.words())).extend());
    mark::announce(&label);
}

/// A full dot for what runs, a ring for what runs and is not in the room, a quarter for what is on its way, a
/// hollow dot for what has ended, a cross for what failed.
fn shape(ui: &Ui, rect: Rect, life: &Life, reach: Reach) {
    let (painter, palette, radius) = (ui.painter(), Palette::of(ui.visuals()), 6.0);
    match life {
        Life::Running { .. } if reach == Reach::There => drop(painter.circle_filled(rect.center(), radius, palette.green)),
        Life::Running { .. } => drop(painter.circle_stroke(rect.center(), radius - 1.0, Stroke::new(2.0, palette.green))),
        Life::Waiting | Life::Starting { .. } | Life::Frozen { .. } | Life::Ending { .. } => {
            Mark::Wait.paint(painter, rect.center(), radius, palette);
        }
        Life::Ended(end) if end.is_trouble() => Mark::Abort.paint(painter, rect.center(), radius, palette),
        Life::Ended(_) => drop(painter.circle_stroke(rect.center(), radius - 1.0, Stroke::new(2.0, palette.grey))),
    }
}

fn buttons_ui(ui: &mut Ui, program: &Program, deeds: &mut Vec<Deed>) {
    let Program { member, life, .. } = program;
    let mut press = |ui: &mut Ui, can, word: &'static str, width: f32, action| {
        let button = side_button(word).min_size(vec2(width, CONTROL));
        let button = button_ui(ui, can, button).accessible_name(format!("{word} {}", member.name));
        if button.clicked() {
            deeds.push(action);
        }
    };
    let name = || member.name.clone();
    press(ui, life.can_start(), start_word(life), START, Deed::Start { program: name(), crash_at: None });
    press(ui, life.can_stop(), "Stop", BUTTON, Deed::Stop { program: name() });
    let menu = ui.menu_button("⋯", |ui| {
        // The room's windows share the screen, so this one may be lower than its longest menu.
        let height = ui.ctx().content_rect().height() - 6.0 * UNIT;
        let area = ScrollArea::vertical().id_salt("more").max_height(height);
        scrolled_ui(ui, area, |ui| more_ui(ui, program, deeds));
    });
    menu.response.accessible_name(format!("More for {}", member.name));
}

/// What ran before goes on from its files.
fn start_word(life: &Life) -> &'static str {
    match life {
        Life::Ended(End::NotStarted(_)) => "Start",
        Life::Ended(_) => "Restart",
        Life::Waiting | Life::Starting { .. } | Life::Running { .. } | Life::Frozen { .. } | Life::Ending { .. } => "Start",
    }
}

/// What is done more rarely: an end at once, a stop, a crash at a point.
fn more_ui(ui: &mut Ui, program: &Program, deeds: &mut Vec<Deed>) {
    let Program { member, life, .. } = program;
    let name = || member.name.clone();
    let mut item = |ui: &mut Ui, can: Result<(), &str>, words: &str, deed: Deed| {
        if button_ui(ui, can, Button::new(words).min_size(vec2(0.0, CONTROL))).clicked() {
            deeds.push(deed);
            ui.close();
        }
    };
    item(ui, life.can_kill(), "Kill now", Deed::Kill { program: name() });
    item(ui, life.can_freeze(), "Freeze", Deed::Freeze { program: name() });
    item(ui, life.can_thaw(), "Thaw", Deed::Thaw { program: name() });
    if member.part == MemberPart::Participant {
        let can = if life.pid().is_none() { Ok(()) } else { Err("It runs. Stop it first; its files stay.") };
        item(ui, can, "Take off the list", Deed::Remove { program: name() });
    }
    if points(member.part).is_empty() {
        return;
    }
    ui.separator();
    ui.weak(if life.pid().is_some() { "Start it anew, and let it die when …" } else { "Start it, and let it die when …" });
    for point in points(member.part) {
        item(ui, Ok(()), point.means, Deed::Start { program: name(), crash_at: Some(point.at.into()) });
    }
}

/// Where the files are, and what closing does.
pub(super) fn files_ui(ui: &mut Ui, files: &Files) {
    path_ui(ui, "Strings and stable logs", "Copy path of the data folder", &files.data);
    path_ui(ui, "The relay's record", "Copy path of the relay's folder", &files.logs);
    if let Some(run) = &files.run {
        path_ui(ui, "This run", "Copy path of this run", run);
    }
    ui.add(Label::new(RichText::new("Closing this window ends every program in the list.").weak()).wrap());
}

fn path_ui(ui: &mut Ui, what: &str, copy: &str, path: &Path) {
    row_ui(ui, |ui| {
        let path = path.display().to_string();
        cell_ui(ui, ui.available_width() - COPY_PATH - UNIT, |ui| {
            ui.weak(what);
            line_ui(ui, &path, |text| text);
        });
        copy_ui(ui, "Copy path", COPY_PATH, copy, &path);
    });
}

pub(super) fn copy_ui(ui: &mut Ui, word: &str, width: f32, name: &str, text: &str) -> Response {
    let button = ui.add(Button::new(word).min_size(vec2(width, CONTROL))).accessible_name(name);
    if button.clicked() {
        ui.ctx().copy_text(String::from(text));
    }
    button
}

pub(super) fn row_ui(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(vec2(ui.available_width(), CONTROL), Layout::left_to_right(Align::Center), contents);
}

/// A place of a width of its own, whatever stands in it.
pub(super) fn cell_ui(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, CONTROL), Sense::hover());
    let salt = ui.next_auto_id();
    contents(&mut ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::left_to_right(Align::Center))));
}
