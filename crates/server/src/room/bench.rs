//! The message bench: which rules hold, and what is held.
//!
//! Rules match a message's path, its sender and its receiver as words; the first that matches counts.
//! Deliberately absent: whoever has to be told, and a clock; the time is handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;
use twopc_proto::UserName;
use twopc_proto::bench::{Fate, Rule, Then};

use crate::outbox::{Debt, Kept};

/// The most messages that are held.
pub(super) const MOST_HELD: usize = 4096;

/// What a message takes while it is held, besides its bytes.
pub(super) const ENTRY: usize = 2 * size_of::<(u64, Held)>();

/// The rules, and what is held.
#[derive(Debug, Default)]
pub(super) struct Bench {
    rules: Vec<Rule>,
    held: BTreeMap<u64, Held>,
    /// Those of them that are only delayed. Equal delays end in the order of the numbers.
    due: BTreeSet<(Instant, u64)>,
    /// What all of them take.
    weight: usize,
}

/// A message that is held.
#[derive(Debug)]
pub(super) struct Held {
    /// Whom it is for, by name: who logs in again is the same receiver.
    pub(super) to: UserName,
    pub(super) frame: Arc<[u8]>,
    /// Its sender's, who owes it again once it goes on, and not before: what is held is not waited for.
    pub(super) debt: Arc<Debt>,
    /// When it goes on by itself.
    pub(super) due: Option<Instant>,
    pub(super) kept: Kept,
}

impl Bench {
    /// Whether there is neither a rule nor anything held.
    pub(super) fn is_clear(&self) -> bool {
        self.rules.is_empty() && self.held.is_empty()
    }

    /// Whether no message is held.
    pub(super) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    /// These rules instead of those before. What is held stays held.
    pub(super) fn set(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
    }

    /// What is to become of a message; `word` is its type, as it stands in the path.
    pub(super) fn then(&self, from: &UserName, to: &UserName, word: &str) -> Then {
        self.rules.iter().find(|rule| rule.is_about(word, from, to)).map_or(Then::Pass, |rule| rule.then)
    }

    /// What holds, for observers.
    pub(super) fn rules(&self) -> Fate {
        Fate::Rules { rules: self.rules.clone(), held: self.held.keys().copied().collect() }
    }

    pub(super) fn hold(&mut self, seq: u64, held: Held) {
        self.weight += held.kept.bytes();
        self.due.extend(held.due.map(|due| (due, seq)));
        self.held.insert(seq, held);
    }

    pub(super) fn held(&self, seq: u64) -> Option<&Held> {
        self.held.get(&seq)
    }

    /// It is held no longer.
    pub(super) fn take(&mut self, seq: u64) -> Option<Held> {
        let held = self.held.remove(&seq)?;
        self.weight -= held.kept.bytes();
        if let Some(due) = held.due {
            self.due.remove(&(due, seq));
        }
        Some(held)
    }

    /// The one with the lowest number.
    pub(super) fn take_first(&mut self) -> Option<(u64, Held)> {
        let seq = *self.held.keys().next()?;
        self.take(seq).map(|held| (seq, held))
    }

    /// The one with the lowest number, while more is held than may be.
    pub(super) fn take_surplus(&mut self, most_bytes: usize) -> Option<(u64, Held)> {
        if self.held.len() > MOST_HELD || self.weight > most_bytes { self.take_first() } else { None }
    }

    /// The one whose time came first, if it has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(u64, Held)> {
        let (_, seq) = *self.due.first().filter(|(due, _)| *due <= now)?;
        self.take(seq).map(|held| (seq, held))
    }

    /// When the next goes on by itself.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Limits;
    use crate::outbox::Totals;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn rule(path: Option<&str>, from: Option<&str>, to: Option<&str>, then: Then) -> Rule {
        Rule { path: path.map(Into::into), from: from.map(name), to: to.map(name), then }
    }

    fn held(totals: &Arc<Totals>, due: Option<Instant>) -> Held {
        Held { to: name("bob"), frame: Arc::new([0; 100]), debt: Arc::default(), due, kept: totals.keep(100 + ENTRY) }
    }

    #[test]
    fn the_first_rule_that_matches_counts_and_without_one_a_message_passes() {
        let mut bench = Bench::default();
        bench.set(vec![
            rule(Some("/2pc/ACK"), Some("alice"), Some("chair"), Then::Drop),
            rule(Some("/2pc/ACK"), None, None, Then::Hold),
            rule(None, Some("bob"), None, Then::Delay { ms: 5 }),
            rule(Some("/2pc/VOTE_COMMIT"), None, None, Then::Pass),
            rule(None, None, Some("carol"), Then::Drop),
        ]);
        for (from, to, word, then) in [
            ("alice", "chair", "ACK", Then::Drop),
            ("alice", "bob", "ACK", Then::Hold),
            ("bob", "chair", "ACK", Then::Hold),
            ("bob", "chair", "VOTE_COMMIT", Then::Delay { ms: 5 }),
            ("alice", "carol", "VOTE_COMMIT", Then::Pass),
            ("alice", "carol", "ACKS", Then::Drop),
            ("chair", "alice", "GLOBAL_COMMIT", Then::Pass),
        ] {
            assert_eq!(bench.then(&name(from), &name(to), word), then, "{word} from {from} to {to}");
        }
        bench.set(vec![]);
        assert_eq!(bench.then(&name("alice"), &name("chair"), "ACK"), Then::Pass);
    }

    #[test]
    fn what_is_due_goes_by_its_time_and_equal_times_by_their_numbers() {
        let (totals, mut bench, now) = (Totals::new(Limits::default()), Bench::default(), Instant::now());
        let after = |ms| now + Duration::from_millis(ms);
        for (seq, ms) in [(1, Some(20)), (2, Some(10)), (3, None), (4, Some(10)), (5, Some(30))] {
            bench.hold(seq, held(&totals, ms.map(after)));
        }
        let mut due_by = |ms| std::iter::from_fn(|| bench.take_due(after(ms)).map(|(seq, _)| seq)).collect::<Vec<_>>();
        assert_eq!([due_by(9), due_by(20)], [vec![], vec![2, 4, 1]]);
        assert_eq!(bench.next_due(), Some(after(30)));
        assert!(bench.take(5).is_some() && bench.take(5).is_none());
        assert_eq!(bench.next_due(), None, "what was taken is due no more");
        assert_eq!(bench.rules(), Fate::Rules { rules: vec![], held: vec![3] });
    }

    #[test]
    fn only_so_many_are_held_and_only_so_much() {
        let (totals, mut bench) = (Totals::new(Limits::default()), Bench::default());
        for seq in 1..=MOST_HELD as u64 + 1 {
            assert!(bench.take_surplus(usize::MAX).is_none());
            bench.hold(seq, held(&totals, None));
        }
        assert_eq!(bench.take_surplus(usize::MAX).map(|(seq, _)| seq), Some(1), "the oldest is one too many");
        let rest = MOST_HELD * (100 + ENTRY);
        assert!(bench.take_surplus(rest).is_none());
        assert_eq!(bench.take_surplus(rest - 1).map(|(seq, _)| seq), Some(2), "and the next a byte too much");
        assert_eq!(totals.waiting(), rest - 100 - ENTRY, "what is held is part of what waits");
        while bench.take_first().is_some() {}
        assert!(bench.is_clear() && totals.waiting() == 0 && bench.weight == 0);
    }
}
