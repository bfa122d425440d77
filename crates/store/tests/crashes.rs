//! A crash at every step that the store takes, and at every step of the recovery after it, with
//! everything that a power cut may leave of what was not synced: what was promised is there, and
//! each string stands in the text file once.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use room::disk::{Cut, Fault, MemDisk};
use room::{Life, Told, text};

const STRINGS: [&str; 3] = ["Hello", "தமிழ்", "Hello"];
const AS_TEXT: &str = "Hello\nதமிழ்\nHello\n";

const CUTS: [Cut; 9] =
    [Cut::Kill, Cut::Lost, Cut::Kept, Cut::NamesLost, Cut::Torn(1), Cut::Torn(40), Cut::Zeroed, Cut::Holes(4), Cut::Holes(64)];

/// One life that may end early.
fn live(disk: &MemDisk, told: &mut Told) {
    let lived = Life::begin(disk, told).and_then(|mut life| life.run(told, &STRINGS));
    assert!(lived.is_ok() || disk.is_dead(), "{lived:?}");
}

/// A disk on which the program died at call `at` of its first life; `None` if it lives through.
fn died_at(at: usize, fault: Fault, cut: Cut) -> Option<(MemDisk, Told)> {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    disk.plan(at, fault, true);
    live(&disk, &mut told);
    let has_died = disk.is_dead();
    disk.cut(cut);
    has_died.then_some((disk, told))
}

#[test]
fn whatever_a_crash_leaves_each_string_stands_once() {
    for cut in CUTS {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            let mut at = 0;
            while let Some((disk, mut told)) = died_at(at, fault, cut) {
                live(&disk, &mut told);
                assert_eq!(text(&disk), AS_TEXT, "{cut:?} after {fault:?} at call {at}");
                at += 1;
            }
            assert!(at > 60, "every call was tried, {at} of them");
        }
    }
}

#[test]
fn a_second_crash_at_any_step_of_the_recovery_changes_nothing() {
    for (first, second) in
        [(Cut::Kill, Cut::Lost), (Cut::Torn(40), Cut::Holes(8)), (Cut::Zeroed, Cut::Torn(3)), (Cut::Holes(16), Cut::Kill)]
    {
        let mut at = 0;
        while died_at(at, Fault::DiesAfter, first).is_some() {
            for again in 0.. {
                let (disk, mut told) = died_at(at, Fault::DiesAfter, first).expect("it dies as before");
                disk.plan(again, Fault::DiesAfter, true);
                live(&disk, &mut told);
                let has_died = disk.is_dead();
                disk.cut(second);
                live(&disk, &mut told);
                assert_eq!(text(&disk), AS_TEXT, "{first:?} at call {at}, {second:?} at call {again} of the recovery");
                if !has_died {
                    break;
                }
            }
            at += 1;
        }
    }
}

#[test]
fn what_was_told_to_be_durable_outlasts_a_power_cut_at_once() {
    let mut at = 0;
    while let Some((disk, mut told)) = died_at(at, Fault::DiesBefore, Cut::Lost) {
        // `begin` compares the records with what the first life was told.
        Life::begin(&disk, &mut told).expect("it starts again");
        at += 1;
    }
}

#[test]
fn a_write_torn_at_every_byte_leaves_each_string_once() {
    let (mut tried, mut at) = (0, 0);
    while died_at(at, Fault::DiesBefore, Cut::Kill).is_some() {
        for kept in 0.. {
            let (disk, mut told) = (MemDisk::default(), Told::default());
            disk.plan(at, Fault::DiesBefore, true);
            live(&disk, &mut told);
            let at_risk = disk.at_risk();
            disk.cut(Cut::Torn(kept));
            live(&disk, &mut told);
            assert_eq!(text(&disk), AS_TEXT, "{kept} of {at_risk} bytes kept at call {at}");
            tried += 1;
            if kept >= at_risk {
                break;
            }
        }
        at += 1;
    }
    assert!(tried > 1_500, "{tried} cuts were tried");
}
