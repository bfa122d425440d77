//! Logs, as a disk may give them back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twopc_check::frames::oracles::Oracle;

fuzz_target!(|bytes: &[u8]| Oracle::Logs.assert_sound(bytes));
