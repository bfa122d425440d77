//! Before the room: the relay's address, its question, the name, and why an answer was refused.

use egui::accesskit::Role;
use egui::{Align, Frame, Label, Layout, Margin, Response, RichText, Stroke, TextEdit, Ui, UiBuilder, vec2};
use twopc_proto::text::Shown;
use twopc_runner::snapshot::{Action, Link, Snapshot};

use crate::draft::Draft;
use crate::field::{field_ui, is_entered};
use crate::palette::Palette;
use crate::text::{capitalised, error_ui};
use crate::theme::{CONTROL, UNIT};

/// The width of the column of labels.
const LABELS: f32 = 13.0 * UNIT;
/// No address or name needs a wider field.
const WIDEST_FIELD: f32 = 44.0 * UNIT;
/// More than any address or name has; a paste by accident ends here.
const LONGEST_ENTRY: usize = 300;
/// The relay's question is a line or two.
const LONGEST_QUESTION: usize = 300;

/// What **Login** does now; `Err` says why it does nothing.
///
/// # Errors
/// A sentence for who points at the button.
pub fn login_action<V, P>(snapshot: &Snapshot<V>, draft: &Draft) -> Result<Action<P>, String> {
    if snapshot.stopped.is_some() {
        return Err(String::from("This program has stopped. Close the window, and start it again."));
    }
    let address = draft.address.trim();
    match &snapshot.link {
        Link::Offline | Link::Asking { .. } | Link::Reconnecting { .. } if address.is_empty() => {
            Err(String::from("Write the relay's address first, such as 127.0.0.1:1337."))
        }
        Link::Offline | Link::Reconnecting { .. } => Ok(Action::Login { address: address.to_owned() }),
        Link::Asking { .. } if address != snapshot.relay => Ok(Action::Login { address: address.to_owned() }),
        Link::Asking { .. } if draft.name.trim().is_empty() => Err(String::from("Write a user name first.")),
        Link::Asking { .. } => Ok(Action::GiveName(draft.name.trim().to_owned())),
        Link::Connecting => Err(format!("The relay at {} is being reached.", snapshot.relay)),
        Link::Connected => Err(match &snapshot.user {
            Some(user) => format!("You are logged in as {user}."),
            None => String::from("You are logged in."),
        }),
        Link::Replaced => Err(String::from("Another window has taken over this name. Close this one.")),
    }
}

/// Whether there is something to log in with: the person has not been let in yet.
#[must_use]
pub fn is_asked<V>(snapshot: &Snapshot<V>) -> bool {
    if snapshot.stopped.is_some() {
        return false;
    }
    match snapshot.link {
        Link::Offline | Link::Asking { .. } => true,
        Link::Connecting | Link::Reconnecting { .. } => snapshot.user.is_none(),
        Link::Connected | Link::Replaced => false,
    }
}

/// The fields `Relay address` and, once the relay has asked, `User name`. True if Enter was pressed in
/// one of them.
pub fn login_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>, draft: &mut Draft) -> bool {
    let palette = Palette::of(ui.visuals());
    let frame =
        Frame::new().fill(palette.surface).stroke(Stroke::new(1.0, palette.line)).corner_radius(8.0).inner_margin(Margin::symmetric(12, 8));
    let builder = UiBuilder::new().id_salt("login").accessibility_label("Log in").accessibility_role(Role::Form);
    let mut entered = false;
    ui.scope_builder(builder, |ui| {
        frame.show(ui, |ui| {
            ui.take_available_width();
            ui.add_enabled_ui(snapshot.link != Link::Connecting, |ui| entered = fields_ui(ui, snapshot, draft));
        });
    });
    entered
}

fn fields_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>, draft: &mut Draft) -> bool {
    let Link::Asking { question } = &snapshot.link else {
        draft.was_asked = false;
        let field = named_field_ui(ui, "Relay address", &mut draft.address);
        below_ui(ui, snapshot);
        return is_entered(ui, &field);
    };
    let question = Shown::new(question).at_most(LONGEST_QUESTION).to_string();
    ui.add(Label::new(question).wrap());
    let name = named_field_ui(ui, "User name", &mut draft.name);
    if !std::mem::replace(&mut draft.was_asked, true) {
        name.request_focus();
    }
    below_ui(ui, snapshot);
    let address = named_field_ui(ui, "Relay address", &mut draft.address);
    is_entered(ui, &name) || is_entered(ui, &address)
}

/// A label, and beside it the field that it names.
fn named_field_ui(ui: &mut Ui, name: &'static str, text: &mut String) -> Response {
    let row = ui.horizontal(|ui| {
        let label = ui.allocate_ui_with_layout(vec2(LABELS, CONTROL), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(LABELS);
            ui.add(Label::new(name).extend())
        });
        let width = ui.available_width().min(WIDEST_FIELD);
        field_ui(ui, TextEdit::singleline(text).id_salt(name).char_limit(LONGEST_ENTRY), width).labelled_by(label.inner.id)
    });
    row.inner
}

/// Under the field that it is about: why the last attempt failed, or that one is being made.
fn below_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>) {
    match (&snapshot.refusal, &snapshot.link) {
        (Some(refusal), _) => drop(error_ui(ui, refusal)),
        (None, Link::Reconnecting { why, .. }) => {
            error_ui(ui, &format!("{}. It is tried again by itself; correct the address if it is wrong.", capitalised(why)));
        }
        (None, Link::Connecting) => drop(ui.label(RichText::new("Reaching the relay …").weak())),
        (None, Link::Offline | Link::Asking { .. } | Link::Connected | Link::Replaced) => {}
    }
}
