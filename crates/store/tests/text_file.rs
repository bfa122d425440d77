//! The text file between a person and a crash: what she wrote is never lost, what was committed
//! stands once, and what is odd is reported.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use room::disk::{Cut, MemDisk};
use room::{applied, apply, commit, open, persist, text, text_path};
use twopc_proto::Lsn;
use twopc_store::Outcome;

/// A first life that commits and applies these strings, and says so in the log unless the last is
/// left `open`.
fn with_lines(strings: &[&str], last_is_open: bool) -> MemDisk {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    let mut lsn = 0;
    for (n, string) in (1..).zip(strings) {
        lsn += 1;
        store.perform(vec![persist(lsn, commit(n, string))]).unwrap();
        store.perform(vec![apply(lsn, string)]).unwrap();
        if !last_is_open || n < strings.len() {
            lsn += 1;
            store.perform(vec![persist(lsn, applied(n))]).unwrap();
        }
    }
    disk
}

/// The next life, which applies what is open: COMMIT records without APPLIED. Gives what a person is
/// told, at the opening and then.
fn next_life(disk: &MemDisk) -> Vec<String> {
    let (mut store, opened) = open(disk).unwrap();
    let mut told: Vec<String> = opened.reports.iter().map(ToString::to_string).collect();
    let records = &opened.records;
    let (mut open_lines, mut closing) = (Vec::new(), Vec::new());
    for (lsn, record) in (1..).zip(records) {
        let twopc_proto::ParticipantRecord::Commit { txn, string } = record else { continue };
        let done = twopc_proto::ParticipantRecord::Applied { txn: txn.clone() };
        if !records.contains(&done) {
            open_lines.push(apply(lsn, string.as_str()));
            closing.push(persist((records.len() + closing.len()) as Lsn + 1, done));
        }
    }
    let asked = open_lines.len();
    let outcomes = store.perform(open_lines).unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied { .. })).count(), asked);
    told.extend(outcomes.iter().filter_map(|outcome| if let Outcome::Report(report) = outcome { Some(report.to_string()) } else { None }));
    store.perform(closing).unwrap();
    told
}

/// The reports of the next life and the text that it leaves; the life after that finds nothing to do.
fn check(disk: &MemDisk, told: &[&str], left: &str) {
    assert_eq!(next_life(disk), told);
    assert_eq!(text(disk), left);
    let commits_again: Vec<String> = next_life(disk).into_iter().filter(|report| !report.contains("changed by hand")).collect();
    assert_eq!(commits_again, [""; 0]);
    assert_eq!(text(disk), left);
}

const COMPLETED: &str = "the line “Hello” stood in /home/data/alice.txt in part, since the last write was interrupted; it was completed";

#[test]
fn a_line_that_stands_is_left_alone_and_one_that_does_not_is_appended() {
    let disk = with_lines(&["one", "Hello"], true);
    check(&disk, &[], "one\nHello\n");
    let disk = with_lines(&["one", "Hello"], true);
    disk.save(&text_path(), b"one\n");
    check(&disk, &[], "one\nHello\n");
}

#[test]
fn a_line_cut_off_anywhere_is_completed() {
    for there in 1.."Hello\n".len() {
        let disk = with_lines(&["one", "Hello"], true);
        disk.save(&text_path(), format!("one\n{}", &"Hello\n"[..there]).as_bytes());
        check(&disk, &[COMPLETED], "one\nHello\n");
    }
}

#[test]
fn a_line_whose_blocks_were_never_written_is_completed() {
    for left in ["one\n\0\0\0\0\0\0", "one\nHel\0\0\0", "one\n\0\0\0lo\n", "one\nHello\0"] {
        let disk = with_lines(&["one", "Hello"], true);
        disk.save(&text_path(), left.as_bytes());
        check(&disk, &[COMPLETED], "one\nHello\n");
    }
}

#[test]
fn the_same_string_twice_stands_twice_and_each_line_is_judged_by_its_place() {
    let disk = with_lines(&["Hello", "Hello"], true);
    check(&disk, &[], "Hello\nHello\n");
    let disk = with_lines(&["Hello", "Hello"], true);
    disk.save(&text_path(), b"Hello\n");
    check(&disk, &[], "Hello\nHello\n");
    // An equal line at that place which is not the one: a person has put something before the first.
    let disk = with_lines(&["Hello", "Hello"], true);
    disk.save(&text_path(), b"12345\nHello\n");
    let edited = "/home/data/alice.txt was changed by hand, one line is not a committed string; it is kept as it is, and what is committed \
                  next follows at its end";
    check(&disk, &[edited], "12345\nHello\nHello\n");
}

#[test]
fn what_a_person_wrote_between_two_lives_stays() {
    for (saved, report, left) in [
        // More at the end, with the newline and without.
        ("one\nHello\nmine\n", None, "one\nHello\nmine\n"),
        ("one\nmine\n", Some(", one line is not a committed string"), "one\nmine\nHello\n"),
        ("one\nHelp\n", Some(", one line is not a committed string"), "one\nHelp\nHello\n"),
        // No newline at the end of hers.
        ("one\nmine", Some(", one line is not a committed string"), "one\nmine\nHello\n"),
        // Something in front, something less, nothing at all.
        ("mine\none\n", Some(", one line is not a committed string"), "mine\none\nHello\n"),
        ("on\n", Some(", one line is not a committed string, no longer in it: “one”"), "on\nHello\n"),
        ("", Some(", no longer in it: “one”"), "Hello\n"),
        // An editor that ends lines in its own way.
        ("one\r\n", Some(""), "one\r\nHello\n"),
        // One that marks the file as UTF-8, and one word more in the middle.
        ("\u{feff}one\n", Some(", one line is not a committed string, no longer in it: “one”"), "\u{feff}one\nHello\n"),
        ("one and more\n", Some(", one line is not a committed string, no longer in it: “one”"), "one and more\nHello\n"),
        // In front of a line that may not have been written yet: it is found a second time at the end.
        ("one more\nHello\n", Some(", 2 lines are not committed strings, no longer in it: “one”"), "one more\nHello\nHello\n"),
        ("one\r\nHello\r\n", Some(", one line is not a committed string"), "one\r\nHello\r\nHello\n"),
        // No newline at the end of ours.
        ("one", None, "one\nHello\n"),
    ] {
        let report = report.map(|what| {
            format!("/home/data/alice.txt was changed by hand{what}; it is kept as it is, and what is committed next follows at its end")
        });
        for by_renaming in [false, true] {
            let disk = with_lines(&["one", "Hello"], true);
            if by_renaming {
                disk.put(&text_path(), saved.as_bytes());
            } else {
                disk.save(&text_path(), saved.as_bytes());
            }
            check(&disk, &report.iter().map(String::as_str).collect::<Vec<_>>(), left);
        }
    }
}

#[test]
fn what_is_no_utf_8_is_kept_byte_by_byte() {
    let saved: &[u8] = b"caf\xe9 \xff\nmine";
    let disk = with_lines(&["one", "Hello"], true);
    disk.save(&text_path(), saved);
    assert_eq!(next_life(&disk).len(), 1);
    assert_eq!(disk.see(&text_path()).unwrap(), [saved, b"\nHello\n"].concat());
}

#[test]
fn an_edit_that_concerns_no_open_line_is_reported_at_the_opening_and_stays() {
    let disk = with_lines(&["one", "Hello"], false);
    disk.put(&text_path(), b"one\r\nmine\r\nand mine");
    assert_eq!(
        next_life(&disk),
        [
            "/home/data/alice.txt was changed by hand, 2 lines are not committed strings, no longer in it: “Hello”; it is kept as it is, and what \
          is committed next follows at its end"
        ]
    );
    let (mut store, opened) = open(&disk).unwrap();
    assert_eq!(opened.lines, ["one", "mine", "and mine"]);
    assert_eq!(store.perform(vec![persist(5, commit(3, "three"))]).unwrap(), [Outcome::Durable(5)]);
    assert_eq!(store.perform(vec![apply(5, "three")]).unwrap(), [Outcome::Applied { lsn: 5 }], "the stamp knew of the edit");
    assert_eq!(text(&disk), "one\r\nmine\r\nand mine\nthree\n");
}

#[test]
fn a_text_file_that_is_gone_is_written_again() {
    let gone = |lines: &str| format!("/home/data/alice.txt was gone; {lines} from the log now");
    for (strings, is_open, lines, left) in [
        (&["one", "Hello", "one"][..], false, "3 committed strings", "one\nHello\none\n"),
        (&["one", "Hello"], true, "1 committed string", "one\nHello\n"),
        (&["Hello"], true, "0 committed strings", "Hello\n"),
    ] {
        let disk = with_lines(strings, is_open);
        disk.delete(&text_path());
        let told = next_life(&disk);
        assert!(told.len() == 1 && told[0].starts_with(&gone(lines)), "{told:?}");
        assert_eq!(text(&disk), left);
        assert_eq!(next_life(&disk), [""; 0]);
        assert_eq!(text(&disk), left);
    }
}

#[test]
fn an_edit_while_the_program_runs_gives_the_next_line_another_place_before_it_is_appended() {
    type Edit = fn(&MemDisk);
    let edits: [(Edit, &str); 9] = [
        (|disk| disk.save(&text_path(), b"one\r\n"), "one\r\nHello\n"),
        (|disk| disk.save(&text_path(), "\u{feff}one\n".as_bytes()), "\u{feff}one\nHello\n"),
        (|disk| disk.save(&text_path(), b"one and more\n"), "one and more\nHello\n"),
        (|disk| disk.save(&text_path(), b"one\nmine"), "one\nmine\nHello\n"),
        // Nothing but the time of the change tells this one.
        (|disk| disk.save(&text_path(), b"eno\n"), "eno\nHello\n"),
        (|disk| disk.save(&text_path(), b"one\nmine\n"), "one\nmine\nHello\n"),
        (|disk| disk.put(&text_path(), b"one\nmine"), "one\nmine\nHello\n"),
        (|disk| disk.save(&text_path(), b"two\n"), "two\nHello\n"),
        (|disk| disk.save(&text_path(), b""), "Hello\n"),
    ];
    for (edit, left) in edits {
        let disk = with_lines(&["one"], false);
        let (mut store, _) = open(&disk).unwrap();
        // Between the COMMIT record with its stamp and the line.
        store.perform(vec![persist(3, commit(2, "Hello"))]).unwrap();
        edit(&disk);
        let syncs = disk.count("sync", ".dtlog");
        let outcomes = store.perform(vec![apply(3, "Hello")]).unwrap();
        assert!(matches!(&outcomes[..], [Outcome::Report(_), Outcome::Applied { lsn: 3 }]), "{outcomes:?}");
        assert_eq!(disk.count("sync", ".dtlog"), syncs + 1, "the log knows the new place first");
        assert_eq!(text(&disk), left);
        // The next life finds it there.
        disk.cut(Cut::Kill);
        check(&disk, &[], left);
    }
}

#[test]
fn a_crash_around_the_new_place_appends_the_line_once() {
    for at in 0.. {
        for fault in [room::disk::Fault::DiesBefore, room::disk::Fault::DiesAfter] {
            for cut in [Cut::Kill, Cut::Lost, Cut::Torn(20), Cut::Zeroed] {
                let disk = with_lines(&["one"], false);
                let (mut store, _) = open(&disk).unwrap();
                store.perform(vec![persist(3, commit(2, "Hello")), persist(4, commit(3, "Hello"))]).unwrap();
                disk.save(&text_path(), b"mine\none");
                disk.plan(at, fault, true);
                let lived = store.perform(vec![apply(3, "Hello"), apply(4, "Hello")]);
                disk.cut(cut);
                next_life(&disk);
                assert_eq!(text(&disk), "mine\none\nHello\nHello\n", "{fault:?} at call {at}, then {cut:?}");
                if lived.is_ok() && fault == room::disk::Fault::DiesAfter && cut == Cut::Zeroed {
                    assert!(at > 8, "every call was tried");
                    return;
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_taken_away_before_it_was_synced_gets_the_line_again() {
    type Taking = fn(&MemDisk);
    let ways: [(Taking, &str); 3] = [
        // Deleted; an editor's copy from before the line; one from after it.
        (|disk| disk.delete(&text_path()), "one\nHello\n"),
        (|disk| disk.put(&text_path(), b"one\nmine\n"), "one\nmine\nHello\n"),
        (|disk| disk.put(&text_path(), b"one\nHello\nmine\n"), "one\nHello\nmine\n"),
    ];
    for (take, left) in ways {
        let disk = with_lines(&["one"], false);
        let (mut store, _) = open(&disk).unwrap();
        store.perform(vec![persist(3, commit(2, "Hello"))]).unwrap();
        store.perform(vec![apply(3, "Hello")]).unwrap();
        take(&disk);
        store.perform(vec![persist(4, applied(2))]).unwrap();
        assert_eq!(text(&disk), left);
        assert!(disk.is_safe(&text_path()));
        disk.cut(Cut::Lost);
        assert_eq!(text(&disk), left);
    }
}

#[test]
fn the_name_that_an_editor_gave_a_new_file_is_on_the_disk_before_a_line_in_it_is_called_applied() {
    let disk = with_lines(&["one"], false);
    let (mut store, _) = open(&disk).unwrap();
    disk.put_for_now(&text_path(), b"one\nmine\n");
    store.perform(vec![persist(3, commit(2, "Hello"))]).unwrap();
    store.perform(vec![apply(3, "Hello")]).unwrap();
    store.perform(vec![persist(4, applied(2))]).unwrap();
    disk.cut(Cut::Lost);
    assert_eq!(text(&disk), "one\nmine\nHello\n");
}

#[test]
fn a_file_written_again_keeps_the_order_though_an_earlier_line_is_open() {
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(1, commit(1, "one")), persist(2, commit(2, "two")), persist(3, commit(3, "three"))]).unwrap();
    store.perform(vec![apply(2, "two")]).unwrap();
    store.perform(vec![persist(4, applied(2))]).unwrap();
    disk.delete(&text_path());
    assert_eq!(next_life(&disk).len(), 1);
    assert_eq!(text(&disk), "one\ntwo\nthree\n");
}

#[test]
fn a_file_that_is_deleted_while_the_program_runs_is_written_again_with_the_next_line() {
    let disk = with_lines(&["one", "two"], false);
    let (mut store, _) = open(&disk).unwrap();
    disk.delete(&text_path());
    store.perform(vec![persist(5, commit(3, "Hello"))]).unwrap();
    let outcomes = store.perform(vec![apply(5, "Hello")]).unwrap();
    assert!(
        matches!(&outcomes[..], [Outcome::Report(twopc_store::Report::Rebuilt { lines: 2, .. }), Outcome::Applied { lsn: 5 }]),
        "{outcomes:?}"
    );
    assert_eq!(text(&disk), "one\ntwo\nHello\n");
}

#[test]
fn a_person_who_had_a_file_of_that_name_before_keeps_it() {
    let disk = MemDisk::default();
    disk.put(&text_path(), b"my shopping");
    let (mut store, opened) = open(&disk).unwrap();
    assert_eq!((opened.reports, opened.lines), (vec![], vec!["my shopping".to_owned()]));
    store.perform(vec![persist(1, commit(1, "Hello"))]).unwrap();
    assert_eq!(store.perform(vec![apply(1, "Hello")]).unwrap(), [Outcome::Applied { lsn: 1 }]);
    assert_eq!(text(&disk), "my shopping\nHello\n");
    // Cut off at the newline that hers lacked, and behind it.
    for left in ["my shopping", "my shopping\n", "my shopping\nHe", "my shopping\0\0\0"] {
        disk.save(&text_path(), left.as_bytes());
        let again = MemDisk::default();
        for path in [room::place().log(), room::place().key(), text_path()] {
            again.put(&path, &disk.see(&path).unwrap());
        }
        next_life(&again);
        assert_eq!(text(&again), "my shopping\nHello\n", "{left:?}");
    }
}

#[test]
fn lines_that_are_still_to_be_applied_are_not_shown_twice() {
    for left in ["one\n", "one\nHel", "one\nHello\n"] {
        let disk = with_lines(&["one", "Hello"], true);
        disk.save(&text_path(), left.as_bytes());
        assert_eq!(open(&disk).unwrap().1.lines, ["one"], "{left:?}");
    }
    let disk = with_lines(&["one", "Hello"], true);
    disk.save(&text_path(), b"one\nHello\nmine\n");
    assert_eq!(open(&disk).unwrap().1.lines, ["one", "mine"]);
    let disk = with_lines(&["one", "Hello"], false);
    assert_eq!(open(&disk).unwrap().1.lines, ["one", "Hello"]);
}
