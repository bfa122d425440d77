//! The searches that are run: for a commit, for all, for a release; and those in which mutants are
//! looked for.
//!
//! Each count is one that was seen. One that changes is no failure of the protocol: it says that the
//! machines or the world do something else than before, and a person looks at it.

use std::time::Duration;

use super::{Failure, Findings, explore};
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

impl Named {
    /// Explores it. A count that is not the one that was seen before is a failure, too.
    #[must_use]
    pub fn explored(&self, limit: Duration, progress: &dyn Fn(usize)) -> Findings {
        let mut findings = explore(&self.scope, limit, progress);
        if let Some(states) = self.states.filter(|states| findings.is_clean() && *states != findings.states) {
            findings.failures.push(Failure::AnotherCount(states));
        }
        findings
    }
}

const fn named(name: &'static str, scope: Scope, states: usize) -> Named {
    Named { name, scope, states: if states == 0 { None } else { Some(states) } }
}

/// The share of the tests: about a minute on two processors.
#[must_use]
pub fn commit() -> Vec<Named> {
    let strange = Scope { stranger: true, contradiction: true, ..Scope::new(2, 1, 1).promptly() };
    vec![
        named("one participant and three crashes anywhere", Scope::new(1, 1, 3).with_hints(), 8_460),
        named("two participants and a crash anywhere, every answer delivered", Scope::new(2, 1, 1).with_hints(), 699_907),
        named("two participants and two crashes anywhere", Scope::new(2, 1, 2), 314_297),
        named("one participant, two transactions at once and a crash anywhere", Scope::new(1, 2, 1), 698_191),
        named("three participants and a crash anywhere", Scope::new(3, 1, 1).eagerly(), 1_364_308),
        named("three participants and a crash, prompt disks", Scope::new(3, 1, 1).promptly(), 84_215),
        named("four participants and a crash, prompt disks, whoever is who", Scope::new(4, 1, 1).promptly().up_to_names(), 101_780),
        named("two participants, a stranger who says everything, a relay that contradicts", strange, 3_556),
        named("three participants, no fault, everybody in time", Scope::new(3, 1, 0).to_the_end(End::Committed), 251),
        named("two participants and a crash, to the end", Scope::new(2, 1, 1).to_the_end(End::Decided), 145_310),
        named("two participants whose coordinator stays away", Scope::new(2, 1, 1).to_the_end(End::Orphaned), 20_226),
        named("three participants whose coordinator stays away", Scope::new(3, 1, 1).promptly().to_the_end(End::Orphaned), 793_897),
    ]
}

/// What fills the table: some minutes on two processors.
#[must_use]
pub fn all() -> Vec<Named> {
    let mut worlds = commit();
    worlds.extend([
        named("four participants and a crash, prompt disks", Scope::new(4, 1, 1).promptly(), 2_086_130),
        named("four participants and two crashes, prompt disks", Scope::new(4, 1, 2).promptly(), 18_005_896),
        named(
            "three participants and a crash, prompt disks, to the end",
            Scope::new(3, 1, 1).promptly().to_the_end(End::Decided),
            8_603_255,
        ),
        named("two participants, two transactions at once, prompt disks", Scope::new(2, 2, 0).promptly(), 4_671_102),
        named(
            "two participants, two transactions at once and a crash, prompt disks, nobody asks, whoever is who",
            Scope::new(2, 2, 1).promptly().up_to_names().patiently(),
            2_835_950,
        ),
        named(
            "three participants, two transactions at once, no fault, everybody in time",
            Scope::new(3, 2, 0).promptly().to_the_end(End::Committed),
            448_754,
        ),
        named("six participants and two crashes, prompt disks, whoever is who", Scope::new(6, 1, 2).promptly().up_to_names(), 37_444_451),
    ]);
    worlds
}

/// The largest: as long as they take.
#[must_use]
pub fn release() -> Vec<Named> {
    let mut worlds = all();
    worlds.extend([
        named(
            "three participants, two transactions at once, prompt disks, nobody asks, whoever is who",
            Scope::new(3, 2, 0).promptly().up_to_names().patiently(),
            43_171_461,
        ),
        named("two participants, two transactions at once and a crash, prompt disks", Scope::new(2, 2, 1).promptly(), 0),
        named("three participants and two crashes anywhere", Scope::new(3, 1, 2).eagerly(), 0),
    ]);
    worlds
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
