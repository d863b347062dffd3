//! Write adapters for the Witgate LLM gateway.
//!
//! An adapter teaches the gateway one provider. Clients speak OpenAI's API; the adapter says which HTTP request that is for the
//! provider, and what the provider's reply is in OpenAI's terms. It is a struct with a few functions, compiled to WebAssembly. It sends
//! nothing itself: the gateway does, and so does retries, time limits, keys, TLS and accounting for it.
//!
//! # From nothing to a working adapter
//!
//! Say a provider takes `POST /generate` with `{"model","prompt"}` and answers `{"text","tokens":{"in","out"}}`.
//!
//! ## 1. The project
//!
//! ```sh
//! witgate adapter new acme
//! ```
//!
//! It makes the folder `acme` with a small adapter that builds, and whose tests pass. Its `Cargo.toml` has what matters:
//! `crate-type = ["cdylib", "rlib"]` (the first is the adapter, the second is for its tests), this crate, `serde`, and a release profile
//! that makes small and fast code. What follows is what you write into its `src/lib.rs`.
//!
//! ## 2. Who it is
//!
//! [`Adapter::describe`] names the adapter and what it needs: see [`Manifest`]. Its name is also the `type` of the providers that it
//! serves, unless [`Manifest::types`] says otherwise. How the provider's key travels is declared there ([`Auth`]) and done by the
//! host; the adapter never sees the key.
//!
//! ## 3. The request and the answer
//!
//! ```
//! use serde::Deserialize;
//! use witgate_sdk::openai::{ChatRequest, ChatResponse, Usage};
//! use witgate_sdk::{Adapter, Auth, Context, Manifest, Request, Response, Result, Step, json};
//!
//! pub struct Acme;
//!
//! #[derive(Deserialize)]
//! struct Answer {
//!     text: String,
//!     tokens: Tokens,
//! }
//!
//! #[derive(Deserialize)]
//! struct Tokens {
//!     r#in: u64,
//!     out: u64,
//! }
//!
//! impl Adapter for Acme {
//!     fn describe() -> Manifest {
//!         Manifest::new("acme", "1.0.0").auth(Auth::header("x-acme-key"))
//!     }
//!
//!     fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
//!         let chat = ChatRequest::parse(body)?;
//!         let prompt = json!({ "model": ctx.model(), "prompt": chat.texts().join("\n") });
//!         Request::post(ctx.url("/generate")).json(&prompt).send()
//!     }
//!
//!     fn transform_response(_: &Context, reply: Response) -> Result<Step> {
//!         // `ok`: any other status than 2xx becomes a failure with the provider's own message
//!         let answer: Answer = reply.ok()?.json()?;
//!         let usage = Usage::new(answer.tokens.r#in, answer.tokens.out);
//!         Step::done(&ChatResponse::text(answer.text, "stop").with_usage(usage))
//!     }
//! }
//!
//! witgate_sdk::export!(Acme);
//! ```
//!
//! This is complete. `id`, `created` and `model` of the answer are filled in by the host, and a client that wants a stream gets one,
//! made of the answer.
//!
//! It is also all that a small API needs. Where bodies are long, let JSON be copied less: a struct that is `Serialize` is written faster
//! than [`json!`]; [`Str`](json::Str) is a text that borrows from the JSON it is read from, [`Raw`](json::Raw) any value that you only
//! pass on, [`Number`](json::Number) one with every digit. [`object!`] makes structs that also keep the fields they do not know, as
//! those in [`openai`] do. And [`openai::text`] reads a chat in one pass, with all that is only passed on left as JSON text: the
//! quickest way to write a long one anew.
//!
//! ## 4. Streams
//!
//! Where the provider streams, ask for it when the client does ([`Context::streaming`]), say how the reply is framed
//! ([`Request::sse`], [`Request::ndjson`]), and decode it with a [`Decoder`], one frame at a time:
//!
//! ```
//! # use witgate_sdk::{openai::*, *};
//! # #[derive(serde::Deserialize)] struct Token { text: String }
//! # #[derive(serde::Deserialize)] struct Last { r#in: u64, out: u64 }
//! # pub struct Acme;
//! # impl Adapter for Acme {
//! #     fn describe() -> Manifest { Manifest::new("acme", "1.0.0") }
//! fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
//!     let prompt = json!({ "model": ctx.model(), "stream": ctx.streaming() /* … */ });
//!     let request = Request::post(ctx.url("/generate")).json(&prompt);
//!     if ctx.streaming() { request.sse().send() } else { request.send() }
//! }
//! #     fn transform_response(_: &Context, reply: Response) -> Result<Step> { Err(Failure::upstream(&reply)) }
//!
//! fn open_stream(_: &Context, _: StreamHead) -> Result<Box<dyn Decoder>> {
//!     Ok(Box::new(Stream))
//! }
//! # }
//!
//! struct Stream; // what must be remembered from frame to frame goes in here
//!
//! impl Decoder for Stream {
//!     fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
//!         match frame.event() {
//!             "token" => out.content(&frame.json::<Token>()?.text),
//!             "done" => {
//!                 let last: Last = frame.json()?;
//!                 out.finish("stop");
//!                 out.usage(&Usage::new(last.r#in, last.out));
//!                 return Ok(Flow::Ended);
//!             }
//!             "error" => return Err(Failure::new(Kind::Upstream, frame.text()?)),
//!             _ => {} // what the provider invents tomorrow is no error
//!         }
//!         Ok(Flow::More)
//!     }
//! }
//!
//! witgate_sdk::export!(Acme: streaming);
//! # let stream = "event: token\ndata: {\"text\":\"Hi\"}\n\nevent: done\ndata: {\"in\":1,\"out\":1}\n\n";
//! # let call = testing::Call::says("Hello").streaming();
//! # let played = call.play_cut_everywhere::<Acme>([testing::Reply::sse(stream)]);
//! # assert_eq!((played.text().as_str(), played.answer()["usage"]["total_tokens"].as_u64()), ("Hi", Some(2)));
//! ```
//!
//! After the colon, [`export!`] lists the optional interfaces that the adapter has: here that there is an `open_stream`. The host takes
//! each as a promise, and never calls a function whose interface is not there.
//!
//! ## 5. Tests
//!
//! [`testing`] plays the host in `cargo test`: no network, no WebAssembly, and a stream is cut at every byte for you.
//!
//! ```
//! # use witgate_sdk::{openai::*, *};
//! # #[derive(serde::Deserialize)] struct Answer { text: String }
//! # pub struct Acme;
//! # impl Adapter for Acme {
//! #     fn describe() -> Manifest { Manifest::new("acme", "1.0.0") }
//! #     fn transform_request(ctx: &Context, _: &str) -> Result<Step> { Request::post(ctx.url("/generate")).send() }
//! #     fn transform_response(_: &Context, reply: Response) -> Result<Step> {
//! #         Step::done(&ChatResponse::text(reply.ok()?.json::<Answer>()?.text, "stop"))
//! #     }
//! # }
//! use witgate_sdk::testing::{Call, Reply};
//!
//! let played = Call::says("Hi").play::<Acme>([Reply::json(r#"{"text":"Hello"}"#)]);
//! assert_eq!(played.requests()[0].url, "https://api.example.com/generate");
//! assert_eq!(played.text(), "Hello");
//! ```
//!
//! ## 6. Into the gateway
//!
//! ```sh
//! witgate adapter build acme -o /path/to/the/gateway/adapters/acme.wasm
//! ```
//!
//! A running gateway takes it up at once and without dropping a request. A provider with one of the adapter's types uses it:
//!
//! ```toml
//! [[providers]]
//! id = "acme"
//! type = "acme"
//! base_url = "https://api.acme.example"
//! api_key = "${ACME_API_KEY}"
//! ```
//!
//! `witgate adapter inspect FILE` says what a built file is, or why it is no adapter; `witgate provider test acme` tries the provider.
//!
//! # Beyond
//!
//! | you want to | you use |
//! |---|---|
//! | poll, follow up, create and then read elsewhere | another request from `transform_response`; what you must know then goes into [`Request::then`], the wait into [`Request::delay`] |
//! | stream while you poll | [`Request::emit`], and [`Chunks::end`] at last |
//! | exchange a key for a token | [`Adapter::authenticate`], an `async fn`: `let reply = http.fetch(request).await?` |
//! | list the provider's models | [`Adapter::get_models`], likewise, over as many pages as there are |
//! | stop the provider's work when the client leaves | [`Adapter::cancel`], and [`Decoder::finish`] with [`End::ClientGone`] |
//! | read settings | [`Context::config`] into your own struct, with [`Manifest::config_schema`] so that wrong ones are told early |
//! | put a secret into a body or a URL | [`Context::secret`]: you get a token, the host puts the secret in its place |
//! | send files | [`Request::multipart`], [`Request::upload`] |
//! | fail well | [`Failure::upstream`] for a provider's reply, [`Failure::new`] with a [`Kind`] for all else |
//! | say something to the operator | [`log`] |
//!
//! An adapter has 200 ms of CPU for each step and 64 MiB of memory, no clock, no random numbers and no network. Time and ids come with
//! the [`Context`], so that every call can be recorded and replayed. A panic costs the call it happens in, and its message is logged.

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
#[cfg(any(test, all(target_arch = "wasm32", feature = "heap")))]
mod heap;
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
pub mod time;
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
/// JSON written as it looks, with your values in it: `json!({ "prompt": text, "stream": true })`. The bodies of requests are made so.
///
/// ```
/// use witgate_sdk::json;
/// let mut prompt = json!({ "prompt": "Hi", "options": { "seed": null, "stop": ["."] } });
/// prompt["temperature"] = json!(0.7);
/// assert_eq!(prompt["options"]["stop"][0], ".");
/// ```
pub use serde_json::json;
pub use step::Step;
pub use stream::{Decoder, End, Flow, Frame, StreamHead};

#[doc(hidden)]
pub mod __private {
    pub use serde;
}

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// That of the project's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectReadme;
