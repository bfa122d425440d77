//! The simulated drive is as bad as it should be, and no worse: a flush is honoured.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

const FILE: &str = "/d/file";

fn drive(seed: u64) -> SimDisk {
    SimDisk::new(Chance::new(seed), (1, 2), None)
}

/// A drive with a file that holds `kept`, synced, and `more`, not synced.
fn written(seed: u64, kept: &[u8], more: &[u8]) -> SimDisk {
    let mut disk = drive(seed);
    let mut file = disk.create(Path::new(FILE), false).unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.append(&mut file, kept).unwrap();
    disk.sync(&mut file).unwrap();
    disk.append(&mut file, more).unwrap();
    disk
}

#[test]
fn a_power_cut_keeps_what_was_synced_and_of_the_rest_what_it_likes() {
    let (kept, more) = (b"synced ".as_slice(), b"not synced at all".as_slice());
    let mut kinds = BTreeSet::new();
    for seed in 0..400 {
        let disk = written(seed, kept, more);
        assert!(disk.end_life(true), "something was at risk");
        let left = disk.see(Path::new(FILE)).unwrap();
        let rest = left.strip_prefix(kept).expect("what was synced is there");
        assert!(rest.iter().zip(more).all(|(there, written)| there == written || *there == 0), "{rest:?}");
        kinds.insert(match (rest.len(), rest.contains(&0)) {
            (0, _) => "lost",
            (length, false) if length == more.len() => "kept",
            (_, false) => "torn",
            (_, true) if rest.ends_with(&[0]) => "zeroes at the end",
            (_, true) => "a hole",
        });
        // What a power cut left is on the drive for certain.
        assert!(!disk.end_life(true));
        assert_eq!(disk.see(Path::new(FILE)).unwrap(), left);
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[test]
fn a_killed_process_loses_nothing_that_it_wrote() {
    let disk = written(1, b"one", b"two");
    disk.end_life(false);
    assert_eq!(disk.see(Path::new(FILE)).unwrap(), b"onetwo");
}

#[test]
fn a_name_is_certain_only_once_its_directory_was_synced() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..60 {
        let mut disk = drive(seed);
        disk.create(Path::new("/d/new"), false).unwrap();
        disk.rename(Path::new("/d/new"), Path::new(FILE)).unwrap();
        disk.end_life(true);
        outcomes.insert((disk.see(Path::new("/d/new")).is_some(), disk.see(Path::new(FILE)).is_some()));
        let mut disk = drive(seed);
        disk.create(Path::new(FILE), false).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.end_life(true);
        assert!(disk.see(Path::new(FILE)).is_some());
    }
    assert_eq!(outcomes, BTreeSet::from([(false, false), (true, false), (false, true)]));
}

#[test]
fn a_sync_that_failed_has_lost_the_bytes_whatever_a_later_one_says() {
    let mut disk = drive(5);
    let mut file = disk.create(Path::new(FILE), false).unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.append(&mut file, b"lost").unwrap();
    disk.arm(Armed { call: Some(Call::Sync), skip: 0, trouble: Trouble::Broken, for_good: false });
    assert!(disk.sync(&mut file).is_err());
    assert!(disk.sync(&mut file).is_ok(), "the system calls the bytes clean");
    assert_eq!(disk.see(Path::new(FILE)).unwrap(), b"lost", "and shows them as long as it runs");
    disk.end_life(true);
    assert!(disk.see(Path::new(FILE)).unwrap().iter().all(|byte| *byte == 0), "no byte of it is on the drive");
}

#[test]
fn what_is_under_way_is_cut_off_where_it_was() {
    let mut lengths = BTreeSet::new();
    for (seed, parts) in (0..60).flat_map(|seed| [(seed, 2), (seed, 1_000)]) {
        let mut disk = drive(seed);
        let mut file = disk.create(Path::new(FILE), false).unwrap();
        disk.begin();
        for _ in 0..3 {
            disk.append(&mut file, b"x").unwrap();
        }
        disk.interrupt(disk.spent() / parts);
        lengths.insert((parts, disk.see(Path::new(FILE)).unwrap().len()));
    }
    // The call that was under way has been done by the drive, or not.
    assert!([(1_000, 0), (2, 1), (2, 2)].iter().all(|met| lengths.contains(met)), "{lengths:?}");
    assert!(!lengths.contains(&(1_000, 1)), "{lengths:?}");
}

#[test]
fn trouble_comes_at_its_call_once_or_for_good() {
    for for_good in [false, true] {
        let mut disk = drive(9);
        let mut file = disk.create(Path::new(FILE), false).unwrap();
        disk.arm(Armed { call: Some(Call::Append), skip: 1, trouble: Trouble::NoSpace, for_good });
        let taken: Vec<bool> = (0..4).map(|_| disk.append(&mut file, b"x").is_ok()).collect();
        assert_eq!(taken, [true, false, !for_good, !for_good]);
        disk.heal();
        assert!(disk.append(&mut file, b"x").is_ok());
        assert!(disk.take_seen().troubles.iter().all(|seen| *seen == (Call::Append, Trouble::NoSpace)));
    }
}
