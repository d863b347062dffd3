//! What went wrong with a response, in OpenAI's words, and back.

use bytes::BytesMut;
use serde::Deserialize;

use crate::{
    dialect::json::{push_member, quoted},
    error::{Error, Failure, Kind},
};

/// OpenAI's word for an error. Clients know these, and decide by them whether to try again.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Refused(failure) => match failure.kind {
            Kind::RateLimit => "rate_limit_exceeded",
            Kind::Quota => "insufficient_quota",
            Kind::ContextLength => "context_length_exceeded",
            Kind::InvalidRequest | Kind::ContentFilter | Kind::Unsupported => "invalid_prompt",
            _ => "server_error",
        },
        _ => "server_error",
    }
}

/// The fields `code` and `message`, without braces.
pub(super) fn fields(error: &Error) -> String {
    let mut fields = String::new();
    push_member(&mut fields, "code", &quoted(code(error)));
    push_member(&mut fields, "message", &quoted(&error.to_string()));
    fields
}

/// The fields of an `error` event but for its type and number, without braces.
pub(super) fn event_fields(error: &Error) -> String {
    let mut fields = fields(error);
    let param = error.param().map_or_else(|| "null".to_owned(), quoted);
    push_member(&mut fields, "param", &param);
    fields
}

/// Adds the event that ends a stream that broke.
pub(super) fn push_event(error: &Error, number: u64, out: &mut BytesMut) {
    let fields = event_fields(error);
    let event = format!("event: error\ndata: {{\"type\":\"error\",\"sequence_number\":{number},{fields}}}\n\n");
    out.extend_from_slice(event.as_bytes());
}

/// The failure that an `error` event of a provider, or a `response.failed`, tells of.
pub(super) fn read(data: &[u8]) -> Failure {
    #[derive(Default, Deserialize)]
    struct Said {
        code: Option<String>,
        message: Option<String>,
        param: Option<String>,
    }
    #[derive(Deserialize)]
    struct Response {
        error: Option<Said>,
    }
    #[derive(Default, Deserialize)]
    struct Event {
        error: Option<Said>,
        response: Option<Response>,
        code: Option<String>,
        message: Option<String>,
        param: Option<String>,
    }
    let event: Event = serde_json::from_slice(data).unwrap_or_default();
    let inner = event.response.and_then(|response| response.error).or(event.error);
    let said = inner.unwrap_or(Said {
        code: event.code,
        message: event.message,
        param: event.param,
    });
    let kind = said.code.as_deref().map_or(Kind::Upstream, kind_of);
    let message = said
        .message
        .unwrap_or_else(|| "The provider broke the stream off.".to_owned());
    let failure = Failure {
        code: said.code,
        param: said.param,
        upstream: Some(String::from_utf8_lossy(data).into_owned()),
        ..Failure::new(kind, message)
    };
    failure.bounded()
}

fn kind_of(code: &str) -> Kind {
    match code {
        "rate_limit_exceeded" => Kind::RateLimit,
        "insufficient_quota" => Kind::Quota,
        "context_length_exceeded" => Kind::ContextLength,
        "server_is_overloaded" | "slow_down" => Kind::Overloaded,
        "invalid_prompt" => Kind::InvalidRequest,
        _ if code.contains("policy") => Kind::ContentFilter,
        _ if code.contains("image") => Kind::InvalidRequest,
        _ => Kind::Upstream,
    }
}
