//! Runs an adapter in `cargo test`, natively, with scripted replies: the harness plays the host.
//!
//! A [`Call`] is what a client asks; [`Reply`]s are what the provider answers, one for each request that the adapter plans; what came
//! of it is a [`Played`]. Delays are not waited for. Streams are cut into frames as the host cuts them. The rules that the host
//! enforces are enforced here too: a header with a line break, a URL outside the permissions, wrong JSON, `done` for an error's reply,
//! an unasked-for reply or a missing one panics with a message that says so.
//!
//! ```
//! # use witgate_sdk::{Adapter, Context, Manifest, Request, Response, Result, Step, json::Str, openai::*};
//! # struct Acme;
//! # #[derive(serde::Deserialize)] struct Answer<'a> { #[serde(borrow)] text: Str<'a> }
//! # impl Adapter for Acme {
//! #     fn describe() -> Manifest { Manifest::new("acme", "1.0.0") }
//! #     fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
//! #         let chat = ChatRequest::parse(body)?;
//! #         Request::post(ctx.url("/generate")).json(&chat.messages[0].text()).send()
//! #     }
//! #     fn transform_response(_: &Context, reply: Response) -> Result<Step> {
//! #         let reply = reply.ok()?;
//! #         Step::done(&ChatResponse::text(reply.json::<Answer>()?.text, "stop"))
//! #     }
//! # }
//! use witgate_sdk::testing::{Call, Reply};
//!
//! let call = Call::chat(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#);
//! let played = call.play::<Acme>([Reply::json(r#"{"text":"Hello"}"#)]);
//! assert_eq!(played.requests()[0].url, "https://api.example.com/generate");
//! assert_eq!(played.text(), "Hello");
//!
//! let failed = call.play::<Acme>([Reply::status(429).header("retry-after", "2").body(r#"{"error":"slow down"}"#)]);
//! assert_eq!(failed.failure().kind, "rate-limit");
//! assert_eq!(failed.failure().retry_after_ms, Some(2000));
//! ```

mod assemble;
mod aws;
mod call;
mod frames;
mod host;
mod played;
mod reply;
mod rules;
mod self_tests;

pub use aws::aws_message;
pub use call::Call;
pub use played::{Failed, Played, Sent};
pub use reply::Reply;
pub use self_tests::{manifest, self_tests};
pub use serde_json::{Value, json};
