//! The room at a glance, as it is or as it stood at the moment that is looked at; what this is, for whoever
//! is here for the first time; and the way into recorded runs.
//!
//! Deliberately absent: what a program's row says, see [`super::programs`] and [`super::standings`].

use std::path::PathBuf;

use egui::{Label, ScrollArea, TextEdit, Ui};
use twopc_ui::button::button_ui;
use twopc_ui::field::{field_ui, is_entered};
use twopc_ui::sight::scrolled_ui;
use twopc_ui::theme::{UNIT, side_button};

use super::{Desk, Shown, Source, Tab, WELCOME, Wish, programs, standings};
use crate::run::Deed;

/// The room as it is, or how everybody stood at the moment that is looked at.
pub(super) fn glance_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk, deeds: &mut Vec<Deed>, wishes: &mut Vec<Wish>) {
    // What has to be said of a program comes and goes: its bar has a place of its own, so nothing moves sideways.
    let width = ui.available_width() - ui.spacing().scroll.allocated_width();
    scrolled_ui(ui, ScrollArea::vertical().id_salt("room").auto_shrink(false), |ui| {
        ui.set_width(width);
        if desk.is_first {
            welcome_ui(ui, desk);
        }
        let moment = shown.watched.moment();
        match shown.room {
            Some(room) if *shown.source == Source::Room && shown.watched.is_at_end() => {
                programs::programs_ui(ui, room, moment, deeds);
                programs::files_ui(ui, shown.files);
                runs_ui(ui, shown, desk, wishes);
            }
            Some(_) | None => {
                runs_ui(ui, shown, desk, wishes);
                standings::standings_ui(ui, moment, shown.watched.last());
            }
        }
    });
}

/// What this is, for whoever is here for the first time.
fn welcome_ui(ui: &mut Ui, desk: &mut Desk) {
    for sentence in WELCOME {
        ui.add(Label::new(sentence).wrap());
    }
    ui.horizontal(|ui| {
        if ui.add(side_button("First scenario")).clicked() {
            (desk.tab, desk.is_first) = (Tab::Scenarios, false);
        }
        if ui.add(side_button("Close")).accessible_name("Close the introduction").clicked() {
            desk.is_first = false;
        }
    });
    ui.separator();
}

/// Opening a run that was recorded, and writing this one's diagram.
fn runs_ui(ui: &mut Ui, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    ui.horizontal_wrapped(|ui| {
        let field = TextEdit::singleline(&mut desk.path).id_salt("run").hint_text("Folder of a run");
        let field = field_ui(ui, field, 24.0 * UNIT).accessible_name("Folder of a run");
        let is_entered = is_entered(ui, &field);
        let can = if desk.path.trim().is_empty() { Err("Type the folder of a run that was recorded.") } else { Ok(()) };
        if button_ui(ui, can, side_button("Open run")).clicked() || (is_entered && can.is_ok()) {
            wishes.push(Wish::Open(PathBuf::from(desk.path.trim())));
        }
        let can = if shown.watched.events().is_empty() { Err("Nothing has happened yet.") } else { Ok(()) };
        if button_ui(ui, can, side_button("Export"))
            .on_hover_text("The diagram as SVG, and the events for ShiViz, into the run's folder")
            .clicked()
        {
            wishes.push(Wish::Export);
        }
    });
}
