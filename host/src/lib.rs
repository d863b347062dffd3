//! Witgate: an LLM gateway whose provider adapters are WebAssembly components.
//!
//! # The life of a request, which is also the reading order
//!
//! 1. [`server`] accepts the connection and hands each request to
//! 2. [`api`], which finds the endpoint in its table, takes one snapshot of the [`gateway`], opens a [`record`] and reads the body
//!    into a [`call::Call`]: parsed once, checked, its bytes kept.
//! 3. [`pipeline`] takes the call through its stages, asks [`route`] who may answer it, and lets each target attempt it in turn.
//! 4. An attempt goes one of two ways. [`passthrough`]: the provider speaks the client's protocol, so the client's own bytes go to
//!    it and its own come back, mended where they drift. [`adapter`]: a fresh instance of a WebAssembly component says what to send
//!    and what the reply means ([`chunk`] does to its chunks what every adapter would have to).
//!    A client's API that is not the provider's is turned into the canonical one before and back after ([`dialect`]).
//! 5. Both send through [`transport`]: pooled connections, a rule for where requests may go, secrets put in last, streams cut into
//!    frames.
//! 6. The [`reply::Reply`] goes back through [`api`] to the client. When the last holder of the record lets go of it, it closes
//!    itself, and [`telemetry`] has a line and its counts.
//!
//! Beside that way: [`serve`] starts it all; [`config`] is read and checked before anything starts; [`reload`] watches the adapters
//! folder and puts new versions into service; [`catalogue`] knows what models take and [`price`] what they cost; [`admin`] shows what
//! is there; [`cli`] is how all of it is started; [`memory`] says where memory comes from; `scan` reads JSON in place, a crate that
//! the Rust SDK stands on, too. [`error::Error`] is everything that can go wrong with a call, and whose fault it is.
//!
//! # Floors
//!
//! Imports only run down: `cli` · `serve` · `server`, `admin` · `api` · `pipeline` · `gateway`, `reload` · `adapter`, `passthrough` ·
//! `dialect` · `transport`, `chunk` · `config`, `route`, `record`, `catalogue` · `call`, `reply`, `price`, `error`, `telemetry`,
//! `crypto`, `scan`, `secret`. The guest is called from one file, its bindings are known to one file, and no file here knows the
//! name of a provider: those are data and adapters.

pub mod adapter;
pub mod admin;
pub mod api;
pub mod call;
pub mod catalogue;
pub mod chunk;
pub mod cli;
pub mod config;
mod crypto;
pub mod dialect;
pub mod error;
pub mod gateway;
pub mod memory;
pub mod passthrough;
pub mod pipeline;
pub mod price;
pub mod record;
pub mod reload;
pub mod reply;
pub mod route;
pub mod secret;
pub mod serve;
pub mod server;
pub mod telemetry;
pub mod transport;

use witgate_scan as scan;
