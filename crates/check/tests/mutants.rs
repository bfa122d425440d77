//! Every machine and disk that is broken on purpose is noticed, by a check that the real one passes; and
//! the table in `docs/mutants.md` says who noticed which.

use std::time::Duration;

use twopc_check::mutants::{Effort, Hunted, Mutant, Table, hunt};

/// Searches end by themselves long before that.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn every_mutant_is_caught_as_the_page_says() {
    let effort = Effort { search: LIMIT, seeds: 20_000, both: true };
    let hunted: Vec<Hunted> = Mutant::ALL.iter().map(|mutant| hunt(*mutant, &effort)).collect();
    let away: Vec<Mutant> = hunted.iter().filter(|hunted| !hunted.is_caught()).map(|hunted| hunted.mutant).collect();
    assert_eq!(away, []);
    let table = Table(&hunted).to_string();
    let page = include_str!("../../../docs/mutants.md").replace("\r\n", "\n");
    assert!(page.contains(&table), "docs/mutants.md has another table than this one:\n{table}");
}

#[test]
fn the_simulation_alone_catches_every_mutant_of_the_disk() {
    let effort = Effort { search: Duration::ZERO, seeds: 20_000, both: false };
    let disks: Vec<Mutant> = Mutant::ALL.iter().copied().filter(|mutant| mutant.breaks_the_disk()).collect();
    assert_eq!(disks, [Mutant::M20, Mutant::M21, Mutant::M22, Mutant::M23, Mutant::M24, Mutant::M39]);
    for mutant in disks {
        let hunted = hunt(mutant, &effort);
        assert!(hunted.search.is_none() && hunted.simulation.is_some(), "{hunted:?}");
    }
}
