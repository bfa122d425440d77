//! The participant's window as a function: of the last snapshot and of what is being typed, to what
//! the person did.
//!
//! Deliberately absent: a network, a file, a clock of its own. It is drawn the same in a test.

use std::time::Instant;

use egui::{Key, Modifiers, Ui};
use twopc_runner::snapshot::{Action, ParticipantPress, ParticipantView, Snapshot};
use twopc_ui::composer::{can_send, composer_ui};
use twopc_ui::header::head_ui;
use twopc_ui::layout::{BESIDE, Half, Halves, Part, halves_ui, window_ui};
use twopc_ui::login::{is_asked, login_action};
use twopc_ui::messages::messages_ui;
use twopc_ui::theme::UNIT;
use twopc_ui::{Chip, Draft, Mark};

use crate::strings::strings_ui;
use crate::vote::{band_ui, mark_of, votable};

/// Draws the window.
pub fn view(ui: &mut Ui, snapshot: &Snapshot<ParticipantView>, draft: &mut Draft, now: Instant) -> Vec<Action<ParticipantPress>> {
    let mut actions = Vec::new();
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter)) {
        actions.extend(main_action(snapshot, draft));
    }
    window_ui(ui, |ui, part| match part {
        Part::Head => head_ui(ui, snapshot, draft, chip(&snapshot.role), now, &mut actions),
        Part::Middle => {
            let width = ui.available_width();
            // In a narrow window no wider than its heading.
            let least = if width < BESIDE { 25.0 * UNIT } else { 35.0 * UNIT };
            let right = (width * 0.34).clamp(least, 60.0 * UNIT).min((width - UNIT) / 2.0);
            let halves = Halves { right, stacked: [18.0 * UNIT; 2], narrowest: 45.0 * UNIT };
            halves_ui(ui, halves, |ui, half| match half {
                Half::First => {
                    let empty = if is_asked(snapshot) { to_join(snapshot) } else { String::from("Nothing has been said yet.") };
                    messages_ui(ui, &snapshot.messages, &snapshot.room, &mut draft.reading, &empty);
                }
                Half::Second => strings_ui(ui, &snapshot.role.strings),
            });
        }
        Part::Foot => {
            band_ui(ui, snapshot, now, &mut actions);
            let is_main = !is_asked(snapshot) && votable(&snapshot.role).is_none();
            let said = composer_ui(ui, draft, can_send(snapshot), None, is_main);
            actions.extend(said.map(Action::Say));
        }
    });
    actions
}

/// What the main button would do, for Ctrl Enter.
fn main_action(snapshot: &Snapshot<ParticipantView>, draft: &mut Draft) -> Option<Action<ParticipantPress>> {
    if is_asked(snapshot) {
        login_action(snapshot, draft).ok()
    } else if let Some(vote) = votable(&snapshot.role) {
        Some(Action::Press(ParticipantPress::Commit(vote.txn.clone())))
    } else {
        let can_say = can_send(snapshot).is_ok() && !draft.message.trim().is_empty();
        can_say.then(|| Action::Say(std::mem::take(&mut draft.message)))
    }
}

fn chip(view: &ParticipantView) -> Chip {
    Chip { mark: most_urgent(view), among: &[Mark::Init, Mark::Ready, Mark::InDoubt, Mark::Blocked, Mark::Commit, Mark::Abort] }
}

/// The chip's state: of all that is open the one that needs somebody most, else how the last ended.
fn most_urgent(view: &ParticipantView) -> Mark {
    let urgency = |mark: &Mark| match mark {
        Mark::Init => 0,
        Mark::Blocked => 1,
        Mark::InDoubt => 2,
        Mark::Ready => 3,
        Mark::Wait | Mark::Commit | Mark::Abort => 4,
    };
    let open = view.votes.iter().map(mark_of).min_by_key(urgency);
    open.or_else(|| view.settled.last().map(|last| last.decision.into())).unwrap_or(Mark::Init)
}

fn to_join(snapshot: &Snapshot<ParticipantView>) -> String {
    format!("Press Login to join the room at {}.", snapshot.relay)
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
