//! What the next vote would be about, how long it may take, and `Request`.

use egui::accesskit::Role;
use egui::{Align, Label, Layout, RichText, TextEdit, TextStyle, Ui, vec2};
use twopc_runner::cli::seconds;
use twopc_runner::snapshot::{Action, CoordinatorPress, CoordinatorView, Snapshot};
use twopc_ui::button::button_ui;
use twopc_ui::field::field_ui;
use twopc_ui::pane::pane_ui;
use twopc_ui::text::{error_ui, line_ui, quoted};
use twopc_ui::theme::{CONTROL, UNIT, main_button, side_button};

use crate::view::Typed;

/// What **Request** would ask for now.
///
/// # Errors
/// What it waits for: a sentence for who points at the button.
pub(crate) fn request(snapshot: &Snapshot<CoordinatorView>, typed: &Typed) -> Result<CoordinatorPress, String> {
    if snapshot.stopped.is_some() {
        return Err(String::from("This program has stopped."));
    }
    snapshot.role.can_request.clone()?;
    let vote_timeout = seconds(&typed.timeout).map_err(|_| String::from("Correct the vote timeout first."))?;
    Ok(CoordinatorPress::Request { vote_timeout })
}

/// The pane `Proposal`.
pub(crate) fn proposal_ui(
    ui: &mut Ui,
    snapshot: &Snapshot<CoordinatorView>,
    typed: &mut Typed,
    actions: &mut Vec<Action<CoordinatorPress>>,
) {
    let proposed = |ui: &mut Ui| match &snapshot.role.proposal {
        Some(string) => drop(line_ui(ui, &quoted(string.as_str()), |words| words.text_style(TextStyle::Heading))),
        None => drop(line_ui(ui, "Send a line that begins with string:", RichText::weak)),
    };
    pane_ui(ui, "Proposal", Role::Group, proposed, |ui| {
        let request = request(snapshot, typed);
        ui.allocate_ui_with_layout(vec2(ui.available_width(), CONTROL), Layout::left_to_right(Align::Center), |ui| {
            timeout_ui(ui, &mut typed.timeout);
            let button = 11.0 * UNIT;
            ui.add_space((ui.available_width() - button).max(0.0));
            let look = if request.is_ok() { main_button(ui, "Request") } else { side_button("Request") };
            let can = request.as_ref().map(|_| ()).map_err(String::as_str);
            if button_ui(ui, can, look.min_size(vec2(button, CONTROL))).clicked() {
                actions.extend(request.clone().ok().map(Action::Press));
            }
        });
        if let Err(why) = seconds(&typed.timeout) {
            error_ui(ui, &why);
        }
    });
}

fn timeout_ui(ui: &mut Ui, timeout: &mut String) {
    let label = ui.add(Label::new("Vote timeout").extend());
    field_ui(ui, TextEdit::singleline(timeout).id_salt("timeout").char_limit(12), 8.0 * UNIT).labelled_by(label.id);
    ui.add(Label::new("s").extend());
}
