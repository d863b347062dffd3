//! The target `inspect` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| witgate_fuzz::targets::inspect::target(data));
