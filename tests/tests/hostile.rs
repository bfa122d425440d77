//! The trial of a relay among enemies, in its short form; and that it sees what is wrong.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::path::PathBuf;

use twopc_tests::hostile::{Args, run};

#[test]
fn an_honest_room_votes_among_thousands_of_enemies() {
    let suite = PathBuf::from(env!("CARGO_BIN_EXE_twopc-suite"));
    // Not optimised, and beside other tests: how quick the votes are is the long trial's to say.
    let args = Args { p99_ms: 5_000, ..Args::for_seconds(10, suite) };
    let finding = run(&args, &mut |line| eprintln!("{line}"));
    assert!(finding.is_ok(), "{}\n{:?}", finding.failures.join("\n"), finding.figures);
    let figure = |name: &str| finding.figures[name].as_u64().unwrap();
    assert!(figure("votes") > 20 && figure("connections_opened") > 5_600 && figure("known_logins") > 5, "{:?}", finding.figures);
}

#[test]
fn a_suite_whose_programs_end_at_once_fails_the_trial() {
    let finding = run(&Args::for_seconds(1, PathBuf::from("/bin/true")), &mut |_| {});
    assert_eq!((finding.is_ok(), finding.failures.len()), (false, 1), "{:?}", finding.failures);
}
