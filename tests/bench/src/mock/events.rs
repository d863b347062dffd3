//! The body of a streamed answer: every event leaves in a write of its own, at once or at a pace, as from a model.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// The events still to be sent.
pub(crate) struct Events {
    events: Rc<Vec<Bytes>>,
    next: usize,
    /// between two events; `None`: only as long as a write takes
    pace: Option<Duration>,
    pause: Pause,
}

enum Pause {
    /// the next event may leave
    Over,
    /// the last one has just left
    Due,
    /// until this moment
    Until(Pin<Box<Sleep>>),
}

impl Events {
    /// All of `events`, with `pace` between them.
    pub(crate) fn new(events: Rc<Vec<Bytes>>, pace: Option<Duration>) -> Self {
        Self {
            events,
            next: 0,
            pace,
            pause: Pause::Over,
        }
    }

    /// Pending between two events makes hyper write out what it has.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if matches!(self.pause, Pause::Due) {
            self.pause = match self.pace {
                Some(pace) => Pause::Until(Box::pin(tokio::time::sleep(pace))),
                None => {
                    self.pause = Pause::Over;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            };
        }
        if let Pause::Until(moment) = &mut self.pause {
            ready!(moment.as_mut().poll(context));
            self.pause = Pause::Over;
        }
        Poll::Ready(())
    }
}

/// What the mock answers with.
pub(crate) enum Answer {
    /// all at once
    Whole(Full<Bytes>),
    /// event by event
    Stream(Events),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let stream = match self.get_mut() {
            Answer::Whole(body) => return Pin::new(body).poll_frame(context),
            Answer::Stream(stream) => stream,
        };
        ready!(stream.wait(context));
        let event = stream.events.get(stream.next).cloned();
        stream.next += 1;
        stream.pause = Pause::Due;
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(body) => body.is_end_stream(),
            Answer::Stream(stream) => stream.next >= stream.events.len(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(body) => body.size_hint(),
            Answer::Stream(_) => SizeHint::default(),
        }
    }
}
