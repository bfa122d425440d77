//! Every machine and disk that is broken on purpose is noticed, by a check that the real one passes; and
//! the table of who noticed which names them all.

use std::time::Duration;

use twopc_check::mutants::{Effort, Mutant, hunt};

#[test]
fn every_mutant_is_caught() {
    let effort = Effort { search: Duration::from_secs(300), seeds: 20_000, both: false };
    let away: Vec<Mutant> = Mutant::ALL.iter().copied().filter(|mutant| !hunt(*mutant, &effort).is_caught()).collect();
    assert_eq!(away, []);
}

#[test]
fn the_simulation_alone_catches_every_mutant_of_the_disk() {
    let effort = Effort { search: Duration::ZERO, seeds: 20_000, both: false };
    let disks: Vec<Mutant> = Mutant::ALL.iter().copied().filter(|mutant| mutant.breaks_the_disk()).collect();
    assert_eq!(disks, [Mutant::M20, Mutant::M21, Mutant::M22, Mutant::M23, Mutant::M24]);
    for mutant in disks {
        let hunted = hunt(mutant, &effort);
        assert!(hunted.search.is_none() && hunted.simulation.is_some(), "{hunted:?}");
    }
}

#[test]
fn the_table_names_every_mutant_with_its_rule_and_who_caught_it() {
    let page = include_str!("../../../docs/mutants.md");
    for mutant in Mutant::ALL {
        let row = page.lines().find(|line| line.starts_with(&format!("| {mutant} |"))).unwrap_or_default();
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        assert_eq!(cells.len(), 4, "{mutant}: {row:?}");
        assert_eq!(cells[1], mutant.what());
        assert!(cells[2..].iter().any(|caught| *caught != "–"), "{mutant} is caught by nothing: {row}");
    }
}
