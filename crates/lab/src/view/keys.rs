//! The keys: each does what a button does.
//!
//! While somebody types into a field, every key but Escape is the field's. Deliberately absent: the keys
//! that the diagram takes for itself when it has the focus.

mod escape;

use egui::{Key, Ui};
use twopc_proto::bench::Command;

use super::{Desk, Shown, Tab, Wish, bench, can_steer, is_wide};
use crate::run::Deed;

const TABS: [Key; 6] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6];

/// Takes the keys that were pressed.
pub(super) fn take(ui: &Ui, shown: &Shown<'_>, desk: &mut Desk, wishes: &mut Vec<Wish>) {
    escape::take(ui, desk);
    let focused = ui.ctx().memory(egui::Memory::focused);
    if ui.ctx().text_edit_focused() {
        return;
    }
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    if ui.input(|input| input.key_pressed(Key::Questionmark)) {
        desk.shows_keys = !desk.shows_keys;
    }
    for (key, tab) in TABS.into_iter().zip(Tab::ALL) {
        // In a wide window the diagram is there anyway, beside whatever else is.
        if pressed(key) && !(is_wide(ui) && tab == Tab::Diagram) {
            desk.tab = tab;
        }
    }
    steer(shown, desk.rule.slow_ms(), &pressed, wishes);
    // What has the focus has the arrows and the space bar.
    if focused.is_some() {
        return;
    }
    for (key, wish) in [
        (Key::ArrowLeft, Wish::Step(-1)),
        (Key::ArrowRight, Wish::Step(1)),
        (Key::Space, Wish::Run(!shown.runs_on)),
        (Key::End, Wish::Seek(usize::MAX)),
    ] {
        if pressed(key) {
            wishes.push(wish);
        }
    }
}

fn steer(shown: &Shown<'_>, slow_ms: u64, pressed: &impl Fn(Key) -> bool, wishes: &mut Vec<Wish>) {
    if can_steer(shown).is_err() {
        return;
    }
    let moment = shown.watched.moment();
    // The same key takes it back.
    if pressed(Key::H) {
        wishes.push(Wish::Do(Deed::Rules { rules: bench::hold_all(moment) }));
    }
    if pressed(Key::S) {
        wishes.push(Wish::Do(Deed::Rules { rules: bench::slow_motion(moment, slow_ms) }));
    }
    if pressed(Key::N)
        && let Some(seq) = moment.held.keys().next()
    {
        wishes.push(Wish::Do(Deed::Bench { command: Command::Deliver { seq: *seq } }));
    }
    if pressed(Key::R) && !moment.held.is_empty() {
        wishes.push(Wish::Do(Deed::Bench { command: Command::Release }));
    }
}
