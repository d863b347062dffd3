//! What wit-bindgen made of `wit/adapter.wit`: one file per world, never edited by hand.
//!
//! `cargo run --manifest-path sdk/rust/bindgen/Cargo.toml` makes them anew; a test there fails when they are stale. Only this
//! crate's own modules and its export macro name anything in here.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code"
)]
#![allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::uninlined_format_args,
    reason = "generated code"
)]
#![allow(clippy::needless_pass_by_value, reason = "generated code")]

#[rustfmt::skip]
pub mod auth;
#[rustfmt::skip]
pub mod base;
#[rustfmt::skip]
pub mod jobs;
#[rustfmt::skip]
pub mod models;
#[rustfmt::skip]
pub mod streaming;
