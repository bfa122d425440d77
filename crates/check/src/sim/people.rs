//! What people press, and when: Commit, Abort, nothing, Ask status, Request again.

use std::time::Duration;

use twopc_proto::TxnId;

use super::node::{Press, Wanted};
use super::plan::{Habits, Votes};
use crate::chance::Chance;

/// The people in front of all windows.
#[derive(Debug)]
pub(super) struct People {
    habits: Habits,
    chance: Chance,
}

impl People {
    pub(super) fn new(seed: u64, habits: &Habits) -> Self {
        Self { habits: habits.clone(), chance: Chance::of(seed, 3) }
    }

    /// From now on everybody presses Commit at once.
    pub(super) fn want_commit(&mut self) {
        self.habits.votes = Votes::AllCommit;
    }

    /// Presses that follow a notice, each after a while.
    pub(super) fn presses(&mut self, who: usize, wanted: &Wanted) -> Vec<(Duration, Press)> {
        match wanted {
            Wanted::Vote(txn) => match self.habits.votes {
                Votes::Drawn { commits, aborts } => self.votes(commits, aborts, txn),
                Votes::AllCommit => vec![(Duration::ZERO, Press::Commit(txn.clone()))],
                Votes::OneRefuses(node) if node == who => vec![(Duration::ZERO, Press::Abort(txn.clone()))],
                Votes::OneRefuses(_) => vec![(Duration::ZERO, Press::Commit(txn.clone()))],
            },
            Wanted::Question(txn) if self.chance.percent(30) => {
                let most = self.habits.vote_timeout + self.habits.grace;
                vec![(self.within(most), Press::AskStatus(txn.clone()))]
            }
            Wanted::Question(_) => Vec::new(),
        }
    }

    fn votes(&mut self, commits: u64, aborts: u64, txn: &TxnId) -> Vec<(Duration, Press)> {
        let drawn = self.chance.below(100);
        let mut presses = Vec::new();
        let first = self.within(self.habits.think);
        if drawn < commits {
            presses.push((first, Press::Commit(txn.clone())));
        } else if drawn < commits + aborts {
            presses.push((first, Press::Abort(txn.clone())));
        }
        // Some press twice, or change their mind too late.
        if !presses.is_empty() && self.chance.percent(8) {
            let again = if self.chance.percent(50) { Press::Commit(txn.clone()) } else { Press::Abort(txn.clone()) };
            presses.push((first + self.within(Duration::from_secs(2)), again));
        }
        // Some wait until the last moment, when the timeout comes too.
        if self.chance.percent(4) {
            presses = vec![(self.habits.vote_timeout, Press::Commit(txn.clone()))];
        }
        presses
    }

    /// How long until a refused Request is pressed again.
    pub(super) fn tries_again_after(&mut self) -> Duration {
        Duration::from_millis(500) + self.within(Duration::from_secs(2))
    }

    fn within(&mut self, most: Duration) -> Duration {
        let tick = self.habits.tick.as_micros() as u64;
        let drawn = self.chance.below(most.as_micros() as u64 + 1);
        Duration::from_micros(drawn.div_ceil(tick) * tick)
    }
}
