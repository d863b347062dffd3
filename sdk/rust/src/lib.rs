//! Write adapters for the Witgate LLM gateway.

mod adapter;
#[doc(hidden)]
pub mod bindings;
mod chunks;
mod context;
mod credentials;
pub mod crypto;
mod exchange;
mod failure;
#[doc(hidden)]
pub mod glue;
pub mod json;
pub mod log;
mod manifest;
pub mod openai;
mod request;
mod response;
mod step;
mod stream;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod url;

pub use adapter::{Adapter, Result};
pub use chunks::Chunks;
pub use context::Context;
pub use credentials::Credentials;
pub use exchange::Http;
pub use failure::{Failure, Kind};
pub use manifest::{Auth, Manifest, SelfTest};
pub use request::{Part, Request};
pub use response::Response;
pub use step::Step;
pub use stream::{Decoder, End, Flow, Frame, StreamHead};

#[doc(hidden)]
pub mod __private {
    pub use serde;
}
