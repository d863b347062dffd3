//! Witgate: an LLM gateway whose provider adapters are WebAssembly components.

pub mod adapter;
pub mod call;
pub mod chunk;
pub mod cli;
pub mod config;
pub mod error;
pub mod passthrough;
pub mod record;
pub mod reload;
pub mod reply;
pub mod route;
pub mod secret;
pub mod telemetry;
pub mod transport;
