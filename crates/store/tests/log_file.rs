//! A log that is cut at every length and flipped at every bit, and what the store makes of it.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use room::disk::{Cut, MemDisk};
use room::{Life, Told, commit, open, persist, place, ready};
use twopc_proto::{ParticipantRecord, Role};
use twopc_store::{Report, StoreError};

/// A log with two lives and two transactions, and its records.
fn used() -> (MemDisk, Vec<ParticipantRecord>) {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &["Hello *@ world"])).expect("it runs");
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &["Hello *@ world", "J @ *"])).expect("it runs");
    let records = open(&disk).expect("it opens").1.records;
    assert_eq!(records.len(), 6);
    (disk, records)
}

/// The records and the reports of an opening.
type Judged = Result<(Vec<ParticipantRecord>, Vec<Report>), StoreError>;

/// What the store makes of these bytes as its log, its other files being as they were; and what the
/// log holds then.
fn judged(used: &MemDisk, log: &[u8]) -> (Judged, Vec<u8>) {
    let disk = MemDisk::default();
    disk.put(&place().log(), log);
    for path in [place().key(), room::text_path()] {
        disk.put(&path, &used.see(&path).expect("the file is there"));
    }
    let opened = open(&disk).map(|(_, opened)| (opened.records, opened.reports));
    (opened, disk.see(&place().log()).expect("the log is there"))
}

#[test]
fn a_log_cut_at_any_length_is_a_shorter_log_or_a_torn_one() {
    let (disk, records) = used();
    let whole = disk.see(&place().log()).unwrap();
    let header = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for len in 0..whole.len() {
        let (opened, after) = judged(&disk, &whole[..len]);
        if len < header {
            assert!(matches!(&opened, Err(StoreError::Damaged { damage, .. }) if damage.line == 1), "cut at {len}: {opened:?}");
            assert_eq!(after, whole[..len], "what cannot be read is left as it is");
            continue;
        }
        let (held, reports) = opened.unwrap_or_else(|error| panic!("cut at {len}: {error}"));
        assert!(records.starts_with(&held), "cut at {len}");
        let is_torn = whole[len - 1] != b'\n';
        assert_eq!(reports.iter().any(|report| matches!(report, Report::TornTail { .. })), is_torn, "cut at {len}: {reports:?}");
        let kept = whole[..len].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        assert!(
            after.starts_with(&whole[..kept]) && after[kept..].starts_with(b"{\"n\":"),
            "cut at {len}: the next line follows a whole one"
        );
    }
}

#[test]
fn a_log_flipped_at_any_bit_is_refused_and_the_line_named() {
    let (disk, _) = used();
    let whole = disk.see(&place().log()).unwrap();
    let (mut line, mut bytes) = (1, whole.clone());
    for at in 0..whole.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let (opened, after) = judged(&disk, &bytes);
            match opened {
                Err(StoreError::Damaged { damage, .. }) => assert_eq!(damage.line, line, "bit {bit} of byte {at}: {damage}"),
                other => panic!("bit {bit} of byte {at}: {other:?}"),
            }
            assert_eq!(after, bytes, "what cannot be read is left as it is");
            bytes[at] = whole[at];
        }
        line += u64::from(whole[at] == b'\n');
    }
}

#[test]
fn a_log_with_any_byte_changed_is_never_taken_as_it_is() {
    let (disk, records) = used();
    let whole = disk.see(&place().log()).unwrap();
    for at in 0..whole.len() {
        for byte in [0, b'\n', whole[at] ^ 0xff, b'"', b'}'] {
            if byte == whole[at] {
                continue;
            }
            let mut bytes = whole.clone();
            bytes[at] = byte;
            match judged(&disk, &bytes).0 {
                Err(StoreError::Damaged { .. }) => {}
                Ok((held, reports)) => {
                    // Only an end that reads as never written can be torn, and only if no later line
                    // knows better.
                    assert!(byte == 0 && at >= whole.len() - 200, "byte {at} as {byte}");
                    assert!(matches!(&reports[..], [Report::TornTail { .. }]), "byte {at} as {byte}: {reports:?}");
                    assert!(records.starts_with(&held));
                }
                Err(other) => panic!("byte {at} as {byte}: {other}"),
            }
        }
    }
}

#[test]
fn lines_that_are_missing_swapped_or_repeated_are_found() {
    let (disk, _) = used();
    let whole = String::from_utf8(disk.see(&place().log()).unwrap()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    for at in 0..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(at);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        for (what, changed, line) in [("without", without, at + 1), ("swapped", swapped, at + 1), ("twice", twice, at + 2)] {
            match judged(&disk, joined(&changed).as_bytes()).0 {
                Err(StoreError::Damaged { damage, .. }) => assert_eq!(damage.line, line as u64, "{what} {at}: {damage}"),
                other => panic!("{what} {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_lost_block_in_the_middle_is_damage_and_an_unwritten_one_at_the_end_is_torn() {
    let (disk, records) = used();
    let whole = disk.see(&place().log()).unwrap();
    let starts: Vec<usize> = std::iter::once(0).chain((1..whole.len()).filter(|&at| whole[at - 1] == b'\n')).collect();
    let last = *starts.last().unwrap();
    for (line, &start) in (1..).zip(&starts) {
        let mut zeroed = whole.clone();
        let end = starts.get(line as usize).copied().unwrap_or(whole.len());
        zeroed[start..end].fill(0);
        match judged(&disk, &zeroed).0 {
            Ok((held, reports)) => {
                assert_eq!(start, last, "line {line}");
                assert_eq!(held, records);
                assert_eq!(
                    reports[0].to_string(),
                    format!(
                        "/home/data/alice.participant.dtlog ended in the middle of a write, on which nothing was promised; it was cut off from \
                         line {line} on and kept in /home/data/alice.participant.dtlog.torn-1"
                    )
                );
            }
            Err(StoreError::Damaged { damage, .. }) => assert_eq!(damage.line, line),
            Err(other) => panic!("line {line}: {other}"),
        }
    }
}

/// The log of a node of the same name with another history.
fn other() -> Vec<u8> {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &["Olleh @* dlrow", "another", "one"])).expect("it runs");
    disk.see(&place().log()).unwrap()
}

#[test]
fn a_stale_block_is_found_wherever_it_comes_from() {
    let (disk, records) = used();
    let whole = disk.see(&place().log()).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    let (other, mut refused, mut torn) = (other(), 0, 0);
    for size in [16, 64, 128, 512] {
        // Every block of this log, with every block of this log and of the other in its place.
        for at in (0..whole.len()).step_by(size) {
            let end = (at + size).min(whole.len());
            for stale in whole.chunks(size).chain(other.chunks(size)).filter(|stale| stale.len() >= end - at) {
                let bytes = [&whole[..at], &stale[..end - at], &whole[end..]].concat();
                if bytes == whole {
                    continue;
                }
                let what = format!("{} in place of {size} bytes from {at} on", String::from_utf8_lossy(stale));
                match judged(&disk, &bytes).0 {
                    Err(StoreError::Damaged { damage, .. }) => {
                        let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                        let reach = whole[..end].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                        assert!((line..=reach).contains(&damage.line), "{what}: {damage}");
                        refused += 1;
                    }
                    // The end of a line that was never finished reads so, too.
                    Ok((held, reports)) => {
                        assert!(end == whole.len() && bytes.last() != Some(&b'\n'), "{what}: {reports:?}");
                        assert!(at >= last_line || size > whole.len() - last_line, "{what}: {reports:?}");
                        assert!(matches!(&reports[..], [Report::TornTail { .. }]) && records.starts_with(&held), "{what}: {reports:?}");
                        torn += 1;
                    }
                    Err(error) => panic!("{what}: {error}"),
                }
            }
        }
    }
    assert!(refused > 10_000 && torn < refused / 50, "{refused} refused, {torn} torn");
}

#[test]
fn a_gap_before_lines_that_were_never_synced_either_is_torn() {
    // Two batches that could wait; a power cut keeps the second and not the first.
    let disk = MemDisk::default();
    let (mut store, _) = open(&disk).unwrap();
    store.perform(vec![persist(1, ready(1, "one")), persist(2, commit(1, "one"))]).unwrap();
    let synced = disk.see(&place().log()).unwrap().len();
    store.perform(vec![persist(3, room::applied(1))]).unwrap();
    let first = disk.see(&place().log()).unwrap().len();
    store.perform(vec![persist(4, room::applied(1))]).unwrap();
    let mut log = disk.see(&place().log()).unwrap();
    log[synced..first].fill(0);
    let (opened, _) = judged(&disk, &log);
    let (held, reports) = opened.expect("nothing that was promised is lost");
    assert_eq!(held, [ready(1, "one"), commit(1, "one")]);
    assert!(matches!(reports[0], Report::TornTail { line: 5, .. }), "{reports:?}");
}

#[test]
fn a_torn_tail_is_kept_aside_before_it_is_cut_off_and_each_under_its_own_name() {
    let (disk, _) = used();
    let whole = disk.see(&place().log()).unwrap();
    for n in 1..=2 {
        let cut = &disk.see(&place().log()).unwrap()[..whole.len() - 7];
        disk.put(&place().log(), cut);
        let tail = &cut[cut.iter().rposition(|&byte| byte == b'\n').unwrap() + 1..];
        let since = disk.asked().len();
        open(&disk).expect("a torn tail is no damage");
        let mut asked = disk.asked().split_off(since);
        asked.retain(|(call, _)| !["look", "open"].contains(call));
        let cut = asked.iter().position(|(call, _)| *call == "truncate").unwrap();
        assert_eq!(asked[cut - 1].0, "sync_dir", "what is cut off is safe");
        assert_eq!([asked[cut + 1].0, asked[cut + 2].0], ["sync", "append"], "the cut is on the disk before anything follows it");
        let kept = place().dir.join(format!("alice.participant.dtlog.torn-{n}"));
        assert_eq!(disk.see(&kept).as_deref(), Some(tail));
        assert!(disk.is_safe(&kept));
    }
}

#[test]
fn a_lost_log_is_never_started_empty() {
    let (disk, _) = used();
    disk.delete(&place().log());
    assert_eq!(
        open(&disk).err().map(|error| error.to_string()).as_deref(),
        Some(
            "/home/data/alice.participant.dtlog is gone, though /home/data/alice.key says that this name was used as participant; put the file \
             back, or take another user name, since an empty log would break the promises in the lost one"
        )
    );
    assert_eq!(disk.see(&place().log()), None);
}

#[test]
fn a_log_of_somebody_else_is_not_taken() {
    let (disk, _) = used();
    let log = disk.see(&place().log()).unwrap();
    let mut bob = place();
    bob.user = twopc_proto::UserName::parse("bob").unwrap();
    disk.put(&bob.log(), &log);
    let error = twopc_store::Store::<_, ParticipantRecord>::open(disk, &bob, [7; 32]).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("/home/data/bob.participant.dtlog is the log of alice as participant; put the right file there"));
}

#[test]
fn one_key_serves_both_roles_and_each_has_a_log() {
    let disk = MemDisk::default();
    let key = open(&disk).unwrap().0.key().text().to_owned();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let mut chair = place();
    chair.role = Role::Coordinator;
    let (store, opened) = twopc_store::Store::<_, twopc_proto::CoordinatorRecord>::open(disk.clone(), &chair, [8; 32]).unwrap();
    assert_eq!(store.key().text(), key);
    assert_eq!((store.text_path(), opened.incarnation), (None, 1));
    for role in [Role::Participant, Role::Coordinator] {
        assert!(store.key().was_used_as(role));
    }
    disk.delete(&chair.log());
    assert!(open(&disk).is_ok());
    let lost = twopc_store::Store::<_, twopc_proto::CoordinatorRecord>::open(disk, &chair, [8; 32]);
    assert!(matches!(lost, Err(StoreError::LogLost { role: Role::Coordinator, .. })));
}

#[test]
fn a_key_flipped_at_any_bit_is_refused() {
    let (disk, _) = used();
    let key = disk.see(&place().key()).unwrap();
    for at in 0..key.len() {
        for bit in 0..8 {
            let mut flipped = key.clone();
            flipped[at] ^= 1 << bit;
            disk.put(&place().key(), &flipped);
            assert!(matches!(open(&disk), Err(StoreError::KeyDamaged { .. })), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_new_key_beside_an_old_log_is_reported() {
    let (disk, _) = used();
    disk.delete(&place().key());
    let (_, opened) = open(&disk).unwrap();
    assert_eq!(
        opened.reports.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["/home/data/alice.key was not there, so a new key was made; if the relay knows this name by the old one, it refuses the login"]
    );
}

#[test]
fn a_life_rises_durably() {
    let disk = MemDisk::default();
    for life in 1..=5 {
        assert_eq!(open(&disk).unwrap().1.incarnation, life);
        disk.cut(Cut::Lost);
    }
}
