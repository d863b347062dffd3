//! An [`Error`] in the shape of Anthropic's API: `{"type": "error", "error": {"type", "message"}, "request_id"}`, and back. Types and
//! statuses are those of <https://docs.anthropic.com/en/api/errors>.

use bytes::{BufMut as _, BytesMut};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Failure, Kind};

/// The types there are.
const TYPES: [&str; 10] = [
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
];

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'static str,
    error: Body<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    message: String,
}

/// The JSON of an error; `id` is the request's.
pub fn json(error: &Error, id: &str) -> String {
    let envelope = Envelope {
        r#type: "error",
        error: Body {
            r#type: type_of(error),
            message: error.to_string(),
        },
        request_id: id,
    };
    serde_json::to_string(&envelope).expect("strings always serialise")
}

/// Adds the event that ends a stream that broke.
pub fn push_event(error: &Error, id: &str, out: &mut BytesMut) {
    out.put_slice(b"event: error\ndata: ");
    out.put_slice(json(error, id).as_bytes());
    out.put_slice(b"\n\n");
}

/// True if `body` is an error in this shape.
pub fn is_own(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        r#type: String,
    }
    serde_json::from_slice::<Named>(body).is_ok_and(|named| named.r#type == "error")
}

/// The failure that an `error` event of a provider tells of.
pub fn read(data: &[u8]) -> Failure {
    #[derive(Default, Deserialize)]
    struct Event {
        #[serde(default)]
        error: Said,
    }
    #[derive(Default, Deserialize)]
    struct Said {
        r#type: Option<String>,
        message: Option<String>,
    }
    let said = serde_json::from_slice::<Event>(data).unwrap_or_default().error;
    let kind = said.r#type.as_deref().map_or(Kind::Upstream, kind_of);
    let message = said
        .message
        .unwrap_or_else(|| "The provider broke the stream off.".to_owned());
    let failure = Failure {
        code: said.r#type,
        upstream: Some(String::from_utf8_lossy(data).into_owned()),
        ..Failure::new(kind, message)
    };
    failure.bounded()
}

fn kind_of(type_: &str) -> Kind {
    match type_ {
        "invalid_request_error" | "request_too_large" => Kind::InvalidRequest,
        "authentication_error" => Kind::Authentication,
        "billing_error" => Kind::Quota,
        "permission_error" => Kind::Permission,
        "not_found_error" => Kind::NotFound,
        "rate_limit_error" => Kind::RateLimit,
        "timeout_error" => Kind::Timeout,
        "overloaded_error" => Kind::Overloaded,
        _ => Kind::Upstream,
    }
}

/// The type of an error: the provider's own, if it is one of this API's and no other kind of error is meant. OpenAI calls most of them
/// `invalid_request_error`.
fn type_of(error: &Error) -> &str {
    let Error::Refused(failure) = error else {
        return of_status(error.status());
    };
    let of_kind = match failure.kind {
        // Google says 400 of a bad key, and AWS 403.
        Kind::Authentication => Some("authentication_error"),
        Kind::Quota => Some("billing_error"),
        Kind::NotFound => Some("not_found_error"),
        Kind::Overloaded => Some("overloaded_error"),
        Kind::RateLimit => Some("rate_limit_error"),
        _ => None,
    };
    let own = [&failure.code, &failure.type_].into_iter().flatten();
    let own = own.map(String::as_str).find(|own| TYPES.contains(own));
    of_kind.or(own).unwrap_or_else(|| of_status(error.status()))
}

const fn of_status(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}
