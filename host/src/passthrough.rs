//! Providers that speak the API the client speaks. The client's bytes go out with the least that has to change spliced in, and what
//! comes back is forwarded as it came where it is right; where a server drifts from OpenAI's format, [`crate::chunk`] mends it.

mod answer;
mod flow;
mod headers;
mod plain;
mod refusal;
mod renamed;
mod request;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::{
    call::{Call, Operation, Rest},
    chunk::Stamp,
    dialect::messages::client::is_claude_code,
    error::{Error, Failure, Result},
    record::Record,
    reply::Reply,
    transport::{
        Auth, Upstream,
        http::{Incoming, Outgoing},
        pieces::Pieces,
    },
};
pub use answer::Asked;
pub(crate) use answer::is_whole;
pub use flow::{Lens, Outcome};
pub use request::{body, inputs, pieces};

/// How long a whole answer may be, in bytes: an embedding batch has some tens of megabytes.
const ANSWER: usize = 256 << 20;
/// How long an error may be, in bytes.
const REFUSAL: usize = 1 << 20;

/// Sends a call to a provider of OpenAI's API under the name `model`, and gives its answer as the client asked for it: whole, or as
/// events. An error is one that another try, or another provider, may still avert: the first byte has not come.
///
/// A call of another API that it has itself comes back untouched, for `dialect` to look at.
pub async fn send(upstream: &Arc<Upstream>, call: &Call, model: &str, record: &Arc<Record>) -> Result<Reply> {
    let canonical = matches!(call.operation, Operation::Chat | Operation::Completions);
    let mut asks_usage = canonical && call.streaming && !call.include_usage;
    let mut incoming = match &call.upload {
        Some(upload) => {
            let (head, rest) = upload.for_provider(model.as_bytes(), &upstream.defaults);
            post_on(upstream, call, head.into(), rest, record).await?
        }
        None => {
            let body = pieces(call, model, &upstream.defaults, asks_usage);
            post(upstream, call, body, record).await?
        }
    };
    if incoming.status >= 400 {
        let mut refused = refuse(upstream, incoming).await?;
        // Some servers do not know the one field that we add.
        if !(asks_usage && refused.upstream_says("stream_options")) {
            return Err(Error::Refused(Box::new(refused)));
        }
        asks_usage = false;
        let body = pieces(call, model, &upstream.defaults, asks_usage);
        incoming = post(upstream, call, body, record).await?;
        if incoming.status >= 400 {
            refused = refuse(upstream, incoming).await?;
            return Err(Error::Refused(Box::new(refused)));
        }
    }
    if incoming.status >= 300 {
        return Err(unusable(upstream, &format!("a redirect (status {})", incoming.status)));
    }
    let asked = Asked {
        upstream,
        operation: call.operation,
        streaming: call.streaming,
        renamed: renamed(call, model),
        stamp: stamp(call, model),
        inputs: inputs(call.field("input")),
        limit: ANSWER,
        record,
    };
    asked.read(incoming).await
}

/// A provider's own list of models, as OpenAI's API has it.
pub async fn models(upstream: &Upstream, record: &Arc<Record>) -> Result<Vec<Value>> {
    let mut url = upstream.url(Operation::Models.path());
    let mut headers = HeaderMap::new();
    upstream.authorize(upstream.auth.as_ref().unwrap_or(&Auth::Bearer), &mut url, &mut headers);
    let request = Outgoing {
        method: Method::GET,
        url,
        headers,
        body: Pieces::default(),
        timeout: None,
    };
    let incoming = upstream.send(request, record).await?;
    if incoming.status != 200 {
        return Err(Error::Refused(Box::new(refuse(upstream, incoming).await?)));
    }
    let body = incoming.body.whole(REFUSAL * 16).await?;
    let list = match serde_json::from_slice(&body) {
        // Together gives the bare list.
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(mut fields)) => match fields.remove("data") {
            Some(Value::Array(list)) => list,
            _ => return Err(unusable(upstream, "a list of models without `data`")),
        },
        _ => return Err(unusable(upstream, "a list of models that is not JSON")),
    };
    Ok(list.into_iter().filter(Value::is_object).collect())
}

async fn post(upstream: &Upstream, call: &Call, body: Pieces, record: &Arc<Record>) -> Result<Incoming> {
    post_on(upstream, call, body, None, record).await
}

/// The same with what is still to come of the body.
async fn post_on(
    upstream: &Upstream,
    call: &Call,
    body: Pieces,
    rest: Option<Arc<Rest>>,
    record: &Arc<Record>,
) -> Result<Incoming> {
    let mut url = upstream.url(call.operation.path());
    let mut headers = headers::to_provider(call);
    upstream.authorize(upstream.auth.as_ref().unwrap_or(&Auth::Bearer), &mut url, &mut headers);
    let request = Outgoing {
        method: Method::POST,
        url,
        headers,
        body,
        timeout: None,
    };
    upstream.send_on(request, rest, record).await
}

/// What a reply of status 400 or more says.
async fn refuse(upstream: &Upstream, incoming: Incoming) -> Result<Failure> {
    let body = incoming.body.whole(REFUSAL).await?;
    let body = refusal::without_key(upstream, body);
    Ok(refusal::read(Some(incoming.status), &incoming.headers, &body))
}

fn unusable(upstream: &Upstream, what: &str) -> Error {
    Error::BadAnswer {
        provider: upstream.id.clone(),
        what: what.to_owned(),
    }
}

/// The client's name for a model that its provider calls `model`, where an answer has to have that.
pub(crate) fn renamed<'c>(call: &'c Call, model: &str) -> Option<&'c str> {
    let wanted = call.operation == Operation::Messages && model != call.model && is_claude_code(&call.headers);
    wanted.then_some(call.model.as_str())
}

fn stamp(call: &Call, model: &str) -> Stamp {
    let prefix = match call.operation {
        Operation::Completions => "cmpl",
        _ => "chatcmpl",
    };
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Stamp {
        id: format!("{prefix}-{}", call.id),
        created,
        model: model.to_owned(),
        include_usage: call.include_usage,
        base64: call.base64,
    }
}

#[cfg(test)]
mod tests;
