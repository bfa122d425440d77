//! Hostile frames, bodies, logs and texts: five million frames, and everything else in proportion.
//!
//! `twopc-check frames` judges as many as one likes; a failure here says the command that repeats it.

use twopc_check::frames::rows::Row;
use twopc_check::frames::strict::Reader;
use twopc_check::frames::{Plan, hunt};

#[test]
fn whatever_comes_is_read_as_the_rules_say() {
    let findings = hunt(Plan { frames: 5_000_000, seed: 1 }, &|_| {});
    println!("{findings}");
    assert!(findings.frames >= 5_000_000);
    assert!(findings.failures.is_empty(), "{}", findings.failures.join("\n"));
}

#[test]
fn the_same_seed_judges_the_same_inputs() {
    let [once, again, other] = [7, 7, 8].map(|seed| hunt(Plan { frames: 100_000, seed }, &|_| {}));
    let counts = |findings: &twopc_check::frames::Findings| (findings.frames, findings.accepted, findings.refused, findings.others);
    assert_eq!(counts(&once), counts(&again));
    assert_ne!(counts(&once), counts(&other));
}

#[test]
fn every_row_is_for_some_reader() {
    for row in Row::ALL {
        assert!(Reader::ALL.into_iter().any(|reader| row.is_for(reader)), "{row:?}");
        assert_eq!(Row::ALL[row as usize], row, "findings are counted by this number");
    }
}
