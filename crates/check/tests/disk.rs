//! The disk, to the last byte: whole runs of three nodes in which every call of every disk fails, every
//! recovery is cut off, every log is damaged.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use twopc_check::sim::Call;
use twopc_check::sim::disk_loops::{Loop, every_call_fails, every_log_is_damaged, every_recovery_is_cut_off};

/// No case broke a property.
fn assert_sound(cases: &Loop) {
    assert!(cases.failures.is_empty(), "{} of {} cases, the first:\n{}", cases.failures.len(), cases.cases, cases.failures[0]);
}

#[test]
fn a_commit_and_an_abort_survive_every_failure_of_every_call() {
    let cases = every_call_fails();
    assert_sound(&cases);
    for call in Call::ALL {
        assert!(cases.by_call[&call] > 0, "{call:?} never failed: {:?}", cases.by_call);
    }
    assert!(cases.cases > 8_000, "{} cases", cases.cases);
}

#[test]
fn a_recovery_that_is_cut_off_at_any_step_is_made_good_by_the_next() {
    let cases = every_recovery_is_cut_off();
    assert_sound(&cases);
    let cut_off = cases.cut_off();
    assert!(cut_off > 1_000, "{cut_off} recoveries were cut off");
    assert!(cut_off < cases.cases, "some crash came too late: every step was met");
}

#[test]
fn a_log_of_a_real_run_is_read_as_a_prefix_of_its_history_or_refused() {
    let cases = every_log_is_damaged(0..4);
    assert_sound(&cases);
    assert!(cases.cases > 100_000, "{} cuts and flips", cases.cases);
}
