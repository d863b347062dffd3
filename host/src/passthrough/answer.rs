//! Reading what a provider of the client's API answers: whole or as events, mended where it has to be, and counted.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, header::CONTENT_TYPE};

use super::{
    flow::{self, Flow},
    headers, plain, refusal, renamed,
};
use crate::{
    call::Operation,
    chunk::{self, Answer, Assembler, Flaw, Stamp},
    dialect,
    error::{Error, Result},
    record::Record,
    reply::{Body, Events, Reply},
    transport::{
        Upstream,
        frame::{self, Cutter},
        http::{Incoming, Reading},
    },
};

/// What was asked, as far as the reading of the answer depends on it.
pub struct Asked<'a> {
    /// The provider.
    pub upstream: &'a Arc<Upstream>,
    /// The API.
    pub operation: Operation,
    /// The client wants events.
    pub streaming: bool,
    /// The client's name for the model, where the answer has to have that.
    pub renamed: Option<&'a str>,
    /// For what does not say it itself.
    pub stamp: Stamp,
    /// How many inputs a call for embeddings has.
    pub inputs: usize,
    /// How long a whole answer may be, in bytes.
    pub limit: usize,
    /// The account.
    pub record: &'a Arc<Record>,
}

impl Asked<'_> {
    /// The reply for the client to one of status 2xx. In an API that `dialect` looks at it is untouched, but for the model's name.
    pub async fn read(self, incoming: Incoming) -> Result<Reply> {
        if dialect::speaks(self.operation) || self.operation.is_plain() {
            self.untouched(incoming).await
        } else if self.streaming {
            self.events(incoming).await
        } else {
            self.whole(incoming).await
        }
    }

    /// The answer as it comes.
    async fn untouched(self, incoming: Incoming) -> Result<Reply> {
        let mut headers = headers::to_client(&incoming.headers);
        let body = if self.operation.is_plain() {
            if let Some(kind) = incoming.headers.get(CONTENT_TYPE) {
                headers.insert(CONTENT_TYPE, kind.clone());
            }
            self.plain(incoming).await?
        } else if self.streaming {
            let events = reads(incoming.body);
            Body::Events(match self.renamed {
                Some(model) => renamed::events(events, model),
                None => events,
            })
        } else {
            let answer = incoming.body.whole(self.limit).await?;
            Body::Whole(match self.renamed {
                Some(model) => renamed::whole(answer, model),
                None => answer,
            })
        };
        Ok(Reply {
            status: 200,
            headers,
            body,
        })
    }

    /// An answer of which only its usage is known: JSON is read whole, events are read as they go by, anything else only goes by.
    async fn plain(&self, incoming: Incoming) -> Result<Body> {
        let kind = incoming.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is = |name: &str| kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with(name));
        if is("text/event-stream") {
            return Ok(Body::Raw(plain::counted(incoming.body, self.record)));
        }
        if !is("application/json") {
            return Ok(Body::Raw(reads(incoming.body)));
        }
        let answer = incoming.body.whole(self.limit).await?;
        if let Some(usage) = std::str::from_utf8(&answer).ok().and_then(chunk::plain_usage) {
            self.record.note(|entry| entry.usage = usage);
        }
        Ok(Body::Whole(answer))
    }

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
        let rest = incoming.body.whole(self.limit).await?;
        let answer = Bytes::from([first, rest].concat());
        let made = chunk::synthesise(self.stamp.clone(), self.operation, answer);
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
        let body = incoming.body.whole(self.limit).await?;
        let operation = self.operation;
        let answer = if is_stream(&body) {
            self.assemble(body)?
        } else if operation == Operation::Embeddings {
            chunk::embeddings(&self.stamp, &body, self.inputs)
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
        let mut assembler = Assembler::new(self.stamp.clone(), self.operation);
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

/// A body as it comes.
fn reads(body: Reading) -> Events {
    Box::pin(futures_util::stream::unfold(body, async |mut body| {
        Some((body.next().await?, body))
    }))
}

/// True if what begins so is one JSON value and no stream, whatever its content type says: servers send errors, and answers, so.
pub(crate) fn is_whole(first: &[u8], headers: &HeaderMap) -> bool {
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
