//! The coordinator's window as a function: of the last snapshot and of what is being typed, to what
//! the person did.
//!
//! Deliberately absent: a network, a file, a clock of its own. It is drawn the same in a test.

use std::time::Instant;

use egui::{Key, Modifiers, Ui, vec2};
use twopc_proto::CommittedString;
use twopc_proto::text::proposal;
use twopc_runner::snapshot::{Action, CoordinatorPress, CoordinatorView, Snapshot};
use twopc_ui::composer::{can_send, composer_ui};
use twopc_ui::header::head_ui;
use twopc_ui::layout::{Half, Halves, Part, halves_ui, window_ui};
use twopc_ui::login::{is_asked, login_action};
use twopc_ui::messages::{Reading, messages_ui};
use twopc_ui::room::room_ui;
use twopc_ui::text::capitalised;
use twopc_ui::theme::{ROW, UNIT};
use twopc_ui::{Chip, Draft, Mark};

use crate::proposal::{proposal_ui, request};
use crate::votes::votes_ui;

/// The height of the pane of people: four of them, and its heading. More of them scroll, and fewer
/// where the conversation would not have more.
const PEOPLE: f32 = 4.0 * ROW + 7.0 * UNIT;

/// What this window lets a person type.
#[derive(Clone, Debug)]
pub struct Typed {
    /// What both windows have.
    pub draft: Draft,
    /// The vote's timeout, in seconds.
    pub timeout: String,
}

/// Draws the window.
pub fn view(ui: &mut Ui, snapshot: &Snapshot<CoordinatorView>, typed: &mut Typed, now: Instant) -> Vec<Action<CoordinatorPress>> {
    let mut actions = Vec::new();
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter)) {
        actions.extend(main_action(snapshot, typed));
    }
    window_ui(ui, |ui, part| match part {
        Part::Head => head_ui(ui, snapshot, &mut typed.draft, chip(&snapshot.role), now, &mut actions),
        Part::Middle => {
            let right = (ui.available_width() * 0.48).clamp(47.0 * UNIT, 80.0 * UNIT);
            let stacked = [16.0 * UNIT + UNIT + PEOPLE, 12.0 * UNIT + 30.0 * UNIT];
            // A row of the table has no room in half of a narrow window.
            let halves = Halves { right, stacked, narrowest: f32::INFINITY };
            halves_ui(ui, halves, |ui, half| match half {
                Half::First => {
                    let empty = if is_asked(snapshot) {
                        format!("Press Login to join the room at {}.", snapshot.relay)
                    } else {
                        String::from("Nothing has been said yet. Send a line that begins with string: to propose it.")
                    };
                    left_ui(ui, snapshot, &mut typed.draft.reading, &empty);
                }
                Half::Second => right_ui(ui, snapshot, typed, now, &mut actions),
            });
        }
        Part::Foot => {
            let is_main = !is_asked(snapshot) && request(snapshot, typed).is_err();
            let (can, problem) = (can_say(snapshot, &typed.draft.message), flaw(&typed.draft.message));
            let said = composer_ui(ui, &mut typed.draft, can, problem, is_main);
            actions.extend(said.map(Action::Say));
        }
    });
    actions
}

/// The conversation, and under it those who have it.
fn left_ui(ui: &mut Ui, snapshot: &Snapshot<CoordinatorView>, reading: &mut Reading, empty: &str) {
    let people = PEOPLE.min(0.5 * ui.available_height());
    let messages = vec2(ui.available_width(), ui.available_height() - people - UNIT);
    ui.allocate_ui_with_layout(messages, *ui.layout(), |ui| {
        ui.set_min_size(messages);
        messages_ui(ui, &snapshot.messages, &[], reading, empty);
    });
    room_ui(ui, &snapshot.room);
}

/// The next vote, and under it the last ones.
fn right_ui(
    ui: &mut Ui,
    snapshot: &Snapshot<CoordinatorView>,
    typed: &mut Typed,
    now: Instant,
    actions: &mut Vec<Action<CoordinatorPress>>,
) {
    proposal_ui(ui, snapshot, typed, actions);
    votes_ui(ui, &snapshot.role, now);
}

/// Whether the line could be sent now, else why not.
fn can_say(snapshot: &Snapshot<CoordinatorView>, message: &str) -> Result<(), &'static str> {
    match proposal(message) {
        Some("") => Err("Write the string to be stored after the colon."),
        Some(_) | None => can_send(snapshot),
    }
}

/// What is wrong with a line that is meant as a proposal.
fn flaw(message: &str) -> Option<String> {
    let string = proposal(message)?;
    let error = CommittedString::parse(string).err()?;
    // The person may be in the middle of typing it.
    (!string.is_empty()).then(|| format!("{}.", capitalised(&error.to_string())))
}

/// What the main button would do, for Ctrl Enter.
fn main_action(snapshot: &Snapshot<CoordinatorView>, typed: &mut Typed) -> Option<Action<CoordinatorPress>> {
    if is_asked(snapshot) {
        return login_action(snapshot, &typed.draft).ok();
    }
    if let Ok(press) = request(snapshot, typed) {
        return Some(Action::Press(press));
    }
    let message = &mut typed.draft.message;
    let says_something = !message.trim().is_empty() && flaw(message).is_none();
    (says_something && can_say(snapshot, message).is_ok()).then(|| Action::Say(std::mem::take(message)))
}

/// The newest vote's state.
fn chip(view: &CoordinatorView) -> Chip {
    let mark = view.ballots.first().map_or(Mark::Init, |ballot| ballot.state.into());
    Chip { mark, among: &[Mark::Init, Mark::Wait, Mark::Commit, Mark::Abort] }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
