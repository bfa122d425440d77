//! The verdict as a function of bytes, for whoever has them without a folder.

use std::fs;

use twopc_lab::verdict::{Evidence, Invariant, Mark, Outcome, gather, judge};
use twopc_proto::{Message, Role};

use super::run::{Run, name, txn};

/// The logs and text files of a run, under their own names.
fn files(run: &Run) -> Evidence {
    let mut evidence = Evidence::default();
    for log in ["alice.participant.dtlog", "bob.participant.dtlog", "chair.coordinator.dtlog"] {
        evidence.add_log(log, fs::read(run.data(log)).unwrap()).unwrap();
    }
    for user in ["alice", "bob"] {
        let text = format!("{user}.txt");
        evidence.add_text(&text, name(user), fs::read(run.data(&text)).unwrap());
    }
    evidence
}

/// The frames of a run's record, one by one.
fn frames(run: &Run) -> Vec<String> {
    let record = fs::read_to_string(run.record()).unwrap();
    record.split("POST ").skip(1).map(|frame| format!("POST {frame}")).collect()
}

#[test]
fn frames_one_by_one_prove_what_the_whole_record_proves() {
    let run = Run::committed();
    run.hears("chair", Role::Coordinator, "bob", &Message::GlobalAbort { txn: txn(2), reason: None, by: None });
    let mut whole = files(&run);
    whole.add_record("room.http", &fs::read(run.record()).unwrap()).unwrap();
    let mut single = files(&run);
    for (line, frame) in (1..).zip(frames(&run)) {
        single.add_frame("events", line, &frame).unwrap();
    }
    let (whole, single) = (judge(&whole), judge(&single));
    assert_eq!((whole.outcome, single.outcome), (Outcome::Violated, Outcome::Violated));
    let marks = |verdict: &twopc_lab::verdict::Verdict| verdict.rows.iter().map(|row| (row.invariant, row.mark)).collect::<Vec<_>>();
    assert_eq!(marks(&whole), marks(&single));
    assert!(marks(&single).contains(&(Invariant::Stability, Mark::Broken)));
    assert!(single.rows[2].findings[0].quotes.iter().all(|quote| quote.file == "events"));
}

#[test]
fn the_same_evidence_gives_the_same_verdict() {
    let run = Run::in_doubt();
    let evidence = gather(&[run.folder().to_path_buf()]).unwrap();
    assert_eq!(judge(&evidence), judge(&evidence.clone()));
}

#[test]
fn half_a_frame_is_none() {
    let mut evidence = Evidence::default();
    let error = evidence.add_frame("events", 7, "POST /2pc/ACK HTTP/1.1\r\nContent-Length: 5\r\n\r\n").unwrap_err();
    assert_eq!(error.to_string(), "events is damaged: the frame at line 7 cannot be read (it is not whole), so there is no verdict.");
}

#[test]
fn nothing_that_was_ever_asked_is_said_to_be_nothing() {
    let said = twopc_lab::verdict::command::text(&judge(&Evidence::default()));
    assert!(said.starts_with("ATOMIC\n") && said.contains("Transactions: none yet, so there was nothing to break."), "{said}");
}
