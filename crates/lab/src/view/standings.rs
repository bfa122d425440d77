//! How every program stood at the moment that is looked at, and what had just changed.
//!
//! Deliberately absent: buttons. A moment that is over cannot be changed.

use egui::accesskit::Role;
use egui::{RichText, Ui};
use twopc_proto::State;
use twopc_ui::mark::{self, Mark};
use twopc_ui::pane::{empty_ui, pane_ui, region_ui};
use twopc_ui::text::{line_ui, quoted};

use crate::run::moment::{Stand, Standing, Written};
use crate::run::{Event, Happening, Moment, Stage};

/// Draws how everybody stood.
pub(super) fn standings_ui(ui: &mut Ui, moment: &Moment, last: Option<&Event>) {
    pane_ui(
        ui,
        "At this moment",
        Role::Group,
        |_| (),
        |ui| {
            if moment.programs.is_empty() {
                empty_ui(ui, "Nothing has happened yet. On, or the key →, goes to the first event.");
            }
            let changed = last.and_then(whose);
            for (name, standing) in &moment.programs {
                let region = format!("{name} at this moment");
                region_ui(ui, &region, Role::Group, |ui| standing_ui(ui, name, standing, changed == Some(name.as_str())));
            }
        },
    );
}

fn standing_ui(ui: &mut Ui, name: &str, standing: &Standing, has_changed: bool) {
    ui.horizontal_wrapped(|ui| {
        mark::dot_ui(ui, standing.is_online || standing.pid.is_some());
        line_ui(ui, name, RichText::strong);
        ui.weak(process(standing));
        if has_changed {
            ui.label(RichText::new("changed just now").italics());
        }
    });
    if standing.record.is_none() && standing.transactions.is_empty() {
        return;
    }
    ui.indent("of", |ui| {
        if let Some(Written { record, txn, .. }) = &standing.record {
            let durable = if standing.is_durable() { "on the disk" } else { "written" };
            ui.label(format!("log: {record} {}, {durable}", txn.short()));
        }
        for (txn, stand) in &standing.transactions {
            ui.horizontal(|ui| {
                mark::mark_ui(ui, mark_of(stand));
                let string = stand.string.as_deref().map(quoted).unwrap_or_default();
                line_ui(ui, &format!("{} {} {string}", txn.short(), mark_of(stand).word()), |text| text);
            });
        }
    });
}

/// Where its process stands, in a word or two.
fn process(standing: &Standing) -> String {
    match (&standing.stage, standing.is_frozen, standing.pid) {
        (None, _, _) => String::from("not started by the lab"),
        (Some(Stage::Ended { killed: true, .. }), _, _) => String::from("killed"),
        (Some(Stage::Ended { killed: false, .. }), _, _) => String::from("ended"),
        (Some(_), true, _) => String::from("frozen"),
        (Some(_), false, Some(pid)) => format!("process {pid}"),
        (Some(_), false, None) => String::from("no process"),
    }
}

/// The shape of a state; a doubt has its own.
fn mark_of(stand: &Stand) -> Mark {
    let state = [State::Init, State::Wait, State::Ready, State::Commit, State::Abort];
    let mark = state.into_iter().find(|state| state.as_str() == stand.state).map_or(Mark::Init, Mark::from);
    match &stand.doubt {
        Some(doubt) if doubt.is_blocked => Mark::Blocked,
        Some(doubt) if doubt.asked_us.is_some() => Mark::InDoubt,
        Some(_) | None => mark,
    }
}

/// Whom an event is about.
fn whose(event: &Event) -> Option<&str> {
    match &event.what {
        Happening::Process { program, .. } => Some(program),
        Happening::Told { user, .. } | Happening::Joined { user, .. } | Happening::Left { user, .. } | Happening::Found { user, .. } => {
            Some(user.as_str())
        }
        Happening::Frame { .. } | Happening::Fate { .. } | Happening::Watching { .. } | Happening::Blind | Happening::Did { .. } => None,
    }
}
