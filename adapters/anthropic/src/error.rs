//! What went wrong at the provider, as a failure the gateway can act on. Anthropic names a type beside the status, which says more.

use std::borrow::Cow;

use witgate_sdk::{Failure, Kind, Response};

use crate::json::{Object, string};

/// As much of an unreadable body is shown to the client.
const MESSAGE_BYTES: usize = 300;

/// The failure that a reply tells of: one of status 300 or more, or an error sent with a 200.
#[must_use]
pub fn from_reply(reply: &Response) -> Failure {
    let failure = read(reply.status(), &String::from_utf8_lossy(reply.bytes()));
    match retry_after_ms(reply) {
        Some(ms) => failure.retry_after_ms(ms),
        None => failure,
    }
}

/// The failure that an `error` event in a stream tells of.
pub(crate) fn from_event(data: &str) -> Failure {
    read(0, data)
}

/// A stream or an answer that does not have Anthropic's form.
pub(crate) fn unreadable(status: u16, what: &str, body: &str) -> Failure {
    Failure::new(Kind::Upstream, what).status(status).upstream_text(body)
}

fn read(status: u16, body: &str) -> Failure {
    let object = Object::parse(body);
    let error = object.as_ref().and_then(|object| Object::parse(object.get("error")?));
    let code = error.as_ref().and_then(|error| error.text("type"));
    let message = match &object {
        Some(object) => message(object, error.as_ref()),
        // A proxy's text or page.
        None => Some(clip(body.trim(), MESSAGE_BYTES).to_owned()),
    };
    let message = message.filter(|text| !text.is_empty()).unwrap_or_else(|| match status {
        0 => "The provider broke the stream off with an error.".to_owned(),
        _ => format!("The provider answered with status {status}."),
    });
    let failure = Failure::new(kind(status, code.as_deref(), &message), message)
        .status(status)
        .upstream_text(body);
    match code {
        Some(code) => failure.code(code),
        None => failure,
    }
}

/// The text of an error: Anthropic's own, or that of a proxy before it.
fn message(object: &Object<'_>, error: Option<&Object<'_>>) -> Option<String> {
    let own = error.and_then(|error| error.text("message"));
    let plain = || object.get("error").and_then(string);
    let named = || ["message", "detail", "title"].iter().find_map(|key| object.text(key));
    own.or_else(plain).or_else(named).map(Cow::into_owned)
}

/// Some causes only the message tells.
fn kind(status: u16, r#type: Option<&str>, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    let too_long = [
        "prompt is too long",
        "exceed context limit",
        "exceeds the context window",
    ];
    if too_long.iter().any(|words| text.contains(words)) {
        return Kind::ContextLength;
    }
    if text.contains("credit balance is too low") {
        return Kind::Quota;
    }
    match (r#type, status) {
        (Some("authentication_error"), _) => Kind::Authentication,
        (Some("permission_error"), _) => Kind::Permission,
        (Some("not_found_error"), _) => Kind::NotFound,
        (Some("rate_limit_error"), _) => Kind::RateLimit,
        (Some("billing_error"), _) => Kind::Quota,
        (Some("overloaded_error"), _) => Kind::Overloaded,
        (Some("timeout_error"), _) => Kind::Timeout,
        (Some("invalid_request_error" | "request_too_large"), _) => Kind::InvalidRequest,
        (_, 401) => Kind::Authentication,
        (_, 402) => Kind::Quota,
        (_, 403) => Kind::Permission,
        (_, 404) => Kind::NotFound,
        (_, 408 | 504) => Kind::Timeout,
        (_, 429) => Kind::RateLimit,
        (_, 503 | 529) => Kind::Overloaded,
        (_, 400..=499) => Kind::InvalidRequest,
        _ => Kind::Upstream,
    }
}

fn retry_after_ms(reply: &Response) -> Option<u32> {
    let number = |name: &str| {
        let value = reply.header(name)?.trim().parse::<f64>().ok();
        value.filter(|number| *number >= 0.0)
    };
    let ms = number("retry-after-ms").or_else(|| Some(number("retry-after")? * 1000.0))?;
    // `as` saturates, so an absurd value becomes the longest wait.
    Some(ms.ceil() as u32)
}

fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
