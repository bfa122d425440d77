//! Whole rooms in simulated time: ten thousand seeds, each with faults, then healing, then rest; and what
//! makes such a number worth something.
//!
//! A seed that fails prints the command that repeats it, and becomes a test here by its name.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use twopc_check::mutants::Mutant;
use twopc_check::sim::{Narrowing, Plan, fault_names, hunt, run, sail, shrink};

#[test]
fn ten_thousand_seeds_break_no_property_and_miss_nothing_that_must_happen() {
    let findings = sail(0..10_000, None, 5, &|_| ());
    let failures: Vec<String> =
        findings.failures.iter().map(|(seed, what)| format!("{what}\n    {}", Plan::of(*seed, None).command())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(findings.runs, 10_000);
    assert_eq!(findings.coverage.missing(), Vec::<String>::new());
    let never: Vec<&str> = fault_names().into_iter().filter(|name| findings.coverage.count(name) == 0).collect();
    assert_eq!(never, Vec::<&str>::new());
}

#[test]
fn the_same_seed_tells_the_same_story_byte_for_byte() {
    for seed in 0..60 {
        let plan = Plan::of(seed, None);
        let (one, other) = (run(&plan, true), run(&Plan::of(seed, None), true));
        assert!(!one.story.is_empty());
        assert_eq!(one.story, other.story, "{}", plan.command());
        assert_eq!((one.events, one.until, one.coverage), (other.events, other.until, other.coverage));
        // Whether somebody reads it changes nothing.
        assert_eq!(run(&plan, false).events, one.events);
    }
}

#[test]
fn a_broken_rule_is_found_made_small_and_repeated_by_its_command() {
    let (seed, property) = hunt(Mutant::M4, 200).expect("somebody guesses");
    assert_eq!(property, "no guessing");
    let whole = Plan::of(seed, Some(Mutant::M4));
    let small = shrink(&whole);
    let broken = run(&small, true).violation.expect("it still fails");
    assert_eq!(broken.property, property);
    assert!(small.faults_in().count() <= whole.faults_in().count() && small.requests.len() <= whole.requests.len());
    // What the command says is what was run.
    let only = small.faults_in().map(|(place, _)| place).collect();
    let narrowing = Narrowing { participants: Some(small.participants), transactions: Some(small.requests.len()), only: Some(only) };
    assert_eq!(whole.narrowed(&narrowing), small);
    assert!(small.command().starts_with(&format!("twopc-check sim --seed {seed} --mutant M4")), "{}", small.command());
}

/// The newline of a COMMIT line was flipped, and the APPLIED line behind it torn: both together looked
/// like a torn tail, and the promise was cut off.
#[test]
fn seed_7156_a_flipped_newline_with_a_torn_line_behind_it_is_damage() {
    let narrowing = Narrowing { only: Some(vec![2]), ..Narrowing::default() };
    let report = run(&Plan::of(7156, None).narrowed(&narrowing), true);
    assert_eq!(report.violation, None, "{}", report.story);
    assert_eq!(report.coverage.count("damaged log refused"), 1, "{}", report.story);
}
