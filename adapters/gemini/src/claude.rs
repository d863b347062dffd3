//! Claude on Vertex AI: Anthropic's Messages API, with the model in the URL and the API's version in the body. The translation is
//! `witgate_anthropic`'s.

use witgate_anthropic::Asked;
use witgate_sdk::json::text::{Object, push_field, push_string};
use witgate_sdk::{Context, Failure, Request, Response, Result, Step};

use crate::endpoint::{Config, Endpoint};
use crate::error;

/// What the body says first.
const HEAD: &str = "\"anthropic_version\":\"vertex-2023-10-16\"";
/// What counts tokens is called as a model is.
const COUNTER: &str = "count-tokens";
/// How the names of Anthropic's models are written, beside "claude-…".
const NAMED: [&str; 2] = ["publishers/anthropic/models/", "anthropic/"];
const PUBLISHER: &str = "anthropic";

/// The name of a model of Anthropic's: "claude-sonnet-4-5@20250929".
pub(crate) fn named(model: &str) -> Option<&str> {
    let model = model.trim_start_matches('/');
    let published = NAMED.iter().find_map(|prefix| model.strip_prefix(prefix));
    published.or_else(|| model.starts_with("claude").then_some(model))
}

/// The request for a model of Anthropic's.
pub(crate) fn request(
    ctx: &Context,
    config: &Config<'_>,
    endpoint: &Endpoint,
    model: &str,
    body: &str,
) -> Result<Step> {
    let (method, head) = if ctx.streaming() {
        ("streamRawPredict", [HEAD, ",\"stream\":true"].concat())
    } else {
        ("rawPredict", HEAD.to_owned())
    };
    match ctx.operation() {
        "chat.completions" => {
            let asked = Asked {
                model,
                streaming: ctx.streaming(),
                default_max_tokens: config.default_max_tokens,
                head: Some(&head),
            };
            let sent = witgate_anthropic::chat(body, &asked)?;
            let request = endpoint.raw(PUBLISHER, model, method).json_text(sent.body).idempotent();
            let request = request.dropped(sent.dropped);
            let request = if ctx.streaming() { request.sse() } else { request };
            request.then(sent.state)
        }
        // The client's own API.
        "messages" => {
            let body = witgate_anthropic::messages(body, &head)?;
            relay(ctx, endpoint.raw(PUBLISHER, model, method).json_text(body))
        }
        "count_tokens" => {
            let mut head = HEAD.to_owned();
            let mut name = String::new();
            push_string(&mut name, model);
            push_field(&mut head, "model", &name);
            let body = witgate_anthropic::messages(body, &head)?;
            relay(ctx, endpoint.raw(PUBLISHER, COUNTER, "rawPredict").json_text(body))
        }
        other => Err(Failure::unsupported(format!("Claude has nothing like {other}."))),
    }
}

fn relay(ctx: &Context, request: Request) -> Result<Step> {
    let request = match ctx.ext("header.anthropic-beta") {
        Some(words) => request.header("anthropic-beta", words),
        None => request,
    };
    request.idempotent().relay().send()
}

/// The client's answer. What goes wrong is told by Anthropic or, before it is asked, by Google.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let anthropics = |text: &str| Object::parse(text).is_some_and(|body| body.get("type").is_some());
    if reply.is_success() || reply.text().is_ok_and(anthropics) {
        return witgate_anthropic::answer(reply);
    }
    Err(error::from_reply(reply))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn anthropics_models_are_known_by_their_name_or_their_publisher() {
        for model in [
            "claude-opus-4-1@20250805",
            "anthropic/claude-opus-4-1@20250805",
            "publishers/anthropic/models/claude-opus-4-1@20250805",
        ] {
            assert_eq!(named(model), Some("claude-opus-4-1@20250805"), "{model}");
        }
        for model in [
            "gemini-2.5-pro",
            "publishers/google/models/gemini-2.5-pro",
            "google/claude",
        ] {
            assert_eq!(named(model), None, "{model}");
        }
    }
}
