//! What is known of what was picked in the diagram, and the diagram's filter.
//!
//! The frame stands as it was on the wire, the record as it stands in its file. Deliberately absent:
//! the files; whoever has them hands over their lines.

use egui::{Button, ComboBox, Grid, Label, RichText, Ui, vec2};
use twopc_proto::Role as NodeRole;
use twopc_ui::button::tick_ui;
use twopc_ui::pane::scrolled_pane_ui;
use twopc_ui::theme::{CONTROL, UNIT};

use super::Shown;
use crate::diagram::chart::{Chart, LaneId};
use crate::diagram::detail::{Detail, RecordRef, detail};
use crate::diagram::{Diagram, Pick};

/// From this width on, what is known of it stands beside the frame or the record.
const TWO_COLUMNS: f32 = 80.0 * UNIT;

/// Which transaction, which lanes, and whether idle time is folded. Gives back the lane that was shown or hidden.
pub(super) fn filter_ui(ui: &mut Ui, chart: &Chart, diagram: &mut Diagram) -> Option<LaneId> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        let filter = &mut diagram.lens.filter;
        let shown = filter.txn.as_ref().map_or_else(|| String::from("All transactions"), ToString::to_string);
        ComboBox::from_id_salt("transaction")
            .selected_text(shown)
            .width(160.0)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut filter.txn, None, "All transactions");
                for txn in chart.txns() {
                    ui.selectable_value(&mut filter.txn, Some(txn.clone()), txn.to_string());
                }
            })
            .response
            .accessible_name("Transaction");
        for lane in chart.order().iter().copied() {
            let is_shown = !filter.hidden.contains(&lane);
            let name = chart.lane(lane).name.clone();
            let button = ui.add(Button::selectable(is_shown, name).min_size(vec2(0.0, CONTROL)));
            if button.on_hover_text("Show or hide this lane").clicked() {
                chosen = Some(lane);
                filter.show(lane, !is_shown);
            }
        }
        tick_ui(ui, Ok(()), &mut diagram.lens.fold, "Fold idle time");
    });
    chosen
}

/// All that is known of it.
pub(super) fn picked_ui(ui: &mut Ui, shown: &Shown<'_>, pick: Pick) {
    let known = detail(shown.watched.chart(), shown.watched.events(), pick);
    scrolled_pane_ui(ui, "Picked", |ui| {
        ui.label(RichText::new(&known.title).strong());
        if ui.available_width() < TWO_COLUMNS || (known.record.is_none() && known.frame.is_none()) {
            source_ui(ui, shown, &known);
            facts_ui(ui, &known);
        } else {
            ui.columns(2, |columns| {
                facts_ui(&mut columns[0], &known);
                source_ui(&mut columns[1], shown, &known);
            });
        }
    });
}

fn facts_ui(ui: &mut Ui, known: &Detail) {
    Grid::new("facts").num_columns(2).show(ui, |ui| {
        for (name, fact) in &known.facts {
            ui.weak(*name);
            ui.add(Label::new(fact).wrap());
            ui.end_row();
        }
    });
}

/// The record as it stands in its file, the frame as it stood on the wire.
fn source_ui(ui: &mut Ui, shown: &Shown<'_>, known: &Detail) {
    if let Some(record) = &known.record {
        ui.weak("In the file");
        ui.add(Label::new(RichText::new(line_of(shown, record)).monospace()).wrap());
    }
    if let Some(frame) = &known.frame {
        ui.weak("On the wire");
        ui.add(Label::new(RichText::new(frame).monospace()).wrap());
    }
}

/// The record as it stands in its log, or why it does not.
fn line_of(shown: &Shown<'_>, record: &RecordRef) -> String {
    let role = match record.role {
        NodeRole::Coordinator => "coordinator",
        NodeRole::Participant | NodeRole::Observer | NodeRole::Guest => "participant",
    };
    let file = format!("{}.{role}.dtlog", record.user);
    let line = crate::found::line_of(&shown.files.data.join(&file), record.role, record.lsn);
    line.map_or_else(|| format!("{file} has no record {} now.", record.lsn), |(number, line)| format!("{file}:{number}  {line}"))
}
