//! The adapter against a played upstream: recorded and made-up replies in, what the client sees out.
#![expect(clippy::result_large_err, reason = "the contract's own failure, as the gateway gets it")]

mod call;
mod calls;
mod player;
mod recordings;
mod requests;
mod streams;
