//! The trial that kills real processes, in its short form; and that its judge sees what is wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use twopc_tests::finding::Finding;
use twopc_tests::kill::plan::{CYCLES, RoomPlan};
use twopc_tests::kill::verdict::{Settled, of_room};
use twopc_tests::kill::{Args, run};

const SEED: u64 = 1;

fn args(cycles: u64) -> Args {
    let suite = Some(PathBuf::from(env!("CARGO_BIN_EXE_twopc-suite")));
    Args { cycles, seed: SEED, rooms: 12, room: None, keep: None, suite }
}

fn play(args: &Args) -> Finding {
    run(args, &mut |line| eprintln!("{line}"))
}

#[test]
fn three_hundred_cycles_reach_every_point_and_leave_files_that_agree() {
    let finding = play(&args(300));
    assert!(finding.is_ok(), "{}", finding.failures.join("\n"));
    let figure = |name: &str| finding.figures[name].as_u64().unwrap();
    assert_eq!((figure("cycles"), figure("points")), (300, 36));
    for name in ["deaths_at_rarest_point", "deaths_in_recovery", "committed", "aborted", "blocked"] {
        assert!(figure(name) > 0, "{name}: {:?}", finding.figures);
    }
}

#[test]
fn a_suite_whose_programs_end_at_once_fails_the_trial() {
    // The files of a trial that fails are kept; nobody looks into these.
    let keep = tempfile::tempdir().unwrap();
    let finding = play(&Args { suite: Some(PathBuf::from("/bin/true")), rooms: 1, keep: Some(keep.path().into()), ..args(10) });
    assert!(!finding.is_ok());
}

#[test]
fn the_judge_sees_each_thing_that_may_be_wrong_in_a_room() {
    let keep = tempfile::tempdir().unwrap();
    let finding = play(&Args { keep: Some(keep.path().into()), ..args(CYCLES) });
    assert!(finding.is_ok(), "{}", finding.failures.join("\n"));
    let room = Room { plan: RoomPlan::new(SEED, 0, CYCLES), folder: keep.path().join("room-0") };

    // The status of a proposal is 0 or 3; one of them is what the log says.
    let verdicts = [0, 3].map(|code| (code, room.verdict(code)));
    let [(status, Ok(settled))] = verdicts.iter().filter(|(_, verdict)| verdict.is_ok()).collect::<Vec<_>>()[..] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(settled.committed, finding.figures["committed"].as_u64().unwrap());

    let sees = |file: &str, change: &dyn Fn(&str) -> String, word: &str| room.sees(*status, file, change, word);
    sees("alice/alice.txt", &without_last_line, "exactly once");
    sees("alice/alice.txt", &|text| format!("{text}{}\n", text.lines().next().unwrap()), "exactly once");
    sees("alice/alice.txt", &|text| text.replacen("room", "rooM", 1), "exactly once");
    sees("alice/alice.participant.dtlog", &first_half, "alice");
    sees("alice/alice.participant.dtlog", &|text| text.replacen("READY", "REALY", 1), "alice.participant.dtlog");
    sees("chair/chair.coordinator.dtlog", &without_last_line, "chair has started and not ended");
    sees("relay/room.http", &|text| text[..text.len() - 3].into(), "not whole");
    sees("relay/room.http", &|text| turned_to_unknown(text, "/2pc/VOTE_COMMIT"), "said VOTE_COMMIT");
    sees("relay/room.http", &|text| turned_to_unknown(text, "/2pc/ACK"), "said ACK");
    sees("relay/room.http", &contradicted, "constancy");
}

struct Room {
    plan: RoomPlan,
    folder: PathBuf,
}

impl Room {
    fn verdict(&self, code: i32) -> Result<Settled, String> {
        of_room(&self.plan, &self.folder, ExitStatus::from_raw(code << 8))
    }

    /// Changes a file, finds that the judge objects in these words, and changes it back.
    fn sees(&self, status: i32, file: &str, change: &dyn Fn(&str) -> String, word: &str) {
        let path: &Path = &self.folder.join(file);
        let good = fs::read_to_string(path).unwrap();
        fs::write(path, change(&good)).unwrap();
        let sentence = self.verdict(status).unwrap_err();
        assert!(sentence.contains(word), "{file}: {sentence:?} does not say {word:?}");
        fs::write(path, good).unwrap();
        self.verdict(status).unwrap();
    }
}

fn without_last_line(text: &str) -> String {
    let end = text.trim_end().rfind('\n').unwrap() + 1;
    text[..end].into()
}

fn first_half(text: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines[..lines.len() / 2].concat()
}

/// The first frame of this path is about a transaction that nobody knows.
fn turned_to_unknown(text: &str, path: &str) -> String {
    let (before, after) = text.split_at(text.find(path).unwrap());
    format!("{before}{}", after.replacen("\"chair.", "\"chain.", 1))
}

/// At the end the coordinator says of something it has committed that it is aborted.
fn contradicted(text: &str) -> String {
    let frame = &text[text.find("/2pc/GLOBAL_COMMIT").unwrap()..];
    let txn = frame.split('"').find(|word| word.starts_with("chair.")).unwrap();
    let body = format!("{{\"txn\":\"{txn}\",\"state\":\"ABORT\"}}");
    let head = "POST /2pc/DECISION_REPLY HTTP/1.1\r\nHost: 127.0.0.1:1337\r\nContent-Type: application/json";
    let stamp = "From: chair\r\nRole: coordinator\r\nSeq: 1000000\r\nTo: alice";
    format!("{text}{head}\r\nContent-Length: {}\r\n{stamp}\r\n\r\n{body}", body.len())
}
