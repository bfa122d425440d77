//! A person at work on the files while the program runs: saving, replacing and deleting them between
//! any two steps that the store takes. What she typed is kept, and what was committed stands once.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod room;

use std::path::Path;

use room::disk::{Cut, MemDisk};
use room::{Life, Told, applied, apply, commit, persist, place, text, text_path};
use twopc_store::StoreError;

const STRINGS: [&str; 3] = ["Hello", "தமிழ்", "last"];

/// One life that commits the first string, and a second one to be meddled with.
fn begun() -> (MemDisk, Told) {
    let (disk, mut told) = (MemDisk::default(), Told::default());
    Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS[..1])).unwrap();
    (disk, told)
}

/// The second life, in which a person puts this in the place of a file before the `at`th call; and,
/// unless that comes before, a third one without anybody. `false`: there were not so many calls.
fn meddled(disk: &MemDisk, told: &mut Told, at: usize, path: &Path, content: Option<&[u8]>) -> (Result<(), StoreError>, bool) {
    disk.meddle(at, path.to_path_buf(), content.map(<[u8]>::to_vec));
    let lived = Life::begin(disk, told).and_then(|mut life| life.run(told, &STRINGS));
    (lived, disk.has_meddled())
}

/// How often a line stands in a text.
fn count(text: &str, line: &str) -> usize {
    text.lines().filter(|this| *this == line).count()
}

#[test]
fn a_text_file_replaced_between_any_two_steps_keeps_what_was_typed_and_gets_each_later_line_once() {
    for saved in ["Hello\nmine\n", "Hello\nmine", "mine\n", "mine\r\nHello\r\n", "\u{feff}Hello\nmine\n", "Hel, mine\nlo\n"] {
        let mine = saved.lines().find(|line| line.contains("mine")).unwrap();
        for at in 0.. {
            let (disk, mut told) = begun();
            let (lived, was_reached) = meddled(&disk, &mut told, at, &text_path(), Some(saved.as_bytes()));
            let what = format!("{saved:?} before call {at}: {lived:?}");
            assert!(lived.is_ok(), "{what}");
            if !was_reached {
                break;
            }
            for _ in 0..2 {
                Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS)).unwrap();
                let text = text(&disk);
                assert!(text.starts_with(saved), "{what}: {text:?}");
                assert_eq!(count(&text, mine), 1, "{what}: {text:?}");
                for string in &STRINGS[1..] {
                    // One that stood in the old file when she replaced it went with it, as she wished.
                    assert!(count(&text, string) <= 1, "{what}: {text:?}");
                }
                let after: Vec<&str> = text[saved.len()..].lines().filter(|line| !line.is_empty()).collect();
                assert!(STRINGS.ends_with(&after), "{what}: {text:?}");
            }
        }
    }
}

#[test]
fn a_text_file_deleted_between_any_two_steps_holds_every_string_once_at_the_next_start() {
    for at in 0.. {
        let (disk, mut told) = begun();
        let (lived, was_reached) = meddled(&disk, &mut told, at, &text_path(), None);
        assert!(lived.is_ok(), "before call {at}: {lived:?}");
        if !was_reached {
            break;
        }
        Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS)).unwrap();
        assert_eq!(text(&disk), "Hello\nதமிழ்\nlast\n", "before call {at}");
    }
}

#[test]
fn a_text_file_that_a_person_makes_while_it_is_written_again_is_hers() {
    for at in 0.. {
        let (disk, mut told) = begun();
        disk.delete(&text_path());
        let (lived, was_reached) = meddled(&disk, &mut told, at, &text_path(), Some(b"mine\n"));
        assert!(lived.is_ok(), "before call {at}: {lived:?}");
        if !was_reached {
            break;
        }
        Life::begin(&disk, &mut told).and_then(|mut life| life.run(&mut told, &STRINGS)).unwrap();
        let text = text(&disk);
        let after: Vec<&str> = text.strip_prefix("mine\n").unwrap_or_else(|| panic!("before call {at}: {text:?}")).lines().collect();
        assert!(STRINGS.ends_with(&after), "before call {at}: {text:?}");
    }
}

#[test]
fn a_text_file_replaced_around_its_sync_gets_the_line_again_before_that_is_called_applied() {
    // A look, the sync, another look: replaced before each of them.
    for at in 0..3 {
        let (disk, mut told) = begun();
        let mut store = Life::begin(&disk, &mut told).unwrap().store;
        store.perform(vec![persist(4, commit(2, "two"))]).unwrap();
        store.perform(vec![apply(4, "two")]).unwrap();
        disk.meddle(at, text_path(), Some(b"Hello\nmine\n".to_vec()));
        store.perform(vec![persist(5, applied(2))]).unwrap();
        assert!(disk.has_meddled());
        assert_eq!(text(&disk), "Hello\nmine\ntwo\n", "before call {at}");
        disk.cut(Cut::Lost);
        assert_eq!(text(&disk), "Hello\nmine\ntwo\n", "before call {at}, after a power cut");
    }
}

#[test]
fn a_log_replaced_or_deleted_between_any_two_steps_ends_the_program_before_it_promises_more() {
    for there in [None, Some(&b"mine"[..])] {
        for at in 0.. {
            let (disk, mut told) = begun();
            let (lived, was_reached) = meddled(&disk, &mut told, at, &place().log(), there);
            if !was_reached {
                break;
            }
            // It may have been taken away after the last promise.
            let held = disk.see(&place().log());
            assert_eq!(held.as_deref(), there, "before call {at}: what is there is not written over");
            let again = Life::begin(&disk, &mut told).map(|_| ()).unwrap_err();
            match (there, &again) {
                (None, StoreError::LogLost { .. }) | (Some(_), StoreError::Damaged { .. }) => {}
                _ => panic!("before call {at}: {again}"),
            }
            match lived {
                Ok(()) => assert!(at > 20, "before call {at} it went on"),
                Err(StoreError::LogTouched { .. } | StoreError::LogLost { .. } | StoreError::Damaged { .. }) => {}
                Err(StoreError::Disk { .. }) if there.is_none() => {}
                Err(error) => panic!("before call {at}: {error}"),
            }
        }
    }
}

#[test]
fn a_key_deleted_or_damaged_between_any_two_steps_is_told_at_the_next_start_and_loses_no_promise() {
    for there in [None, Some(&b"mine"[..])] {
        for at in 0.. {
            let (disk, mut told) = begun();
            let (lived, was_reached) = meddled(&disk, &mut told, at, &place().key(), there);
            if !was_reached {
                break;
            }
            assert!(matches!(lived, Ok(()) | Err(StoreError::KeyDamaged { .. })), "before call {at}: {lived:?}");
            match (there, Life::begin(&disk, &mut told).map(|_| ())) {
                (None, Ok(())) => {}
                (Some(_), Err(StoreError::KeyDamaged { .. })) => {
                    disk.delete(&place().key());
                    Life::begin(&disk, &mut told).unwrap();
                }
                (_, again) => panic!("before call {at}: {again:?}"),
            }
        }
    }
}
