//! The lab's window: the room, the diagram, the bench, what is in doubt, the verdict, the scenarios.
//!
//! A function of what is seen; it gives back what is wished for. In a wide window the diagram stands
//! beside one of the others, in a narrow one each has the window to itself. Deliberately absent: processes,
//! files, and time.

mod bench;
mod blocked;
mod glance;
mod head;
mod help;
mod keys;
mod picked;
mod points;
mod programs;
mod scenarios;
mod scrub;
mod standings;
mod verdict;

use std::path::PathBuf;

use egui::{Rect, RichText, Ui, pos2};
use twopc_proto::UserName;
use twopc_ui::layout::{Part, part_ui, window_of};
use twopc_ui::text::{error_ui, line_ui};
use twopc_ui::theme::UNIT;

pub use bench::told as rule_told;
pub use help::{KEYS, WELCOME};
pub use points::{Point, points};
pub use programs::Files;
pub use scenarios::{Choice, Playing};
pub use verdict::Judged;

use crate::diagram::{Diagram, diagram_ui};
use crate::member::RELAY;
use crate::room::RoomView;
use crate::run::Deed;
use crate::scenario::Scenario;
use crate::watched::Watched;

/// From this width on the diagram stands beside the rest.
const WIDE: f32 = 125.0 * UNIT;
/// The height that a pane needs; a window that has less scrolls.
const PANES: f32 = 29.0 * UNIT;
/// The share of the width that is the diagram's then.
const DIAGRAM: f32 = 0.66;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The room, as it is.
    Room,
    /// A scenario that is being played, or was.
    Scenario(String),
    /// A run that was recorded.
    Recorded(PathBuf),
}

/// Everything that is shown.
pub struct Shown<'a> {
    /// The room's programs, in a window that has a room.
    pub room: Option<&'a RoomView>,
    /// Where its files are.
    pub files: &'a Files,
    /// What is looked at, and what was seen of it.
    pub source: &'a Source,
    /// That is something else than what the window was opened for.
    pub is_elsewhere: bool,
    /// The run that is looked at.
    pub watched: &'a Watched,
    /// The time now in that run, in microseconds since it began, if it goes on.
    pub now_us: u64,
    /// What the files say.
    pub judged: Option<&'a Judged>,
    /// The scenarios.
    pub shelf: &'a [Scenario],
    /// The one that is played, or was last.
    pub playing: Option<&'a Playing>,
    /// The run is played on by itself.
    pub runs_on: bool,
    /// Something that a person should know: a sentence.
    pub trouble: Option<&'a str>,
    /// Something that was done: a sentence.
    pub done: Option<&'a str>,
}

/// What somebody is doing in the window.
#[derive(Debug, Default)]
pub struct Desk {
    /// What stands beside the diagram, or instead of it.
    pub tab: Tab,
    /// Where somebody looks in the diagram.
    pub diagram: Diagram,
    /// Somebody has chosen whether the relay's lane is shown.
    pub relay_is_chosen: bool,
    /// The rule that is being chosen.
    pub rule: bench::Draft,
    /// The scenario that is being chosen.
    pub choice: Choice,
    /// The keys are shown.
    pub shows_keys: bool,
    /// Nobody was ever here before.
    pub is_first: bool,
    /// The folder of a run to open, as it is typed.
    pub path: String,
}

/// A part of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The programs.
    #[default]
    Room,
    /// The diagram, in a narrow window.
    Diagram,
    /// The bench.
    Messages,
    /// Who is in doubt, and why.
    Doubt,
    /// The verdict.
    Verdict,
    /// The scenarios.
    Scenarios,
}

impl Desk {
    /// Another run is looked at, from its end.
    pub fn look_anew(&mut self) {
        (self.diagram, self.relay_is_chosen) = (Diagram::default(), false);
    }
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [Self::Room, Self::Diagram, Self::Messages, Self::Doubt, Self::Verdict, Self::Scenarios];

    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Room => "Room",
            Self::Diagram => "Diagram",
            Self::Messages => "Messages",
            Self::Doubt => "In doubt",
            Self::Verdict => "Verdict",
            Self::Scenarios => "Scenarios",
        }
    }
}

/// What is wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Something is done to the room, or to the scenario that is played.
    Do(Deed),
    /// A scenario is played, by its place on the shelf.
    Play(usize),
    /// The run as it stood after so many events is looked at.
    Seek(usize),
    /// So many events on or back.
    Step(isize),
    /// The run is played on by itself, or not any more.
    Run(bool),
    /// A recorded run is opened.
    Open(PathBuf),
    /// What the window was opened for is looked at again.
    Home,
    /// The diagram is written as SVG, the events for ShiViz.
    Export,
}

/// Draws the window.
pub fn lab_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk) -> Vec<Wish> {
    let mut wishes = Vec::new();
    keys::take(ui, shown, desk, &mut wishes);
    window_of(ui, PANES, |ui, part| match part {
        Part::Head => head::head_ui(ui, shown, desk, &mut wishes),
        Part::Middle => middle_ui(ui, shown, desk, &mut wishes),
        Part::Foot => foot_ui(ui, shown, desk, &mut wishes),
    });
    if desk.shows_keys {
        help::keys_ui(ui, &mut desk.shows_keys);
    }
    wishes
}

/// Whether the diagram stands beside the rest.
fn is_wide(ui: &Ui) -> bool {
    ui.available_width() >= WIDE
}

/// In a wide window the diagram is there anyway.
fn shown_tab(tab: Tab, is_wide: bool) -> Tab {
    if is_wide && tab == Tab::Diagram { Tab::Room } else { tab }
}

fn middle_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    let area = ui.available_rect_before_wrap();
    if area.width() < WIDE {
        return tab_ui(ui, desk.tab, shown, desk, wishes);
    }
    let middle = (area.right() - area.width() * DIAGRAM).round();
    let tab = shown_tab(desk.tab, true);
    part_ui(ui, "tab", Rect::from_min_max(area.min, pos2(middle - UNIT, area.bottom())), |ui| tab_ui(ui, tab, shown, desk, wishes));
    part_ui(ui, "diagram", Rect::from_min_max(pos2(middle, area.top()), area.max), |ui| {
        tab_ui(ui, Tab::Diagram, shown, desk, wishes);
    });
    ui.advance_cursor_after_rect(area);
}

fn tab_ui(ui: &mut Ui, tab: Tab, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    let moment = shown.watched.moment();
    let mut deeds = Vec::new();
    match tab {
        Tab::Room => glance::glance_ui(ui, shown, desk, &mut deeds, wishes),
        Tab::Diagram => drawing_ui(ui, shown, desk),
        Tab::Messages => bench::bench_ui(ui, moment, &people(shown), &mut desk.rule, can_steer(shown), &mut deeds),
        Tab::Doubt => blocked::blocked_ui(ui, moment, shown.now_us),
        Tab::Verdict if shown.watched.is_at_end() => verdict::verdict_ui(ui, shown.judged),
        Tab::Verdict => verdict::elsewhere_ui(ui),
        Tab::Scenarios => {
            scenarios::scenarios_ui(ui, shown.shelf, shown.playing, &mut desk.choice, wishes);
        }
    }
    wishes.extend(deeds.into_iter().map(Wish::Do));
}

/// The diagram, and under it what is known of what was picked in it.
fn drawing_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk) {
    let chart = shown.watched.chart();
    // Most of the time it says nothing, and the others can do with its place.
    if let Some(relay) = chart.relay().filter(|_| !desk.relay_is_chosen) {
        desk.diagram.lens.filter.show(relay, chart.relay_acts());
    }
    let chosen = picked::filter_ui(ui, chart, &mut desk.diagram);
    desk.relay_is_chosen |= chosen.is_some() && chosen == chart.relay();
    let area = ui.available_rect_before_wrap();
    let height = if desk.diagram.picked().is_some() { (area.height() * 0.35).min(28.0 * UNIT) } else { 0.0 };
    let split = area.bottom() - height;
    desk.diagram.view.now_us = if shown.watched.is_at_end() { shown.now_us } else { shown.watched.now_us() };
    desk.diagram.view.is_over = shown.watched.is_at_end() && matches!(shown.source, Source::Recorded(_));
    part_ui(ui, "drawing", Rect::from_min_max(area.min, pos2(area.right(), split)), |ui| {
        diagram_ui(ui, chart, &mut desk.diagram);
    });
    if let Some(pick) = desk.diagram.picked() {
        part_ui(ui, "picked", Rect::from_min_max(pos2(area.left(), split + UNIT), area.max), |ui| {
            picked::picked_ui(ui, shown, pick);
        });
    }
    ui.advance_cursor_after_rect(area);
}

/// Who can send or receive.
fn people(shown: &Shown<'_>) -> Vec<UserName> {
    let names = shown.watched.moment().programs.keys().filter(|name| name.as_str() != RELAY);
    names.filter_map(|name| UserName::parse(name).ok()).collect()
}

/// Whether something can be done to the messages now, else why not.
fn can_steer(shown: &Shown<'_>) -> Result<(), &'static str> {
    match shown.source {
        Source::Recorded(_) => Err("This run is over; nothing can be done to it."),
        Source::Room | Source::Scenario(_) if !shown.watched.is_at_end() => Err("You look at an earlier moment; go to the end first."),
        Source::Room | Source::Scenario(_) if !shown.watched.moment().is_watching => Err("There is no relay now."),
        Source::Room | Source::Scenario(_) => Ok(()),
    }
}

fn foot_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    if let Some(trouble) = shown.trouble {
        error_ui(ui, trouble);
    }
    if let Some(done) = shown.done {
        line_ui(ui, done, RichText::weak);
    }
    scrub::scrub_ui(ui, shown.watched, shown.runs_on, desk.diagram.follows, wishes);
}
