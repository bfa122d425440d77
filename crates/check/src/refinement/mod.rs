//! Whether what happens is something that Lamport and Gray's TwoPhase allows.
//!
//! Their specification (Gray and Lamport, *Consensus on Transaction Commit*, ACM TODS 31, 2006,
//! section 3.2) knows no disks, no crashes and nobody who asks around; it has been proved to implement
//! transaction commit. `mapping` says which of its states a world is in, by what is durable alone;
//! `two_phase` has its actions, each with its guard. [`explains`] asks of one thing that happened
//! whether some of those actions, none to many and each enabled in its turn, lead from the one state to
//! the other.

mod mapping;
mod two_phase;

use std::cell::RefCell;
use std::collections::BTreeSet;

use twopc_proto::TxnId;

use crate::world::{ABSTRACT_ACTIONS, Landmark, Landmarks, Memo, Seen, World};
use mapping::Mapped;
use two_phase::{Act, RmState, TmState};

/// The names of TwoPhase's actions.
pub const ACTIONS: [&str; ABSTRACT_ACTIONS] =
    ["RMPrepare", "RMChooseToAbort", "RMRcvCommitMsg", "RMRcvAbortMsg", "TMRcvPrepared", "TMCommit", "TMAbort"];

thread_local! {
    /// What explains the way from one set of disks to another; `None` if nothing does.
    static EXPLAINED: RefCell<Memo<Option<Landmarks>>> = RefCell::default();
}

/// Whether TwoPhase can go where the world went, whose disks were those before. Each of its actions that
/// it takes is noted.
#[must_use]
pub fn explains(before: &World, disks_before: u64, after: &World, seen: &Seen) -> bool {
    let key = (disks_before, after.disks());
    if key.0 == key.1 {
        return true;
    }
    let known = EXPLAINED.with_borrow_mut(|explained| explained.get(key));
    let explained = known.unwrap_or_else(|| {
        let explained = explain(before, after);
        EXPLAINED.with_borrow_mut(|known| known.insert(key, explained));
        explained
    });
    explained.inspect(|acts| seen.add(*acts, 0)).is_some()
}

fn explain(before: &World, after: &World) -> Option<Landmarks> {
    let txns: BTreeSet<TxnId> = mapping::transactions(before).chain(mapping::transactions(after)).collect();
    let mut acts = Landmarks::default();
    for txn in txns {
        for act in way(&Mapped::of(before, &txn), &Mapped::of(after, &txn))? {
            acts.add(Landmark::Abstract(act.place()));
        }
    }
    Some(acts)
}

/// Enabled actions that lead from one state to the other, if there are some: promises first, then the
/// decision, then those who follow it.
fn way(before: &Mapped, after: &Mapped) -> Option<Vec<Act>> {
    let mut state = before.state.clone();
    let mut way = Vec::new();
    let mut take = |act: Act| -> Option<()> {
        state = state.after(act, &after.managers)?;
        way.push(act);
        Some(())
    };
    let everybody = || before.state.rm.iter().zip(&after.state.rm).enumerate();
    for (rm, (was, is)) in everybody() {
        match (was, is) {
            (RmState::Working, RmState::Prepared | RmState::Committed) => take(Act::RmPrepare(rm))?,
            (RmState::Working, RmState::Aborted) if after.state.prepared.contains(&rm) => take(Act::RmPrepare(rm))?,
            (RmState::Working, RmState::Aborted) if before.state.tm != TmState::Aborted => take(Act::RmChooseToAbort(rm))?,
            (RmState::Working | RmState::Prepared | RmState::Committed | RmState::Aborted, _) => {}
        }
    }
    match (before.state.tm, after.state.tm) {
        (TmState::Init, TmState::Committed) => {
            for rm in &after.managers {
                take(Act::TmRcvPrepared(*rm))?;
            }
            take(Act::TmCommit)?;
        }
        (TmState::Init, TmState::Aborted) => take(Act::TmAbort)?,
        (TmState::Init | TmState::Committed | TmState::Aborted, _) => {}
    }
    for (rm, (was, is)) in everybody() {
        let chose = *was == RmState::Working && !after.state.prepared.contains(&rm) && before.state.tm != TmState::Aborted;
        match is {
            RmState::Committed if was != is => take(Act::RmRcvCommitMsg(rm))?,
            RmState::Aborted if was != is && !chose => take(Act::RmRcvAbortMsg(rm))?,
            RmState::Working | RmState::Prepared | RmState::Committed | RmState::Aborted => {}
        }
    }
    (state == after.state).then_some(way)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking

    use super::*;
    use two_phase::TwoPhase;

    fn mapped(rm: [RmState; 2], tm: TmState, prepared: &[usize]) -> Mapped {
        let managers: BTreeSet<usize> = [0, 1].into();
        let tm_prepared = if tm == TmState::Committed { managers.clone() } else { BTreeSet::new() };
        let state = TwoPhase { rm: rm.into(), tm, tm_prepared, prepared: prepared.iter().copied().collect() };
        Mapped { state, managers }
    }

    #[test]
    fn a_commit_takes_every_promise_and_an_obeyed_decision_its_message() {
        use RmState::{Committed, Prepared, Working};
        let one_missing = mapped([Prepared, Working], TmState::Init, &[0]);
        let all_ready = mapped([Prepared, Prepared], TmState::Init, &[0, 1]);
        let decided = mapped([Prepared, Prepared], TmState::Committed, &[0, 1]);
        let obeyed = mapped([Committed, Prepared], TmState::Committed, &[0, 1]);
        assert_eq!(way(&one_missing, &all_ready).unwrap(), [Act::RmPrepare(1)]);
        assert_eq!(way(&all_ready, &decided).unwrap(), [Act::TmRcvPrepared(0), Act::TmRcvPrepared(1), Act::TmCommit]);
        assert_eq!(way(&decided, &obeyed).unwrap(), [Act::RmRcvCommitMsg(0)]);
        assert_eq!(way(&one_missing, &mapped([Prepared, Working], TmState::Committed, &[0])), None, "a vote is missing");
        assert_eq!(way(&all_ready, &mapped([Committed, Prepared], TmState::Init, &[0, 1])), None, "nobody decided");
    }

    #[test]
    fn an_abort_is_ones_own_before_the_promise_and_the_managers_after_it() {
        use RmState::{Aborted, Prepared, Working};
        let start = mapped([Prepared, Working], TmState::Init, &[0]);
        assert_eq!(way(&start, &mapped([Prepared, Aborted], TmState::Aborted, &[0])).unwrap(), [Act::RmChooseToAbort(1), Act::TmAbort]);
        let told = mapped([Aborted, Working], TmState::Aborted, &[0]);
        assert_eq!(way(&start, &told).unwrap(), [Act::TmAbort, Act::RmRcvAbortMsg(0)]);
        assert_eq!(way(&start, &mapped([Aborted, Working], TmState::Init, &[0])), None, "a promise is broken");
        assert_eq!(way(&told, &start), None, "a decision is taken back");
    }
}
