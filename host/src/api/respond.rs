//! Responses: their bodies, and the headers every one of them has.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::error;
use crate::{record::Record, reply::Events, server::Response};

/// The header that names a request, on both sides.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A response's body.
pub enum Answer {
    /// All of it, and the account that closes when it is out.
    Whole(Option<Bytes>, Option<Arc<Record>>),
    /// Events as they come, and the account they belong to.
    Events(Option<Events>, Arc<Record>),
}

impl Answer {
    /// A body that is no call's.
    pub fn whole(text: impl Into<Bytes>) -> Self {
        Self::Whole(Some(text.into()), None)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let (events, record) = match &mut *self {
            Self::Whole(bytes, _) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events, record) => (events, record),
        };
        let Some(stream) = events.as_mut() else {
            return Poll::Ready(None);
        };
        match stream.as_mut().poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(bytes))) => {
                record.first_byte();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Poll::Ready(Some(Err(broken))) => {
                *events = None;
                // The status line is out: the stream itself has to say it.
                let status = record.status();
                record.failed(&broken);
                record.note(|entry| entry.status = status);
                Poll::Ready(Some(Ok(Frame::data(error::event(&broken)))))
            }
            Poll::Ready(None) => {
                *events = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes, _) => bytes.is_none(),
            Self::Events(events, _) => events.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Events(..) => SizeHint::default(),
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
pub(super) fn with_id(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
