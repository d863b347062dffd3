//! Claude at Anthropic itself, and at whoever has the same API.

use witgate_sdk::openai::Model;
use witgate_sdk::url::segment;
use witgate_sdk::{
    Adapter, Context, Decoder, Failure, Http, Kind, Manifest, Request, Response, Result, Step, StreamHead,
};

use crate::endpoint::{self, Config};
use crate::models::Page;
use crate::request::{self, Asked};
use crate::{Events, describe, failure, response};

/// More pages of models than this are not read: one holds a thousand.
const MAX_PAGES: usize = 20;

/// The adapter.
#[derive(Debug)]
pub struct Anthropic;

#[cfg(feature = "export")]
witgate_sdk::export!(Anthropic: streaming, models);

/// Asks for a chat at `url`, which is where messages go.
///
/// # Errors
/// What the client asks for and Claude cannot be asked for.
pub fn ask(ctx: &Context, url: String, body: &str) -> Result<Step> {
    let config: Config = ctx.config()?;
    let asked = Asked {
        model: ctx.model(),
        streaming: ctx.streaming(),
        default_max_tokens: config.default_max_tokens,
        head: None,
    };
    let sent = request::chat(body, &asked)?;
    let request = config.versions(Request::post(url).json_text(sent.body), ctx, sent.beta);
    // A request that failed has cost nothing, so it may be sent again.
    let request = request.idempotent().dropped(sent.dropped);
    let request = if ctx.streaming() { request.sse() } else { request };
    request.then(sent.state)
}

/// Sends a request in Anthropic's own API to `url`: its answer goes to the client as it is.
///
/// # Errors
/// If the settings cannot be read.
pub fn relay(ctx: &Context, url: String, body: &str) -> Result<Step> {
    let config: Config = ctx.config()?;
    let request = config.versions(Request::post(url).json_text(body), ctx, None);
    request.idempotent().relay().send()
}

impl Adapter for Anthropic {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let url = |path: &str| endpoint::url(ctx.base_url(), path);
        match ctx.operation() {
            "chat.completions" => ask(ctx, url("messages"), body),
            // The client's own API.
            "messages" => relay(ctx, url("messages"), body),
            "count_tokens" => relay(ctx, url("messages/count_tokens"), body),
            other => Err(Failure::unsupported(format!("Anthropic has nothing like {other}."))),
        }
    }

    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        response::answer(&reply)
    }

    fn open_stream(_: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Events::new(head.state())))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let config: Config = ctx.config()?;
        let first = endpoint::url(ctx.base_url(), "models?limit=1000");
        let mut models = Vec::new();
        let mut url = first.clone();
        for _ in 0..MAX_PAGES {
            let reply = http.fetch(config.versions(Request::get(url), &ctx, None)).await?;
            if !reply.is_success() {
                return Err(failure(&reply));
            }
            let page = Page::parse(reply.text()?)
                .ok_or_else(|| Failure::new(Kind::Upstream, "The provider's answer is no list of models."))?;
            models.extend(page.models());
            let Some(last) = page.next() else {
                break;
            };
            url = [&first, "&after_id=", &segment(last)].concat();
        }
        Ok(models)
    }
}
