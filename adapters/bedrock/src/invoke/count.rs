//! How many tokens a request of Anthropic's Messages API has: CountTokens, which takes what would be invoked, and counts for Claude only.
//! It does not know the profiles that newer models are reached by, but the models behind them.

use serde::Deserialize;
use witgate_sdk::{Context, Kind, Response, Result, Step};

use super::messages;
use crate::endpoint::Config;
use crate::json::{Object, push_field, push_string};
use crate::{base64, error, finish};

/// As far as the request matters.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    thinking: Thinking,
}

/// What may be thought.
#[derive(Default, Deserialize)]
struct Thinking {
    #[serde(default)]
    budget_tokens: u64,
}

/// What the service answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    input_tokens: u64,
}

/// The request.
pub(crate) fn request(ctx: &Context, config: &Config, body: &str) -> Result<Step> {
    let (mut body, _) = messages::native(ctx, config, body)?;
    // What is invoked must have it, and more of it than of thoughts; what is counted has none.
    if Object::parse(&body).is_some_and(|body| body.get("max_tokens").is_none()) {
        let asked: Option<Asked> = serde_json::from_str(&body).ok();
        let thoughts = asked.map_or(0, |asked| asked.thinking.budget_tokens);
        body.pop();
        push_field(&mut body, "max_tokens", &thoughts.saturating_add(1).to_string());
        body.push('}');
    }
    let mut out = String::from("{\"input\":{\"invokeModel\":{\"body\":");
    push_string(&mut out, &base64::encode(body.as_bytes()));
    out.push_str("}}}");
    let model = config.model(ctx).itself();
    let request = config.post_to(ctx, model, "count-tokens")?.json_text(out);
    finish(request, ctx).send()
}

/// The answer in the client's form. What is not counted, for the model, the region, the rights or the request, is the gateway's to
/// estimate.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    if !reply.is_success() {
        let failure = error::from_reply(reply);
        return Err(match failure.kind() {
            Kind::InvalidRequest | Kind::ContextLength | Kind::Permission | Kind::NotFound => {
                failure.with_kind(Kind::Unsupported)
            }
            _ => failure,
        });
    }
    let body = reply.text()?;
    let counted: Counted = serde_json::from_str(body)
        .map_err(|_| error::unreadable(reply.status(), "The provider's answer is no count.", body))?;
    Ok(Step::done_text(format!(
        "{{\"input_tokens\":{}}}",
        counted.input_tokens
    )))
}
