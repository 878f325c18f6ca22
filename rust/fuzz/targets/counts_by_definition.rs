#![no_main]

use fast_litellm_core::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzzing::counts_by_definition(data));
