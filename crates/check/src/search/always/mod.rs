//! What must hold in every state, one property a file.
//!
//! Most hang on nothing but the disks, and many states share theirs: each set of disks is judged once.

mod acknowledged;
mod agreement;
mod constancy;
mod ending;
mod exactly_once;
mod forgetting;
mod guessing;
mod refinement;
mod stability;
mod steps;
mod validity;

use std::cell::RefCell;
use std::rc::Rc;

use stateright::Property;
use twopc_proto::Decision;
use twopc_proto::audit::Violation;

use super::model::Exploration;
use crate::world::{Memo, Scope, World};

/// Something that must hold in every state.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Whether it holds, quickly.
    holds: fn(&Exploration, &World) -> bool,
    /// What shows that it does not.
    evidence: fn(&World) -> Result<(), Violation>,
}

const RULES: [Rule; 15] = [
    agreement::RULE,
    validity::RULE,
    stability::RULE,
    guessing::RULE,
    forgetting::RULE,
    exactly_once::RULE,
    acknowledged::RULE,
    constancy::RULE,
    refinement::RULE,
    steps::BACKING,
    steps::CAUSE,
    steps::ISOLATION,
    steps::ONE_VOTE,
    steps::SHOWN,
    ending::RULE,
];

pub(super) fn properties(scope: &Scope) -> Vec<Property<Exploration>> {
    let to_the_end = scope.end.is_some();
    let rules = RULES.iter().filter(|rule| to_the_end || rule.name != ending::RULE.name);
    rules.map(|rule| Property { expectation: stateright::Expectation::Always, name: rule.name, condition: rule.holds }).collect()
}

/// Everything that does not hold in a world.
pub(super) fn violations(world: &World) -> Vec<Violation> {
    RULES.iter().filter_map(|rule| (rule.evidence)(world).err()).collect()
}

/// What is wrong with a set of disks, and what has been reached.
pub(super) struct Judgement {
    broken: Vec<&'static str>,
    committed: bool,
    aborted: bool,
}

impl Judgement {
    fn of(world: &World) -> Self {
        let rules = [agreement::RULE, validity::RULE, stability::RULE, guessing::RULE, forgetting::RULE, exactly_once::RULE];
        let broken = rules.iter().filter(|rule| (rule.evidence)(world).is_err()).map(|rule| rule.name).collect();
        let holdings = world.holdings();
        let all = |decision| world.transactions.iter().any(|txn| holdings[1..].iter().all(|node| node.decision(txn) == Some(decision)));
        Self { broken, committed: all(Decision::Commit), aborted: all(Decision::Abort) }
    }

    /// Whether a rule holds that hangs on the disks alone.
    fn holds(&self, rule: &str) -> bool {
        !self.broken.contains(&rule)
    }

    /// Whether every participant has decided so, of some transaction.
    pub(super) fn unanimous(&self, decision: Decision) -> bool {
        match decision {
            Decision::Commit => self.committed,
            Decision::Abort => self.aborted,
        }
    }
}

thread_local! {
    static JUDGED: RefCell<Memo<Rc<Judgement>>> = RefCell::default();
    /// The last one: all properties of a state are asked in a row.
    static LAST: RefCell<Option<(u64, Rc<Judgement>)>> = const { RefCell::new(None) };
}

/// Asks a question of the judgement of a world's disks.
pub(super) fn judged<T>(world: &World, ask: impl FnOnce(&Judgement) -> T) -> T {
    let disks = world.disks();
    let last = LAST.with_borrow(|last| last.as_ref().filter(|(of, _)| *of == disks).map(|(_, judgement)| judgement.clone()));
    let judgement = last.unwrap_or_else(|| {
        // Which transactions are known hangs on what was said, too.
        let key = (disks, world.transactions.digest());
        let known = JUDGED.with_borrow_mut(|judged| judged.get(key));
        let judgement = known.unwrap_or_else(|| {
            let judgement = Rc::new(Judgement::of(world));
            JUDGED.with_borrow_mut(|judged| judged.insert(key, judgement.clone()));
            judgement
        });
        LAST.with_borrow_mut(|last| *last = Some((disks, judgement.clone())));
        judgement
    });
    ask(&judgement)
}
