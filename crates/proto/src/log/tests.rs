//! The log as golden text, and every way in which a file of it can be bad.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use std::format;
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::message::Reason;
use crate::record::{CoordinatorRecord, LogRecord, ParticipantRecord};
use crate::text::CommittedString;
use crate::txn::TxnId;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn txn(text: &str) -> TxnId {
    TxnId::parse(text).unwrap()
}

fn string(text: &str) -> CommittedString {
    CommittedString::parse(text).unwrap()
}

fn record<R>(record: R) -> Line<R> {
    Line::Record { record, stamp: None }
}

/// The lines as text, each written when those before it are on the disk.
fn written<R: LogRecord>(lines: &[Line<R>]) -> String {
    let (mut tip, mut out) = (Tip::default(), Vec::new());
    for line in lines {
        tip.synced = tip.lines;
        encode(&mut tip, line, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn alice() -> Line<ParticipantRecord> {
    Line::Header(Header { user: name("alice"), role: Role::Participant })
}

/// Alice commits a string, aborts one, and finds her text file edited before a third.
fn alices_log() -> Vec<Line<ParticipantRecord>> {
    let ready = |id: &str, text: &str| {
        record(ParticipantRecord::Ready {
            txn: txn(id),
            string: string(text),
            participants: [name("alice"), name("bob")].into(),
            timeout: Duration::from_secs(20),
        })
    };
    let stamp = |text: &str| Stamp { at: text.len() as u64, before: Sum::of(text.as_bytes()) };
    let commit = |id: &str, text: &str, before| Line::Record {
        record: ParticipantRecord::Commit { txn: txn(id), string: string(text) },
        stamp: Some(stamp(before)),
    };
    vec![
        alice(),
        Line::Life(1),
        ready("chair.1.1", "Hello"),
        commit("chair.1.1", "Hello", ""),
        record(ParticipantRecord::Applied { txn: txn("chair.1.1") }),
        record(ParticipantRecord::Abort { txn: txn("chair.1.2"), reason: Some(Reason::Pressed) }),
        Line::Life(2),
        ready("chair.1.3", "தமிழ் \"x\""),
        commit("chair.1.3", "தமிழ் \"x\"", "Hello\n"),
        Line::Moved { line: 9, stamp: stamp("Hello\nmine\n") },
    ]
}

#[test]
fn what_cannot_be_seen_stands_in_a_line_as_an_escape_and_is_read_as_it_was() {
    let tricky = string(&("a\u{202e}b\u{200d}c\u{feff}d\u{e0041}e".to_string() + &"\u{301}".repeat(9)));
    let lines = vec![
        alice(),
        record(ParticipantRecord::Ready {
            txn: txn("chair.1.1"),
            string: tricky.clone(),
            participants: [name("alice")].into(),
            timeout: Duration::from_secs(20),
        }),
    ];
    let log = written(&lines);
    assert!(log.contains(r#""string":"a\u202eb\u200dc\ufeffd\udb40\udc41e"#), "{log}");
    let stacked = "\u{301}".repeat(crate::text::MOST_MARKS) + r"\u0301";
    assert!(log.contains(&stacked) && log.ends_with("}\n"), "{log}");
    let read = read_log::<ParticipantRecord>(log.as_bytes()).unwrap();
    assert!(matches!(&read.records[0].record, ParticipantRecord::Ready { string, .. } if *string == tricky));
}

const ALICES_LOG: &str = r#"
{"n":1,"synced":0,"prev":"00000000","type":"LOG","format":"twopc-log","version":1,"user":"alice","role":"participant","sum":"9e9117c1"}
{"n":2,"synced":1,"prev":"9e9117c1","type":"LIFE","incarnation":1,"sum":"bd9fa0bd"}
{"n":3,"synced":2,"prev":"bd9fa0bd","type":"READY","txn":"chair.1.1","string":"Hello","participants":["alice","bob"],"timeout_ms":20000,"sum":"c725277d"}
{"n":4,"synced":3,"prev":"c725277d","type":"COMMIT","txn":"chair.1.1","string":"Hello","at":0,"before":"00000000","sum":"2b6940d7"}
{"n":5,"synced":4,"prev":"2b6940d7","type":"APPLIED","txn":"chair.1.1","sum":"ad6302b4"}
{"n":6,"synced":5,"prev":"ad6302b4","type":"ABORT","txn":"chair.1.2","reason":"pressed","sum":"a72621a0"}
{"n":7,"synced":6,"prev":"a72621a0","type":"LIFE","incarnation":2,"sum":"55284801"}
{"n":8,"synced":7,"prev":"55284801","type":"READY","txn":"chair.1.3","string":"தமிழ் \"x\"","participants":["alice","bob"],"timeout_ms":20000,"sum":"b7ca552b"}
{"n":9,"synced":8,"prev":"b7ca552b","type":"COMMIT","txn":"chair.1.3","string":"தமிழ் \"x\"","at":6,"before":"31963516","sum":"d5cfe4e2"}
{"n":10,"synced":9,"prev":"d5cfe4e2","type":"MOVED","line":9,"at":11,"before":"4c2ec5ff","sum":"df3ee17f"}
"#;

#[test]
fn a_participants_log_reads_so() {
    assert_eq!(written(&alices_log()), ALICES_LOG.trim_start());
}

const CHAIRS_LOG: &str = r#"
{"n":1,"synced":0,"prev":"00000000","type":"LOG","format":"twopc-log","version":1,"user":"chair","role":"coordinator","sum":"fefe03a8"}
{"n":2,"synced":1,"prev":"fefe03a8","type":"LIFE","incarnation":1,"sum":"7a84c0fe"}
{"n":3,"synced":2,"prev":"7a84c0fe","type":"START","txn":"chair.1.1","string":"Hello","participants":["alice","bob"],"timeout_ms":1500,"sum":"8bf2ebd2"}
{"n":4,"synced":3,"prev":"8bf2ebd2","type":"COMMIT","txn":"chair.1.1","sum":"58ac7b88"}
{"n":5,"synced":4,"prev":"58ac7b88","type":"END","txn":"chair.1.1","sum":"98a58998"}
{"n":6,"synced":5,"prev":"98a58998","type":"ABORT","txn":"chair.1.2","reason":"timeout","by":"bob","sum":"586150b3"}
"#;

#[test]
fn a_coordinators_log_reads_so() {
    let log = [
        Line::Header(Header { user: name("chair"), role: Role::Coordinator }),
        Line::Life(1),
        record(CoordinatorRecord::Start {
            txn: txn("chair.1.1"),
            string: string("Hello"),
            participants: [name("alice"), name("bob")].into(),
            timeout: Duration::from_millis(1_500),
        }),
        record(CoordinatorRecord::Commit { txn: txn("chair.1.1") }),
        record(CoordinatorRecord::End { txn: txn("chair.1.1") }),
        record(CoordinatorRecord::Abort { txn: txn("chair.1.2"), reason: Some(Reason::Timeout), by: Some(name("bob")) }),
    ];
    assert_eq!(written(&log), CHAIRS_LOG.trim_start());
}

#[test]
fn what_was_written_is_what_is_read() {
    let text = written(&alices_log());
    let log = read_log::<ParticipantRecord>(text.as_bytes()).unwrap();
    assert_eq!(log.header, Header { user: name("alice"), role: Role::Participant });
    assert_eq!(log.incarnation, 2);
    assert_eq!(log.torn, None);
    assert_eq!((log.len, log.tip.lines, log.tip.synced), (text.len() as u64, 10, 9));
    let held: Vec<_> = log.records.iter().map(|logged| (logged.line, logged.record.kind().as_str())).collect();
    assert_eq!(held, [(3, "READY"), (4, "COMMIT"), (5, "APPLIED"), (6, "ABORT"), (8, "READY"), (9, "COMMIT")]);
    assert_eq!(log.records[1].stamp, Some(Stamp { at: 0, before: Sum::default() }));
    assert_eq!(log.records[5].stamp, Some(Stamp { at: 11, before: Sum::of(b"Hello\nmine\n") }), "the later stamp counts");
}

#[test]
fn a_string_cannot_forge_a_line() {
    let forged = "\"}\\n{\"n\":4,\"type\":\"COMMIT\",\"sum\":\"00000000\"}";
    let line = |text: &str| Line::Record {
        record: ParticipantRecord::Commit { txn: txn("chair.1.1"), string: string(text) },
        stamp: Some(Stamp { at: 0, before: Sum::default() }),
    };
    let text = written(&[alice(), Line::Life(1), line(forged)]);
    assert_eq!(text.lines().count(), 3);
    let log = read_log::<ParticipantRecord>(text.as_bytes()).unwrap();
    assert_eq!(log.records[0].record.committed(), Some(&string(forged)));
}

/// Has each line's checksum, number and predecessor right, whatever else it says.
fn sealed(contents: &[&str]) -> String {
    let (mut text, mut prev) = (String::new(), Sum::default());
    for (n, content) in (1..).zip(contents) {
        let mut line = format!("{{\"n\":{n},\"synced\":{},\"prev\":\"{prev}\",{content}", n - 1).into_bytes();
        prev = seal(&mut line, 0);
        text.push_str(core::str::from_utf8(&line).unwrap());
        text.push('\n');
    }
    text
}

const HEADER: &str = r#""type":"LOG","format":"twopc-log","version":1,"user":"alice","role":"participant""#;

/// What is said of a log.
fn said(text: &str) -> String {
    match read_log::<ParticipantRecord>(text.as_bytes()) {
        Ok(ReadLog { torn: Some(torn), .. }) => format!("torn: {torn}"),
        Ok(log) => format!("{} lines", log.tip.lines),
        Err(damage) => damage.to_string(),
    }
}

#[test]
fn a_line_that_is_sealed_but_not_of_this_log_is_damage() {
    assert_eq!(said(&sealed(&[HEADER, r#""type":"LIFE","incarnation":1"#])), "2 lines");
    for (contents, expected) in [
        (&[r#""type":"LIFE","incarnation":1"#][..], "line 1 is not what stands there in a log: the header is the first line, and no other"),
        (&[HEADER, HEADER], "line 2 is not what stands there in a log: the header is the first line, and no other"),
        (
            &[r#""type":"LOG","format":"twopc-log","version":2,"user":"alice","role":"participant""#],
            "line 1 says that this is twopc-log, version 2, which this program does not read",
        ),
        (
            &[HEADER, r#""type":"LIFE","incarnation":2"#, r#""type":"LIFE","incarnation":2"#],
            "line 3 begins life 2, though life 2 has begun before",
        ),
        (
            &[HEADER, r#""type":"COMMIT","txn":"chair.1.1","string":"Hello""#],
            "line 2 does not say properly where a line stands in the text file",
        ),
        (
            &[HEADER, r#""type":"ABORT","txn":"chair.1.1","at":0,"before":"00000000""#],
            "line 2 does not say properly where a line stands in the text file",
        ),
        (
            &[HEADER, r#""type":"ABORT","txn":"chair.1.1""#, r#""type":"MOVED","line":2,"at":0,"before":"00000000""#],
            "line 3 does not say properly where a line stands in the text file",
        ),
        (
            &[HEADER, r#""type":"MOVED","line":7,"at":0,"before":"00000000""#],
            "line 2 does not say properly where a line stands in the text file",
        ),
    ] {
        assert_eq!(said(&sealed(contents)), expected);
    }
    for content in [
        r#""type":"END","txn":"chair.1.1""#,
        r#""type":"ABORT""#,
        r#""type":"ABORT","txn":"no name""#,
        r#""type":"ABORT","txn":"chair.1.1","txn":"chair.1.2""#,
        r#""type":"LIFE","incarnation":-1"#,
        r#""type":"LIFE","incarnation":1,"n":2"#,
        r#""type":"LIFE" "incarnation":1"#,
        r#""txn":"chair.1.1""#,
        // Read without a fault, and still not what this program writes.
        r#""type":"LIFE","incarnation":1,"odd":1"#,
        r#" "type":"LIFE","incarnation":1"#,
        r#""incarnation":1,"type":"LIFE""#,
        r#""type":"ABORT","txn":"Chair.1.1""#,
        r#""type":"ABORT","txn":"chair.1.1","reason":null"#,
        r#""type":"ABORT","txn":"chair.1.1","reason":{"asked":null}"#,
    ] {
        let said = said(&sealed(&[HEADER, content]));
        assert!(said.starts_with("line 2 is not a record of this log ("), "{content}: {said}");
    }
}

#[test]
fn a_bad_line_is_named_and_its_fault_said() {
    let text = written(&alices_log());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let joined = |range: &[&str]| range.concat();
    assert_eq!(said(""), "line 1 is missing");
    assert_eq!(said("{}\n"), "line 1 does not end in a checksum");
    assert_eq!(said(lines[0].trim_end()), "line 1 does not end in a checksum");
    assert_eq!(
        said(&text.replace("\"Hello\"", "\"Hullo\"")),
        "line 3 was changed: it was written with the checksum c725277d and has 8a8d1cbe now"
    );
    assert_eq!(said(&text.replacen('\n', "\r\n", 1)), "line 1 does not end in a checksum");
    assert_eq!(said(&joined(&[&lines[..3], &lines[4..]].concat())), "line 4 is line 5 of some log");
    let other = written(&[alice(), Line::Life(7), record(ParticipantRecord::Applied { txn: txn("chair.9.9") })]);
    let stale = other.split_inclusive('\n').nth(2).unwrap();
    assert!(said(&joined(&[&lines[..2], &[stale]].concat())).starts_with("line 3 does not follow the line before it"));
}

#[test]
fn a_tail_that_no_interrupted_write_leaves_is_damage() {
    let text = written(&alices_log());
    let whole = text.trim_end();
    assert_eq!(said(&whole[..whole.len() - 1]), format!("torn: {} bytes from line 10 on", text.lines().last().unwrap().len() - 1));
    assert_eq!(said(whole), format!("torn: {} bytes from line 10 on", text.lines().last().unwrap().len()));
    assert!(said(&format!("{whole}\0")).starts_with("torn: "));
    assert!(said(&format!("{whole}\0\n")).starts_with("torn: "));
    assert_eq!(said(&format!("{whole}\u{b}")), "line 10 was changed by a bit, so that it looks like an interrupted write");
    // The newline of a line that was promised, with what was left of an unpromised one behind it.
    let next = "{\"n\":11,\"synced\":10,\"prev\":\"00";
    assert_eq!(said(&format!("{whole}\u{b}{next}")), "line 10 was changed by a bit, so that it looks like an interrupted write");
    assert_eq!(said(&format!("{whole}\u{2}{next}\0\0\0\n")), "line 10 was changed by a bit, so that it looks like an interrupted write");
    let blank_as_nul = written(&alices_log()[..8]).replacen("ழ் \\", "ழ்\0\\", 1);
    assert_eq!(said(&blank_as_nul), "line 8 was changed by a bit, so that it looks like an interrupted write");
    // An older line that has lost its blocks: later ones know that it was on the disk.
    let lost = text.replacen("\"COMMIT\",\"txn\":\"chair.1.1\"", "\"COM\0\0\0\0\0\0\0\0\":\"chair.1.1\"", 1);
    assert_eq!(said(&lost), "line 4 has lost what was written there");
}

proptest! {
    #[test]
    fn reading_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_log::<ParticipantRecord>(&bytes);
        let _ = read_log::<CoordinatorRecord>(&bytes);
    }

    #[test]
    fn any_string_comes_back_as_it_was(text in "[^\\p{Cc}\u{2028}\u{2029}]{1,40}") {
        let string = string(&text);
        let line = Line::Record {
            record: ParticipantRecord::Commit { txn: txn("chair.1.1"), string: string.clone() },
            stamp: Some(Stamp { at: 3, before: Sum::of(b"abc") }),
        };
        let log = read_log::<ParticipantRecord>(written(&[alice(), line]).as_bytes()).unwrap();
        prop_assert_eq!(log.records[0].record.committed(), Some(&string));
    }
}
