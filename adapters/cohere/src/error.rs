//! What went wrong at Cohere, as a failure the gateway can act on: `{"id","message"}`, now and then with an `error_type`.

use serde::Deserialize;
use witgate_sdk::{Failure, Kind, Response};

/// Input or output was blocked, by Cohere's own numbering.
const BLOCKED: u16 = 498;
/// The client closed the request.
const CANCELLED: u16 = 499;

#[derive(Default, Deserialize)]
struct Body {
    error_type: Option<String>,
}

/// The failure that a reply tells of.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    let failure = Failure::upstream(reply);
    let body: Body = reply.json().unwrap_or_default();
    let kind = kind(reply.status(), failure.message(), failure.kind());
    let failure = failure.with_kind(kind);
    match body.error_type {
        Some(word) => failure.code(word),
        None => failure,
    }
}

/// The failure that an answer of status 200 is, if it is no message.
pub(crate) fn in_answer(reply: &Response) -> Failure {
    let text = "The provider's answer is no message of Cohere's.";
    Failure::new(Kind::Upstream, text)
        .status(reply.status())
        .upstream_text(reply.text().unwrap_or_default())
}

/// Some causes only the message tells.
fn kind(status: u16, message: &str, by_status: Kind) -> Kind {
    let text = message.to_ascii_lowercase();
    match status {
        // "max tokens must be": the answer's limit is too high for the model, not the prompt too long.
        400 | 413 | 422 if text.contains("too many tokens") && !text.contains("max tokens must be") => {
            Kind::ContextLength
        }
        400 if text.contains("invalid api token") => Kind::Authentication,
        // A trial key has an allowance for each month, beside the limit for each minute.
        429 if text.contains("month") => Kind::Quota,
        BLOCKED => Kind::ContentFilter,
        CANCELLED => Kind::Timeout,
        _ => by_status,
    }
}
