//! Witgate's adapter for Azure OpenAI and the other models of Microsoft Foundry. The README says what goes where.
//!
//! Azure speaks OpenAI's API behind URLs and credentials of its own, so there is nothing to translate: `endpoint` says where a request
//! goes, and the answer is relayed. Claude is there too, in Anthropic's API: that is `witgate_anthropic`'s.

mod describe;
mod endpoint;
mod error;
mod models;

use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Request, Response, Result, Step, StreamHead};

use endpoint::Endpoint;

/// The adapter.
#[derive(Debug)]
pub struct AzureOpenAi;

witgate_sdk::export!(AzureOpenAi: streaming, models);

/// Claude is asked in Anthropic's API.
fn claude(ctx: &Context, endpoint: &Endpoint<'_>, body: &str) -> Result<Step> {
    match ctx.operation() {
        "chat.completions" => witgate_anthropic::ask(ctx, endpoint.claude("messages"), body),
        "messages" => witgate_anthropic::relay(ctx, endpoint.claude("messages"), body),
        "count_tokens" => witgate_anthropic::relay(ctx, endpoint.claude("messages/count_tokens"), body),
        other => Err(Failure::unsupported(format!("Claude has nothing like {other}."))),
    }
}

impl Adapter for AzureOpenAi {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let endpoint = endpoint::of(ctx)?;
        if endpoint.has_claude(ctx.model()) {
            return claude(ctx, &endpoint, body);
        }
        let url = endpoint.url(ctx.operation(), ctx.model()).ok_or_else(|| {
            let text = format!("This deployment has nothing like {}.", ctx.operation());
            Failure::unsupported(text)
        })?;
        // A request that failed has cost nothing, so it may be sent again.
        Request::post(url).json_text(body).idempotent().relay().send()
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        if endpoint::of(ctx)?.has_claude(ctx.model()) {
            return witgate_anthropic::answer(&reply);
        }
        Err(error::from_reply(ctx, &reply))
    }

    fn open_stream(_: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(witgate_anthropic::Events::new(head.state())))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        models::list(&ctx, &http).await
    }
}
