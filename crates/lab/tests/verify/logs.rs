//! Stable logs that cannot all be true.

use std::fs;

use twopc_proto::{CoordinatorRecord, LogRecord, ParticipantRecord, RecordKind};

use super::run::{Run, is, quote, txn, verify};

#[test]
fn a_commit_beside_an_abort_is_no_agreement() {
    let run = Run::committed();
    run.participant("bob", |records| {
        for logged in &mut *records {
            if is(logged, RecordKind::Commit, &txn(3)) {
                logged.record = ParticipantRecord::Abort { txn: txn(3), reason: None };
                logged.stamp = None;
            }
        }
        records.retain(|logged| !is(logged, RecordKind::Applied, &txn(3)));
    });
    run.text("bob", |lines| _ = lines.pop());
    let said = verify(&[&run.folder().join("data")]);
    // Nobody else had aborted it: it was a guess, too.
    said.is(5, "VIOLATED", ["broken", "holds", "holds", "holds", "broken"]);
    said.says(&[
        "chair.1.3: alice holds commit, bob holds abort",
        &quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.3"]),
        &quote(&run.data("bob.participant.dtlog"), &["ABORT", "chair.1.3"]),
        &quote(&run.data("chair.coordinator.dtlog"), &["COMMIT", "chair.1.3"]),
        "bob had promised chair.1.3 and decided before anybody else",
    ]);
}

#[test]
fn a_commit_that_somebody_never_promised_is_not_valid() {
    let run = Run::committed();
    run.participant("bob", |records| records.retain(|logged| !is(logged, RecordKind::Ready, &txn(2))));
    let said = verify(&[&run.folder().join("data")]);
    said.is(5, "VIOLATED", ["holds", "broken", "holds", "holds", "holds"]);
    said.says(&[
        "committed chair.1.2, which bob never promised",
        &quote(&run.data("chair.coordinator.dtlog"), &["COMMIT", "chair.1.2"]),
        &format!("{}: no READY of chair.1.2 among its 10 lines", run.data("bob.participant.dtlog").display()),
    ]);
}

#[test]
fn two_decisions_in_one_log_are_no_stability_and_no_agreement_with_anybody() {
    let run = Run::committed();
    run.chair(|records| {
        let at = records.iter().position(|logged| is(logged, RecordKind::Commit, &txn(1))).unwrap();
        let mut abort = records[at].clone();
        abort.record = CoordinatorRecord::Abort { txn: txn(1), reason: None, by: None };
        records.insert(at + 1, abort);
    });
    let said = run.verify();
    said.is(5, "VIOLATED", ["broken", "holds", "broken", "holds", "holds"]);
    let log = run.data("chair.coordinator.dtlog");
    said.says(&["chair.1.1: chair holds COMMIT and ABORT, alice holds one of them"]);
    said.says(&["chair: chair.1.1 was decided twice", &quote(&log, &["COMMIT", "chair.1.1"]), &quote(&log, &["ABORT", "chair.1.1"])]);
}

#[test]
fn a_commit_that_the_coordinator_never_decided_is_a_guess() {
    let run = Run::committed();
    run.chair(|records| records.retain(|logged| logged.record.txn() != &txn(3) || logged.record.kind() == RecordKind::Start));
    let said = verify(&[&run.folder().join("data")]);
    said.is(5, "VIOLATED", ["holds", "open", "holds", "holds", "broken"]);
    said.says(&[
        "alice had promised chair.1.3 and decided before anybody else",
        &quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.3"]),
        &format!("{}: no COMMIT of chair.1.3 among its 9 lines", run.data("chair.coordinator.dtlog").display()),
    ]);
}

#[test]
fn a_guess_is_found_in_the_range_of_a_compacted_log() {
    let run = Run::committed();
    run.compact();
    run.chair(Vec::clear);
    let said = verify(&[&run.folder().join("data")]);
    said.is(5, "VIOLATED", ["holds", "holds", "holds", "holds", "broken"]);
    said.says(&["alice committed chair.1.1 and the coordinator did not", "alice committed chair.1.2 and the coordinator did not"]);
}

#[test]
fn an_end_before_everybody_has_decided_is_found() {
    let run = Run::committed();
    run.participant("bob", |records| {
        records.retain(|logged| logged.record.txn() != &txn(3) || logged.record.kind() == RecordKind::Ready);
    });
    run.text("bob", |lines| _ = lines.pop());
    let said = verify(&[&run.folder().join("data")]);
    said.is(5, "VIOLATED", ["broken", "holds", "holds", "holds", "holds"]);
    said.says(&[
        "chair ended chair.1.3, which bob has not decided",
        &quote(&run.data("chair.coordinator.dtlog"), &["END", "chair.1.3"]),
        "open: bob is in doubt about chair.1.3",
        "the log of chair holds COMMIT, which settles it",
    ]);
}

#[test]
fn an_abort_that_may_have_come_from_somebody_whose_log_is_not_here_is_no_guess() {
    let run = Run::aborted();
    run.chair(|records| records.retain(|logged| logged.record.kind() == RecordKind::Start));
    for name in ["bob.participant.dtlog", "bob.key", "bob.txt"] {
        // Who commits nothing may have no text file.
        let _ = fs::remove_file(run.data(name));
    }
    let said = verify(&[&run.folder().join("data")]);
    said.is(4, "IN DOUBT", ["open", "open", "holds", "holds", "holds"]);
}
