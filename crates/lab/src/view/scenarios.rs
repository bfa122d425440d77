//! The scenarios: what to watch, a question to answer before it runs, its steps while it does, and what came
//! of it with the reason.
//!
//! Deliberately absent: the playing.

use egui::{Label, RichText, Ui};
use twopc_ui::button::button_ui;
use twopc_ui::mark::{self, Mark};
use twopc_ui::pane::scrolled_pane_ui;
use twopc_ui::text::error_ui;
use twopc_ui::theme::{main_button, side_button};

use super::Wish;
use crate::scenario::{Outcome, Report, Scenario};

/// How far a scenario is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playing {
    /// Which, by its place on the shelf.
    pub index: usize,
    /// The line of the step that it is at.
    pub line: usize,
    /// How it came out, once it has.
    pub report: Option<Result<Report, String>>,
}

/// What is being chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The scenario.
    pub index: usize,
    /// What somebody thinks will come of it.
    pub guess: Option<Outcome>,
}

const OUTCOMES: [(Outcome, &str); 3] = [(Outcome::Commit, "Commit"), (Outcome::Abort, "Abort"), (Outcome::Blocked, "Blocked")];

/// Draws the shelf and the scenario that was taken from it.
pub(super) fn scenarios_ui(ui: &mut Ui, shelf: &[Scenario], playing: Option<&Playing>, choice: &mut Choice, wishes: &mut Vec<Wish>) {
    scrolled_pane_ui(ui, "Scenarios", |ui| {
        for (index, scenario) in shelf.iter().enumerate() {
            // Whatever opens or closes above it, what belongs to a scenario stays the same to who clicks.
            ui.push_id(index, |ui| {
                let words = format!("{}  {}", index + 1, scenario.title);
                if ui.selectable_label(choice.index == index, words).clicked() {
                    *choice = Choice { index, guess: None };
                }
                if choice.index == index {
                    ui.indent("open", |ui| {
                        let playing = playing.filter(|playing| playing.index == index);
                        scenario_ui(ui, scenario, playing, choice, wishes);
                    });
                }
            });
        }
    });
}

fn scenario_ui(ui: &mut Ui, scenario: &Scenario, playing: Option<&Playing>, choice: &mut Choice, wishes: &mut Vec<Wish>) {
    ui.add(Label::new(&scenario.watch).wrap());
    ui.add(Label::new(RichText::new(&scenario.question).strong()).wrap());
    let is_playing = playing.is_some_and(|playing| playing.report.is_none());
    ui.horizontal_wrapped(|ui| {
        for (outcome, word) in OUTCOMES {
            let can = if is_playing { Err("It is being played.") } else { Ok(()) };
            let button = side_button(word).selected(choice.guess == Some(outcome));
            if button_ui(ui, can, button).accessible_name(format!("Guess {word}")).clicked() {
                choice.guess = Some(outcome);
            }
        }
        let can = match (is_playing, choice.guess) {
            (true, _) => Err("It is being played."),
            (false, None) => Err("Answer the question first."),
            (false, Some(_)) => Ok(()),
        };
        let play = main_button(ui, "Play");
        if button_ui(ui, can, play).clicked() {
            wishes.push(Wish::Play(choice.index));
        }
    });
    let Some(playing) = playing else { return };
    for (line, step) in scenario.told() {
        let is_at = line == playing.line && playing.report.is_none();
        let words = RichText::new(if is_at { format!("▶ {step}") } else { format!("   {step}") }).monospace();
        ui.add(Label::new(if line > playing.line { words.weak() } else { words }).wrap());
    }
    match &playing.report {
        None => {}
        Some(Err(sentence)) => drop(error_ui(ui, sentence)),
        Some(Ok(report)) => report_ui(ui, scenario, report, choice.guess),
    }
}

fn report_ui(ui: &mut Ui, scenario: &Scenario, report: &Report, guess: Option<Outcome>) {
    ui.horizontal_wrapped(|ui| {
        let (shape, word) = match report.outcome {
            Some(Outcome::Commit) => (Mark::Commit, "COMMIT"),
            Some(Outcome::Abort) => (Mark::Abort, "ABORT"),
            Some(Outcome::Blocked) => (Mark::Blocked, "BLOCKED"),
            None => (Mark::InDoubt, "neither of the three"),
        };
        mark::mark_ui(ui, shape);
        let label = ui.label(RichText::new(word).heading().strong());
        mark::announce(&label);
        if let Some(guess) = guess {
            ui.label(if report.outcome == Some(guess) { "You were right." } else { "You thought otherwise." });
        }
    });
    ui.add(Label::new(&scenario.reason).wrap());
    ui.add(Label::new(RichText::new(format!("The book: {}", scenario.book)).weak()).wrap());
    for failure in &report.failures {
        error_ui(ui, failure);
    }
}
