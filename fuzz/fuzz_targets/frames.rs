//! Streams of frames: as every reader gets them, cut in every way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twopc_check::frames::compare;

fuzz_target!(|bytes: &[u8]| compare::assert_sound(bytes));
