//! A log that is compacted when its store opens: what it was rid of, what it keeps, and what a disk
//! that fails or a crash at any step leaves: the old log or the new one, whole.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use std::io::ErrorKind;

use room::disk::{Cut, EIO, EMFILE, Fault, MemDisk};
use room::{Participant, applied, apply, commit, persist, place, ready, text, text_path, txn};
use twopc_proto::log::{compact, read_log};
use twopc_proto::{CoordinatorRecord, Decided, Decision, Lsn, ParticipantRecord, Role};
use twopc_store::{Opened, Outcome, Report, Store, StoreError};

/// Opens with every log compacted that can be.
fn open(disk: &MemDisk) -> Result<(Participant, Opened<ParticipantRecord>), StoreError> {
    Store::open_compacting(disk.clone(), &place(), [7; 32], 0)
}

/// Opens with the log as it is.
fn open_as_it_is(disk: &MemDisk) -> (Participant, Opened<ParticipantRecord>) {
    Store::open_compacting(disk.clone(), &place(), [7; 32], u64::MAX).unwrap()
}

fn log_of(disk: &MemDisk) -> Vec<u8> {
    disk.see(&place().log()).unwrap()
}

/// A life that commits and applies `line 1` to `line N`, then promises one more.
fn used(strings: usize) -> MemDisk {
    let disk = MemDisk::default();
    let (mut store, _) = open_as_it_is(&disk);
    let mut lsn: Lsn = 0;
    for n in 1..=strings {
        let string = format!("line {n}");
        store.perform(vec![persist(lsn + 1, ready(n, &string)), persist(lsn + 2, commit(n, &string))]).unwrap();
        store.perform(vec![apply(lsn + 2, &string)]).unwrap();
        store.perform(vec![persist(lsn + 3, applied(n))]).unwrap();
        lsn += 3;
    }
    store.perform(vec![persist(lsn + 1, ready(strings + 1, "in doubt"))]).unwrap();
    disk
}

/// What stands in the text file then.
fn lines(strings: usize) -> String {
    (1..=strings).map(|n| format!("line {n}\n")).collect()
}

/// What is left of the log then.
fn left(strings: usize) -> Vec<ParticipantRecord> {
    let last = format!("line {strings}");
    let over = ParticipantRecord::Decided(Decided::through(txn(1), strings as u64 - 1, Decision::Commit));
    vec![over, ready(strings, &last), commit(strings, &last), applied(strings), ready(strings + 1, "in doubt")]
}

#[test]
fn a_compacted_log_takes_the_place_of_the_old_one_only_when_it_is_whole_and_on_the_disk() {
    let disk = used(9);
    let since = disk.asked().len();
    let (_, opened) = open(&disk).unwrap();
    assert_eq!((opened.records, opened.incarnation, opened.reports), (left(9), 2, vec![]));
    assert_eq!(opened.lines.len(), 9);
    let asked: Vec<String> =
        disk.asked()[since..].iter().filter(|(call, _)| *call != "look").map(|(call, file)| format!("{call} {file}")).collect();
    assert_eq!(
        asked,
        [
            "read alice.key",
            "read alice.participant.dtlog",
            "open alice.participant.dtlog",
            "sync alice.participant.dtlog",
            "append alice.participant.dtlog",
            "sync alice.participant.dtlog",
            "read alice.txt",
            "sync_dir data",
            "create alice.participant.dtlog.new",
            "append alice.participant.dtlog.new",
            "sync alice.participant.dtlog.new",
            "read alice.participant.dtlog.new",
            "rename alice.participant.dtlog",
            "sync_dir data",
            "open alice.participant.dtlog",
        ]
    );
    assert!(disk.is_safe(&place().log()));
    let log = log_of(&disk);
    assert_eq!(compact(&read_log::<ParticipantRecord>(&log).unwrap()), log);
}

#[test]
fn a_log_is_compacted_once_it_is_large_and_half_of_it_would_go() {
    for (strings, large, is_compacted) in [(9, 0, true), (9, 3_000, true), (9, 6_000, false), (1, 0, false)] {
        let disk = used(strings);
        let before = log_of(&disk).len();
        let (_, opened) = Store::<_, ParticipantRecord>::open_compacting(disk.clone(), &place(), [7; 32], large).unwrap();
        let holds_range = matches!(opened.records[0], ParticipantRecord::Decided(_));
        assert_eq!((holds_range, log_of(&disk).len() < before), (is_compacted, is_compacted), "{strings} strings, {before} bytes, {large}");
    }
    let disk = used(9);
    let (_, opened) = room::open(&disk).unwrap();
    assert_eq!(opened.records.len(), 28, "a log of less than a mebibyte stays as it is, if nothing else is said");
}

#[test]
fn lives_rise_over_compactions_and_the_store_goes_on_where_the_compacted_log_ends() {
    let disk = used(9);
    for life in 2..=4 {
        let (mut store, opened) = open(&disk).unwrap();
        assert_eq!(opened.incarnation, life);
        let lsn = opened.records.len() as Lsn;
        let (n, string) = (life as usize * 100, format!("life {life}"));
        assert_eq!(store.perform(vec![persist(lsn + 1, ready(n, &string))]).unwrap(), [Outcome::Durable(lsn + 1)]);
        assert_eq!(store.perform(vec![persist(lsn + 2, commit(n, &string))]).unwrap(), [Outcome::Durable(lsn + 2)]);
        assert_eq!(store.perform(vec![apply(lsn + 2, &string)]).unwrap(), [Outcome::Applied { lsn: lsn + 2 }]);
        store.perform(vec![persist(lsn + 3, applied(n))]).unwrap();
        disk.cut(Cut::Kept);
    }
    assert_eq!(text(&disk), lines(9) + "life 2\nlife 3\nlife 4\n");
    let (_, opened) = open(&disk).unwrap();
    assert_eq!((opened.reports, opened.incarnation), (vec![], 5));
}

#[test]
fn a_line_that_is_still_to_be_applied_is_counted_as_the_compacted_log_does() {
    for is_edited in [false, true] {
        let disk = used(9);
        let (mut store, opened) = open_as_it_is(&disk);
        let lsn = opened.records.len() as Lsn;
        store
            .perform(vec![persist(lsn + 1, commit(10, "in doubt")), persist(lsn + 2, ready(11, "x")), persist(lsn + 3, commit(11, "y"))])
            .unwrap();
        if is_edited {
            disk.save(&text_path(), ("mine\n".to_owned() + &lines(9)).as_bytes());
        }
        let (mut store, opened) = open(&disk).unwrap();
        let places: Vec<Lsn> = (1..)
            .zip(&opened.records)
            .filter(|(_, record)| [commit(10, "in doubt"), commit(11, "y")].contains(record))
            .map(|(lsn, _)| lsn)
            .collect();
        assert_eq!(opened.records.len(), 5);
        // Where it was edited, the log is told the new places, by the lines of the new log.
        let outcomes = store.perform(vec![apply(places[0], "in doubt"), apply(places[1], "y")]).unwrap();
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied { .. })).count(), 2, "{outcomes:?}");
        let expected = (if is_edited { "mine\n" } else { "" }).to_owned() + &lines(9) + "in doubt\ny\n";
        assert_eq!(text(&disk), expected);
        let (mut store, opened) = open_as_it_is(&disk);
        assert_eq!(opened.reports, []);
        store.perform(vec![apply(places[0], "in doubt"), apply(places[1], "y")]).unwrap();
        assert_eq!(text(&disk), expected, "the next life finds them there");
    }
}

#[test]
fn a_torn_tail_is_kept_aside_before_the_log_is_compacted() {
    let disk = used(9);
    let log = log_of(&disk);
    disk.put(&place().log(), &log[..log.len() - 9]);
    let (_, opened) = open(&disk).unwrap();
    assert_eq!(opened.records, left(9)[..4]);
    assert!(matches!(&opened.reports[..], [Report::TornTail { line: 30, .. }]), "{:?}", opened.reports);
    assert!(disk.see(&place().dir.join("alice.participant.dtlog.torn-1")).is_some());
}

#[test]
fn a_coordinators_log_is_compacted_too_and_its_lives_rise() {
    let mut chair = place();
    chair.role = Role::Coordinator;
    let disk = MemDisk::default();
    let (mut store, _) = Store::<_, CoordinatorRecord>::open_compacting(disk.clone(), &chair, [7; 32], 0).unwrap();
    let records = (1..=50).flat_map(|n| {
        let start = CoordinatorRecord::Start {
            txn: txn(n),
            string: room::string("Hello"),
            participants: [place().user].into(),
            timeout: std::time::Duration::from_secs(20),
        };
        [start, CoordinatorRecord::Commit { txn: txn(n) }, CoordinatorRecord::End { txn: txn(n) }]
    });
    let jobs = (1..).zip(records).map(|(lsn, record)| twopc_store::Job::Persist { lsn, record, sync: twopc_proto::Sync::Now });
    store.perform(jobs.collect()).unwrap();
    let (_, opened) = Store::<_, CoordinatorRecord>::open_compacting(disk, &chair, [7; 32], 0).unwrap();
    let all = Decided::through(txn(1), 50, Decision::Commit);
    assert_eq!((opened.records, opened.incarnation), (vec![CoordinatorRecord::Decided(all)], 2));
}

/// What an opening reports of a disk that was changed after its log had been compacted.
fn reported(change: impl Fn(&MemDisk)) -> (Vec<String>, MemDisk) {
    let disk = used(9);
    open(&disk).unwrap();
    change(&disk);
    let (_, opened) = open_as_it_is(&disk);
    (opened.reports.iter().map(ToString::to_string).collect(), disk)
}

#[test]
fn an_edit_is_still_found_after_a_compaction_and_told_as_far_as_the_log_knows() {
    let edited = |what: &str| {
        vec![format!("/home/data/alice.txt was changed by hand{what}; it is kept as it is, and what is committed next follows at its end")]
    };
    for (saved, told) in [
        (lines(9), vec![]),
        (lines(9) + "mine\n", edited(", one line is not a committed string")),
        (lines(8) + "Line 9\n", edited(", one line is not a committed string, no longer in it: “line 9”")),
        (lines(8), edited(", no longer in it: “line 9”")),
        (lines(9).replacen("line 1", "line one", 1), edited(" among older lines, which the log has no copy of any more")),
        (lines(5) + "line 9\n", edited(" among older lines, which the log has no copy of any more")),
        (lines(4), edited(" among older lines, which the log has no copy of any more, no longer in it: “line 9”")),
        (String::new(), edited(" among older lines, which the log has no copy of any more, no longer in it: “line 9”")),
    ] {
        let (reports, disk) = reported(|disk| disk.save(&text_path(), saved.as_bytes()));
        assert_eq!(reports, told, "{saved:?}");
        assert_eq!(text(&disk), saved, "nothing that a person wrote is changed");
    }
}

#[test]
fn a_text_file_that_is_gone_after_a_compaction_is_written_again_as_far_as_the_log_can() {
    let (reports, disk) = reported(|disk| disk.delete(&text_path()));
    assert_eq!(
        reports,
        [
            "/home/data/alice.txt was gone; 1 committed string from the log now stands in a new one, 8 older strings are lost, since the log has \
          no copy of them any more; look for a copy of the file"
        ]
    );
    assert_eq!(text(&disk), "line 9\n");
    let (_, opened) = open_as_it_is(&disk);
    assert_eq!((opened.reports, opened.lines), (vec![], vec!["line 9".to_owned()]), "that is said once");
    // The next line follows, and its stamp is of the file as it is now.
    let lsn = opened.records.len() as Lsn + 1;
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(lsn, commit(10, "in doubt"))]).unwrap();
    assert_eq!(store.perform(vec![apply(lsn, "in doubt")]).unwrap(), [Outcome::Applied { lsn }]);
    assert_eq!(text(&disk), "line 9\nin doubt\n");
}

#[test]
fn a_text_file_that_is_gone_before_a_compaction_is_written_again_whole_first() {
    let disk = used(9);
    disk.delete(&text_path());
    let (_, opened) = open(&disk).unwrap();
    assert!(matches!(&opened.reports[..], [Report::Rebuilt { lines: 9, lost: 0, .. }]), "{:?}", opened.reports);
    assert_eq!((opened.records, text(&disk)), (left(9), lines(9)));
}

#[test]
fn a_log_that_has_the_only_copy_of_a_string_is_not_compacted() {
    let disk = used(9);
    disk.save(&text_path(), lines(9).replacen("line 2\n", "", 1).as_bytes());
    let (_, opened) = open(&disk).unwrap();
    let missing = vec!["line 2".to_owned()];
    assert_eq!(opened.reports, [Report::Edited { text: text_path(), missing, added: 0, older_changed: false }]);
    assert_eq!(opened.records.len(), 28);
    // Whoever did not mean that has the file written again, and the next start compacts.
    disk.delete(&text_path());
    let (_, opened) = open(&disk).unwrap();
    assert_eq!((opened.records, text(&disk)), (left(9), lines(9)));
}

#[test]
fn a_log_whose_strings_all_stand_among_others_is_compacted() {
    let disk = used(9);
    disk.save(&text_path(), (String::from("mine\n") + &lines(9).replace('\n', "\r\n")).as_bytes());
    let (_, opened) = open(&disk).unwrap();
    assert_eq!(opened.reports, [Report::Edited { text: text_path(), missing: vec![], added: 1, older_changed: false }]);
    assert_eq!(opened.records, left(9));
}

#[test]
fn a_log_that_cannot_be_compacted_for_want_of_space_or_permission_is_used_as_it_is() {
    for (fault, calls) in [
        (Fault::Error(ErrorKind::StorageFull), &["create", "append", "sync"][..]),
        (Fault::Short(ErrorKind::QuotaExceeded), &["append"]),
        (Fault::Error(ErrorKind::PermissionDenied), &["create"]),
        (Fault::Error(ErrorKind::ReadOnlyFilesystem), &["create"]),
    ] {
        for call in calls {
            let at = call_at_opening(call);
            let disk = used(9);
            disk.plan(at, fault, false);
            let (mut store, opened) = open(&disk).unwrap_or_else(|error| panic!("{fault:?} at {call}: {error}"));
            assert_eq!(opened.records.len(), 28, "{fault:?} at {call}");
            let report = opened.reports[0].to_string();
            assert!(report.starts_with("/home/data/alice.participant.dtlog is large and was not compacted, since"), "{report}");
            let taken = disk.see(&place().dir.join("alice.participant.dtlog.new")).unwrap_or_default();
            assert_eq!(taken, b"", "what was begun takes no space");
            assert_eq!(store.perform(vec![persist(29, commit(10, "in doubt"))]).unwrap(), [Outcome::Durable(29)]);
            let (_, opened) = open(&disk).unwrap();
            assert!(matches!(opened.records[0], ParticipantRecord::Decided(_)), "the next start does it");
        }
    }
}

/// At which call of an opening this is asked of the new log.
fn call_at_opening(what: &str) -> usize {
    let disk = used(9);
    let since = disk.asked().len();
    open(&disk).unwrap();
    let is_it = |(call, file): &(&str, String)| *call == what && file.ends_with(".dtlog.new");
    disk.asked()[since..].iter().position(is_it).unwrap()
}

#[test]
fn a_new_log_that_reads_otherwise_than_it_was_written_never_takes_the_old_ones_place() {
    let disk = used(9);
    let log = log_of(&disk);
    disk.forge_reads_of(".dtlog.new");
    let error = open(&disk).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the disk failed to write /home/data/alice.participant.dtlog.new; check it, then start again (it holds something else than was written)"
    );
    assert!(log_of(&disk).starts_with(&log));
}

#[test]
fn a_log_that_is_taken_away_during_the_compaction_is_noticed() {
    let at = call_at_opening("read") + 1;
    for there in [None, Some(b"mine".to_vec())] {
        let disk = used(9);
        disk.meddle(at, place().log(), there.clone());
        let error = open(&disk).map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::LogTouched { .. }), "{error}");
        assert_eq!(disk.see(&place().log()), there, "what is there now is not written over");
    }
}

const CUTS: [Cut; 8] = [Cut::Kill, Cut::Lost, Cut::Kept, Cut::NamesLost, Cut::Torn(1), Cut::Torn(200), Cut::Zeroed, Cut::Holes(64)];

const FAULTS: [Fault; 11] = [
    Fault::DiesBefore,
    Fault::DiesAfter,
    Fault::Error(ErrorKind::StorageFull),
    Fault::Error(ErrorKind::QuotaExceeded),
    Fault::Os(EIO),
    Fault::Os(EMFILE),
    Fault::Error(ErrorKind::ReadOnlyFilesystem),
    Fault::Error(ErrorKind::PermissionDenied),
    Fault::Short(ErrorKind::StorageFull),
    Fault::Short(ErrorKind::Other),
    Fault::Short(ErrorKind::WriteZero),
];

#[test]
fn whatever_fails_at_whichever_step_the_old_log_or_the_new_one_stands_there_whole() {
    let used = used(9);
    let old = open_as_it_is(&used.copy()).1.records;
    let (mut tried, mut had_old, mut had_new) = (0, 0, 0);
    for fault in FAULTS {
        for for_good in [false, true] {
            for cut in CUTS {
                for at in 0.. {
                    let disk = used.copy();
                    let since = disk.asked().len();
                    disk.plan(at, fault, for_good);
                    let lived = open(&disk).map(|_| ());
                    let was_reached = disk.asked().len() - since > at;
                    disk.cut(cut);
                    let what = format!("{fault:?} at call {at}, for good: {for_good}, then {cut:?} ({lived:?})");
                    let held = read_log::<ParticipantRecord>(&log_of(&disk)).unwrap_or_else(|damage| panic!("{what}: {damage}"));
                    let records: Vec<ParticipantRecord> = held.records.into_iter().map(|logged| logged.record).collect();
                    assert!(records == old || records == left(9), "{what}");
                    if records == old {
                        had_old += 1;
                    } else {
                        had_new += 1;
                    }
                    // Whichever it is, the next start goes on, and comes to the same.
                    let (_, opened) = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_eq!((opened.records, text(&disk)), (left(9), lines(9)), "{what}");
                    tried += 1;
                    if !was_reached {
                        break;
                    }
                }
            }
        }
    }
    assert!(tried > 2_500 && had_old > 1_000 && had_new > 500, "{tried} openings, {had_old} with the old log, {had_new} with the new one");
}

#[test]
fn a_compacted_log_flipped_at_any_bit_or_cut_at_any_length_is_refused_and_the_line_named() {
    let disk = used(9);
    open(&disk).unwrap();
    let whole = log_of(&disk);
    let judged = |log: &[u8]| {
        let disk = disk.copy();
        disk.put(&place().log(), log);
        Store::<_, ParticipantRecord>::open(disk.clone(), &place(), [7; 32]).map(|_| ())
    };
    let (mut line, mut bytes) = (1, whole.clone());
    for at in 0..whole.len() {
        match judged(&whole[..at]) {
            Err(StoreError::Damaged { damage, .. }) => assert_eq!(damage.line, line, "cut at {at}: {damage}"),
            other => panic!("cut at {at}: {other:?}"),
        }
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            match judged(&bytes) {
                Err(StoreError::Damaged { damage, .. }) => assert_eq!(damage.line, line, "bit {bit} of byte {at}: {damage}"),
                other => panic!("bit {bit} of byte {at}: {other:?}"),
            }
            bytes[at] = whole[at];
        }
        line += u64::from(whole[at] == b'\n');
    }
    assert_eq!(line, 8);
}

#[test]
fn a_million_strings_leave_a_log_of_a_few_lines() {
    let began = std::time::Instant::now();
    let disk = used(9);
    // A log as it is after a million strings and a start in between, and one more string.
    let over = ParticipantRecord::Decided(Decided::through(txn(20), 1_000_000, Decision::Commit));
    let (mut store, opened) = open(&disk).unwrap();
    let lsn = opened.records.len() as Lsn;
    store.perform(vec![persist(lsn + 1, over)]).unwrap();
    let batch = (0..5_000).flat_map(|n| [ready(2_000_000 + n, "x"), ParticipantRecord::Abort { txn: txn(2_000_000 + n), reason: None }]);
    store.perform((lsn + 2..).zip(batch).map(|(lsn, record)| persist(lsn, record)).collect()).unwrap();
    let large = log_of(&disk).len();
    assert!(large > 1 << 20, "{large} bytes");
    // By the rule that ships.
    let (_, opened) = room::open(&disk).unwrap();
    assert_eq!(opened.records.len(), 7);
    assert!(log_of(&disk).len() < 2_000);
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "it took {:?}", began.elapsed());
}
