//! Witgate's adapter for providers that have OpenAI's Responses API and not Chat Completions. The README says what becomes of what.
//!
//! A chat goes through `request` to the provider and comes back through `response`, or event by event through `stream`; both read the
//! answer's items with `output`, which also keeps what the next request must bring back, and collect `usage`. Which calls of an answer
//! are the client's it learns from the request, by `declared`. A request that is in this API already goes by as it is.
//!
//! Text is parsed once, borrowed, and copied as it stands, still escaped, where it is not looked at.

mod declared;
mod describe;
mod endpoint;
mod error;
mod models;
mod output;
mod places;
mod read;
mod request;
mod response;
mod stream;
mod usage;

use witgate_sdk::json::text as json;
use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Request, Response, Result, Step, StreamHead};

use declared::Declared;
pub use stream::Events;

/// The adapter.
#[derive(Debug)]
pub struct OpenAiResponses;

witgate_sdk::export!(OpenAiResponses: streaming, models);

/// A request that the provider can take as it is, to be answered untouched.
fn own(ctx: &Context, path: &str, body: &str) -> Result<Step> {
    let request = Request::post(endpoint::url(ctx.base_url(), path)).json_text(body);
    request.idempotent().relay().send()
}

/// A chat. `own`: with the items of earlier answers as they came; then the client's request is kept, for a provider that does not know
/// them (any more), as after a move from another one, is asked again without.
fn chat(ctx: &Context, body: &str, own: bool) -> Result<Step> {
    let about = request::About {
        model: ctx.model(),
        streaming: ctx.streaming(),
        own,
        config: ctx.config()?,
    };
    let sent = request::translate(body, &about)?;
    let request = Request::post(endpoint::url(ctx.base_url(), "responses")).json_text(sent.body);
    let request = if ctx.streaming() { request.sse() } else { request };
    // A request that failed has cost nothing, so it may be sent again.
    request
        .idempotent()
        .dropped(sent.dropped)
        .then(sent.declared.to_state(if sent.own { body } else { "" }))
}

impl Adapter for OpenAiResponses {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        match ctx.operation() {
            "chat.completions" => {}
            "responses" => return own(ctx, "responses", body),
            "embeddings" => return own(ctx, "embeddings", body),
            other => {
                let text = format!("This provider has nothing like {other}.");
                return Err(Failure::unsupported(text));
            }
        }
        chat(ctx, body, true)
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        let (declared, asked) = Declared::of_state(reply.state());
        if error::is_about_thoughts(&reply) && !asked.is_empty() {
            return chat(ctx, asked, false);
        }
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        let body = reply.text()?;
        match response::translate(body, reply.status(), declared)? {
            Some(answer) => Ok(Step::done_text(answer)),
            None if error::is_error(body) => Err(error::from_reply(&reply)),
            None => {
                let text = "The provider's answer is no response.";
                Err(error::unreadable(reply.status(), text, body))
            }
        }
    }

    fn open_stream(_: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        let (declared, _) = Declared::of_state(head.state());
        Ok(Box::new(Events::of(declared)))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        models::list(ctx, http).await
    }
}
