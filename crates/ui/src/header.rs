//! The top of a window: where the connection stands, the most urgent state, and the way in and out.

use std::time::Instant;

use egui::{Align, Label, Layout, Rect, RichText, Sense, Stroke, Ui, UiBuilder, vec2};
use twopc_proto::text::Shown;
use twopc_runner::snapshot::{Action, Link, Snapshot};

use crate::button::button_ui;
use crate::countdown;
use crate::draft::Draft;
use crate::login::{is_asked, login_action, login_ui};
use crate::mark::{self, Chip, Mark, chip_ui};
use crate::palette::Palette;
use crate::text::{error_ui, line_ui};
use crate::theme::{BUTTON, CONTROL, SWITCH, UNIT, main_button, side_button, theme_switch_ui};

/// The theme's switch, `Login` and `Quit`, with the space between them.
const BUTTONS: f32 = SWITCH + UNIT + WAYS;
/// `Login` and `Quit`.
const WAYS: f32 = BUTTON + UNIT + BUTTON;
/// With less than this for the relay's line, the chip and the buttons go under it.
const RELAY: f32 = 30.0 * UNIT;

/// The head of both windows: the connection, the state, what is wrong, and the login until the person
/// has been let in. Adds what was pressed to `actions`.
pub fn head_ui<V, P>(ui: &mut Ui, snapshot: &Snapshot<V>, draft: &mut Draft, chip: Chip, now: Instant, actions: &mut Vec<Action<P>>) {
    let why_not = login_action::<V, P>(snapshot, draft).err();
    let pressed = top_ui(ui, snapshot, chip, why_not.as_deref().map_or(Ok(()), Err), now);
    troubles_ui(ui, snapshot);
    let entered = is_asked(snapshot) && login_ui(ui, snapshot, draft);
    if pressed.login || entered {
        actions.extend(login_action(snapshot, draft).ok());
    }
    if pressed.quit {
        actions.push(Action::Quit);
    }
}

#[derive(Clone, Copy)]
struct Pressed {
    login: bool,
    quit: bool,
}

fn top_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>, chip: Chip, can_login: Result<(), &str>, now: Instant) -> Pressed {
    let width = ui.available_width();
    let state = chip.width(ui);
    let relay = width - state - BUTTONS - 2.0 * UNIT;
    if relay >= RELAY {
        row_ui(ui, |ui| {
            cell_ui(ui, relay, |ui| relay_ui(ui, snapshot, now));
            cell_ui(ui, state, |ui| drop(chip_ui(ui, chip.mark)));
            theme_switch_ui(ui);
            ways_ui(ui, can_login)
        })
    } else {
        row_ui(ui, |ui| {
            cell_ui(ui, width - SWITCH - UNIT, |ui| relay_ui(ui, snapshot, now));
            theme_switch_ui(ui);
        });
        row_ui(ui, |ui| {
            cell_ui(ui, width - WAYS - UNIT, |ui| drop(chip_ui(ui, chip.mark)));
            ways_ui(ui, can_login)
        })
    }
}

/// What is wrong with the node as a whole: why it has stopped, and what else the person should know.
fn troubles_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>) {
    if let Some(sentence) = &snapshot.stopped {
        error_ui(ui, sentence);
    } else if snapshot.link == Link::Replaced {
        error_ui(ui, "This name logged in from another window, which goes on in its place. You can close this one.");
    }
    for warning in snapshot.warnings.iter().rev().take(3) {
        error_ui(ui, warning);
    }
    if snapshot.warnings.len() > 3 {
        let earlier: Vec<&str> = snapshot.warnings.iter().rev().skip(3).map(String::as_str).collect();
        ui.weak(format!("and {} earlier", earlier.len())).on_hover_text(earlier.join("\n"));
    }
}

fn row_ui<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    ui.allocate_ui_with_layout(vec2(ui.available_width(), CONTROL), Layout::left_to_right(Align::Center), contents).inner
}

/// A place of a width of its own, whatever stands in it.
fn cell_ui(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, CONTROL), Sense::hover());
    let salt = ui.next_auto_id();
    contents(&mut ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::left_to_right(Align::Center))));
}

fn ways_ui(ui: &mut Ui, can_login: Result<(), &str>) -> Pressed {
    let login = if can_login.is_ok() { main_button(ui, "Login") } else { side_button("Login") };
    Pressed { login: button_ui(ui, can_login, login).clicked(), quit: button_ui(ui, Ok(()), side_button("Quit")).clicked() }
}

/// `● Relay: connected · 127.0.0.1:1337 as alice`, and why where it is not.
fn relay_ui<V>(ui: &mut Ui, snapshot: &Snapshot<V>, now: Instant) {
    let (rect, _) = ui.allocate_exact_size(vec2(2.0 * UNIT, 2.0 * UNIT), Sense::hover());
    dot(ui, rect, &snapshot.link);
    let mut label = ui.add(Label::new(relay_words(&snapshot.link, now)).truncate());
    mark::announce(&label);
    if let Link::Reconnecting { at, why } = &snapshot.link {
        label = label.on_hover_text(why);
        let left = countdown::left(*at, now);
        if !left.is_zero() {
            ui.ctx().request_repaint_after(left.min(std::time::Duration::from_secs(1)));
        }
    }
    let place = match (&snapshot.user, &snapshot.link) {
        (Some(user), Link::Connected) => format!("· {} as {user}", snapshot.relay),
        _ => format!("· {}", snapshot.relay),
    };
    if ui.available_width() > 6.0 * UNIT {
        line_ui(ui, &place, RichText::weak)
            .on_hover_text(format!("The files are in {}", Shown::new(&snapshot.data_dir.display().to_string())));
    }
    drop(label);
}

/// What the label says; it always begins with `Relay: `.
fn relay_words(link: &Link, now: Instant) -> String {
    match link {
        Link::Offline => String::from("Relay: not connected"),
        Link::Connecting => String::from("Relay: connecting"),
        Link::Asking { .. } => String::from("Relay: asks for a name"),
        Link::Connected => String::from("Relay: connected"),
        Link::Reconnecting { at, .. } => match countdown::seconds(countdown::left(*at, now)) {
            0 => String::from("Relay: reconnecting"),
            seconds => format!("Relay: reconnecting in {seconds} s"),
        },
        Link::Replaced => String::from("Relay: taken over"),
    }
}

/// A full dot for a connection, a hollow one for none, a quarter for one being made.
fn dot(ui: &Ui, rect: Rect, link: &Link) {
    let palette = Palette::of(ui.visuals());
    match link {
        Link::Connected => {
            ui.painter().circle_filled(rect.center(), 6.0, palette.green);
        }
        Link::Connecting | Link::Asking { .. } => Mark::Wait.paint(ui.painter(), rect.center(), 6.0, palette),
        Link::Offline | Link::Reconnecting { .. } | Link::Replaced => {
            ui.painter().circle_stroke(rect.center(), 5.0, Stroke::new(2.0, palette.grey));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_relays_label_says_where_the_connection_stands() {
        let now = Instant::now();
        let reconnecting = |left| Link::Reconnecting { at: now + Duration::from_millis(left), why: String::from("refused") };
        for (link, words) in [
            (Link::Offline, "Relay: not connected"),
            (Link::Connecting, "Relay: connecting"),
            (Link::Asking { question: String::from("?") }, "Relay: asks for a name"),
            (Link::Connected, "Relay: connected"),
            (reconnecting(2_000), "Relay: reconnecting in 2 s"),
            (reconnecting(0), "Relay: reconnecting"),
            (Link::Replaced, "Relay: taken over"),
        ] {
            assert_eq!(relay_words(&link, now), words);
        }
    }
}
