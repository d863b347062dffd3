//! Witgate's adapter for the native API of Ollama. The README says what becomes of what, and why one would want it beside Ollama's own
//! translation to OpenAI's API.
//!
//! A chat goes through `request` to the server and comes back in `answer`, whole or line by line. `embeddings` and `models` are the
//! other endpoints, `error` is what can go wrong at any, `config` are the operator's settings.

mod answer;
mod config;
mod describe;
mod embeddings;
mod error;
mod models;
mod request;

use witgate_sdk::openai::{ChatRequest, Model};
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Request, Response, Result, Step, StreamHead};

pub use answer::Lines;

/// The adapter.
#[derive(Debug)]
pub struct Ollama;

witgate_sdk::export!(Ollama: streaming, models);

impl Adapter for Ollama {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let config: config::Config<'_> = ctx.config()?;
        let post = |path| Request::post(config::url(ctx.base_url(), path)).idempotent();
        match ctx.operation() {
            "chat.completions" => {
                let chat = ChatRequest::parse(body)?;
                let request = post("chat").json(&request::translate(ctx, &config, &chat)?);
                if ctx.streaming() { request.ndjson() } else { request }.send()
            }
            "embeddings" => {
                let asked = witgate_sdk::openai::parse(body)?;
                post("embed").json(&embeddings::translate(ctx, &config, &asked)?).send()
            }
            other => Err(Failure::unsupported(format!("Ollama has nothing like {other}."))),
        }
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        if ctx.operation() == "embeddings" {
            return embeddings::answer(&reply);
        }
        answer::whole(ctx, &reply)
    }

    fn open_stream(ctx: &Context, _: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Lines::new(ctx)))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let reply = http.fetch(Request::get(config::url(ctx.base_url(), "tags"))).await?;
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        models::list(&reply)
    }
}
