//! The message bench: rules for messages on their way, and what becomes of those that are kept.
//!
//! What is chosen is one line: do this with these messages. Deliberately absent: the messages' own words;
//! a rule looks at type, sender and receiver alone.

use egui::{Button, ComboBox, Label, Ui, vec2};
use twopc_proto::bench::{Command, Rule, Then};
use twopc_proto::{MessageKind, UserName};
use twopc_ui::button::button_ui;
use twopc_ui::pane::{empty_ui, scrolled_pane_ui};
use twopc_ui::theme::{CONTROL, side_button};

use crate::run::{Deed, Moment};

/// How long slow motion takes for a message, in milliseconds.
pub(super) const SLOW: u64 = 1_000;

/// The line that is being chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    kind: Option<MessageKind>,
    from: Option<UserName>,
    to: Option<UserName>,
    then: Doing,
    ms: u64,
}

impl Default for Draft {
    fn default() -> Self {
        Self { kind: None, from: None, to: None, then: Doing::Hold, ms: SLOW }
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
        all_ui(ui, moment, can, deeds);
        draft_ui(ui, moment, people, draft, can, deeds);
        rules_ui(ui, moment, can, deeds);
        held_ui(ui, moment, can, deeds);
    });
}

/// A rule for every message.
pub(super) fn of_all(then: Then) -> Rule {
    Rule { path: None, from: None, to: None, then }
}

/// The rules with these before them, and each of them once: what was chosen last is what is meant.
pub(super) fn with<const N: usize>(moment: &Moment, first: [Rule; N]) -> Vec<Rule> {
    let others: Vec<Rule> = moment.rules.iter().filter(|known| !first.contains(known)).cloned().collect();
    first.into_iter().chain(others).collect()
}

/// The rules without this one.
pub(super) fn without(moment: &Moment, rule: &Rule) -> Vec<Rule> {
    moment.rules.iter().filter(|known| *known != rule).cloned().collect()
}

fn all_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    let everything = |then| Deed::Rules { rules: with(moment, [of_all(then)]) };
    let some = |is_some: bool, why: &'static str| if is_some { can } else { Err(why) };
    ui.horizontal_wrapped(|ui| {
        let mut press = |ui: &mut Ui, can: Result<(), &str>, word: &'static str, deed: Deed| {
            if button_ui(ui, can, side_button(word)).clicked() {
                deeds.push(deed);
            }
        };
        press(ui, can, "Hold all", everything(Then::Hold));
        press(ui, can, "Slow motion", everything(Then::Delay { ms: SLOW }));
        press(ui, some(!moment.rules.is_empty(), "No rule holds."), "No rules", Deed::Rules { rules: Vec::new() });
        let release = Deed::Bench { command: Command::Release };
        press(ui, some(!moment.held.is_empty(), "Nothing is held."), "Deliver all", release);
    });
}

fn draft_ui(ui: &mut Ui, moment: &Moment, people: &[UserName], draft: &mut Draft, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
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
        ui.label("from");
        person_ui(ui, "From whom", people, &mut draft.from);
        ui.label("to");
        person_ui(ui, "To whom", people, &mut draft.to);
        if draft.then == Doing::Delay {
            let delay = egui::DragValue::new(&mut draft.ms).range(1..=600_000).suffix(" ms").speed(10.0);
            ui.add(delay).accessible_name("For how long");
        }
        if button_ui(ui, can, side_button("Add rule")).clicked() {
            deeds.push(Deed::Rules { rules: with(moment, [draft.rule()]) });
        }
        let (Some(one), Some(other)) = (&draft.from, &draft.to) else { return };
        if button_ui(ui, can, side_button("Cut link")).on_hover_text("Nothing passes between these two, either way").clicked() {
            let cut =
                |from: &UserName, to: &UserName| Rule { path: None, from: Some(from.clone()), to: Some(to.clone()), then: Then::Drop };
            let both = [cut(one, other), cut(other, one)];
            deeds.push(Deed::Rules { rules: with(moment, both) });
        }
    });
}

fn person_ui(ui: &mut Ui, name: &str, people: &[UserName], chosen: &mut Option<UserName>) {
    let shown = chosen.as_ref().map_or("anybody", UserName::as_str).to_owned();
    ComboBox::from_id_salt(name)
        .selected_text(shown)
        .width(96.0)
        .show_ui(ui, |ui| {
            ui.selectable_value(chosen, None, "anybody");
            for person in people {
                ui.selectable_value(chosen, Some(person.clone()), person.as_str());
            }
        })
        .response
        .accessible_name(name);
}

fn rules_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    for (index, rule) in moment.rules.iter().enumerate() {
        ui.horizontal_wrapped(|ui| {
            ui.label(told(rule));
            if button_ui(ui, can, side_button("Remove")).accessible_name(format!("Remove rule {}", index + 1)).clicked() {
                deeds.push(Deed::Rules { rules: without(moment, rule) });
            }
        });
    }
}

fn held_ui(ui: &mut Ui, moment: &Moment, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    if moment.held.is_empty() {
        let sentence = if moment.rules.is_empty() {
            "Every message goes straight on. Hold all, or add a rule, and what is held stands here."
        } else {
            "Nothing is held now."
        };
        empty_ui(ui, sentence);
        return;
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
                let button = Button::new(word).min_size(vec2(0.0, CONTROL));
                if button_ui(ui, can, button).accessible_name(format!("{word} message {seq}")).clicked() {
                    deeds.push(Deed::Bench { command });
                }
            }
        });
    }
}

/// A rule in words.
#[must_use]
pub fn told(rule: &Rule) -> String {
    let what = rule.path.as_deref().and_then(|path| path.strip_prefix("/2pc/")).unwrap_or("every message");
    let end = |name: &Option<UserName>| name.as_ref().map_or_else(|| String::from("anybody"), ToString::to_string);
    let doing = match rule.then {
        Then::Pass => String::from("Pass"),
        Then::Hold => String::from("Hold"),
        Then::Drop => String::from("Drop"),
        Then::Delay { ms } => format!("Delay by {ms} ms"),
    };
    format!("{doing} {what} from {} to {}", end(&rule.from), end(&rule.to))
}
