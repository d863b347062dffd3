//! Witgate's adapter for Cohere's API, version 2. The README says what becomes of what.
//!
//! A chat goes through `request` to the provider and comes back through `response`, or event by event through `stream`; both read what
//! `answer` describes. `embeddings`, `rerank` and `models` are the other endpoints, `error` is what can go wrong at any.

mod answer;
mod describe;
mod embeddings;
mod endpoint;
mod error;
mod models;
mod request;
mod rerank;
mod response;
mod stream;

use witgate_sdk::openai::{ChatRequest, Model};
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Request, Response, Result, Step, StreamHead};

pub use stream::Events;

/// The adapter.
#[derive(Debug)]
pub struct Cohere;

witgate_sdk::export!(Cohere: streaming, models);

impl Adapter for Cohere {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let post = |path| Request::post(endpoint::url(ctx.base_url(), path));
        let request = match ctx.operation() {
            "chat.completions" => {
                let chat = ChatRequest::parse(body)?;
                let request = post("v2/chat").json(&request::translate(ctx, &chat)?);
                let request = request.dropped(request::dropped(ctx, &chat));
                if ctx.streaming() { request.sse() } else { request }
            }
            "embeddings" => post("v2/embed").json(&embeddings::translate(ctx, &witgate_sdk::openai::parse(body)?)?),
            "rerank" => post("v2/rerank").json(&rerank::translate(ctx, body)?),
            other => return Err(Failure::unsupported(format!("Cohere has nothing like {other}."))),
        };
        // A request that failed has cost nothing, so it may be sent again.
        request.idempotent().send()
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        match ctx.operation() {
            "embeddings" => embeddings::answer(&reply),
            "rerank" => rerank::answer(&reply),
            _ => response::translate(&reply),
        }
    }

    fn open_stream(_: &Context, _: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Events::default()))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        models::list(ctx, http).await
    }
}
