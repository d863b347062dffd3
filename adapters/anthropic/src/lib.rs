//! Witgate's adapter for Anthropic's Messages API. The README says what becomes of what.
//!
//! A chat goes through `request` to the provider and comes back through `response`, or event by event through `stream`; both collect
//! `usage`, the reason why it ended (`stop`) and the blocks that the next request must bring back (`content`).
//!
//! Text is parsed once, borrowed, and copied as it stands, still escaped, where it is not looked at. That is why both sides' JSON is
//! read here into types of our own: those of the SDK's `openai` unescape each text, which is pleasant, exact to the value, and slower.

mod content;
mod describe;
mod endpoint;
mod error;
mod model;
mod models;
mod request;
mod response;
mod stop;
mod stream;
mod structured;
mod usage;

use witgate_sdk::json::text as json;
use witgate_sdk::openai::Model;
use witgate_sdk::url::segment;
use witgate_sdk::{
    Adapter, Context, Decoder, Failure, Http, Kind, Manifest, Request, Response, Result, Step, StreamHead,
};

use endpoint::Config;
use models::Page;
pub use stream::Events;

/// More pages of models than this are not read: one holds a thousand.
const MAX_PAGES: usize = 20;

/// The adapter.
#[derive(Debug)]
pub struct Anthropic;

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
        let sent = request::translate(body, ctx.model(), ctx.streaming(), config.default_max_tokens)?;
        let request = Request::post(endpoint::url(ctx.base_url(), "messages")).json_text(sent.body);
        // A request that failed has cost nothing, so it may be sent again.
        let request = config.versions(request, ctx, sent.beta).idempotent();
        let request = if ctx.streaming() { request.sse() } else { request };
        request.then(if sent.structured { structured::STATE } else { "" })
    }

    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        let body = reply.text()?;
        if let Some(answer) = response::translate(body, structured::is_state(reply.state())) {
            return Ok(Step::done_text(answer));
        }
        if json::Object::parse(body).is_some_and(|object| object.get("error").is_some()) {
            return Err(error::from_reply(&reply));
        }
        let text = "The provider's answer is no message.";
        Err(error::unreadable(reply.status(), text, body))
    }

    fn open_stream(_: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Events::new(structured::is_state(head.state()))))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let config: Config = ctx.config()?;
        let first = endpoint::url(ctx.base_url(), "models?limit=1000");
        let mut models = Vec::new();
        let mut url = first.clone();
        for _ in 0..MAX_PAGES {
            let reply = http.fetch(config.versions(Request::get(url), &ctx, None)).await?;
            if !reply.is_success() {
                return Err(error::from_reply(&reply));
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
