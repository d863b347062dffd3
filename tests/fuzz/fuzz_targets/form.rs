//! The target `form` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| witgate_fuzz::targets::form::target(data));
