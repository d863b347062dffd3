//! An [`Error`] as HTTP, in the shape of the API that was called. OpenAI's: `{"error": {"message", "type", "param", "code"}}` with
//! further keys that do no harm: `side`, and `problems` where there are several. Anthropic's is in `dialect::messages::error`.

use std::time::Duration;

use bytes::Bytes;
use hyper::{
    Request,
    header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;

use super::respond::{Answer, with_id};
use crate::{
    call::Operation,
    dialect::messages,
    error::{Error, Kind},
    server::Response,
};

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Whose API a client speaks, as far as it shows in errors, headers and lists of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// That of most: Chat Completions and what stands beside it.
    OpenAi,
    /// The Messages API.
    Messages,
}

impl Shape {
    /// That of a request: by its path, also of one that leads nowhere; the list of models, which both have in the same place, by a
    /// header that Anthropic's clients always send.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let path = request.uri().path();
        let below = |root: &str| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let says_so = request.headers().contains_key("anthropic-version");
        if below("/v1/messages") || (says_so && below("/v1/models")) {
            Self::Messages
        } else {
            Self::OpenAi
        }
    }

    /// That of calls of `operation`.
    pub(super) const fn of_calls(operation: Operation) -> Self {
        match operation {
            Operation::Messages | Operation::CountTokens => Self::Messages,
            _ => Self::OpenAi,
        }
    }

    fn json(self, error: &Error, id: &str) -> Bytes {
        // A refusal in the client's own language reaches it as it came.
        if let Error::Refused(failure) = error
            && let Some(own) = &failure.own
            && (self == Self::Messages) == messages::error::is_own(own)
        {
            return own.clone();
        }
        match self {
            Self::OpenAi => json(error).into(),
            Self::Messages => messages::error::json(error, id).into(),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: String,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
    side: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    message: &'a str,
    param: Option<&'a str>,
}

/// The JSON of an error.
pub fn json(error: &Error) -> String {
    let problems = match error {
        Error::Invalid { problems } if problems.len() > 1 => problems
            .iter()
            .map(|p| Problem {
                message: &p.message,
                param: p.param.as_deref(),
            })
            .collect(),
        _ => Vec::new(),
    };
    let body = Body {
        message: error.to_string(),
        r#type: error.type_(),
        param: error.param(),
        code: error.code(),
        side: error.side().as_str(),
        problems,
    };
    serde_json::to_string(&Envelope { error: body }).expect("strings always serialise")
}

/// The last event of a stream that broke. OpenAI's clients raise on a data object with a truthy `error`; the stream ends after it,
/// without `[DONE]`, so that nobody takes it for a whole answer.
pub fn event(error: &Error) -> Bytes {
    Bytes::from(format!("data: {}\n\n", json(error)))
}

/// The response for an error that came before the first byte.
pub(super) fn response(error: &Error, id: &str, shape: Shape) -> Response {
    let mut response = Response::new(Answer::whole(shape.json(error, id)));
    *response.status_mut() = hyper::StatusCode::from_u16(error.status()).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // OpenAI's SDKs try again after 408, 409, 429 and 5xx, unless this says otherwise.
    if let Some(worth) = worth_another_try(error) {
        headers.insert(
            SHOULD_RETRY,
            HeaderValue::from_static(if worth { "true" } else { "false" }),
        );
    }
    if let Error::WrongMethod { allowed, .. } = error
        && let Ok(allowed) = HeaderValue::try_from(allowed)
    {
        headers.insert(ALLOW, allowed);
    }
    if let Some(after) = error.retry_after() {
        headers.insert(
            RETRY_AFTER,
            HeaderValue::from(after.as_secs_f64().ceil().max(1.0) as u64),
        );
        headers.insert(
            "retry-after-ms",
            HeaderValue::from(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        );
    }
    with_id(response, id, shape)
}

/// For clients that try again by themselves: whether that helps, where it is known.
fn worth_another_try(error: &Error) -> Option<bool> {
    // Clients wait this long at most, and would come back too early.
    if error.retry_after().is_some_and(|after| after > Duration::from_mins(1)) {
        return Some(false);
    }
    match error {
        Error::Busy(_) | Error::Draining => Some(true),
        Error::Egress(_) | Error::Misconfigured { .. } => Some(false),
        Error::AdapterTrap { .. } | Error::AdapterMemory { .. } | Error::AdapterOutput { .. } => Some(false),
        Error::Refused(failure) => match failure.kind {
            Kind::RateLimit | Kind::Overloaded => Some(true),
            Kind::Quota | Kind::Config => Some(false),
            _ => None,
        },
        _ => None,
    }
}
