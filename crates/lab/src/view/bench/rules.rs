//! What the rules for messages on their way are once something is chosen, and what a rule says in words.
//!
//! The first rule that matches a message counts, so what is chosen last comes first. Slow motion alone comes
//! last: it is for whatever no other rule is for. Deliberately absent: the relay's work, and anything drawn.

use twopc_proto::UserName;
use twopc_proto::bench::{Rule, Then};

use crate::run::Moment;

/// A rule for every message.
fn of_all(then: Then) -> Rule {
    Rule { path: None, from: None, to: None, then }
}

/// Whether a rule is for every message.
fn is_of_all(rule: &Rule) -> bool {
    rule.path.is_none() && rule.from.is_none() && rule.to.is_none()
}

/// Nothing passes from one to the other.
pub(super) fn cut(from: &UserName, to: &UserName) -> Rule {
    Rule { path: None, from: Some(from.clone()), to: Some(to.clone()), then: Then::Drop }
}

/// The rules with these before them, and each of them once: what was chosen last is what is meant.
pub(super) fn with(moment: &Moment, first: Vec<Rule>) -> Vec<Rule> {
    let others: Vec<Rule> = moment.rules.iter().filter(|known| !first.contains(known)).cloned().collect();
    first.into_iter().chain(others).collect()
}

/// The rules without this one.
pub(super) fn without(moment: &Moment, rule: &Rule) -> Vec<Rule> {
    kept(moment, |known| known != rule)
}

/// Whether every message is held.
pub(super) fn holds_all(moment: &Moment) -> bool {
    moment.rules.contains(&of_all(Then::Hold))
}

/// How long every message takes in slow motion, in milliseconds, while it is on.
pub(super) fn slow_ms(moment: &Moment) -> Option<u64> {
    moment.rules.iter().filter(|rule| is_of_all(rule)).find_map(|rule| match rule.then {
        Then::Delay { ms } => Some(ms),
        Then::Pass | Then::Hold | Then::Drop => None,
    })
}

/// The rules once every message is held, or is not any more. What is held is not slow, so slow motion ends.
pub(in crate::view) fn hold_all(moment: &Moment) -> Vec<Rule> {
    let hold = of_all(Then::Hold);
    if holds_all(moment) {
        return without(moment, &hold);
    }
    std::iter::once(hold).chain(kept(moment, |rule| !is_slow(rule))).collect()
}

/// The rules once every message takes this long, or goes straight on again. What is slow is not held.
pub(in crate::view) fn slow_motion(moment: &Moment, ms: u64) -> Vec<Rule> {
    if slow_ms(moment).is_some() { kept(moment, |rule| !is_slow(rule)) } else { slowed(moment, ms) }
}

/// The rules with slow motion on, and this long.
pub(super) fn slowed(moment: &Moment, ms: u64) -> Vec<Rule> {
    let others = kept(moment, |rule| !is_slow(rule) && *rule != of_all(Then::Hold));
    others.into_iter().chain([of_all(Then::Delay { ms })]).collect()
}

/// The place, from 1, of the earlier rule that leaves none of its messages to this one.
pub(super) fn is_behind(rules: &[Rule], index: usize) -> Option<usize> {
    rules.iter().take(index).position(is_of_all).map(|place| place + 1)
}

fn is_slow(rule: &Rule) -> bool {
    is_of_all(rule) && matches!(rule.then, Then::Delay { .. })
}

fn kept(moment: &Moment, which: impl Fn(&Rule) -> bool) -> Vec<Rule> {
    moment.rules.iter().filter(|rule| which(rule)).cloned().collect()
}

/// A rule in words.
#[must_use]
pub fn told(rule: &Rule) -> String {
    if let (None, Some(from), Some(to), Then::Drop) = (&rule.path, &rule.from, &rule.to, rule.then) {
        return format!("Cut: nothing passes from {from} to {to}");
    }
    let what = rule.path.as_deref().and_then(|path| path.strip_prefix("/2pc/")).unwrap_or("every message");
    let ends = match (&rule.from, &rule.to) {
        (None, None) => String::new(),
        (Some(from), None) => format!(" from {from}"),
        (None, Some(to)) => format!(" to {to}"),
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
    };
    match rule.then {
        Then::Pass => format!("Let {what}{ends} pass"),
        Then::Hold => format!("Hold {what}{ends}"),
        Then::Drop => format!("Drop {what}{ends}"),
        Then::Delay { ms } if is_of_all(rule) => format!("Slow motion: every message takes {ms} ms"),
        Then::Delay { ms } => format!("Delay {what}{ends} by {ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use twopc_proto::bench::Fate;

    use super::*;
    use crate::run::{Event, Happening};

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn moment(rules: &[Rule]) -> Moment {
        let fate = Fate::Rules { rules: rules.to_vec(), held: Vec::new() };
        Moment::after(&[Event { at_us: 0, what: Happening::Fate { fate } }])
    }

    #[test]
    fn slow_motion_and_holding_all_take_each_others_place_and_leave_other_rules_in_force() {
        let (link, hold, slow) = (cut(&name("alice"), &name("chair")), of_all(Then::Hold), of_all(Then::Delay { ms: 700 }));
        let none = moment(std::slice::from_ref(&link));
        let slowed_down = moment(&slow_motion(&none, 700));
        assert_eq!(slowed_down.rules, [link.clone(), slow.clone()], "what is cut stays cut");
        assert_eq!(slow_motion(&slowed_down, 700), none.rules, "the same takes it back");
        assert_eq!(slow_motion(&slowed_down, 900), none.rules, "whatever the field says by then");
        assert_eq!(slowed(&slowed_down, 900), [link.clone(), of_all(Then::Delay { ms: 900 })]);
        let held = moment(&hold_all(&slowed_down));
        assert_eq!(held.rules, [hold, link.clone()]);
        assert_eq!(hold_all(&held), none.rules);
        assert_eq!(slow_motion(&held, 700), [link, slow]);
    }

    #[test]
    fn a_rule_behind_one_for_every_message_is_known_to_be() {
        let rules = [cut(&name("a"), &name("b")), of_all(Then::Hold), cut(&name("b"), &name("a"))];
        assert_eq!([0, 1, 2].map(|index| is_behind(&rules, index)), [None, None, Some(2)]);
    }

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let rule = |path: Option<&str>, from: Option<&str>, to: Option<&str>, then| {
            told(&Rule { path: path.map(Into::into), from: from.map(name), to: to.map(name), then })
        };
        assert_eq!(rule(Some("/2pc/ACK"), None, Some("chair"), Then::Hold), "Hold ACK to chair");
        assert_eq!(rule(None, Some("alice"), None, Then::Delay { ms: 5 }), "Delay every message from alice by 5 ms");
        assert_eq!(rule(None, None, None, Then::Delay { ms: 5 }), "Slow motion: every message takes 5 ms");
        assert_eq!(rule(None, Some("alice"), Some("chair"), Then::Drop), "Cut: nothing passes from alice to chair");
        assert_eq!(rule(Some("/2pc/ACK"), Some("alice"), Some("chair"), Then::Drop), "Drop ACK from alice to chair");
        assert_eq!(rule(None, None, None, Then::Pass), "Let every message pass");
    }
}
