//! What goes wrong, in the gateway's words: refusals of our own, Replicate's error replies, and predictions that failed.
//!
//! An error reply is `{title, detail, status, invalid_fields[], retry_after}`, each part of it at times. A prediction that failed is a
//! reply of status 200 or 201 that says so.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Str;
use witgate_sdk::{Failure, Kind, Response};

use crate::prediction::{Prediction, State};

/// The request asks for what no model here can do.
pub(crate) fn unsupported(param: &str, message: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param).code("unsupported_parameter")
}

/// The request is wrong.
pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// The name cannot be that of a model.
pub(crate) fn no_such_model(model: &str) -> Failure {
    let forms = "owner/name, owner/name:version, a version id, or deployments/owner/name";
    Failure::new(
        Kind::NotFound,
        format!("{model:?} is no model of Replicate: write {forms}"),
    )
    .param("model")
    .code("model_not_found")
}

/// Replicate said something that cannot be read.
pub(crate) fn unreadable(body: &str) -> Failure {
    let beginning: String = body.chars().take(500).collect();
    Failure::new(Kind::Upstream, "Replicate's answer cannot be read").upstream_text(&beginning)
}

/// An error reply, whatever the call.
pub(crate) fn of_reply(reply: &Response) -> Failure {
    #[derive(Deserialize)]
    struct Problem<'a> {
        #[serde(borrow, default)]
        invalid_fields: Option<Vec<InvalidField<'a>>>,
    }
    #[derive(Deserialize)]
    struct InvalidField<'a> {
        #[serde(borrow, rename = "type", default)]
        kind: Option<Str<'a>>,
        #[serde(borrow, default)]
        field: Option<Str<'a>>,
    }
    let mut failure = Failure::upstream(reply);
    let problem = reply.json::<Problem<'_>>().ok();
    let field = problem
        .as_ref()
        .and_then(|problem| problem.invalid_fields.as_ref()?.first());
    let code = match reply.status() {
        401 => Some("invalid_api_key"),
        402 => Some("insufficient_quota"),
        429 => Some("rate_limit_exceeded"),
        _ => field.and_then(|field| field.kind.as_deref()),
    };
    // A model's inputs are `input.NAME` in Replicate's errors.
    let name = field
        .and_then(|field| field.field.as_deref())
        .map(|name| name.strip_prefix("input.").unwrap_or(name));
    if let Some(code) = code {
        failure = failure.code(code);
    }
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        failure = failure.param(name);
    }
    failure
}

/// The model has no endpoint of its own, as most that are not official ones.
pub(crate) fn needs_version(reply: &Response) -> Failure {
    let said = of_reply(reply);
    let hint = "a model that is not an official one is named with its version: owner/name:version";
    Failure::new(said.kind(), format!("{} ({hint})", said.message().trim_end()))
        .status(reply.status())
        .param("model")
}

/// A prediction that ended without an answer.
pub(crate) fn of_prediction(prediction: &Prediction<'_>) -> Failure {
    let said = prediction.error.map(said).unwrap_or_default();
    match prediction.state() {
        State::Canceled => canceled(),
        State::Aborted if said.is_empty() => {
            Failure::new(Kind::Upstream, "The prediction was aborted before it began").code("aborted")
        }
        _ => of_message(&said),
    }
}

/// JSON as a person reads it: a string's text, nothing for null, else the JSON.
fn said(json: &RawValue) -> String {
    match serde_json::from_str::<Option<Str<'_>>>(json.get()) {
        Ok(text) => text.map(Str::into_string).unwrap_or_default(),
        Err(_) => json.get().to_owned(),
    }
}

/// Somebody stopped it before it said anything.
pub(crate) fn canceled() -> Failure {
    Failure::new(Kind::Upstream, "The prediction was canceled").code("canceled")
}

/// An `error` event of a stream: plain text, or JSON with the text in it.
pub(crate) fn of_event(data: &str) -> Failure {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow, alias = "error", alias = "message")]
        detail: Str<'a>,
    }
    serde_json::from_str::<Event<'_>>(data).map_or_else(|_| of_message(data), |event| of_message(&event.detail))
}

/// What a failed prediction, or the error event of a stream, says.
pub(crate) fn of_message(said: &str) -> Failure {
    let message = match said.trim() {
        "" => "The prediction failed",
        said => said,
    };
    Failure::new(kind_of(message), message).code(error_code(message).unwrap_or("prediction_failed"))
}

/// Models fail in words only.
fn kind_of(message: &str) -> Kind {
    let lower = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["nsfw", "flagged as sensitive", "content policy", "safety"]) {
        Kind::ContentFilter
    } else if has(&["context length", "context window", "maximum length", "too many tokens"]) {
        Kind::ContextLength
    } else if has(&["high demand", "overloaded", "rate limit"]) {
        Kind::Overloaded
    } else {
        Kind::Upstream
    }
}

/// Replicate's own error code, where the message holds one: the letter E and digits, as in "… (E005)".
fn error_code(message: &str) -> Option<&str> {
    let is_code = |word: &&str| {
        let digits = word.strip_prefix('E').unwrap_or_default();
        digits.len() > 2 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    message.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code)
}
