//! Fuzzing of Witgate: [`targets`] holds a function for each parser of outside bytes, which panics if a promise of that parser is
//! broken. Two drivers feed them: `src/main.rs`, on stable Rust and in CI, and `fuzz_targets/` with libFuzzer, by hand.
//!
//! What the first driver needs lies beside: [`corpus`] (recorded inputs), [`mutate`] (new inputs out of those), [`random`] (the same
//! ones for the same seed) and [`memory`] (how much a parser takes).

pub mod corpus;
pub mod memory;
pub mod mutate;
pub mod random;
pub mod targets;
