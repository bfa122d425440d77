//! The field in which a line is written, and `Send`.

use egui::{Label, TextEdit, Ui};
use twopc_proto::text::is_one_line;
use twopc_runner::snapshot::{Link, Snapshot};

use crate::button::button_ui;
use crate::draft::Draft;
use crate::field::{field_ui, is_entered};
use crate::text::error_ui;
use crate::theme::{BUTTON, UNIT, main_button, side_button};

/// The most bytes of a line: a frame's body has 64 KiB, and the time stands before the text.
const LONGEST: usize = 64 * 1024 - 32;

/// The field `Message` and the button `Send`. Gives what is to be said, and empties the field.
///
/// `can` is why nothing can be sent at all; `problem` what is wrong with this text beyond what is
/// wrong with any. `is_main`: nothing else in the window is more likely to be pressed.
pub fn composer_ui(ui: &mut Ui, draft: &mut Draft, can: Result<(), &str>, problem: Option<String>, is_main: bool) -> Option<String> {
    let text = &mut draft.message;
    let problem = problem.or_else(|| flaw(text).map(str::to_owned));
    if let Some(problem) = &problem {
        error_ui(ui, problem);
    }
    let can_write = can.is_ok();
    let can = match &problem {
        Some(problem) => Err(problem.as_str()),
        None if text.trim().is_empty() => can.and(Err("Write a message first.")),
        None => can,
    };
    let mut sent = false;
    ui.horizontal(|ui| {
        let label = ui.add(Label::new("Message").extend());
        let width = (ui.available_width() - BUTTON - UNIT).max(BUTTON);
        let edit = TextEdit::singleline(text).id_salt("message").char_limit(LONGEST + 1);
        let field = field_ui(ui, edit, width).labelled_by(label.id);
        let entered = is_entered(ui, &field);
        let button = if is_main && can.is_ok() { main_button(ui, "Send") } else { side_button("Send") };
        let pressed = button_ui(ui, can, button).clicked();
        sent = pressed || (entered && can.is_ok());
        // Whoever has just been let in can write at once.
        let is_new = can_write && !std::mem::replace(&mut draft.was_in, true);
        if sent || entered || is_new {
            field.request_focus();
        }
    });
    sent.then(|| std::mem::take(&mut draft.message))
}

/// Whether a line could be sent now, else why not.
///
/// # Errors
/// A sentence for who points at `Send`.
pub fn can_send<V>(snapshot: &Snapshot<V>) -> Result<(), &'static str> {
    if snapshot.stopped.is_some() {
        return Err("This program has stopped.");
    }
    match snapshot.link {
        Link::Connected => Ok(()),
        Link::Offline | Link::Connecting | Link::Asking { .. } => Err("Log in first."),
        Link::Reconnecting { .. } => Err("The relay is gone; what you write stays here until it is back."),
        Link::Replaced => Err("Another window has taken over this name."),
    }
}

/// What is wrong with a line, whoever says it.
fn flaw(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        Some("The message is longer than 64 KiB; please shorten it.")
    } else if !is_one_line(text) {
        Some("The message has a line break or another control character in it; please take it out.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_the_relay_would_refuse_is_not_sent() {
        assert_eq!(flaw("hello\tthere"), None);
        assert_eq!(flaw(&"x".repeat(LONGEST)), None);
        assert!(flaw(&"x".repeat(LONGEST + 1)).unwrap().contains("64 KiB"));
        for bad in ["a\nb", "a\u{7}b", "a\u{2028}b"] {
            assert!(flaw(bad).unwrap().contains("control character"), "{bad:?}");
        }
    }
}
