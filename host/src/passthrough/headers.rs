//! The headers that pass, in either direction. Everything else stops here: a client's key and cookies are for us, and what describes a
//! connection or an encoding describes the other one.

use hyper::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};

use crate::call::{Call, Operation};

/// A client's headers that its provider gets: beta features, the name an app shows itself by (OpenRouter), the key of a request that
/// may come twice, and the trace it belongs to.
const TO_PROVIDER: [&str; 7] = [
    "openai-beta",
    "idempotency-key",
    "http-referer",
    "x-title",
    "traceparent",
    "tracestate",
    "user-agent",
];

/// Those that providers of the Messages API get beside them.
const TO_ANTHROPIC: [&str; 2] = ["anthropic-version", "anthropic-beta"];

/// A provider's headers that the client gets as they are, beside those that start with one of [`LIMITS`].
const TO_CLIENT: [&str; 4] = [
    "retry-after",
    "retry-after-ms",
    "openai-processing-ms",
    "openai-version",
];

/// How the names of headers about rate limits start.
const LIMITS: [&str; 2] = ["x-ratelimit-", "ratelimit-"];

/// Where providers put their name for a request; the client gets the first one there is as `x-upstream-request-id`.
const REQUEST_IDS: [&str; 5] = [
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-generation-id",
    "x-kong-request-id",
];

/// The headers of a request, but for the credentials.
pub(super) fn to_provider(call: &Call) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("witgate/", env!("CARGO_PKG_VERSION"))),
    );
    let own: &[&str] = match call.operation {
        Operation::Messages | Operation::CountTokens => &TO_ANTHROPIC,
        _ => &[],
    };
    for name in TO_PROVIDER.iter().chain(own).copied() {
        if let Some(value) = call.headers.get(name) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    let accept = match (call.operation, call.streaming) {
        (operation, _) if operation.is_form() || operation == Operation::Speech => "*/*",
        (_, true) => "text/event-stream",
        (_, false) => "application/json",
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    let form = call.upload.as_ref().map(|upload| upload.content_type.clone());
    headers.insert(
        CONTENT_TYPE,
        form.unwrap_or(HeaderValue::from_static("application/json")),
    );
    headers
}

/// The headers of a reply.
pub(super) fn to_client(provider: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in provider {
        let text = name.as_str();
        if TO_CLIENT.contains(&text) || LIMITS.iter().any(|start| text.starts_with(start)) {
            headers.append(name, value.clone());
        }
    }
    if let Some(id) = REQUEST_IDS.iter().find_map(|name| provider.get(*name)) {
        headers.insert(HeaderName::from_static("x-upstream-request-id"), id.clone());
    }
    headers
}
