//! A request's body that is too large to hold: its beginning, in which the model is named, and the rest, which goes from the client to
//! the provider as it comes. It can be sent once.

use std::{
    fmt,
    ops::Range,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use hyper::{
    body::{Body as _, Incoming},
    header::HeaderValue,
};
use tokio::time::{Instant, Sleep};

use super::form::{Adding, Form};
use crate::error::Error;

/// A client that sends nothing for so long waits for an answer.
const MOMENT: Duration = Duration::from_millis(200);
/// How long what nobody wants is read at most.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);

/// A form that a client sends.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its `content-type`, with the boundary of its parts.
    pub content_type: HeaderValue,
    /// What was read of it.
    pub head: Bytes,
    /// Where in that the name of the model stands; empty where another is to go before the whole.
    pub model: Range<usize>,
    /// The rest, if it has not all come.
    pub rest: Option<std::sync::Arc<Rest>>,
}

impl Upload {
    /// What goes to a provider first, and what is still to come: with `model` for the name that stands there, and the operator's
    /// `defaults` for the fields that the form does not have.
    pub fn for_provider(&self, model: &[u8], defaults: &[(String, String)]) -> (Bytes, Option<std::sync::Arc<Rest>>) {
        let head = self.head_for(model);
        let form = self.content_type.to_str().ok().and_then(Form::of);
        let mut adding = form
            .filter(|_| !defaults.is_empty())
            .map(|form| Adding::new(&form, defaults));
        let mut sent = match &mut adding {
            Some(adding) => adding.feed(&head),
            None => head,
        };
        match (&self.rest, adding) {
            (Some(rest), adding) => rest.source().adding = adding,
            (None, Some(mut adding)) => sent = Bytes::from([sent, adding.end()].concat()),
            (None, None) => {}
        }
        (sent, self.rest.clone())
    }

    /// What has come, with `model` for the name that stands there.
    fn head_for(&self, model: &[u8]) -> Bytes {
        let Range { start, end } = self.model;
        if self.head.get(start..end) == Some(model) {
            return self.head.clone();
        }
        let mut head = BytesMut::with_capacity(self.head.len() + model.len());
        head.extend_from_slice(self.head.get(..start).unwrap_or_default());
        head.extend_from_slice(model);
        head.extend_from_slice(self.head.get(end..).unwrap_or_default());
        head.freeze()
    }
}

/// The rest of a body.
pub struct Rest {
    /// Its length, if the client has said it.
    length: Option<u64>,
    source: Mutex<Source>,
}

struct Source {
    body: Incoming,
    /// How much more may come.
    room: u64,
    limit: usize,
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    moved: Option<Instant>,
    failure: Option<Error>,
    /// Sees what comes, and adds to it.
    adding: Option<Adding>,
}

impl Rest {
    /// What is still to come of `body`: no more than `room` bytes of the `limit`, and no longer silent than `patience`.
    pub fn new(body: Incoming, room: u64, limit: usize, patience: Duration) -> Self {
        Self {
            length: body.size_hint().exact(),
            source: Mutex::new(Source {
                body,
                room,
                limit,
                patience,
                silence: Box::pin(tokio::time::sleep(patience)),
                moved: None,
                failure: None,
                adding: None,
            }),
        }
    }

    /// Its length, if that is known before it is over.
    pub fn length(&self) -> Option<u64> {
        self.length.filter(|_| self.source().adding.is_none())
    }

    /// The next bytes. `Err`: no more will come, and [`Rest::failure`] says why.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Abandoned>>> {
        let mut source = self.source();
        loop {
            let read = ready!(source.poll_next(context));
            let Some(adding) = &mut source.adding else {
                return Poll::Ready(read);
            };
            let out = match read {
                Some(Ok(piece)) => adding.feed(&piece),
                None => return Poll::Ready(Some(adding.end()).filter(|end| !end.is_empty()).map(Ok)),
                Some(Err(abandoned)) => return Poll::Ready(Some(Err(abandoned))),
            };
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(out)));
            }
        }
    }

    /// The same, to be waited for.
    pub async fn next(&self) -> Option<Result<Bytes, Abandoned>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// It begins here: `taken` bytes of it were read before.
    pub fn begin(&mut self, taken: usize) {
        self.length = self.length.map(|length| length.saturating_sub(taken as u64));
        self.source().moved = None;
    }

    /// Reads on for moments and throws away what comes. Who is still sending does not listen, and would see a broken connection in place
    /// of a refusal.
    pub async fn hear_out(&self) {
        let end = Instant::now() + LONGEST_FAREWELL;
        loop {
            let until = end.min(Instant::now() + MOMENT);
            match tokio::time::timeout_at(until, self.next()).await {
                Ok(Some(Ok(_))) if Instant::now() < end => {}
                _ => return,
            }
        }
    }

    /// When somebody last took something of it; `None`: it is all there still.
    pub fn moved(&self) -> Option<Instant> {
        self.source().moved
    }

    /// Why it ended too early, told once.
    pub fn failure(&self) -> Option<Error> {
        self.source().failure.take()
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Abandoned>>> {
        loop {
            if self.moved.is_none() {
                // Nobody waited for the client before.
                self.restart();
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
                ready!(self.silence.as_mut().poll(context));
                let after = self.patience;
                return self.fail(Error::ClientSlow { after });
            };
            let data = match frame {
                None => return Poll::Ready(None),
                Some(Err(_)) => return self.fail(Error::ClientGone),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            self.restart();
            let Some(room) = self.room.checked_sub(data.len() as u64) else {
                let limit = self.limit;
                return self.fail(Error::BodyTooLarge { limit });
            };
            self.room = room;
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }

    fn restart(&mut self) {
        let now = Instant::now();
        self.moved = Some(now);
        self.silence.as_mut().reset(now + self.patience);
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Bytes, Abandoned>>> {
        self.failure.get_or_insert(error);
        Poll::Ready(Some(Err(Abandoned)))
    }
}

/// A body that ended too early.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the client did not send all of it")]
pub struct Abandoned;

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
