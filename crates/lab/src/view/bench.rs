//! The message bench: rules for messages on their way, and what becomes of those that are kept.
//!
//! What is chosen is a line: hold all, slow motion, do this with these messages, cut this link. Deliberately absent: the messages' own words;
//! a rule looks at type, sender and receiver alone.

mod link;
mod rules;

use egui::{Button, ComboBox, DragValue, Label, Response, RichText, Ui, vec2};
use link::Link;
pub use rules::told;
pub(super) use rules::{hold_all, slow_motion};
use twopc_proto::bench::{Command, MOST_DELAY_MS, Rule, Then};
use twopc_proto::{MessageKind, UserName};
use twopc_ui::button::{button_ui, tick_ui};
use twopc_ui::pane::{empty_ui, scrolled_pane_ui};
use twopc_ui::theme::{CONTROL, UNIT, side_button};

use crate::run::{Deed, Moment};

/// How long a message takes at first, in milliseconds.
const SLOW: u64 = 1_000;

/// Narrower than this, a line of choices is two.
const NARROW: f32 = 84.0 * UNIT;

/// What is being chosen: a rule, a link to cut, how slow slow motion is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    kind: Option<MessageKind>,
    from: Option<UserName>,
    to: Option<UserName>,
    then: Doing,
    ms: u64,
    slow_ms: u64,
    /// How slow it was when it was last looked at, while slow motion was on.
    slow_known: Option<u64>,
    link: Link,
}

impl Default for Draft {
    fn default() -> Self {
        Self { kind: None, from: None, to: None, then: Doing::Hold, ms: SLOW, slow_ms: SLOW, slow_known: None, link: Link::default() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Hold,
    Drop,
    Delay,
}

impl Doing {
    const ALL: [Self; 3] = [Self::Hold, Self::Drop, Self::Delay];

    fn word(self) -> &'static str {
        match self {
            Self::Hold => "Hold",
            Self::Drop => "Drop",
            Self::Delay => "Delay",
        }
    }
}

impl Draft {
    /// How long a message is to take in slow motion, in milliseconds.
    pub(super) fn slow_ms(&self) -> u64 {
        self.slow_ms
    }

    fn rule(&self) -> Rule {
        let then = match self.then {
            Doing::Hold => Then::Hold,
            Doing::Drop => Then::Drop,
            Doing::Delay => Then::Delay { ms: self.ms },
        };
        Rule { path: self.kind.map(|kind| format!("/2pc/{kind}")), from: self.from.clone(), to: self.to.clone(), then }
    }
}

/// Every type that travels.
const KINDS: [MessageKind; 8] = [
    MessageKind::VoteRequest,
    MessageKind::VoteCommit,
    MessageKind::VoteAbort,
    MessageKind::GlobalCommit,
    MessageKind::GlobalAbort,
    MessageKind::Ack,
    MessageKind::DecisionRequest,
    MessageKind::DecisionReply,
];

/// Draws the bench. `can` says why nothing can be done now, if nothing can.
pub(super) fn bench_ui(ui: &mut Ui, moment: &Moment, people: &[UserName], draft: &mut Draft, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    scrolled_pane_ui(ui, "Messages on their way", |ui| {
        if let Err(why) = can {
            empty_ui(ui, why);
        }
        all_ui(ui, moment, can, deeds);
        slow_ui(ui, moment, draft, can, deeds);
        draft_ui(ui, moment, people, draft, can, deeds);
        link::link_ui(ui, moment, people, draft, can, deeds);
        rules_ui(ui, moment, can, deeds);
        held_ui(ui, moment, can, deeds);
    });
}

fn all_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    let some = |is_some: bool, why: &'static str| if is_some { can } else { can.and(Err(why)) };
    ui.horizontal_wrapped(|ui| {
        let mut press = |ui: &mut Ui, can: Result<(), &str>, button: Button<'static>, deed: Deed| {
            if button_ui(ui, can, button).clicked() {
                deeds.push(deed);
            }
        };
        let hold = side_button("Hold all").selected(rules::holds_all(moment));
        press(ui, can, hold, Deed::Rules { rules: hold_all(moment) });
        let release = Deed::Bench { command: Command::Release };
        press(ui, some(!moment.held.is_empty(), "Nothing is held."), side_button("Deliver all"), release);
        let none = Deed::Rules { rules: Vec::new() };
        press(ui, some(!moment.rules.is_empty(), "No rule is in force."), side_button("Remove all rules"), none);
    });
}

/// Slow motion, on or off, and how slow. While it is on, another time holds from the next message on.
fn slow_ui(ui: &mut Ui, moment: &Moment, draft: &mut Draft, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    ui.horizontal_wrapped(|ui| {
        let known = rules::slow_ms(moment);
        // Another observer may have set another time.
        if draft.slow_known != known {
            draft.slow_known = known;
            draft.slow_ms = known.unwrap_or(draft.slow_ms);
        }
        let is_on = known.is_some();
        let mut shown = is_on;
        if tick_ui(ui, can, &mut shown, "Slow motion").clicked() {
            deeds.push(Deed::Rules { rules: slow_motion(moment, draft.slow_ms) });
        }
        ui.label("every message takes");
        let time = time_ui(ui, &mut draft.slow_ms, "How long every message takes in slow motion");
        let is_chosen = time.drag_stopped() || (time.changed() && !time.dragged());
        if is_on && can.is_ok() && is_chosen {
            deeds.push(Deed::Rules { rules: rules::slowed(moment, draft.slow_ms) });
        }
    });
}

/// A time for a message, as far as the relay takes it.
fn time_ui(ui: &mut Ui, ms: &mut u64, name: &str) -> Response {
    let field = DragValue::new(ms).range(1..=MOST_DELAY_MS).suffix(" ms").speed(10.0).update_while_editing(false);
    ui.add_sized(vec2(10.0 * UNIT, CONTROL), field).accessible_name(name)
}

fn draft_ui(ui: &mut Ui, moment: &Moment, people: &[UserName], draft: &mut Draft, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    let is_narrow = ui.available_width() < NARROW;
    ui.horizontal_wrapped(|ui| {
        ComboBox::from_id_salt("then")
            .selected_text(draft.then.word())
            .width(72.0)
            .show_ui(ui, |ui| {
                for doing in Doing::ALL {
                    ui.selectable_value(&mut draft.then, doing, doing.word());
                }
            })
            .response
            .accessible_name("What to do");
        let shown = draft.kind.map_or("every message", MessageKind::as_str);
        ComboBox::from_id_salt("kind")
            .selected_text(shown)
            .width(180.0)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut draft.kind, None, "every message");
                for kind in KINDS {
                    ui.selectable_value(&mut draft.kind, Some(kind), kind.as_str());
                }
            })
            .response
            .accessible_name("Which messages");
        if is_narrow {
            ui.end_row();
            ui.set_row_height(CONTROL);
        }
        ui.label("from");
        person_ui(ui, "From whom", "anybody", people, &mut draft.from);
        ui.label("to");
        person_ui(ui, "To whom", "anybody", people, &mut draft.to);
        if draft.then == Doing::Delay {
            ui.label("by");
            time_ui(ui, &mut draft.ms, "For how long");
        }
        if button_ui(ui, can, side_button("Add rule")).clicked() {
            deeds.push(Deed::Rules { rules: rules::with(moment, vec![draft.rule()]) });
        }
    });
}

/// Somebody in the room, or `none`.
fn person_ui(ui: &mut Ui, name: &str, none: &str, people: &[UserName], chosen: &mut Option<UserName>) {
    let shown = chosen.as_ref().map_or(none, UserName::as_str).to_owned();
    ComboBox::from_id_salt(name)
        .selected_text(shown)
        .width(96.0)
        .show_ui(ui, |ui| {
            ui.selectable_value(chosen, None, none);
            for person in people {
                ui.selectable_value(chosen, Some(person.clone()), person.as_str());
            }
        })
        .response
        .accessible_name(name);
}

/// The rules in force, the one that is looked at first on top, each with a way to take it away.
fn rules_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    ui.separator();
    ui.label(RichText::new("Rules in force").strong());
    if moment.rules.is_empty() {
        empty_ui(ui, "None: every message goes straight on. Hold all, choose slow motion, or add a rule.");
    }
    for (index, rule) in moment.rules.iter().enumerate() {
        ui.horizontal(|ui| {
            if button_ui(ui, can, side_button("Remove")).accessible_name(format!("Remove rule {}", index + 1)).clicked() {
                deeds.push(Deed::Rules { rules: rules::without(moment, rule) });
            }
            ui.add(Label::new(format!("{}  {}", index + 1, told(rule))).wrap());
        });
        if let Some(first) = rules::is_behind(&moment.rules, index) {
            ui.weak(format!("(not while rule {first} takes every message)"));
        }
    }
}

fn held_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    ui.separator();
    ui.label(RichText::new("Held messages").strong());
    if moment.held.is_empty() {
        empty_ui(ui, "None. What a rule holds or delays stands here, to be delivered, dropped or duplicated by hand.");
    }
    for (seq, message) in &moment.held {
        ui.horizontal_wrapped(|ui| {
            let words = format!("{seq}  {} {} → {}", message.word, message.from, message.to);
            ui.add(Label::new(&words).extend());
            for (word, command) in [
                ("Deliver", Command::Deliver { seq: *seq }),
                ("Drop", Command::Drop { seq: *seq }),
                ("Duplicate", Command::Duplicate { seq: *seq }),
            ] {
                if button_ui(ui, can, side_button(word)).accessible_name(format!("{word} message {seq}")).clicked() {
                    deeds.push(Deed::Bench { command });
                }
            }
        });
    }
}
