//! What went wrong, as a failure the gateway can act on: `{"error": "…", "error_type": "…"}`, a list of texts, or plain text.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::{Failure, Kind, Response};

use crate::answer::unreadable;

/// As much of a plain text is shown to the client.
const SHOWN_BYTES: usize = 300;

#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    error: Option<Raw<'a>>,
    error_type: Option<String>,
    /// seconds until a model is loaded
    estimated_time: Option<f64>,
}

/// An error as newer servers write it in a stream.
#[derive(Deserialize)]
struct Nested<'a> {
    #[serde(borrow)]
    message: Option<Str<'a>>,
    http_status_code: Option<u16>,
}

/// The failure that a reply tells of.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    let failure = Failure::upstream(reply);
    let text = reply.text().unwrap_or_default();
    let plain = text.trim();
    let Ok(body) = serde_json::from_str::<Body<'_>>(text) else {
        if plain.is_empty() || plain.starts_with(['<', '{', '[']) {
            return failure;
        }
        let shown = &plain[..plain.floor_char_boundary(SHOWN_BYTES)];
        return Failure::new(sorted(failure.kind(), reply.status(), None, shown), shown)
            .status(reply.status())
            .upstream_text(text);
    };
    let kind = sorted(
        failure.kind(),
        reply.status(),
        body.error_type.as_deref(),
        failure.message(),
    );
    let failure = failure.with_kind(kind);
    let failure = match (body.error_type, body.estimated_time) {
        (Some(word), _) => failure.code(word),
        (None, Some(_)) => failure.code("model_loading"),
        (None, None) => failure,
    };
    match body.estimated_time.filter(|seconds| *seconds >= 0.0) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating: an absurd wait is the longest"
        )]
        Some(seconds) => failure
            .with_kind(Kind::Overloaded)
            .retry_after_ms((seconds * 1000.0).ceil() as u32),
        None => failure,
    }
}

/// The failure that an event of a stream, or an answer of status 200, tells of.
pub(crate) fn from_event(text: &str) -> Failure {
    let body: Body<'_> = serde_json::from_str(text).unwrap_or_default();
    let error = body.error.unwrap_or_default();
    let nested = error.parse::<Nested<'_>>().ok();
    let status = nested.as_ref().and_then(|nested| nested.http_status_code).unwrap_or(0);
    let message = error.as_str().or_else(|| nested?.message).map(Str::into_string);
    let message = message
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "The provider broke the answer off with an error.".to_owned());
    let kind = sorted(Kind::Upstream, status, body.error_type.as_deref(), &message);
    let failure = Failure::new(kind, message).status(status).upstream_text(text);
    match body.error_type {
        Some(word) => failure.code(word),
        None => failure,
    }
}

/// The failure that an answer of status 200 is, if it is no text.
pub(crate) fn in_answer(reply: &Response) -> Failure {
    let text = reply.text().unwrap_or_default();
    let body: Body<'_> = serde_json::from_str(text).unwrap_or_default();
    match body.error {
        Some(_) => from_event(text).status(reply.status()),
        None => unreadable(reply.status(), text),
    }
}

/// The kind, by TGI's word for it or by what only the message tells.
fn sorted(by_status: Kind, status: u16, word: Option<&str>, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    if text.contains("`inputs` tokens + `max_new_tokens` must be <=") || text.contains("`inputs` must have less than") {
        return Kind::ContextLength;
    }
    if text.contains("is currently loading") {
        return Kind::Overloaded;
    }
    match (word, status) {
        (Some("overloaded"), _) => Kind::Overloaded,
        (Some("generation" | "incomplete_generation" | "incomplete_generation_stream"), _) => Kind::Upstream,
        (Some("validation" | "template_error" | "tokenizer_error" | "Validation"), _) => Kind::InvalidRequest,
        (_, 424) => Kind::Upstream,
        (_, 400) if text.contains("not supported by provider") => Kind::NotFound,
        _ => by_status,
    }
}
