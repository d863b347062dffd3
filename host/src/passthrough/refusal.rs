//! What a provider's refusal means, and its words for it. OpenAI's envelope reaches the client as it came; every other shape that has
//! been seen (`{error: "…"}`, `{error: ["…"]}`, `{message}`, `{detail}`, vLLM's top level, plain text, HTML) becomes one.

use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use memchr::memmem;
use serde_json::Value;

use crate::{
    chunk::Flaw,
    error::{Error, Failure, Kind},
    transport::Upstream,
};

/// How much of a provider's text is shown, in bytes.
const SHOWN: usize = 2 << 10;

/// The error of a chunk, or an answer of status 200, that cannot be passed on.
pub(super) fn of_flaw(upstream: &Upstream, flaw: Flaw, headers: &HeaderMap) -> Error {
    match flaw {
        Flaw::Malformed(what) => Error::BadAnswer {
            provider: upstream.id.clone(),
            what: what.to_owned(),
        },
        Flaw::Error(text) => {
            let body = without_key(upstream, Bytes::from(text));
            Error::Refused(Box::new(read(None, headers, &body)))
        }
    }
}

/// A provider's words without our key in them: some repeat it.
pub(super) fn without_key(upstream: &Upstream, body: Bytes) -> Bytes {
    let key = upstream.key.as_ref().map_or(&b""[..], |key| key.expose().as_bytes());
    if key.len() < 4 || memmem::find(&body, key).is_none() {
        return body;
    }
    let mut clean = Vec::with_capacity(body.len());
    let mut at = 0;
    for found in memmem::find_iter(&body, key) {
        clean.extend_from_slice(body.get(at..found).unwrap_or_default());
        clean.extend_from_slice(b"***");
        at = found + key.len();
    }
    clean.extend_from_slice(body.get(at..).unwrap_or_default());
    clean.into()
}

/// Reads a refusal. `status` is the provider's, if it said so by status; `headers` are the reply's.
pub(super) fn read(status: Option<u16>, headers: &HeaderMap, body: &Bytes) -> Failure {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().map(said).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let message = match said.message {
        Some(message) if !message.is_empty() => cut(&message),
        _ => in_its_words(status, text.trim()),
    };
    let status = status.or(said.status);
    let kind = kind(status, said.type_.as_deref(), said.code.as_deref(), &message);
    let failure = Failure {
        status,
        type_: said.type_,
        code: said.code,
        param: said.param,
        retry_after: retry_after(headers),
        upstream: Some(cut(&text)),
        own: said.envelope.then(|| body.clone()),
        ..Failure::new(kind, message)
    };
    failure.bounded()
}

/// What a body of JSON says.
#[derive(Default)]
struct Said {
    /// It is OpenAI's `{error: {message}}`.
    envelope: bool,
    message: Option<String>,
    type_: Option<String>,
    code: Option<String>,
    param: Option<String>,
    /// A status among its words.
    status: Option<u16>,
}

fn said(json: &Value) -> Said {
    let top = first(json);
    // The error of a choice (OpenRouter) or of Groq's own member stands deeper.
    let deep = || top.pointer("/choices/0/error").or_else(|| top.pointer("/x_groq/error"));
    let error = top
        .get("error")
        .filter(|error| !error.is_null())
        .or_else(deep)
        .map_or(top, first);
    let text = |value: &Value, key: &str| match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let number = |key: &str| {
        error
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| u16::try_from(n).ok())
    };
    let plain = error.as_str().map(str::to_owned);
    let either = |key: &str| text(error, key).or_else(|| text(top, key));
    Said {
        envelope: json.pointer("/error/message").is_some_and(Value::is_string) && json.get("choices").is_none(),
        message: plain.or_else(|| message(error)).or_else(|| message(top)),
        type_: either("type")
            .or_else(|| text(top, "error_type"))
            .filter(|type_| type_ != "error"),
        code: either("code"),
        param: either("param"),
        status: number("code")
            .or_else(|| number("status"))
            .filter(|status| (400..600).contains(status)),
    }
}

/// The first of a list, or what is no list.
fn first(value: &Value) -> &Value {
    value.as_array().and_then(|items| items.first()).unwrap_or(value)
}

/// The sentence in an error object.
fn message(error: &Value) -> Option<String> {
    let keys = [
        "message",
        "Message",
        "detail",
        "error",
        "msg",
        "error_msg",
        "title",
        "errors",
    ];
    keys.iter().find_map(|key| match error.get(*key)? {
        Value::String(text) => Some(text.clone()),
        // FastAPI lists what is wrong with each field.
        Value::Array(items) => {
            let each = items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned).or_else(|| complaint(item)));
            Some(each.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
        }
        Value::Object(_) => message(error.get(*key)?),
        _ => None,
    })
}

fn complaint(item: &Value) -> Option<String> {
    let what = item.get("msg").or_else(|| item.get("message"))?.as_str()?;
    let path: Vec<String> = item
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
        .collect();
    Some(if path.is_empty() {
        what.to_owned()
    } else {
        format!("{}: {what}", path.join("."))
    })
}

/// A message from a body that has none.
fn in_its_words(status: Option<u16>, text: &str) -> String {
    let status = status.map_or_else(String::new, |status| format!(" with status {status}"));
    let page = text
        .get(..15)
        .is_some_and(|start| start.to_ascii_lowercase().starts_with("<!doctype html"))
        || text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<html"));
    if page {
        let title = text
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"));
        return title.map_or_else(
            || format!("The provider answered{status} and a web page."),
            |(title, _)| format!("The provider answered{status}: {}", cut(title.trim())),
        );
    }
    if text.is_empty() || text == "{}" {
        return format!("The provider answered{status} and said nothing.");
    }
    cut(text)
}

/// What kind of refusal it is: providers agree more on words than on statuses.
fn kind(status: Option<u16>, type_: Option<&str>, code: Option<&str>, message: &str) -> Kind {
    let words = [code.unwrap_or_default(), type_.unwrap_or_default()].map(str::to_ascii_lowercase);
    let says = |word: &str| words.iter().any(|said| said.contains(word));
    let message = message.to_ascii_lowercase();
    let wrong = status.is_none_or(|status| (400..500).contains(&status));
    match () {
        () if says("insufficient_quota") || says("billing") || message.contains("exceeded your current quota") => {
            Kind::Quota
        }
        () if says("context_length") || says("exceed_context_size") || message.contains("maximum context length") => {
            Kind::ContextLength
        }
        () if says("content_filter") || says("content_policy") => Kind::ContentFilter,
        () if wrong && (says("invalid_api_key") || message.contains("incorrect api key")) => Kind::Authentication,
        () => match status {
            Some(status) => Kind::of_status(status),
            None if says("rate_limit") => Kind::RateLimit,
            None if says("overloaded") => Kind::Overloaded,
            None if says("authentication") => Kind::Authentication,
            None if says("invalid_request") => Kind::InvalidRequest,
            None => Kind::Upstream,
        },
    }
}

/// When to try again, if the provider says so in seconds or milliseconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn cut(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    format!("{}…", text.get(..text.floor_char_boundary(SHOWN)).unwrap_or_default())
}
