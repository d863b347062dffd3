//! Witgate's adapter for Google's Gemini API and for the models on Vertex AI. The README says what becomes of what.
//!
//! A chat goes through `request` to the provider and comes back through `response`, or event by event through `stream`; both read
//! parts with `answer` and collect `usage`, the reason why it ended (`stop`) and what the next request must bring back (`kept`).
//! `endpoint` tells the two services apart. `claude` is what Vertex AI has of Anthropic's, `partner` what it has of others.
//!
//! Text is parsed once, borrowed, and copied as it stands, still escaped, where it is not looked at.

mod answer;
mod claude;
mod describe;
mod embeddings;
mod endpoint;
mod error;
mod kept;
mod model;
mod models;
mod partner;
mod request;
mod response;
mod stop;
mod stream;
mod usage;

use witgate_sdk::json::text as json;
use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Kind, Manifest, Response, Result, Step, StreamHead};

use endpoint::Endpoint;
use models::Page;
pub use stream::Events;

/// More pages of models than this are not read.
const MAX_PAGES: usize = 20;

/// The adapter.
#[derive(Debug)]
pub struct Gemini;

witgate_sdk::export!(Gemini: streaming, models);

/// The model's name, if it is one of Anthropic's on Vertex AI.
fn anthropics<'a>(ctx: &'a Context, endpoint: &Endpoint) -> Option<&'a str> {
    claude::named(ctx.model()).filter(|_| endpoint.vertex)
}

/// The model, if it is one of another maker's on Vertex AI.
fn partners<'a>(ctx: &'a Context, endpoint: &Endpoint) -> Result<Option<partner::Model<'a>>> {
    if endpoint.vertex {
        partner::Model::named(ctx.model())
    } else {
        Ok(None)
    }
}

impl Adapter for Gemini {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let (config, endpoint) = endpoint::of(ctx)?;
        if let Some(model) = anthropics(ctx, &endpoint) {
            return claude::request(ctx, &config, &endpoint, model, body);
        }
        if let Some(model) = partners(ctx, &endpoint)? {
            return partner::request(ctx, &endpoint, &model, body);
        }
        // A request that failed has cost nothing, so it may be sent again.
        match ctx.operation() {
            "chat.completions" => {
                let about = request::About {
                    model: ctx.model(),
                    vertex: endpoint.vertex,
                    safety_settings: config.safety_settings,
                };
                let sent = request::translate(body, &about)?;
                let request = if ctx.streaming() {
                    endpoint.post(ctx.model(), "streamGenerateContent?alt=sse").sse()
                } else {
                    endpoint.post(ctx.model(), "generateContent")
                };
                request.json_text(sent.body).dropped(sent.dropped).idempotent().send()
            }
            "embeddings" => embeddings::request(ctx, &endpoint, body)?.send(),
            other => Err(Failure::unsupported(format!("Gemini has nothing like {other}."))),
        }
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        let (_, endpoint) = endpoint::of(ctx)?;
        if anthropics(ctx, &endpoint).is_some() {
            return claude::answer(&reply);
        }
        if let Some(model) = partners(ctx, &endpoint)? {
            return Err(partner::failure(&model, &reply));
        }
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        if ctx.operation() == "embeddings" {
            return embeddings::answer(&reply);
        }
        let body = reply.text()?;
        match response::translate(body, ctx) {
            Some(answer) => Ok(Step::done_text(answer)),
            None if error::is_error(body) => Err(error::from_reply(&reply)),
            None => Err(error::unreadable(
                reply.status(),
                "The provider's answer is no answer of Gemini's.",
                body,
            )),
        }
    }

    fn open_stream(ctx: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        if anthropics(ctx, &endpoint::of(ctx)?.1).is_some() {
            return Ok(Box::new(witgate_anthropic::Events::new(head.state())));
        }
        Ok(Box::new(Events::new(ctx)))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let (_, endpoint) = endpoint::of(&ctx)?;
        let mut models = Vec::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let reply = http.fetch(endpoint.list(next.as_deref())).await?;
            if !reply.is_success() {
                return Err(error::from_reply(&reply));
            }
            let page = Page::parse(reply.text()?)
                .ok_or_else(|| Failure::new(Kind::Upstream, "The provider's answer is no list of models."))?;
            models.extend(page.models());
            next = page.next().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(models)
    }
}
