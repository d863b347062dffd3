//! Responses: their bodies, and the headers every one of them has.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::{self, Shape};
use crate::{call::Operation, chunk::DONE, dialect, error::Error, record::Record, reply::Events, server::Response};

/// The header that names a request, on both sides.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What Anthropic's API calls it.
const MESSAGES_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// A response's body.
pub enum Answer {
    /// All of it, and the account that closes when it is out.
    Whole(Option<Bytes>, Option<Arc<Record>>),
    /// Events as they come.
    Events(Stream),
}

/// An answer broke off that has no way to say so: the connection is broken off too.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the provider's answer broke off")]
pub struct Interrupted;

/// Events on their way to a client.
pub struct Stream {
    /// `None` when there are no more.
    events: Option<Events>,
    operation: Operation,
    /// The account they belong to.
    record: Arc<Record>,
    /// The end mark is out: who leaves now has heard it all.
    told: bool,
}

impl Stream {
    pub(super) fn new(operation: Operation, events: Events, record: Arc<Record>) -> Self {
        Self {
            events: Some(events),
            operation,
            record,
            told: false,
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Interrupted>>> {
        let Some(events) = &mut self.events else {
            return Poll::Ready(None);
        };
        match std::task::ready!(events.as_mut().poll_next(context)) {
            Some(Ok(bytes)) => {
                self.record.first_byte();
                self.told |= if dialect::speaks(self.operation) {
                    dialect::ends(self.operation, &bytes)
                } else {
                    bytes.ends_with(DONE)
                };
                Poll::Ready(Some(Ok(bytes)))
            }
            Some(Err(broken)) => {
                self.events = None;
                // The status line is out: the stream itself has to say it.
                let status = self.record.status();
                self.record.failed(&broken);
                self.record.note(|entry| entry.status = status);
                if self.operation.is_plain() {
                    return Poll::Ready(Some(Err(Interrupted)));
                }
                // A dialect has told so itself.
                Poll::Ready((!dialect::speaks(self.operation)).then(|| Ok(error::event(&broken))))
            }
            None => {
                self.events = None;
                Poll::Ready(None)
            }
        }
    }
}

impl Drop for Stream {
    /// A client that leaves in the middle is in the account: the status, which went out long before, does not tell.
    fn drop(&mut self) {
        if self.events.is_some() && !self.told {
            let gone = Error::ClientGone;
            self.record.note(|entry| entry.error = Some((gone.side(), gone.word())));
        }
    }
}

impl Answer {
    /// A body that is no call's.
    pub fn whole(text: impl Into<Bytes>) -> Self {
        Self::Whole(Some(text.into()), None)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes, _) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(stream) => stream
                .poll_next(context)
                .map(|bytes| bytes.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes, _) => bytes.is_none(),
            Self::Events(stream) => stream.events.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

/// The client's request id if it is one we can log and send back, else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let usable = |id: &&str| !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic());
    match headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(usable)
    {
        Some(id) => id.to_owned(),
        None => format!("req_{:016x}{:016x}", random(), random()),
    }
}

/// Not for secrets: request ids need to be unique, not unguessable.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    thread_local!(static SEED: (RandomState, std::cell::Cell<u64>) = (RandomState::new(), std::cell::Cell::new(0)));
    SEED.with(|(seed, counter)| {
        counter.set(counter.get().wrapping_add(1));
        seed.hash_one(counter.get())
    })
}

/// Puts the request's id on a response.
pub(super) fn with_id(mut response: Response, id: &str, shape: Shape) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        if shape == Shape::Messages {
            response.headers_mut().insert(MESSAGES_REQUEST_ID, value.clone());
        }
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
