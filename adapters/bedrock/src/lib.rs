//! Witgate's adapter for AWS Bedrock. The README says what becomes of what.
//!
//! A chat goes through `request` to Converse, which is one form for all models, and comes back through `response`, or event by event
//! through `stream`; both read blocks with `block` and collect `usage`, the reason why it ended (`stop`) and what the next request must
//! bring back. Or it goes to InvokeModel, in the model's own form (`invoke`). Requests are signed by the gateway.
//!
//! Text is parsed once, borrowed, and copied as it stands, still escaped, where it is not looked at.

mod base64;
mod beta;
mod block;
mod describe;
mod embeddings;
mod endpoint;
mod error;
mod invoke;
mod model;
mod models;
mod request;
mod response;
mod stop;
mod stream;
mod thought;
mod usage;

use witgate_anthropic::structured;
use witgate_sdk::json::text as json;
use witgate_sdk::openai;
use witgate_sdk::{
    Adapter, Context, Decoder, Failure, Http, Kind, Manifest, Request, Response, Result, Step, StreamHead,
};

use endpoint::Config;
pub use stream::Events;

/// The adapter.
#[derive(Debug)]
pub struct Bedrock;

witgate_sdk::export!(Bedrock: streaming, models);

impl Adapter for Bedrock {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let config: Config = ctx.config()?;
        match ctx.operation() {
            "chat.completions" | "messages" if config.invokes() => invoke::request(ctx, &config, body),
            "chat.completions" => converse(ctx, &config, body),
            "count_tokens" => invoke::count::request(ctx, &config, body),
            "embeddings" => embeddings::request(ctx, &config, body),
            other => Err(Failure::unsupported(format!("Bedrock has nothing like {other}."))),
        }
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        if ctx.operation() == "count_tokens" {
            return invoke::count::answer(&reply);
        }
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        if ctx.operation() == "embeddings" {
            return embeddings::answer(ctx, &reply);
        }
        if ctx.config::<Config>()?.invokes() {
            return invoke::answer(ctx, &reply);
        }
        let body = reply.text()?;
        match response::translate(body, structured::is_state(reply.state())) {
            Some(answer) => Ok(Step::done_text(answer)),
            None => Err(error::unreadable(
                reply.status(),
                "The provider's answer is no answer of Bedrock's.",
                body,
            )),
        }
    }

    fn open_stream(ctx: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        let config: Config = ctx.config()?;
        if config.invokes() {
            let form = invoke::Form::of(ctx, config.model(ctx));
            return Ok(Box::new(invoke::Invoked::new(form, head.state())));
        }
        Ok(Box::new(Events::new(structured::is_state(head.state()))))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<openai::Model<'static>>> {
        let config: Config = ctx.config()?;
        // The profiles first: who may list the models may not always list those, and the last reply must be one that an answer is made of.
        let profiles = http.fetch(config.list(&ctx, models::PROFILES)?).await?;
        let own = http.fetch(config.list(&ctx, models::MODELS)?).await?;
        if !own.is_success() {
            return Err(error::from_reply(&own));
        }
        let mut list = Vec::new();
        for reply in [own, profiles].iter().filter(|reply| reply.is_success()) {
            models::add(&mut list, reply.text()?)
                .ok_or_else(|| Failure::new(Kind::Upstream, "The provider's answer is no list of models."))?;
        }
        Ok(list)
    }
}

fn converse(ctx: &Context, config: &Config, body: &str) -> Result<Step> {
    let model = config.model(ctx);
    let betas = model.claude().map(|_| beta::field(ctx, false, None));
    let mut sent = request::translate(body, model, &betas.unwrap_or_default())?;
    if let Some(guardrail) = config.guardrail().filter(|_| !sent.guarded) {
        sent.body.pop();
        json::push_field(&mut sent.body, "guardrailConfig", &guardrail);
        sent.body.push('}');
    }
    let operation = if ctx.streaming() { "converse-stream" } else { "converse" };
    let request = finish(config.post(ctx, operation)?.json_text(sent.body), ctx);
    let request = request.dropped(sent.dropped);
    request.then(if sent.structured { structured::STATE } else { "" })
}

/// A request that failed has cost nothing, so it may be sent again.
fn finish(request: Request, ctx: &Context) -> Request {
    let request = request.idempotent();
    if ctx.streaming() { request.aws_events() } else { request }
}
