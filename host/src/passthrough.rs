//! Providers that speak the API the client speaks. The client's bytes go out with the least that has to change spliced in, and what
//! comes back is forwarded as it came where it is right; where a server drifts from OpenAI's format, [`crate::chunk`] mends it.

mod flow;
mod headers;
mod refusal;
mod request;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hyper::{HeaderMap, Method, header::CONTENT_TYPE};
use serde_json::Value;

use crate::{
    call::{Call, Operation},
    chunk::{self, Answer, Assembler, Flaw, Stamp},
    dialect,
    error::{Error, Failure, Result},
    record::Record,
    reply::{Body, Events, Reply},
    transport::{
        Auth, Upstream,
        frame::{self, Cutter},
        http::{Incoming, Outgoing, Reading},
    },
};
use flow::Flow;
pub use flow::{Lens, Outcome};

/// How long a whole answer may be, in bytes: an embedding batch has some tens of megabytes.
const ANSWER: usize = 256 << 20;
/// How long an error may be, in bytes.
const REFUSAL: usize = 1 << 20;

/// Sends a call to a provider of OpenAI's API under the name `model`, and gives its answer as the client asked for it: whole, or as
/// events. An error is one that another try, or another provider, may still avert: the first byte has not come.
///
/// A call of another API that it has itself comes back untouched, for `dialect` to look at.
pub async fn send(upstream: &Arc<Upstream>, call: &Call, model: &str, record: &Arc<Record>) -> Result<Reply> {
    if dialect::speaks(call.operation) || call.operation.is_plain() {
        return untouched(upstream, call, model, record).await;
    }
    let mut asks_usage = call.streaming && !call.include_usage;
    let mut incoming = post(
        upstream,
        call,
        request::body(call, model, &upstream.defaults, asks_usage),
        record,
    )
    .await?;
    if incoming.status >= 400 {
        let mut refused = refuse(upstream, incoming).await?;
        // Some servers do not know the one field that we add.
        let field = refused
            .upstream
            .as_ref()
            .is_some_and(|words| words.contains("stream_options"));
        if !(asks_usage && field) {
            return Err(Error::Refused(Box::new(refused)));
        }
        asks_usage = false;
        incoming = post(
            upstream,
            call,
            request::body(call, model, &upstream.defaults, asks_usage),
            record,
        )
        .await?;
        if incoming.status >= 400 {
            refused = refuse(upstream, incoming).await?;
            return Err(Error::Refused(Box::new(refused)));
        }
    }
    if incoming.status >= 300 {
        return Err(unusable(upstream, &format!("a redirect (status {})", incoming.status)));
    }
    let exchange = Exchange {
        upstream,
        call,
        stamp: stamp(call, model),
        record,
    };
    if call.streaming {
        exchange.events(incoming).await
    } else {
        exchange.whole(incoming).await
    }
}

/// The answer as it comes.
async fn untouched(upstream: &Upstream, call: &Call, model: &str, record: &Arc<Record>) -> Result<Reply> {
    let body = request::body(call, model, &upstream.defaults, false);
    let incoming = post(upstream, call, body, record).await?;
    if incoming.status >= 400 {
        return Err(Error::Refused(Box::new(refuse(upstream, incoming).await?)));
    }
    if incoming.status >= 300 {
        return Err(unusable(upstream, &format!("a redirect (status {})", incoming.status)));
    }
    let mut headers = headers::to_client(&incoming.headers);
    if call.operation.is_plain() {
        if let Some(kind) = incoming.headers.get(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, kind.clone());
        }
        let body = plain(incoming, record).await?;
        return Ok(Reply {
            status: 200,
            headers,
            body,
        });
    }
    let body = if call.streaming {
        Body::Events(reads(incoming.body))
    } else {
        Body::Whole(incoming.body.whole(ANSWER).await?)
    };
    Ok(Reply {
        status: 200,
        headers,
        body,
    })
}

/// An answer of which only its usage is known: JSON is read whole, anything else goes by.
async fn plain(incoming: Incoming, record: &Arc<Record>) -> Result<Body> {
    let json = incoming
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"));
    if !json {
        return Ok(Body::Raw(reads(incoming.body)));
    }
    let answer = incoming.body.whole(ANSWER).await?;
    if let Some(usage) = std::str::from_utf8(&answer).ok().and_then(chunk::plain_usage) {
        record.note(|entry| entry.usage = usage);
    }
    Ok(Body::Whole(answer))
}

/// A body as it comes.
fn reads(body: Reading) -> Events {
    Box::pin(futures_util::stream::unfold(body, async |mut body| {
        Some((body.next().await?, body))
    }))
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
        body: Bytes::new(),
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

async fn post(upstream: &Upstream, call: &Call, body: Bytes, record: &Arc<Record>) -> Result<Incoming> {
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
    upstream.send(request, record).await
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

/// A call and the answer that has begun to come.
struct Exchange<'a> {
    upstream: &'a Arc<Upstream>,
    call: &'a Call,
    stamp: Stamp,
    record: &'a Arc<Record>,
}

impl Exchange<'_> {
    /// The answer as events.
    async fn events(self, mut incoming: Incoming) -> Result<Reply> {
        let headers = headers::to_client(&incoming.headers);
        let first = match incoming.body.next().await {
            Some(read) => read?,
            None => Bytes::new(),
        };
        if !is_whole(&first, &incoming.headers) {
            let flow = Flow::new(&self, incoming.body, first);
            return Ok(Reply {
                status: 200,
                headers,
                body: Body::Events(Box::pin(flow)),
            });
        }
        let rest = incoming.body.whole(ANSWER).await?;
        let answer = Bytes::from([first, rest].concat());
        let made = chunk::synthesise(self.stamp.clone(), self.call.operation, answer);
        let made = self.counted(made, &incoming.headers)?;
        let once = futures_util::stream::iter([Ok(made)]);
        Ok(Reply {
            status: 200,
            headers,
            body: Body::Events(Box::pin(once)),
        })
    }

    /// The answer in one piece.
    async fn whole(self, incoming: Incoming) -> Result<Reply> {
        let headers = headers::to_client(&incoming.headers);
        let body = incoming.body.whole(ANSWER).await?;
        let operation = self.call.operation;
        let answer = if is_stream(&body) {
            self.assemble(body)?
        } else if operation == Operation::Embeddings {
            chunk::embeddings(&self.stamp, &body, request::inputs(self.call))
        } else {
            chunk::complete(self.stamp.clone(), operation, body)
        };
        let body = self.counted(answer, &incoming.headers)?;
        Ok(Reply {
            status: 200,
            headers,
            body: Body::Whole(body),
        })
    }

    /// One answer from a provider that streams although it was not asked to.
    fn assemble(&self, body: Bytes) -> Result<Result<Answer, Flaw>> {
        let mut assembler = Assembler::new(self.stamp.clone(), self.call.operation);
        let mut cutter = Cutter::forgiving(frame::LIMIT);
        cutter.feed(body);
        loop {
            let event = cutter
                .event()
                .map_err(|long| long.from(&self.upstream.id))?
                .or_else(|| cutter.last_event());
            let Some(event) = event else { break };
            let data = event.joined.as_deref().unwrap_or_else(|| cutter.bytes(&event.data));
            if flow::is_done(data) {
                break;
            }
            let Ok(text) = std::str::from_utf8(data) else {
                return Ok(Err(Flaw::Malformed("it is not valid UTF-8")));
            };
            if text.trim_start().starts_with('{')
                && let Err(flaw) = assembler.add(&text.replace('\n', " "))
            {
                return Ok(Err(flaw));
            }
        }
        if !assembler.finished() {
            return Err(Error::Truncated {
                provider: self.upstream.id.clone(),
            });
        }
        Ok(assembler.finish())
    }

    /// Notes what an answer cost.
    fn counted(&self, answer: Result<Answer, Flaw>, headers: &HeaderMap) -> Result<Bytes> {
        let answer = answer.map_err(|flaw| refusal::of_flaw(self.upstream, flaw, headers))?;
        if let Some(usage) = answer.usage {
            self.record.note(|entry| entry.usage = usage);
        }
        Ok(answer.body)
    }
}

/// True if what begins so is one JSON value and no stream, whatever its content type says: servers send errors, and answers, so.
fn is_whole(first: &[u8], headers: &HeaderMap) -> bool {
    let text = first.trim_ascii_start();
    let brackets = matches!(text.first(), Some(b'{' | b'['));
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !brackets || declared.starts_with("application/json") {
        return brackets;
    }
    // A line that is an object by itself may be a frame without its `data:`.
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.len() == text.len() || !line.trim_ascii_end().ends_with(b"}")
}

/// True if the client gets a stream although it did not ask for one.
fn is_stream(body: &[u8]) -> bool {
    let text = body.trim_ascii_start();
    [b"data:".as_slice(), b"event:", b"id:", b": ", b"\xef\xbb\xbfdata:"]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests;
