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

/// A request in Anthropic's own API, to be answered untouched.
fn own(ctx: &Context, path: &str, body: &str) -> Result<Step> {
    let config: Config = ctx.config()?;
    let request = Request::post(endpoint::url(ctx.base_url(), path)).json_text(body);
    config.versions(request, ctx, None).idempotent().relay().then("")
}

impl Adapter for Anthropic {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        match ctx.operation() {
            "chat.completions" => {}
            // The client's own API: its request goes on and the answer back as they are.
            "messages" => return own(ctx, "messages", body),
            "count_tokens" => return own(ctx, "messages/count_tokens", body),
            other => {
                let text = format!("Anthropic has nothing like {other}.");
                return Err(Failure::unsupported(text));
            }
        }
        let config: Config = ctx.config()?;
        let asked = Asked {
            model: ctx.model(),
            streaming: ctx.streaming(),
            default_max_tokens: config.default_max_tokens,
            head: None,
        };
        let sent = request::chat(body, &asked)?;
        let request = Request::post(endpoint::url(ctx.base_url(), "messages")).json_text(sent.body);
        // A request that failed has cost nothing, so it may be sent again.
        let request = config.versions(request, ctx, sent.beta).idempotent();
        let request = if ctx.streaming() { request.sse() } else { request };
        request.then(sent.state)
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
