//! Texts that somebody typed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twopc_check::frames::oracles::Oracle;

fuzz_target!(|bytes: &[u8]| Oracle::Texts.assert_sound(bytes));
