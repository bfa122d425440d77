//! A compacted log promises what the log promised: as golden text, and for any history as what both
//! roles recover from it and answer then.

#![allow(clippy::unwrap_used)] // a test that cannot go on says where

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use twopc_proto::log::{Header, Line, Logged, ReadLog, Stamp, Sum, Tip, compact, compacted, encode, read_log};
use twopc_proto::*;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn txn(text: &str) -> TxnId {
    TxnId::parse(text).unwrap()
}

fn string(text: &str) -> CommittedString {
    CommittedString::parse(text).unwrap()
}

fn both() -> BTreeSet<UserName> {
    [name("alice"), name("bob")].into()
}

const TIMEOUT: Duration = Duration::from_secs(20);

fn ready(id: &str) -> ParticipantRecord {
    ParticipantRecord::Ready { txn: txn(id), string: string(id), participants: both(), timeout: TIMEOUT }
}

fn commit(id: &str) -> ParticipantRecord {
    ParticipantRecord::Commit { txn: txn(id), string: string(id) }
}

fn abort(id: &str) -> ParticipantRecord {
    ParticipantRecord::Abort { txn: txn(id), reason: Some(Reason::Pressed) }
}

fn applied(id: &str) -> ParticipantRecord {
    ParticipantRecord::Applied { txn: txn(id) }
}

fn start(id: &str) -> CoordinatorRecord {
    CoordinatorRecord::Start { txn: txn(id), string: string(id), participants: both(), timeout: TIMEOUT }
}

fn decision(id: &str, decision: Decision) -> CoordinatorRecord {
    match decision {
        Decision::Commit => CoordinatorRecord::Commit { txn: txn(id) },
        Decision::Abort => CoordinatorRecord::Abort { txn: txn(id), reason: Some(Reason::Timeout), by: Some(name("bob")) },
    }
}

fn end(id: &str) -> CoordinatorRecord {
    CoordinatorRecord::End { txn: txn(id) }
}

/// A whole log of these lives, each begun after so many records; lines are stamped as if every
/// string stood in the text file, and each line is written when those before it are on the disk.
fn written<R: LogRecord>(user: &str, role: Role, lives: &[(usize, u64)], records: &[R]) -> String {
    let (mut tip, mut out, mut text) = (Tip::default(), Vec::new(), String::new());
    let mut push = |line: &Line<R>| {
        tip.synced = tip.lines;
        encode(&mut tip, line, &mut out);
    };
    push(&Line::Header(Header { user: name(user), role }));
    for (place, record) in records.iter().enumerate() {
        lives.iter().filter(|(at, _)| *at == place).for_each(|(_, life)| push(&Line::Life(*life)));
        let stamp = record.committed().map(|string| {
            let stamp = Stamp { at: text.len() as u64, before: Sum::of(text.as_bytes()) };
            text += &format!("{}\n", string.as_str());
            stamp
        });
        push(&Line::Record { record: record.clone(), stamp });
    }
    String::from_utf8(out).unwrap()
}

fn compacted_text<R: LogRecord>(log: &str) -> String {
    String::from_utf8(compact(&read_log::<R>(log.as_bytes()).unwrap())).unwrap()
}

const ALICES_LOG: &str = r#"
{"n":1,"synced":0,"prev":"00000000","type":"LOG","format":"twopc-log","version":1,"user":"alice","role":"participant","sum":"9e9117c1"}
{"n":2,"synced":1,"prev":"9e9117c1","type":"LIFE","incarnation":1,"sum":"bd9fa0bd"}
{"n":3,"synced":2,"prev":"bd9fa0bd","type":"READY","txn":"chair.1.1","string":"chair.1.1","participants":["alice","bob"],"timeout_ms":20000,"sum":"ec268d6d"}
{"n":4,"synced":3,"prev":"ec268d6d","type":"COMMIT","txn":"chair.1.1","string":"chair.1.1","at":0,"before":"00000000","sum":"5cd5e31f"}
{"n":5,"synced":4,"prev":"5cd5e31f","type":"APPLIED","txn":"chair.1.1","sum":"4559c9bc"}
{"n":6,"synced":5,"prev":"4559c9bc","type":"ABORT","txn":"chair.1.2","reason":"pressed","sum":"1f9c1c38"}
{"n":7,"synced":6,"prev":"1f9c1c38","type":"LIFE","incarnation":2,"sum":"252a9c15"}
{"n":8,"synced":7,"prev":"252a9c15","type":"READY","txn":"chair.1.3","string":"chair.1.3","participants":["alice","bob"],"timeout_ms":20000,"sum":"f228de5b"}
{"n":9,"synced":8,"prev":"f228de5b","type":"ABORT","txn":"chair.1.3","reason":"pressed","sum":"ec72fe8b"}
{"n":10,"synced":9,"prev":"ec72fe8b","type":"ABORT","txn":"other.x-7","reason":"pressed","sum":"c911eec6"}
{"n":11,"synced":10,"prev":"c911eec6","type":"READY","txn":"chair.1.4","string":"chair.1.4","participants":["alice","bob"],"timeout_ms":20000,"sum":"c6a617f7"}
{"n":12,"synced":11,"prev":"c6a617f7","type":"READY","txn":"chair.1.5","string":"chair.1.5","participants":["alice","bob"],"timeout_ms":20000,"sum":"b91142e5"}
{"n":13,"synced":12,"prev":"b91142e5","type":"COMMIT","txn":"chair.1.5","string":"chair.1.5","at":10,"before":"58597a87","sum":"f5e32ed5"}
{"n":14,"synced":13,"prev":"f5e32ed5","type":"APPLIED","txn":"chair.1.5","sum":"61eecae7"}
{"n":15,"synced":14,"prev":"61eecae7","type":"READY","txn":"chair.1.6","string":"chair.1.6","participants":["alice","bob"],"timeout_ms":20000,"sum":"0188cd0f"}
{"n":16,"synced":15,"prev":"0188cd0f","type":"COMMIT","txn":"chair.1.6","string":"chair.1.6","at":20,"before":"0732ab8d","sum":"065677b7"}
{"n":17,"synced":16,"prev":"065677b7","type":"APPLIED","txn":"chair.1.6","sum":"1800b783"}
"#;

const ALICES_COMPACTED_LOG: &str = r#"
{"n":1,"synced":10,"prev":"00000000","type":"LOG","format":"twopc-log","version":1,"user":"alice","role":"participant","sum":"a86974f5"}
{"n":2,"synced":10,"prev":"a86974f5","type":"LIFE","incarnation":2,"sum":"5a9b2d59"}
{"n":3,"synced":10,"prev":"5a9b2d59","type":"DECIDED","txn":"chair.1.1","decision":"commit","sum":"03b0d434"}
{"n":4,"synced":10,"prev":"03b0d434","type":"DECIDED","txn":"chair.1.2","through":3,"decision":"abort","sum":"eede3eec"}
{"n":5,"synced":10,"prev":"eede3eec","type":"DECIDED","txn":"chair.1.5","decision":"commit","sum":"69830e54"}
{"n":6,"synced":10,"prev":"69830e54","type":"DECIDED","txn":"other.x-7","decision":"abort","sum":"9259be46"}
{"n":7,"synced":10,"prev":"9259be46","type":"READY","txn":"chair.1.4","string":"chair.1.4","participants":["alice","bob"],"timeout_ms":20000,"sum":"44a406c4"}
{"n":8,"synced":10,"prev":"44a406c4","type":"READY","txn":"chair.1.6","string":"chair.1.6","participants":["alice","bob"],"timeout_ms":20000,"sum":"a726cd52"}
{"n":9,"synced":10,"prev":"a726cd52","type":"COMMIT","txn":"chair.1.6","string":"chair.1.6","at":20,"before":"0732ab8d","sum":"371d625c"}
{"n":10,"synced":10,"prev":"371d625c","type":"APPLIED","txn":"chair.1.6","sum":"4df15fbd"}
"#;

#[test]
fn a_participants_log_comes_to_this() {
    let records = [
        ready("chair.1.1"),
        commit("chair.1.1"),
        applied("chair.1.1"),
        abort("chair.1.2"),
        ready("chair.1.3"),
        abort("chair.1.3"),
        // Another coordinator's, with identifiers of its own.
        abort("other.x-7"),
        ready("chair.1.4"),
        ready("chair.1.5"),
        commit("chair.1.5"),
        applied("chair.1.5"),
        ready("chair.1.6"),
        commit("chair.1.6"),
        applied("chair.1.6"),
    ];
    let log = written("alice", Role::Participant, &[(0, 1), (4, 2)], &records);
    assert_eq!(log, ALICES_LOG.trim_start());
    assert_eq!(compacted_text::<ParticipantRecord>(&log), ALICES_COMPACTED_LOG.trim_start());
}

const CHAIRS_COMPACTED_LOG: &str = r#"
{"n":1,"synced":8,"prev":"00000000","type":"LOG","format":"twopc-log","version":1,"user":"chair","role":"coordinator","sum":"538397d6"}
{"n":2,"synced":8,"prev":"538397d6","type":"LIFE","incarnation":2,"sum":"e4f0018d"}
{"n":3,"synced":8,"prev":"e4f0018d","type":"DECIDED","txn":"chair.1.1","through":3,"decision":"commit","sum":"7c53eb68"}
{"n":4,"synced":8,"prev":"7c53eb68","type":"DECIDED","txn":"chair.1.4","decision":"abort","sum":"2a8b05dc"}
{"n":5,"synced":8,"prev":"2a8b05dc","type":"DECIDED","txn":"chair.1.5","decision":"commit","sum":"1736349b"}
{"n":6,"synced":8,"prev":"1736349b","type":"START","txn":"chair.2.1","string":"chair.2.1","participants":["alice","bob"],"timeout_ms":20000,"sum":"98d3f0e8"}
{"n":7,"synced":8,"prev":"98d3f0e8","type":"COMMIT","txn":"chair.2.1","sum":"f3d792ac"}
{"n":8,"synced":8,"prev":"f3d792ac","type":"START","txn":"chair.2.2","string":"chair.2.2","participants":["alice","bob"],"timeout_ms":20000,"sum":"af97e794"}
"#;

#[test]
fn a_coordinators_log_comes_to_this() {
    let mut records = Vec::new();
    for n in 1..=5 {
        let id = format!("chair.1.{n}");
        let how = if n == 4 { Decision::Abort } else { Decision::Commit };
        records.extend([start(&id), decision(&id, how), end(&id)]);
    }
    // Of the second life: one that not everybody has acknowledged, one that is not decided.
    records.extend([start("chair.2.1"), decision("chair.2.1", Decision::Commit), start("chair.2.2")]);
    let log = written("chair", Role::Coordinator, &[(0, 1), (15, 2)], &records);
    assert_eq!(log.lines().count(), 21);
    assert_eq!(compacted_text::<CoordinatorRecord>(&log), CHAIRS_COMPACTED_LOG.trim_start());
}

/// The page on the log's format shows a log, and what it comes to with one record more.
#[test]
fn the_logs_on_the_page_are_such_logs() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/log-format.md")).unwrap();
    let shown: Vec<&str> = page.split("```\n").filter(|block| block.starts_with("{\"n\":1,")).collect();
    let [log, short] = shown.as_slice() else { panic!("two logs are shown, not {}", shown.len()) };
    let (mut tip, mut longer) = (read_log::<ParticipantRecord>(log.as_bytes()).unwrap().tip, log.as_bytes().to_vec());
    encode(&mut tip, &Line::Record { record: applied("chair.1.3"), stamp: None }, &mut longer);
    assert_eq!(compacted_text::<ParticipantRecord>(core::str::from_utf8(&longer).unwrap()), *short);
}

#[test]
fn a_compacted_log_reads_as_the_log_does_and_compacting_it_again_changes_nothing() {
    let records =
        [ready("chair.1.1"), commit("chair.1.1"), applied("chair.1.1"), abort("chair.1.2"), ready("chair.1.3"), commit("chair.1.3")];
    let log = read_log::<ParticipantRecord>(written("alice", Role::Participant, &[(0, 7)], &records).as_bytes()).unwrap();
    let bytes = compact(&log);
    let again = read_log::<ParticipantRecord>(&bytes).unwrap();
    assert_eq!((&again.header, again.incarnation, again.torn), (&log.header, 7, None));
    assert_eq!((again.tip.lines, again.tip.synced), (6, 6), "it is on the disk from its first line on");
    assert_eq!(again.records.last().unwrap().stamp, log.records.last().unwrap().stamp);
    assert_eq!(compact(&again), bytes);
}

#[test]
fn a_compacted_log_that_was_cut_anywhere_is_damaged_and_never_a_shorter_one() {
    let log = written("alice", Role::Participant, &[(0, 1)], &[abort("chair.1.1"), ready("chair.1.2"), ready("chair.1.3")]);
    let bytes = compact(&read_log::<ParticipantRecord>(log.as_bytes()).unwrap());
    for len in 0..bytes.len() {
        let damage = read_log::<ParticipantRecord>(&bytes[..len]).unwrap_err();
        let line = bytes[..len].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        assert_eq!(damage.line, line, "cut at {len}");
        let mut zeroed = bytes.clone();
        zeroed[len..].fill(0);
        assert_eq!(read_log::<ParticipantRecord>(&zeroed).unwrap_err().line, line, "zeroed from {len} on");
    }
}

#[test]
fn what_no_run_of_the_protocol_leaves_is_kept_for_a_person_to_look_at() {
    let odd = [abort("chair.1.1"), commit("chair.1.1"), ready("chair.1.2"), ready("chair.1.2"), applied("chair.1.3")];
    let log = read_log::<ParticipantRecord>(written("alice", Role::Participant, &[(0, 1)], &odd).as_bytes()).unwrap();
    let kept: Vec<_> = compacted(&log.records).into_iter().map(record).collect();
    assert_eq!(kept, odd);
    let odd = [decision("chair.1.1", Decision::Commit), end("chair.1.1"), start("chair.1.2"), end("chair.1.2")];
    let log = read_log::<CoordinatorRecord>(written("chair", Role::Coordinator, &[(0, 1)], &odd).as_bytes()).unwrap();
    let kept: Vec<_> = compacted(&log.records).into_iter().map(record).collect();
    assert_eq!(kept, odd);
}

/// The record in a line of a compacted log.
fn record<R: LogRecord>(line: Line<R>) -> R {
    match line {
        Line::Record { record, .. } => record,
        Line::Header(_) | Line::Life(_) | Line::Moved { .. } => panic!("records alone are compacted: {line:?}"),
    }
}

/// What a log holds, as far as compaction looks at it.
fn logged<R: LogRecord>(records: &[R]) -> Vec<Logged<R>> {
    let stamp = Stamp { at: 0, before: Sum::default() };
    let stamped = records.iter().map(|record| (record.clone(), record.committed().map(|_| stamp)));
    (3..).zip(stamped).map(|(line, (record, stamp))| Logged { line, record, stamp }).collect()
}

fn compacted_records<R: LogRecord>(records: &[R]) -> Vec<R> {
    compacted(&logged(records)).into_iter().map(record).collect()
}

#[test]
fn a_million_decided_transactions_take_a_few_lines_and_little_time() {
    let began = Instant::now();
    let (mut records, mut lines) = (Vec::new(), 0);
    for round in 0..20_u64 {
        for n in round * 50_000 + 1..=(round + 1) * 50_000 {
            let id = format!("chair.1.{n}");
            records.extend([ready(&id), commit(&id), applied(&id)]);
        }
        lines += 150_000;
        records = compacted_records(&records);
    }
    assert_eq!(lines, 3_000_000);
    let last = "chair.1.1000000";
    let range = Decided::through(txn("chair.1.1"), 999_999, Decision::Commit);
    assert_eq!(records, [ParticipantRecord::Decided(range), ready(last), commit(last), applied(last)]);
    let (alice, effects) = Participant::recover(&Identity { user: name("alice") }, &Settings::default(), 2, &records);
    assert_eq!(effects, []);
    assert_eq!(alice.outcome(&txn("chair.1.765432")), Some(Decision::Commit));
    assert!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
}

/// An effect without the places of records, which a compacted log numbers anew.
fn without_place<M: Machine>(effect: Effect<M>) -> Effect<M> {
    match effect {
        Effect::Persist { lsn: _, record, sync } => Effect::Persist { lsn: 0, record, sync },
        Effect::Apply { lsn: _, string } => Effect::Apply { lsn: 0, string },
        other @ (Effect::Send { .. } | Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Notify(_)) => other,
    }
}

/// All that a role does from a log on: at its recovery, and then upon each of these inputs.
fn life<M: Machine>(user: &str, records: &[M::Record], inputs: &[Input<M>]) -> (M, Vec<Vec<Effect<M>>>) {
    let (mut machine, effects) = M::recover(&Identity { user: name(user) }, &Settings::default(), 3, records);
    let recovered = effects.into_iter().map(without_place).collect();
    let answers = inputs.iter().map(|input| machine.step(input.clone()).into_iter().map(without_place).collect());
    let said = std::iter::once(recovered).chain(answers).collect();
    (machine, said)
}

/// Records of several transactions: each is a prefix of one of these histories, and they are written in
/// any order that keeps each transaction's own.
fn interleaved<R: Clone + std::fmt::Debug + 'static>(histories: Vec<Vec<R>>, order: Vec<prop::sample::Index>) -> Vec<R> {
    let mut left: Vec<std::vec::IntoIter<R>> = histories.into_iter().map(Vec::into_iter).collect();
    let mut records = Vec::new();
    let mut order = order.into_iter().cycle();
    left.retain(|history| history.len() > 0);
    while !left.is_empty() {
        let at = order.next().map_or(0, |index| index.index(left.len()));
        records.extend(left[at].next());
        left.retain(|history| history.len() > 0);
    }
    records
}

/// Twelve transactions of two earlier lives of chair.
fn ids() -> Vec<String> {
    (1..=2).flat_map(|life| (1..=6).map(move |n| format!("chair.{life}.{n}"))).collect()
}

fn orders() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 40)
}

fn participants_history(id: &str, which: usize) -> Vec<ParticipantRecord> {
    match which {
        0 => vec![],
        1 => vec![ready(id)],
        2 => vec![abort(id)],
        3 => vec![ready(id), abort(id)],
        4 => vec![ready(id), commit(id)],
        _ => vec![ready(id), commit(id), applied(id)],
    }
}

fn coordinators_history(id: &str, which: usize) -> Vec<CoordinatorRecord> {
    match which {
        0 => vec![],
        1 => vec![start(id)],
        2 => vec![start(id), decision(id, Decision::Commit)],
        3 => vec![start(id), decision(id, Decision::Abort)],
        4 => vec![start(id), decision(id, Decision::Commit), end(id)],
        _ => vec![start(id), decision(id, Decision::Abort), end(id)],
    }
}

/// What chair and bob may say to alice of each transaction.
fn said_to_alice() -> Vec<Input<Participant>> {
    let from_chair = |message| Input::Received { from: name("chair"), role: Role::Coordinator, message };
    let each = ids().into_iter().flat_map(|id| {
        let txn = txn(&id);
        [
            from_chair(Message::VoteRequest { txn: txn.clone(), string: string(&id), participants: both(), timeout: TIMEOUT }),
            from_chair(Message::GlobalCommit { txn: txn.clone() }),
            from_chair(Message::GlobalAbort { txn: txn.clone(), reason: None, by: None }),
            Input::Received { from: name("bob"), role: Role::Participant, message: Message::DecisionRequest { txn, participants: both() } },
        ]
    });
    let room = [(name("alice"), Role::Participant), (name("bob"), Role::Participant), (name("chair"), Role::Coordinator)];
    std::iter::once(Input::Link(LinkState::Up(room.into()))).chain(each).collect()
}

/// What alice and bob may say to chair of each transaction, and a request in between.
fn said_to_chair() -> Vec<Input<Coordinator>> {
    let from = |user: &str, message| Input::Received { from: name(user), role: Role::Participant, message };
    let each = ids().into_iter().flat_map(|id| {
        let txn = txn(&id);
        [
            from("alice", Message::DecisionRequest { txn: txn.clone(), participants: both() }),
            from("bob", Message::VoteCommit { txn: txn.clone() }),
            from("alice", Message::Ack { txn: txn.clone() }),
            from("bob", Message::Ack { txn }),
        ]
    });
    let room = [(name("alice"), Role::Participant), (name("bob"), Role::Participant), (name("chair"), Role::Coordinator)];
    let request = coordinator::Command::Request { string: string("new"), timeout: TIMEOUT, alongside: true };
    let opening = [Input::Link(LinkState::Up(room.into())), Input::Durable(1_000), Input::Command(request)];
    opening.into_iter().chain(each).collect()
}

proptest! {
    #[test]
    fn a_participant_does_the_same_from_the_compacted_log(
        which in prop::collection::vec(0..6_usize, 12), order in orders(), cut in any::<prop::sample::Index>(),
    ) {
        let histories = ids().iter().zip(which).map(|(id, which)| participants_history(id, which)).collect();
        let records = interleaved(histories, order);
        // Also if it was compacted once before, in the middle of it all.
        let (early, late) = records.split_at(cut.index(records.len() + 1));
        let twice = compacted_records(&[compacted_records(early), late.to_vec()].concat());
        let (machine, did) = life::<Participant>("alice", &records, &said_to_alice());
        for shorter in [compacted_records(&records), twice] {
            let (same, does) = life::<Participant>("alice", &shorter, &said_to_alice());
            prop_assert_eq!(&does, &did);
            for id in ids() {
                prop_assert_eq!(same.outcome(&txn(&id)), machine.outcome(&txn(&id)));
            }
            prop_assert_eq!(format!("{:?}", same.standings()), format!("{:?}", machine.standings()));
        }
    }

    #[test]
    fn a_coordinator_does_the_same_from_the_compacted_log(
        which in prop::collection::vec(0..6_usize, 12), order in orders(), cut in any::<prop::sample::Index>(),
    ) {
        let histories = ids().iter().zip(which).map(|(id, which)| coordinators_history(id, which)).collect();
        let records = interleaved(histories, order);
        let (early, late) = records.split_at(cut.index(records.len() + 1));
        let twice = compacted_records(&[compacted_records(early), late.to_vec()].concat());
        let (machine, did) = life::<Coordinator>("chair", &records, &said_to_chair());
        for shorter in [compacted_records(&records), twice] {
            let (same, does) = life::<Coordinator>("chair", &shorter, &said_to_chair());
            prop_assert_eq!(&does, &did);
            for id in ids() {
                prop_assert_eq!(same.outcome(&txn(&id)), machine.outcome(&txn(&id)));
            }
            prop_assert_eq!(format!("{:?}", same.ballots()), format!("{:?}", machine.ballots()));
        }
    }

    #[test]
    fn what_is_kept_is_what_is_unfinished_and_the_last_commits(
        which in prop::collection::vec(0..6_usize, 12), order in orders(),
    ) {
        let histories = ids().iter().zip(which).map(|(id, which)| participants_history(id, which)).collect();
        let records = interleaved(histories, order);
        let kept = compacted_records(&records);
        let strings = |records: &[ParticipantRecord]| records.iter().filter_map(LogRecord::committed).cloned().collect::<Vec<_>>();
        prop_assert!(strings(&records).ends_with(&strings(&kept)), "the last ones, without a gap");
        prop_assert_eq!(strings(&kept).is_empty(), strings(&records).is_empty(), "the last one always");
        let all = ReadLog::<ParticipantRecord> { records: logged(&records), ..read_log(written::<ParticipantRecord>("alice", Role::Participant, &[], &[]).as_bytes()).unwrap() };
        prop_assert!(read_log::<ParticipantRecord>(&compact(&all)).is_ok());
        for record in &records {
            let is_open = ParticipantRecord::settled(&records.iter().filter(|other| other.txn() == record.txn()).map(LogRecord::kind).collect::<Vec<_>>()).is_none();
            prop_assert!(!is_open || kept.contains(record), "{record:?}");
        }
    }
}
