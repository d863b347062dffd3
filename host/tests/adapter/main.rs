//! The adapter runtime with real guests and a real provider: wire in, wire out. The guests are those of `tests/guests`, which
//! `cargo xtask test` builds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

mod contract;
mod hostile;
mod leaving;
mod loading;
mod operator;
mod parked;
mod provider;
mod world;
