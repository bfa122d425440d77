//! Cutting a link: which two, and one way or both.
//!
//! Deliberately absent: mending it. A cut is a rule or two, and stands in the list of rules with its button.

use egui::{ComboBox, Ui};
use twopc_proto::UserName;
use twopc_proto::bench::Rule;
use twopc_ui::button::button_ui;
use twopc_ui::theme::side_button;

use super::rules::{cut, with};
use super::{Draft, NARROW, person_ui};
use crate::run::{Deed, Moment};

/// The link that is being chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    one: Option<UserName>,
    other: Option<UserName>,
    is_one_way: bool,
}

impl Link {
    /// The rules that cut it.
    fn rules(&self) -> Result<Vec<Rule>, &'static str> {
        let (Some(one), Some(other)) = (&self.one, &self.other) else {
            return Err("Choose the two names first.");
        };
        if one == other {
            return Err("Choose two different names: nobody has a link to itself.");
        }
        let there = cut(one, other);
        Ok(if self.is_one_way { vec![there] } else { vec![there, cut(other, one)] })
    }

    /// A way, in words that name who is who.
    fn way(&self, is_one_way: bool) -> String {
        match (&self.one, &self.other) {
            _ if !is_one_way => String::from("both ways"),
            (Some(one), Some(other)) => format!("only from {one} to {other}"),
            (Some(_) | None, Some(_) | None) => String::from("only from the first to the second"),
        }
    }
}

/// Draws the line that cuts a link, and under it what is still to be chosen.
pub(super) fn link_ui(ui: &mut Ui, moment: &Moment, people: &[UserName], draft: &mut Draft, can: Result<(), &str>, deeds: &mut Vec<Deed>) {
    let link = &mut draft.link;
    let is_narrow = ui.available_width() < NARROW;
    let rules = can.and_then(|()| link.rules());
    ui.horizontal_wrapped(|ui| {
        ui.label("Cut the link between");
        person_ui(ui, "One end of the link", "choose", people, &mut link.one);
        ui.label("and");
        person_ui(ui, "Other end of the link", "choose", people, &mut link.other);
        if is_narrow {
            ui.end_row();
        }
        let shown = link.way(link.is_one_way);
        let ways = [false, true].map(|is_one_way| (is_one_way, link.way(is_one_way)));
        ComboBox::from_id_salt("way")
            .selected_text(shown)
            .show_ui(ui, |ui| {
                for (is_one_way, words) in ways {
                    ui.selectable_value(&mut link.is_one_way, is_one_way, words);
                }
            })
            .response
            .accessible_name("Which way the link is cut");
        let button = button_ui(ui, rules.as_ref().map(|_| ()).map_err(|why| *why), side_button("Cut link"));
        if let (true, Ok(rules)) = (button.clicked(), &rules) {
            deeds.push(Deed::Rules { rules: with(moment, rules.clone()) });
        }
    });
    if let (Ok(()), Err(why)) = (can, rules) {
        ui.weak(why);
    }
}
