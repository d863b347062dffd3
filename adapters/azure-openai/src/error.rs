//! What went wrong at Azure, as a failure the gateway can act on: OpenAI's envelope with codes of Azure's own, and what its content
//! filter found in `innererror`. The client reads the envelope as it came.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::{Context, Failure, Kind, Response};

#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    error: Words<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Words<'a> {
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    innererror: Option<Inner<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner<'a> {
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

/// The failure that a reply tells of.
pub(crate) fn from_reply(ctx: &Context, reply: &Response) -> Failure {
    let failure = Failure::upstream(reply);
    let body: Body<'_> = reply.json().unwrap_or_default();
    let inner = body.error.innererror.and_then(|inner| inner.code).unwrap_or_default();
    let kind = kind(ctx, &body.error.code.unwrap_or_default(), &inner, &failure);
    failure.with_kind(kind)
}

fn kind(ctx: &Context, code: &str, inner: &str, failure: &Failure) -> Kind {
    match code {
        "content_filter" | "ContentFilter" => Kind::ContentFilter,
        _ if inner == "ResponsibleAIPolicyViolation" => Kind::ContentFilter,
        "DeploymentNotFound" => Kind::NotFound,
        "RateLimitReached" | "NoCapacity" => Kind::RateLimit,
        "insufficient_quota" | "InsufficientQuota" => Kind::Quota,
        // A deployment that has chats only: it can be asked for the same by one.
        "OperationNotSupported" | "unsupported_model" if ctx.operation() == "responses" => Kind::Unsupported,
        _ => failure.kind(),
    }
}
