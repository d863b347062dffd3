//! What went wrong, as a failure the gateway can act on: an error with a status, one inside a response, or an event of its own.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Failure, Kind, Response};

use crate::json::{Object, string};

/// An error, in all the forms it has in a response or an event: its members inside `error`, or bare.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    param: Option<&'a RawValue>,
}

/// The failure that a reply tells of: one of status 300 or more, or an error sent with a 200.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    let failure = Failure::upstream(reply);
    let body = reply.text().unwrap_or_default();
    let error = Object::parse(body).and_then(|body| body.get("error")).map(read);
    let Some((said, code)) = error else {
        return failure;
    };
    // A word says more than the status, where it says anything; a wrong request with a status of the server's stays one.
    let message = said.message.and_then(|text| string(text.get())).unwrap_or_default();
    match code.as_deref().and_then(|code| kind(code, &message)) {
        Some(kind) if reply.status() < 500 => failure.with_kind(kind),
        _ => failure,
    }
}

/// True if the provider does not take thoughts that came back: they are another one's, or it has changed its keys.
pub(crate) fn is_about_thoughts(reply: &Response) -> bool {
    let body = reply.text().unwrap_or_default();
    (400..500).contains(&reply.status())
        && (body.contains("invalid_encrypted_content")
            || (body.contains("ncrypted")
                && ["could not be verified", "not issued"]
                    .iter()
                    .any(|sign| body.contains(sign))))
}

/// The failure that a member `error` of a response tells of, or an event. `text`: that JSON text.
pub(crate) fn told(text: &str, status: u16) -> Failure {
    let inner = Object::parse(text).and_then(|object| object.get("error").filter(|error| error.starts_with('{')));
    let (said, code) = read(inner.unwrap_or(text));
    let message = said.message.and_then(|text| string(text.get()));
    let message = message.unwrap_or_else(|| "The provider broke its answer off with an error.".into());
    let kind = code.as_deref().and_then(|code| kind(code, &message));
    let mut failure = Failure::new(kind.unwrap_or(Kind::Upstream), message)
        .status(status)
        .upstream_text(text);
    if let Some(code) = code {
        failure = failure.code(code);
    }
    match said.param.and_then(|param| string(param.get())) {
        Some(param) => failure.param(param),
        None => failure,
    }
}

/// A stream or an answer that is not of this API.
pub(crate) fn unreadable(status: u16, what: &str, body: &str) -> Failure {
    Failure::new(Kind::Upstream, what).status(status).upstream_text(body)
}

/// True if the text is an error, and nothing but that.
pub(crate) fn is_error(body: &str) -> bool {
    Object::parse(body).is_some_and(|object| object.get("error").is_some())
}

/// An error and its word: the code, or the type where there is none.
fn read(text: &str) -> (Said<'_>, Option<String>) {
    let said: Said<'_> = crate::read::object(text).unwrap_or_default();
    let words = [said.code, said.kind].into_iter().flatten();
    let code = words.filter_map(|word| string(word.get())).find(|word| word != "error");
    (said, code.map(std::borrow::Cow::into_owned))
}

/// What OpenAI's words mean; `None` for others.
fn kind(code: &str, message: &str) -> Option<Kind> {
    Some(match code {
        "rate_limit_exceeded" | "rate_limit_error" | "too_many_requests" => Kind::RateLimit,
        "insufficient_quota" | "billing_hard_limit_reached" | "usage_limit_reached" => Kind::Quota,
        "context_length_exceeded" => Kind::ContextLength,
        "server_is_overloaded" | "slow_down" | "overloaded_error" => Kind::Overloaded,
        "invalid_api_key" => Kind::Authentication,
        "model_not_found" => Kind::NotFound,
        "vector_store_timeout" => Kind::Timeout,
        // The word is also for prompts that were refused for what they say.
        "invalid_prompt" if message.contains("policy") => Kind::ContentFilter,
        "invalid_prompt" | "invalid_request_error" => Kind::InvalidRequest,
        "content_filter" => Kind::ContentFilter,
        _ if code.contains("policy") => Kind::ContentFilter,
        _ if code.contains("image") => Kind::InvalidRequest,
        _ => return None,
    })
}
