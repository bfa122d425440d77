//! Why am I blocked? For each participant in doubt: whom it asked, who answered what, and what frees it.
//!
//! The words are those of the participant's own window. Deliberately absent: guesses; what nobody said is
//! not known here either.

use std::time::Duration;

use egui::{Grid, RichText, Ui};
use twopc_proto::{State, TxnId};
use twopc_ui::doubt::{Doubt as Told, Row};
use twopc_ui::mark::{self, Mark};
use twopc_ui::pane::{empty_ui, scrolled_pane_ui};
use twopc_ui::text::quoted;

use crate::run::Moment;
use crate::run::moment::{Stand, Standing};

/// Draws what is known of everybody in doubt; `now_us` is since the run began.
pub(super) fn blocked_ui(ui: &mut Ui, moment: &Moment, now_us: u64) {
    scrolled_pane_ui(ui, "In doubt", |ui| {
        let doubts = in_doubt(moment);
        if doubts.is_empty() {
            empty_ui(
                ui,
                "Nobody is in doubt. A participant is, from its Commit until it hears the decision; several of the scenarios show it.",
            );
        }
        for (name, standing, txn, stand) in doubts {
            doubt_ui(ui, name, standing, txn, stand, now_us);
        }
        table_ui(ui);
    });
}

/// Whoever is in doubt, and about what. Those whose process is gone with READY in their log were, and will be
/// again.
fn in_doubt(moment: &Moment) -> Vec<(&str, &Standing, &TxnId, &Stand)> {
    let everybody = moment.programs.iter();
    let transactions =
        everybody.flat_map(|(name, standing)| standing.transactions.iter().map(move |(txn, stand)| (name.as_str(), standing, txn, stand)));
    let is_in_doubt = |standing: &Standing, stand: &Stand| {
        if standing.is_gone() { stand.state == State::Ready.as_str() } else { stand.doubt.is_some() }
    };
    transactions.filter(|(_, standing, _, stand)| is_in_doubt(standing, stand)).collect()
}

fn doubt_ui(ui: &mut Ui, name: &str, standing: &Standing, txn: &TxnId, stand: &Stand, now_us: u64) {
    let string = stand.string.as_deref().map(quoted).unwrap_or_default();
    let mut heading_ui = |mark: Mark, word: &str| {
        ui.horizontal(|ui| {
            mark::mark_ui(ui, mark);
            ui.label(RichText::new(format!("{name}: {word} {string} {txn}")).strong());
        });
    };
    let Some(doubt) = stand.doubt.as_ref().filter(|_| !standing.is_gone()) else {
        heading_ui(Mark::Wait, "not running");
        ui.label(format!("{name} voted commit, and ended before it heard the decision. Once started, it is in doubt again, and asks."));
        ui.add_space(8.0);
        return;
    };
    if standing.is_frozen {
        heading_ui(Mark::Wait, "frozen");
        ui.label(format!("{name} voted commit, and is stopped: it neither asks nor hears. Thawed, it goes on where it was."));
        ui.add_space(8.0);
        return;
    }
    let since = |us: u64| Duration::from_micros(now_us.saturating_sub(us));
    let mark = if doubt.is_blocked { Mark::Blocked } else { Mark::Ready };
    heading_ui(mark, mark.word());
    let told = Told {
        waited: since(doubt.since_us),
        asked_ago: doubt.asked_us.map(since),
        blocked: doubt.is_blocked,
        peers: &doubt.peers,
        is_connected: standing.is_online,
    };
    ui.label(told.explanation(name));
    ui.add_space(8.0);
}

/// The textbook's table, so that the row that applied can be found in it.
fn table_ui(ui: &mut Ui) {
    ui.separator();
    ui.label(RichText::new("A participant P in READY asks a participant Q (Tanenbaum & van Steen)").strong());
    Grid::new("table").num_columns(2).striped(true).show(ui, |ui| {
        ui.weak("State of Q");
        ui.weak("What P does");
        ui.end_row();
        for row in Row::ALL {
            ui.label(row.state());
            ui.label(row.action());
            ui.end_row();
        }
    });
}
