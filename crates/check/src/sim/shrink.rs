//! Makes a failing plan smaller for as long as the same property still fails: fewer faults, fewer
//! transactions, fewer participants.
//!
//! Deliberately absent: shrinking what chance decides while a run goes on; a smaller plan draws anew.

use super::plan::{Narrowing, Plan};
use super::run::run;

/// A small plan of the same seed that breaks the same property; the plan itself if nothing can be
/// left out.
#[must_use]
pub fn shrink(whole: &Plan) -> Plan {
    let Some(property) = fails(whole) else { return whole.clone() };
    let still_fails = |narrowing: &Narrowing| fails(&whole.narrowed(narrowing)).is_some_and(|found| found == property);
    let mut best = Narrowing::default();
    loop {
        let before = best.clone();
        without_faults(whole, &mut best, &still_fails);
        fewer(whole.requests.len(), &mut best, |narrowing, count| narrowing.transactions = Some(count), &still_fails);
        fewer(whole.participants, &mut best, |narrowing, count| narrowing.participants = Some(count), &still_fails);
        if best == before {
            return whole.narrowed(&best);
        }
    }
}

/// The property that a plan breaks.
fn fails(plan: &Plan) -> Option<&'static str> {
    run(plan, false).violation.map(|violation| violation.property)
}

/// Leaves out one fault after the other.
fn without_faults(whole: &Plan, best: &mut Narrowing, still_fails: &impl Fn(&Narrowing) -> bool) {
    let kept = best.only.clone().unwrap_or_else(|| (0..whole.faults.len()).collect());
    for place in kept {
        let only = best.only.clone().unwrap_or_else(|| (0..whole.faults.len()).collect());
        let fewer = Narrowing { only: Some(only.into_iter().filter(|other| *other != place).collect()), ..best.clone() };
        if still_fails(&fewer) {
            *best = fewer;
        }
    }
}

/// Takes the smallest number that still fails.
fn fewer(most: usize, best: &mut Narrowing, set: impl Fn(&mut Narrowing, usize), still_fails: &impl Fn(&Narrowing) -> bool) {
    for count in 1..most {
        let mut fewer = best.clone();
        set(&mut fewer, count);
        if fewer == *best {
            return;
        }
        if still_fails(&fewer) {
            *best = fewer;
            return;
        }
    }
}
