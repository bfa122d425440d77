//! Bodies of protocol messages: the first byte says of which type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twopc_check::frames::oracles::Oracle;

fuzz_target!(|bytes: &[u8]| Oracle::Bodies.assert_sound(bytes));
