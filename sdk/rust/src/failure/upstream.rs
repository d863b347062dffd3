//! Failures made of a provider's reply: what its status means, and where its own words are.

use serde::Deserialize;

use super::{Failure, Kind};
use crate::Response;
use crate::json::{Raw, Str};

impl Failure {
    /// What a reply of status 300 or more means: a kind by its status, the provider's own message, code and `retry-after`.
    ///
    /// Messages are found in `{"error":{"message"}}`, `{"error":"…"}`, `{"message"}`, `{"detail"}`, `{"title","detail"}` and lists
    /// of these. A reply that is no JSON goes to the log, and the client reads the status.
    #[must_use]
    pub fn upstream(reply: &Response) -> Self {
        let text = reply.text().unwrap_or_default();
        let words = Words::of(text);
        let message = match words.message {
            Some(message) => message,
            None => format!("the provider answered with status {}", reply.status()),
        };
        let kind = kind(reply.status(), &message, words.code.as_deref());
        let mut failure = Self::new(kind, message).status(reply.status()).upstream_text(text);
        failure.0.code = words.code;
        failure.0.param = words.param;
        failure.0.retry_after_ms = retry_after_ms(reply).or(words.retry_after_ms);
        failure
    }
}

/// The provider's own words for what went wrong.
#[derive(Default)]
struct Words {
    message: Option<String>,
    code: Option<String>,
    param: Option<String>,
    retry_after_ms: Option<u32>,
}

/// All the places where providers put them. Fields are raw, for each may be text, a number, an object or a list.
#[derive(Deserialize, Default)]
struct Body<'a> {
    #[serde(borrow, default)]
    error: Option<Raw<'a>>,
    #[serde(borrow, default)]
    message: Option<Raw<'a>>,
    #[serde(borrow, default)]
    detail: Option<Raw<'a>>,
    #[serde(borrow, default)]
    title: Option<Raw<'a>>,
    #[serde(borrow, default)]
    msg: Option<Raw<'a>>,
    #[serde(borrow, default)]
    code: Option<Raw<'a>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Raw<'a>>,
    #[serde(borrow, default)]
    status: Option<Raw<'a>>,
    #[serde(borrow, default)]
    param: Option<Raw<'a>>,
    #[serde(borrow, default)]
    retry_after: Option<Raw<'a>>,
}

impl Words {
    /// The words in a JSON text, none if there are none. The depth is bounded, for the text is the provider's.
    fn of(text: &str) -> Self {
        Self::within(text, 4)
    }

    fn within(text: &str, depth: u8) -> Self {
        if depth == 0 {
            return Self::default();
        }
        let text = text.trim_start();
        match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text)
                .map(|body| Self::of_object(&body, depth))
                .unwrap_or_default(),
            Some(b'[') => serde_json::from_str::<Vec<Raw<'_>>>(text)
                .ok()
                .and_then(|list| list.first().map(|first| Self::within(first.get(), depth - 1)))
                .unwrap_or_default(),
            Some(b'"') => Self {
                message: serde_json::from_str(text).ok(),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    fn of_object(body: &Body<'_>, depth: u8) -> Self {
        let nested = |raw: &Option<Raw<'_>>| {
            raw.as_ref()
                .map(|raw| Self::within(raw.get(), depth - 1))
                .unwrap_or_default()
        };
        let error = nested(&body.error);
        let message = error
            .message
            .or_else(|| text_of(body.message.as_ref()))
            .or_else(|| text_of(body.msg.as_ref()))
            .or_else(|| nested(&body.detail).message)
            .or_else(|| text_of(body.title.as_ref()))
            .filter(|message| !message.is_empty());
        let code = error.code.or_else(|| {
            [&body.code, &body.kind, &body.status]
                .iter()
                .find_map(|raw| word_of(raw.as_ref()))
        });
        let retry = body
            .retry_after
            .as_ref()
            .and_then(|raw| raw.parse::<f64>().ok())
            .and_then(ms);
        Self {
            message,
            code: code.filter(|word| word != "error"),
            param: error.param.or_else(|| text_of(body.param.as_ref())),
            retry_after_ms: error.retry_after_ms.or(retry),
        }
    }
}

fn text_of(raw: Option<&Raw<'_>>) -> Option<String> {
    raw.and_then(|raw| raw.as_str().map(Str::into_string))
}

/// A code is a word; numbers only repeat the status.
fn word_of(raw: Option<&Raw<'_>>) -> Option<String> {
    text_of(raw).filter(|word| !word.is_empty() && word.parse::<u32>().is_err())
}

fn kind(status: u16, message: &str, code: Option<&str>) -> Kind {
    let code = code.unwrap_or_default();
    match status {
        400 | 413 | 422 if is_context_length(message, code) => Kind::ContextLength,
        400 if code == "content_filter" || code == "content_policy_violation" => Kind::ContentFilter,
        401 => Kind::Authentication,
        402 => Kind::Quota,
        403 => Kind::Permission,
        404 | 410 => Kind::NotFound,
        408 | 504 => Kind::Timeout,
        429 if code == "insufficient_quota" => Kind::Quota,
        429 => Kind::RateLimit,
        503 | 529 => Kind::Overloaded,
        400..=499 => Kind::InvalidRequest,
        _ => Kind::Upstream,
    }
}

fn is_context_length(message: &str, code: &str) -> bool {
    const SIGNS: [&str; 5] = [
        "context length",
        "context window",
        "prompt is too long",
        "context_length",
        "maximum number of tokens",
    ];
    let message = message.to_ascii_lowercase();
    code.starts_with("context_length")
        || code.starts_with("exceed_context")
        || SIGNS.iter().any(|sign| message.contains(sign))
}

/// `retry-after-ms`, or `retry-after` in seconds. (A date there is of no use to one who may not look at a clock.)
fn retry_after_ms(reply: &Response) -> Option<u32> {
    let number = |name| reply.header(name).and_then(|value| value.trim().parse::<f64>().ok());
    number("retry-after-ms")
        .and_then(|value| ms(value / 1000.0))
        .or_else(|| number("retry-after").and_then(ms))
}

/// Seconds, as milliseconds.
fn ms(seconds: f64) -> Option<u32> {
    let ms = (seconds * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was just checked to fit"
    )]
    (0.0..=f64::from(u32::MAX)).contains(&ms).then_some(ms as u32)
}
