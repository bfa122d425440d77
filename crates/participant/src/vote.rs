//! The band of votes: what a person is asked, the countdown, the doubt and what would end it, and
//! for a few seconds how it ended.

use std::time::{Duration, Instant};

use egui::{Align, Frame, Label, Layout, Margin, RichText, ScrollArea, Stroke, TextStyle, Ui, vec2};
use twopc_proto::{Decision, State, UserName};
use twopc_runner::snapshot::{Action, Link, ParticipantPress, ParticipantView, SettledView, Snapshot, VoteView};
use twopc_ui::button::button_ui;
use twopc_ui::countdown::{bar_ui, left, time_left_ui};
use twopc_ui::doubt::Doubt;
use twopc_ui::mark::{announce, mark_ui};
use twopc_ui::sight::scrolled_ui;
use twopc_ui::text::{error_ui, line_ui, quoted, width};
use twopc_ui::theme::{CONTROL, ROW, UNIT, main_button, side_button};
use twopc_ui::{Mark, Palette};

/// How long an outcome stands in the band.
const OUTCOME: Duration = Duration::from_secs(8);
/// `Commit`, `Abort` and `Ask status`, with the space between them.
const BUTTONS: f32 = VOTE + UNIT + VOTE + UNIT + ASK;
/// Wide enough for `Commit`, and for `Abort` to be as easily hit.
const VOTE: f32 = 11.0 * UNIT;
/// Wide enough for `Ask status`.
const ASK: f32 = 14.0 * UNIT;
/// Lower than this, a window has no room for two things at once.
const HIGH: f32 = 50.0 * UNIT;
/// What the rest of a window takes of its height at least.
const REST: f32 = 25.0 * UNIT;
/// Narrower than this, the buttons go under the question.
const BESIDE: f32 = 70.0 * UNIT;
/// The place of `Time left: 14 s`.
const TIME: f32 = 15.0 * UNIT;

/// The oldest vote that waits for this person.
pub(crate) fn votable(view: &ParticipantView) -> Option<&VoteView> {
    view.votes.iter().find(|vote| vote.can_vote.is_ok())
}

/// How an open transaction is marked.
pub(crate) fn mark_of(vote: &VoteView) -> Mark {
    match (&vote.doubt, vote.state) {
        (Some(doubt), State::Ready) if doubt.blocked => Mark::Blocked,
        (Some(doubt), State::Ready) if doubt.asked_at.is_some() => Mark::InDoubt,
        (_, state) => state.into(),
    }
}

/// All that there is to decide or to explain, oldest first; nothing at all where there is nothing.
pub(crate) fn band_ui(ui: &mut Ui, snapshot: &Snapshot<ParticipantView>, now: Instant, actions: &mut Vec<Action<ParticipantPress>>) {
    let view = &snapshot.role;
    // In a low window what is asked now needs the room of what was decided before.
    let height = ui.ctx().content_rect().height();
    let has_room = height >= HIGH || view.votes.is_empty();
    let is_fresh = |settled: &&SettledView| has_room && now.saturating_duration_since(settled.at) < OUTCOME;
    let fresh: Vec<&SettledView> = view.settled.iter().filter(is_fresh).collect();
    if view.votes.is_empty() && fresh.is_empty() {
        return;
    }
    let palette = Palette::of(ui.visuals());
    let frame = Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.outline))
        .corner_radius(8.0)
        .inner_margin(Margin::symmetric(12, 8));
    frame.show(ui, |ui| {
        // A third of the window; in a low one more, as far as the rest can spare it.
        let most = (height * 0.34).max(20.0 * UNIT).min((height - REST).max(12.0 * UNIT));
        scrolled_ui(ui, ScrollArea::vertical().id_salt("votes").auto_shrink([false, true]).max_height(most), |ui| {
            // As high as one vote, so that nothing moves when a vote is settled.
            ui.set_min_height(CONTROL + UNIT / 2.0 + ROW);
            ui.spacing_mut().item_spacing.y = UNIT / 2.0;
            let is_connected = snapshot.link == Link::Connected;
            let is_alone = fresh.len() == 1 && view.votes.is_empty();
            for settled in fresh {
                settled_ui(ui, settled, is_alone);
                ui.ctx().request_repaint_after((settled.at + OUTCOME).saturating_duration_since(now));
            }
            for (index, vote) in view.votes.iter().enumerate() {
                if index > 0 {
                    ui.separator();
                }
                ui.push_id(&vote.txn, |ui| vote_ui(ui, vote, is_connected, now, actions));
            }
        });
    });
}

fn vote_ui(ui: &mut Ui, vote: &VoteView, is_connected: bool, now: Instant, actions: &mut Vec<Action<ParticipantPress>>) {
    if ui.available_width() >= BESIDE {
        row_ui(ui, CONTROL, |ui| {
            let width = ui.available_width() - BUTTONS - UNIT;
            ui.allocate_ui_with_layout(vec2(width, CONTROL), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(width);
                question_ui(ui, vote);
            });
            buttons_ui(ui, vote, actions);
        });
    } else {
        row_ui(ui, CONTROL, |ui| question_ui(ui, vote));
        row_ui(ui, CONTROL, |ui| buttons_ui(ui, vote, actions));
    }
    // Who has asked before the time was over wants to know what came of it, and not how late it is.
    match vote.deadline.filter(|_| !is_overdue(vote)) {
        Some(deadline) => row_ui(ui, ROW, |ui| {
            let width = ui.available_width() - TIME - UNIT;
            ui.allocate_ui_with_layout(vec2(width, UNIT), Layout::left_to_right(Align::Center), |ui| {
                bar_ui(ui, left(deadline, now), vote.timeout);
            });
            time_left_ui(ui, left(deadline, now));
        }),
        None => explanation_ui(ui, vote, is_connected, now),
    }
    if let Some(trouble) = &vote.trouble {
        error_ui(ui, trouble);
    }
}

fn row_ui(ui: &mut Ui, height: f32, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::left_to_right(Align::Center), contents);
}

/// What it is about, and who asks whom; while the disk is at work, what it writes.
fn question_ui(ui: &mut Ui, vote: &VoteView) {
    mark_ui(ui, mark_of(vote));
    let string = quoted(vote.string.as_str());
    let question = match vote.state {
        State::Init | State::Wait => format!("Store {string}?"),
        State::Ready if is_overdue(vote) => format!("In doubt about {string}"),
        State::Ready => format!("You voted commit on {string}"),
        State::Commit => format!("Storing {string}"),
        State::Abort => format!("Aborting {string}"),
    };
    let names: Vec<&str> = vote.participants.iter().map(UserName::as_str).collect();
    let asks = match vote.writing {
        Some(writing) => writing.to_owned(),
        None => format!("{} asks {}", vote.txn.coordinator(), names.join(", ")),
    };
    let rest = ui.available_width();
    // The string has the row to itself if it needs it; the names have what it leaves.
    ui.scope(|ui| {
        ui.set_max_width(rest);
        line_ui(ui, &question, |words| words.text_style(TextStyle::Heading));
    });
    if ui.available_width() > 8.0 * UNIT {
        line_ui(ui, &asks, RichText::weak).on_hover_text(format!("Transaction {}", vote.txn));
    }
}

fn buttons_ui(ui: &mut Ui, vote: &VoteView, actions: &mut Vec<Action<ParticipantPress>>) {
    let commit = if vote.can_vote.is_ok() { main_button(ui, "Commit") } else { side_button("Commit") };
    let about = quoted(vote.string.as_str());
    let mut press = |ui: &mut Ui, can: Result<(), &str>, button, press: ParticipantPress| {
        let response = button_ui(ui, can, button);
        if can.is_ok() {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(about.clone()));
        }
        if response.clicked() {
            actions.push(Action::Press(press));
        }
    };
    press(ui, vote.can_vote, commit.min_size(vec2(VOTE, CONTROL)), ParticipantPress::Commit(vote.txn.clone()));
    press(ui, vote.can_vote, side_button("Abort").min_size(vec2(VOTE, CONTROL)), ParticipantPress::Abort(vote.txn.clone()));
    press(ui, vote.can_ask, side_button("Ask status").min_size(vec2(ASK, CONTROL)), ParticipantPress::AskStatus(vote.txn.clone()));
}

/// Where there is no countdown: what is being waited for.
fn explanation_ui(ui: &mut Ui, vote: &VoteView, is_connected: bool, now: Instant) {
    let words = match (&vote.doubt, vote.state) {
        (Some(doubt), State::Ready) => {
            // The seconds go on counting.
            ui.ctx().request_repaint_after(Duration::from_secs(1));
            Doubt::seen(doubt, is_connected, now).explanation("You")
        }
        (_, State::Commit | State::Abort) => String::from("The decision is known here; the disk is at work."),
        (_, State::Init | State::Wait | State::Ready) => String::from("The time to vote is over."),
    };
    ui.add(Label::new(words).wrap());
}

fn is_overdue(vote: &VoteView) -> bool {
    matches!(mark_of(vote), Mark::InDoubt | Mark::Blocked)
}

/// `● Committed “Hello”`, `✕ Aborted “Hello”: carol did not vote in time`. A string that leaves no room
/// for the reason has it below.
fn settled_ui(ui: &mut Ui, settled: &SettledView, is_alone: bool) {
    let (what, why) = settled_words(settled);
    let heading = |words: RichText| words.text_style(TextStyle::Heading);
    let room = ui.available_width() - 3.0 * UNIT;
    let (first, second) = match why {
        Some(why) if width(ui, &format!("{what}: {why}"), &TextStyle::Heading) <= room => (format!("{what}: {why}"), None),
        why => (what, why),
    };
    let height = if is_alone && second.is_none() { CONTROL + UNIT / 2.0 + ROW } else { CONTROL };
    row_ui(ui, height, |ui| {
        mark_ui(ui, settled.decision.into());
        announce(&line_ui(ui, &first, heading));
    });
    if let Some(why) = second {
        row_ui(ui, ROW, |ui| {
            ui.add_space(3.0 * UNIT);
            announce(&line_ui(ui, why, |words| words));
        });
    }
}

/// What was decided, and why if it was not what everybody wanted.
fn settled_words(settled: &SettledView) -> (String, Option<&str>) {
    let what = settled.string.as_ref().map_or_else(|| settled.txn.short(), |string| quoted(string.as_str()));
    match settled.decision {
        Decision::Commit => (format!("Committed {what}"), None),
        Decision::Abort => (format!("Aborted {what}"), settled.why.as_deref()),
    }
}
