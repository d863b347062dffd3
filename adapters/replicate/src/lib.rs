//! Replicate: a prediction is created, then read along with or asked for until it is over.
//!
//! | module | what it knows |
//! |---|---|
//! | `config` | the settings, and what the model at hand calls its inputs |
//! | `endpoint` | which endpoint runs a model, which URLs of a reply may be used |
//! | `chat`, `prompt`, `request`, `input` | from a chat request to the body of the create call |
//! | `embeddings` | the same for texts to embed, and their vectors |
//! | `exchange` | the steps of a call and what follows each reply |
//! | `prediction`, `answer` | what a prediction says, and what the client gets of it |
//! | `stream` | the event stream |
//! | `models` | the model list |
//! | `error` | everything that goes wrong |
//!
//! README.md is the manual of its settings and the table of what becomes of each field.

mod answer;
mod chat;
mod config;
mod embeddings;
mod endpoint;
mod error;
mod exchange;
mod input;
mod manifest;
mod models;
mod prediction;
mod prompt;
mod request;
mod stream;

use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Response, Result, Step, StreamHead};

use config::Settings;
use endpoint::Endpoint;
use exchange::Stage;
use stream::Reader;

/// The adapter.
pub struct Replicate;

impl Adapter for Replicate {
    fn describe() -> Manifest {
        manifest::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let settings = Settings::of(ctx)?;
        let endpoint = Endpoint::of(ctx.model(), settings.version())?;
        let mut dropped = Vec::new();
        let body = match ctx.operation() {
            "chat.completions" => request::chat_body(body, &settings, endpoint.version, &mut dropped)?,
            "embeddings" => embeddings::body(body, &settings, endpoint.version)?,
            other => return Err(Failure::unsupported(format!("Replicate does not do {other}"))),
        };
        Stage::create(ctx, &settings, &endpoint, body, &dropped)
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        exchange::next(ctx, &Settings::of(ctx)?, Stage::parse(reply.state())?, &reply)
    }

    fn open_stream(ctx: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Reader::new(
            Stage::parse(head.state())?,
            Settings::of(ctx)?.pace(),
        )))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        models::list(ctx, http).await
    }

    fn cancel(_: &Context, state: &str) -> Result<Step> {
        Stage::parse(state)?.stop()
    }
}

witgate_sdk::export!(Replicate: streaming, models, jobs);
