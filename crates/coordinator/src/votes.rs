//! The votes: the newest as a table that fills up, its outcome, and the earlier ones in a line each.

use std::time::Instant;

use egui::accesskit::Role;
use egui::{Align, Label, Layout, Rect, RichText, ScrollArea, Sense, TextStyle, Ui, UiBuilder, vec2};
use twopc_proto::text::Shown;
use twopc_proto::{Decision, Reason, State};
use twopc_runner::snapshot::{BallotRow, BallotView, CoordinatorView};
use twopc_ui::Mark;
use twopc_ui::countdown::{bar_ui, left, time_left_ui};
use twopc_ui::mark::{announce, mark_ui, waiting_ui};
use twopc_ui::pane::{empty_ui, pane_ui};
use twopc_ui::sight::scrolled_ui;
use twopc_ui::text::{error_ui, line_ui, quoted};
use twopc_ui::theme::{CONTROL, ROW, UNIT};

/// Where the columns begin: who or what, how, and who has heard of it; shares of the width.
const COLUMNS: [f32; 3] = [0.0, 0.28, 0.6];

/// The pane `Votes`.
pub(crate) fn votes_ui(ui: &mut Ui, view: &CoordinatorView, now: Instant) {
    let newest = view.ballots.first();
    let countdown = |ui: &mut Ui| {
        if let Some(deadline) = newest.and_then(|ballot| ballot.deadline) {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| time_left_ui(ui, left(deadline, now)));
        }
    };
    pane_ui(ui, "Votes", Role::Table, countdown, |ui| {
        ui.take_available_height();
        scrolled_ui(ui, ScrollArea::vertical().id_salt("votes").auto_shrink(false).min_scrolled_height(0.0), |ui| {
            for sentence in &view.recovered {
                ui.add(Label::new(sentence.as_str()).wrap());
            }
            match newest {
                Some(ballot) => ballot_ui(ui, ballot, now),
                None => empty_ui(ui, "No vote has been asked for yet."),
            }
            if let [_, earlier @ ..] = view.ballots.as_slice()
                && !earlier.is_empty()
            {
                ui.add_space(UNIT);
                ui.add(Label::new(RichText::new("Earlier").weak()).extend());
                ui.spacing_mut().item_spacing.y = 0.0;
                for ballot in earlier {
                    earlier_ui(ui, ballot);
                }
            }
        });
    });
}

fn ballot_ui(ui: &mut Ui, ballot: &BallotView, now: Instant) {
    // The bar's place stays when the bar goes, so that nothing moves.
    match ballot.deadline {
        Some(deadline) => bar_ui(ui, left(deadline, now), ballot.timeout),
        None => drop(ui.allocate_exact_size(vec2(ui.available_width(), UNIT), Sense::hover())),
    }
    line_ui(ui, &format!("{} {}", ballot.txn.short(), quoted(ballot.string.as_str())), |words| words)
        .on_hover_text(format!("Transaction {}", ballot.txn));
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for row in &ballot.rows {
            voter_ui(ui, ballot, row);
        }
    });
    outcome_ui(ui, ballot);
    if let Some(trouble) = &ballot.trouble {
        error_ui(ui, trouble);
    }
}

/// `alice   ● commit   acknowledged`.
fn voter_ui(ui: &mut Ui, ballot: &BallotView, row: &BallotRow) {
    let Some(cells) = row_rects(ui) else { return };
    cell_ui(ui, (&row.user, "name"), cells[0], |ui| drop(line_ui(ui, row.user.as_str(), |name| name)));
    cell_ui(ui, (&row.user, "vote"), cells[1], |ui| vote_ui(ui, ballot, row));
    cell_ui(ui, (&row.user, "heard"), cells[2], |ui| drop(line_ui(ui, heard(ballot, row), RichText::weak)));
}

fn vote_ui(ui: &mut Ui, ballot: &BallotView, row: &BallotRow) {
    // Who commits has all votes, also those that it does not remember after a restart.
    let implied = (ballot.state == State::Commit).then_some((Decision::Commit, None));
    match row.vote.or(implied) {
        Some((decision, reason)) => {
            mark_ui(ui, decision.into());
            let word = match decision {
                Decision::Commit => "commit",
                Decision::Abort => "abort",
            };
            let label = line_ui(ui, word, |word| word);
            if let Some(reason) = reason {
                label.on_hover_text(because(reason));
            }
        }
        None => {
            waiting_ui(ui);
            let word = match ballot.state {
                State::Init | State::Wait => "waiting",
                State::Ready | State::Commit | State::Abort => "no vote",
            };
            line_ui(ui, word, RichText::weak);
        }
    }
}

/// Whether a participant has heard of the decision.
fn heard(ballot: &BallotView, row: &BallotRow) -> &'static str {
    let is_decided = matches!(ballot.state, State::Commit | State::Abort);
    match (is_decided, row.acknowledged, row.retrying, row.here) {
        (true, true, _, _) => "acknowledged",
        (true, false, true, true) => "retrying",
        (true, false, true, false) => "retrying (offline)",
        (true, false, false, true) => "told",
        (_, false, _, false) => "offline",
        (false, _, _, _) => "",
    }
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Pressed => "Abort was pressed.",
        Reason::Timeout => "Nothing was pressed in time.",
        Reason::Asked => "Another participant asked before this one had voted.",
        Reason::Disk => "Its disk took no record.",
        Reason::Restart => "It was started again.",
        Reason::Left => "It left.",
    }
}

/// The decision, large.
fn outcome_ui(ui: &mut Ui, ballot: &BallotView) {
    let words = match ballot.state {
        State::Commit => "GLOBAL COMMIT",
        State::Abort => "GLOBAL ABORT",
        State::Init | State::Wait | State::Ready => return,
    };
    let outcome = ui.horizontal_wrapped(|ui| {
        ui.set_row_height(CONTROL);
        mark_ui(ui, ballot.state.into());
        announce(&ui.add(Label::new(RichText::new(words).text_style(TextStyle::Heading)).extend()));
        let why = ballot.why.clone().unwrap_or_else(|| acknowledged(ballot));
        ui.label(RichText::new(Shown::new(&why).to_cow()).weak());
    });
    // In a low pane it comes into sight once.
    let key = ui.scope_id().with("decided");
    if ui.data(|data| data.get_temp(key)) != Some(ballot.txn.clone()) {
        ui.data_mut(|data| data.insert_temp(key, ballot.txn.clone()));
        outcome.response.scroll_to_me(None);
    }
}

/// `chair’s #6 “Oops”   ✕ aborted   2 of 3, retrying bob (offline)`.
fn earlier_ui(ui: &mut Ui, ballot: &BallotView) {
    let Some(cells) = row_rects(ui) else { return };
    cell_ui(ui, (&ballot.txn, "string"), cells[0], |ui| {
        line_ui(ui, &format!("{} {}", ballot.txn.short(), quoted(ballot.string.as_str())), |words| words)
            .on_hover_text(format!("Transaction {}", ballot.txn));
    });
    cell_ui(ui, (&ballot.txn, "state"), cells[1], |ui| {
        mark_ui(ui, Mark::from(ballot.state));
        let word = match ballot.state {
            State::Init | State::Wait | State::Ready => "voting",
            State::Commit => "committed",
            State::Abort => "aborted",
        };
        let label = line_ui(ui, word, |word| word);
        if let Some(why) = &ballot.why {
            label.on_hover_text(why);
        }
    });
    cell_ui(ui, (&ballot.txn, "heard"), cells[2], |ui| drop(line_ui(ui, &acknowledged(ballot), RichText::weak)));
}

/// `3 of 3`, `2 of 3, retrying bob (offline)`; while votes come in, how many have.
fn acknowledged(ballot: &BallotView) -> String {
    let of = ballot.rows.len();
    if matches!(ballot.state, State::Init | State::Wait | State::Ready) {
        return format!("{} of {of} voted", ballot.rows.iter().filter(|row| row.vote.is_some()).count());
    }
    let have = ballot.rows.iter().filter(|row| row.acknowledged).count();
    let missing: Vec<String> = ballot
        .rows
        .iter()
        .filter(|row| row.retrying && !row.acknowledged)
        .map(|row| if row.here { row.user.to_string() } else { format!("{} (offline)", row.user) })
        .collect();
    if missing.is_empty() { format!("{have} of {of}") } else { format!("{have} of {of}, retrying {}", missing.join(", ")) }
}

/// The cells of a row; `None` when it is out of sight
/// and nothing of it needs to be drawn.
fn row_rects(ui: &mut Ui) -> Option<[Rect; 3]> {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let edge = |share: f32| (rect.left() + share * rect.width()).round();
    let cell = |from: f32, to: f32| rect.with_min_x(edge(from)).with_max_x(edge(to) - UNIT);
    let cells = [cell(COLUMNS[0], COLUMNS[1]), cell(COLUMNS[1], COLUMNS[2]), rect.with_min_x(edge(COLUMNS[2]))];
    ui.is_rect_visible(rect).then_some(cells)
}

fn cell_ui(ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, rect: Rect, contents: impl FnOnce(&mut Ui)) {
    let builder = UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::left_to_right(Align::Center));
    contents(&mut ui.new_child(builder));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use twopc_proto::{CommittedString, TxnId, UserName};

    use super::*;

    fn row(name: &str, acknowledged: bool, retrying: bool, here: bool) -> BallotRow {
        let vote = Some((Decision::Commit, None));
        BallotRow { user: UserName::parse(name).unwrap(), here, vote, acknowledged, retrying }
    }

    #[test]
    fn it_says_who_has_acknowledged_and_who_is_told_again() {
        let mut ballot = BallotView {
            txn: TxnId::parse("chair.1.6").unwrap(),
            string: CommittedString::parse("Oops").unwrap(),
            state: State::Commit,
            deadline: None,
            timeout: Duration::from_secs(20),
            rows: vec![row("alice", true, false, true), row("bob", false, true, false), row("carol", true, false, true)],
            why: None,
            done: false,
            trouble: None,
        };
        assert_eq!(acknowledged(&ballot), "2 of 3, retrying bob (offline)");
        assert_eq!(heard(&ballot, &ballot.rows[0]), "acknowledged");
        assert_eq!(heard(&ballot, &ballot.rows[1]), "retrying (offline)");
        ballot.state = State::Wait;
        assert_eq!(acknowledged(&ballot), "3 of 3 voted");
        assert_eq!(heard(&ballot, &ballot.rows[1]), "offline");
    }
}
