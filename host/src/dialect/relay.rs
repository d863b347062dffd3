//! An answer of a provider that has the client's API itself: it goes by byte for byte. What it cost is read on the way, and if it
//! breaks off the client is told so in its own API.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::{Seen, Watch, messages, responses};
use crate::{
    call::{Call, Operation},
    error::{Error, Result},
    record::Record,
    reply::{Body, Events, Reply},
    transport::frame::{Cutter, Frame, Framing, LIMIT},
};

/// Bytes that wait for the first event to be whole.
const HELD: usize = 64 << 10;

/// The reply to a call that its provider answers in that API, as it came. An answer that cannot be one is an error.
pub fn relay(call: &Call, mut reply: Reply, provider: &str, record: &Arc<Record>) -> Result<Reply> {
    reply.body = match reply.body {
        Body::Whole(answer) => {
            let Some(usage) = whole(call.operation, &answer) else {
                return Err(unusable(provider, "an answer that is not of the API that was asked"));
            };
            record.note(|entry| entry.usage = usage);
            Body::Whole(answer)
        }
        Body::Raw(raw) => Body::Raw(raw),
        Body::Events(events) => match watch(call) {
            Some(watch) => Body::Events(Box::pin(Relay::new(events, watch, provider, record))),
            None => Body::Events(events),
        },
    };
    Ok(reply)
}

/// What a whole answer cost; `None` if it is no answer.
fn whole(operation: Operation, answer: &[u8]) -> Option<crate::reply::Usage> {
    let answer = std::str::from_utf8(answer).ok()?;
    match operation {
        Operation::Messages => messages::usage::of_message(answer),
        Operation::Responses => responses::usage::of_response(answer),
        _ => serde_json::from_str::<&serde_json::value::RawValue>(answer)
            .ok()
            .map(|_| crate::reply::Usage::default()),
    }
}

fn watch(call: &Call) -> Option<Box<dyn Watch>> {
    match call.operation {
        Operation::Messages => Some(Box::new(messages::usage::Watch::new(call.id.clone()))),
        Operation::Responses => Some(Box::new(responses::usage::Watch::default())),
        _ => None,
    }
}

fn unusable(provider: &str, what: &str) -> Error {
    Error::BadAnswer {
        provider: provider.to_owned(),
        what: what.to_owned(),
    }
}

/// A stream going by.
struct Relay {
    events: Events,
    cutter: Cutter,
    watch: Box<dyn Watch>,
    provider: String,
    record: Arc<Record>,
    /// Bytes have come.
    came: bool,
    /// What came before the first event was whole: were that an error, it is an answer of its own.
    held: BytesMut,
    /// Something of the answer has gone to the client.
    begun: bool,
    /// The answer is whole.
    ended: bool,
    /// What broke it, once that has been told.
    broken: Option<Error>,
    /// Nothing more is read.
    closed: bool,
    over: bool,
}

impl Relay {
    fn new(events: Events, watch: Box<dyn Watch>, provider: &str, record: &Arc<Record>) -> Self {
        Self {
            events,
            cutter: Cutter::new(Framing::Sse, LIMIT),
            watch,
            provider: provider.to_owned(),
            record: record.clone(),
            came: false,
            held: BytesMut::new(),
            begun: false,
            ended: false,
            broken: None,
            closed: false,
            over: false,
        }
    }

    /// Sees what goes by. An error is one that the client has not been told of.
    fn see(&mut self, read: &Bytes) -> Result<()> {
        let first = !std::mem::replace(&mut self.came, true);
        if first && matches!(read.trim_ascii_start().first(), Some(b'{' | b'[' | b'<')) {
            return Err(unusable(&self.provider, "no stream, although one was asked for"));
        }
        self.cutter.feed(read.clone());
        while let Some(frame) = self.cutter.cut().map_err(|long| long.from(&self.provider))? {
            self.see_event(&frame)?;
        }
        Ok(())
    }

    fn see_event(&mut self, frame: &Frame) -> Result<()> {
        match self.watch.event(&frame.event, &frame.data) {
            Seen::Event => self.begun = true,
            Seen::End => self.ended = true,
            Seen::Failure(failure) => {
                let failure = Error::Refused(Box::new(failure));
                if !self.begun {
                    return Err(failure);
                }
                // The client reads it as the provider wrote it.
                self.broken.get_or_insert(failure);
            }
        }
        Ok(())
    }

    /// Sees the end. Many a provider ends its last event without the blank line.
    fn see_end(&mut self) -> Result<()> {
        if let Some(frame) = self.cutter.rest() {
            self.see_event(&frame)?;
        }
        if self.ended || self.broken.is_some() {
            return Ok(());
        }
        Err(Error::Truncated {
            provider: self.provider.clone(),
        })
    }

    /// What may go to the client now that `read` was seen.
    fn hold(&mut self, read: Bytes) -> Option<Bytes> {
        if self.begun && self.held.is_empty() {
            return Some(read);
        }
        self.held.extend_from_slice(&read);
        // Comments may come for as long as the provider likes.
        self.begun |= self.ended || self.held.len() > HELD;
        self.begun.then(|| self.held.split().freeze())
    }

    /// What is left for the client at the end.
    fn end(&mut self) -> Option<Bytes> {
        self.closed = self.broken.is_some();
        self.over = !self.closed;
        Some(self.held.split().freeze()).filter(|held| !held.is_empty())
    }

    /// Tells of an error, if it is too late to be an answer of its own.
    fn fail(&mut self, error: Error) -> Result<Bytes> {
        if !self.begun {
            self.over = true;
            return Err(error);
        }
        self.closed = true;
        let mut out = BytesMut::new();
        self.watch.fail(&error, &mut out);
        self.broken = Some(error);
        Ok(out.freeze())
    }
}

impl Stream for Relay {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.over {
                return Poll::Ready(None);
            }
            if this.closed
                && let Some(error) = this.broken.take()
            {
                this.over = true;
                return Poll::Ready(Some(Err(error)));
            }
            let read = std::task::ready!(this.events.as_mut().poll_next(context));
            if this.broken.is_some() && !matches!(read, Some(Ok(_))) {
                // The client has heard of it.
                this.closed = true;
                continue;
            }
            let seen = match read {
                Some(Ok(read)) => this.see(&read).map(|()| this.hold(read)),
                Some(Err(error)) => Err(error),
                None => this.see_end().map(|()| this.end()),
            };
            match seen {
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(this.fail(error))),
            }
        }
    }
}

impl Drop for Relay {
    /// Also when the client has left: what was counted by then counts.
    fn drop(&mut self) {
        let usage = self.watch.usage();
        self.record.note(|entry| entry.usage = usage);
    }
}
