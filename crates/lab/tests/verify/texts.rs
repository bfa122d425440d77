//! Text files that are not as their logs say, and some that people have edited.

use std::fs;

use super::run::{Run, quote};

const BROKEN: [&str; 5] = ["holds", "holds", "holds", "broken", "holds"];
const HOLDS: [&str; 5] = ["holds"; 5];

#[test]
fn a_string_that_is_missing_is_found() {
    let run = Run::committed();
    run.text("bob", |lines| _ = lines.remove(1));
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    let (log, text) = (run.data("bob.participant.dtlog"), run.data("bob.txt"));
    said.says(&[
        &format!("“Hello 2” of chair.1.2 was committed at bob and does not stand in {}", text.display()),
        &quote(&log, &["COMMIT", "chair.1.2"]),
        &quote(&log, &["APPLIED", "chair.1.2"]),
        &format!("{}: no line “Hello 2” among its 2 lines", text.display()),
    ]);
}

#[test]
fn a_string_that_stands_twice_is_found() {
    let run = Run::committed();
    run.text("alice", |lines| lines.push("Hello 1"));
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    let text = run.data("alice.txt");
    said.says(&[
        "“Hello 1” of chair.1.1 was committed once and stands 2 times",
        &quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.1"]),
        &format!("{}:1: Hello 1", text.display()),
        &format!("{}:4: Hello 1", text.display()),
    ]);
}

#[test]
fn strings_out_of_order_are_found() {
    let run = Run::committed();
    run.text("alice", |lines| lines.swap(1, 2));
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    let text = run.data("alice.txt");
    said.says(&[
        "“Hello 3” of chair.1.3 stands before “Hello 2” of chair.1.2",
        &format!("{}:2: Hello 3", text.display()),
        &format!("{}:3: Hello 2", text.display()),
    ]);
}

#[test]
fn a_text_file_that_is_gone_is_found() {
    let run = Run::committed();
    fs::remove_file(run.data("alice.txt")).unwrap();
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    said.says(&[
        "the text file of alice is gone, with 3 committed strings",
        &format!("{}: it is not there", run.data("alice.txt").display()),
    ]);
}

#[test]
fn the_string_of_an_aborted_transaction_is_found() {
    let run = Run::aborted();
    fs::write(run.data("bob.txt"), "Hello\n").unwrap();
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    said.says(&[
        "“Hello” stands in ",
        "and chair.1.1, which proposed it, is not committed at bob",
        &format!("{}:1: Hello", run.data("bob.txt").display()),
        &quote(&run.data("bob.participant.dtlog"), &["ABORT", "chair.1.1"]),
    ]);
}

#[test]
fn lines_that_a_person_typed_are_no_violation_and_are_named() {
    let run = Run::committed();
    run.text("alice", |lines| {
        lines.insert(0, "shopping:");
        lines.insert(2, "milk\u{1b}[2J");
    });
    run.text("bob", |lines| lines.insert(0, "bread"));
    let said = run.verify();
    said.is(0, "ATOMIC", HOLDS);
    said.says(&[
        "alice.txt has lines that belong to no COMMIT, typed by hand: lines 1, 3.",
        "bob.txt has a line that belongs to no COMMIT, typed by hand: line 1.",
    ]);
}

#[test]
fn other_line_ends_are_no_violation() {
    let run = Run::committed();
    let text = fs::read_to_string(run.data("alice.txt")).unwrap();
    fs::write(run.data("alice.txt"), format!("\u{feff}{}", text.replace('\n', "\r\n").trim_end())).unwrap();
    run.verify().is(0, "ATOMIC", HOLDS);
    run.compact();
    run.verify().is(0, "ATOMIC", HOLDS);
}

#[test]
fn of_a_compacted_log_a_string_that_it_has_no_copy_of_is_missed_by_the_number_of_lines() {
    let run = Run::committed();
    run.compact();
    run.text("alice", |lines| _ = lines.remove(0));
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    said.says(&[
        "alice.txt has 2 lines, and 3 committed strings must stand there: 2 of which the log has no copy any more, and 1",
        &quote(&run.data("alice.participant.dtlog"), &["COMMIT", "chair.1.3"]),
    ]);
}

#[test]
fn of_a_compacted_log_whether_an_older_line_was_changed_cannot_be_told() {
    let run = Run::committed();
    run.compact();
    run.text("alice", |lines| lines.insert(0, "mine"));
    let said = run.verify();
    said.is(4, "IN DOUBT", ["holds", "holds", "holds", "open", "holds"]);
    said.says(&["alice.txt was changed among its first lines, of whose 2 strings the log has no copy any more"]);
}

#[test]
fn of_a_compacted_log_a_string_that_it_still_has_is_judged_as_ever() {
    let run = Run::committed();
    run.compact();
    run.text("alice", |lines| lines.push("Hello 3"));
    let said = run.verify();
    said.is(5, "VIOLATED", BROKEN);
    said.says(&[
        "“Hello 3” of chair.1.3 was committed once and stands 2 times",
        &format!("{}:4: Hello 3", run.data("alice.txt").display()),
    ]);
}
