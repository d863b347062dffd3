//! What went wrong at Google's, as a failure the gateway can act on. Google names a status in words beside the HTTP status, and puts
//! causes and waiting times into details.

use std::borrow::Cow;

use serde_json::value::RawValue;
use witgate_sdk::{Failure, Kind, Response};

use crate::json::{Object, string};

/// As much of an unreadable body is shown to the client.
const MESSAGE_BYTES: usize = 300;

/// The failure that a reply tells of: one of status 300 or more, or an error sent with a 200.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    let failure = read(reply.status(), &String::from_utf8_lossy(reply.bytes()));
    let header = reply.header("retry-after").and_then(|text| text.trim().parse().ok());
    match header.and_then(ms) {
        Some(ms) => failure.retry_after_ms(ms),
        None => failure,
    }
}

/// The failure that an event in a stream tells of.
pub(crate) fn from_event(data: &str) -> Failure {
    read(0, data)
}

/// A stream or an answer that does not have Google's form.
pub(crate) fn unreadable(status: u16, what: &str, body: &str) -> Failure {
    Failure::new(Kind::Upstream, what).status(status).upstream_text(body)
}

/// True if the text is an error, or a list that begins with one: streams without `alt=sse` send lists.
pub(crate) fn is_error(body: &str) -> bool {
    Object::parse(first(body)).is_some_and(|object| object.get("error").is_some())
}

/// True if the text is an error with a status in words: none but Google's has that.
pub(crate) fn is_googles(body: &str) -> bool {
    let error = Object::parse(first(body)).and_then(|body| Object::parse(body.get("error")?));
    error.is_some_and(|error| error.get("status").is_some())
}

fn read(status: u16, body: &str) -> Failure {
    let object = Object::parse(first(body));
    let error = object.as_ref().and_then(|object| Object::parse(object.get("error")?));
    let message = match (&object, &error) {
        (_, Some(error)) => error.text("message"),
        (Some(object), None) => plain_message(object),
        // A proxy's text, or Google's page for a path that does not exist.
        (None, None) => Some(Cow::Borrowed(clip(body.trim(), MESSAGE_BYTES))),
    };
    let message = message.filter(|text| !text.is_empty()).unwrap_or_else(|| match status {
        0 => "The provider broke the stream off with an error.".into(),
        _ => format!("The provider answered with status {status}.").into(),
    });
    let details = error.as_ref().map(Details::of).unwrap_or_default();
    let word = error.as_ref().and_then(|error| error.text("status"));
    let number = error.as_ref().and_then(|error| error.get("code")?.parse().ok());
    let told = if status < 300 { number.unwrap_or(status) } else { status };
    let kind = kind(told, word.as_deref(), &details, &message);
    let wait = details.wait.or_else(|| wait_in(&message));
    let mut failure = Failure::new(kind, message).status(told).upstream_text(body);
    if let Some(code) = details.reason.or(word.map(Cow::into_owned)) {
        failure = failure.code(code);
    }
    match wait.and_then(ms) {
        Some(ms) => failure.retry_after_ms(ms),
        None => failure,
    }
}

/// The text of an error that has not Google's form: that of a token endpoint, or of a proxy.
fn plain_message<'a>(object: &Object<'a>) -> Option<Cow<'a, str>> {
    let named = ["error_description", "message", "detail", "title"];
    let named = named.iter().find_map(|key| object.text(key));
    named.or_else(|| object.get("error").and_then(string))
}

/// What the details of an error say.
#[derive(Default)]
struct Details {
    /// a word such as `API_KEY_INVALID`
    reason: Option<String>,
    /// how long to wait, in seconds
    wait: Option<f64>,
}

impl Details {
    fn of(error: &Object<'_>) -> Self {
        let list: Vec<&RawValue> = error
            .get("details")
            .and_then(|list| serde_json::from_str(list).ok())
            .unwrap_or_default();
        let mut details = Self::default();
        for detail in list.iter().filter_map(|detail| Object::parse(detail.get())) {
            let r#type = detail.text("@type").unwrap_or_default();
            if r#type.ends_with("google.rpc.ErrorInfo") {
                details.reason = detail.text("reason").map(Cow::into_owned);
            } else if r#type.ends_with("google.rpc.RetryInfo") {
                details.wait = detail.text("retryDelay").and_then(|delay| seconds(&delay));
            }
        }
        details
    }
}

fn kind(status: u16, word: Option<&str>, details: &Details, message: &str) -> Kind {
    // A wrong key comes with status 400.
    if matches!(details.reason.as_deref(), Some("API_KEY_INVALID" | "API_KEY_EXPIRED"))
        || message.starts_with("API key not valid")
    {
        return Kind::Authentication;
    }
    if message.contains("exceeds the maximum number of tokens") || message.contains("exceeds the maximum token") {
        return Kind::ContextLength;
    }
    if details.reason.as_deref() == Some("BILLING_DISABLED") {
        return Kind::Quota;
    }
    match (word, status) {
        (Some("UNAUTHENTICATED"), _) | (_, 401) => Kind::Authentication,
        (Some("PERMISSION_DENIED"), _) | (_, 403) => Kind::Permission,
        (Some("NOT_FOUND"), _) | (_, 404) => Kind::NotFound,
        (Some("RESOURCE_EXHAUSTED"), _) | (_, 429) => Kind::RateLimit,
        (Some("UNAVAILABLE"), _) | (_, 503) => Kind::Overloaded,
        (Some("DEADLINE_EXCEEDED"), _) | (_, 408 | 504) => Kind::Timeout,
        (Some("INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE"), _) | (_, 400..=499) => Kind::InvalidRequest,
        _ => Kind::Upstream,
    }
}

/// The wait that only the text tells: "Please retry in 34.07s."
fn wait_in(message: &str) -> Option<f64> {
    let (_, rest) = message.split_once("retry in ")?;
    let end = rest.find('s')?;
    seconds(&rest[..=end])
}

/// The seconds of a duration such as "34.07s".
fn seconds(text: &str) -> Option<f64> {
    text.strip_suffix('s')?.trim().parse().ok()
}

fn ms(seconds: f64) -> Option<u32> {
    // `as` saturates, so an absurd value becomes the longest wait.
    (seconds >= 0.0).then(|| (seconds * 1000.0).ceil() as u32)
}

/// The object of a list of one.
fn first(body: &str) -> &str {
    let body = body.trim();
    if !body.starts_with('[') {
        return body;
    }
    let list: Vec<&RawValue> = serde_json::from_str(body).unwrap_or_default();
    list.first().map_or(body, |first| first.get())
}

fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
