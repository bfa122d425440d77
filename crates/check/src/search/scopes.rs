//! The searches that are run: for a commit, for all, for a release; and those in which mutants are
//! looked for.
//!
//! Each count is one that was seen. One that changes is no failure of the protocol: it says that the
//! machines or the world do something else than before, and a person looks at it.

use crate::world::{End, Scope};

/// A search that is run, and how many states it has.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// What is explored, in a few words.
    pub name: &'static str,
    /// The world.
    pub scope: Scope,
    /// How many states it has, where that was seen.
    pub states: Option<usize>,
}

const fn named(name: &'static str, scope: Scope, states: usize) -> Named {
    Named { name, scope, states: if states == 0 { None } else { Some(states) } }
}

/// A share of a few minutes' tests.
#[must_use]
pub fn commit() -> Vec<Named> {
    vec![
        named("two participants and a crash anywhere, every answer delivered", Scope::new(2, 1, 1).with_hints(), 0),
        named("two participants and two crashes anywhere", Scope::new(2, 1, 2), 0),
        named("one participant and three crashes anywhere", Scope::new(1, 1, 3).with_hints(), 0),
        named("one participant, two transactions at once and a crash anywhere", Scope::new(1, 2, 1), 0),
    ]
}

/// A share of a few minutes.
#[must_use]
pub fn all() -> Vec<Named> {
    commit()
}

/// The largest.
#[must_use]
pub fn release() -> Vec<Named> {
    all()
}

/// The worlds in which a mutant is looked for, the smallest first.
#[must_use]
pub fn for_mutants() -> Vec<Scope> {
    vec![
        Scope::new(2, 1, 0).to_the_end(End::Committed),
        Scope::new(2, 1, 1).to_the_end(End::Decided),
        Scope::new(2, 1, 1).to_the_end(End::Orphaned),
        Scope::new(2, 1, 1).promptly(),
        Scope { stranger: true, contradiction: true, ..Scope::new(2, 1, 1).promptly() },
        Scope::new(2, 1, 1).eagerly(),
        Scope::new(3, 1, 1).promptly(),
        Scope::new(2, 1, 2).eagerly(),
        Scope::new(1, 2, 1).eagerly(),
    ]
}
