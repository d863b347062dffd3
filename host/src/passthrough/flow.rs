//! A provider's stream on its way to the client. Each read becomes at most one write. Events that are right go out as the very bytes
//! that came: neighbours of one read are one slice of it, and nothing is copied.

use std::{
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use hyper::HeaderMap;
use tokio::time::Sleep;

use super::{Asked, refusal};
use crate::{
    chunk::{self, Chunks, Flaw, Verdict},
    error::{Error, Result},
    record::Record,
    reply::Usage,
    transport::{
        Upstream,
        frame::{self, Cutter, sse::Event},
        http::Reading,
    },
};

/// A comment: it keeps connections open that close when they are silent.
const HEARTBEAT: &[u8] = b":\n\n";
/// How long the end of the connection is waited for after the end of the stream, so that it can be used again.
const LINGER: Duration = Duration::from_millis(100);

/// The events of one answer.
pub(super) struct Flow {
    body: Reading,
    /// The read that came with the head.
    first: Option<Bytes>,
    lens: Lens,
    state: State,
    record: Arc<Record>,
}

enum State {
    /// Events come.
    Open,
    /// The end mark is out; what is left of the body is read away.
    Ended(Option<Pin<Box<Sleep>>>),
    /// An error is to be told.
    Broken(Error),
    /// There is nothing more.
    Closed,
}

impl Flow {
    /// The stream of `body`, of which `first` has been read.
    pub(super) fn new(asked: &Asked<'_>, body: Reading, first: Bytes) -> Self {
        let chunks = Chunks::new(asked.stamp.clone(), asked.operation);
        Self {
            body,
            first: Some(first).filter(|first| !first.is_empty()),
            lens: Lens::new(asked.upstream.clone(), chunks),
            state: State::Open,
            record: asked.record.clone(),
        }
    }

    /// Turns a read, or the end of them, into what the client gets now.
    fn step(&mut self, read: Option<Result<Bytes>>) -> Option<Result<Bytes>> {
        let (out, outcome) = match read {
            Some(Ok(read)) => self.lens.read(read),
            Some(Err(error)) => self.lens.end(Some(error)),
            None => self.lens.end(None),
        };
        self.state = match outcome {
            Outcome::More => State::Open,
            Outcome::Ended => State::Ended(None),
            Outcome::Closed => State::Closed,
            Outcome::Broken(error) => State::Broken(error),
        };
        out.map(Ok)
    }

    /// Reads away what comes after the end mark, if it comes soon.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let State::Ended(timer) = &mut self.state else {
            return Poll::Ready(());
        };
        loop {
            match self.body.poll_next(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
                    return timer.as_mut().poll(context);
                }
            }
        }
    }
}

impl Stream for Flow {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match &this.state {
                State::Open => {}
                State::Ended(_) => {
                    std::task::ready!(this.linger(context));
                    this.state = State::Closed;
                    return Poll::Ready(None);
                }
                State::Broken(error) => {
                    let error = error.clone();
                    this.state = State::Closed;
                    return Poll::Ready(Some(Err(error)));
                }
                State::Closed => return Poll::Ready(None),
            }
            let read = match this.first.take() {
                Some(first) => Some(Ok(first)),
                None => std::task::ready!(this.body.poll_next(context)),
            };
            if let Some(item) = this.step(read) {
                return Poll::Ready(Some(item));
            }
        }
    }
}

impl Drop for Flow {
    /// Also when the client has left: what was counted by then counts.
    fn drop(&mut self) {
        if let Some(usage) = self.lens.usage() {
            self.record.note(|entry| entry.usage = usage);
        }
    }
}

/// What a read did to the stream.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on.
    More,
    /// The end mark came, and is out.
    Ended,
    /// The body is over, and all is well.
    Closed,
    /// It failed.
    Broken(Error),
}

/// What a stream goes through: reads as the provider sent them go in, events as the client is to see them come out. It does no I/O.
#[derive(Debug)]
pub struct Lens {
    upstream: Arc<Upstream>,
    cutter: Cutter,
    chunks: Chunks,
}

impl Lens {
    /// For the answer of `upstream`.
    pub fn new(upstream: Arc<Upstream>, chunks: Chunks) -> Self {
        Self {
            upstream,
            cutter: Cutter::forgiving(frame::LIMIT),
            chunks,
        }
    }

    /// What has been counted.
    pub fn usage(&self) -> Option<Usage> {
        self.chunks.usage()
    }

    /// What the client gets for a read.
    pub fn read(&mut self, read: Bytes) -> (Option<Bytes>, Outcome) {
        let comment = read.first() == Some(&b':');
        self.cutter.feed(read);
        let mut out = Out::default();
        let mut outcome = Outcome::More;
        let mut quiet = true;
        while matches!(outcome, Outcome::More) {
            outcome = match self.cutter.event() {
                Ok(Some(event)) => {
                    quiet = false;
                    self.event(&event, &mut out)
                }
                Ok(None) => break,
                Err(long) => Outcome::Broken(long.from(&self.upstream.id)),
            };
        }
        if quiet && comment {
            return (Some(Bytes::from_static(HEARTBEAT)), outcome);
        }
        (out.finish(&self.cutter), outcome)
    }

    /// What the client gets at the end of the body, or when it breaks. A stream that has finished may lack its end mark; one that has
    /// not was cut short.
    pub fn end(&mut self, broken: Option<Error>) -> (Option<Bytes>, Outcome) {
        let mut out = Out::default();
        let last = self.cutter.last_event();
        let mut outcome = last.map_or(Outcome::More, |event| self.event(&event, &mut out));
        let truncated = || Error::Truncated {
            provider: self.upstream.id.clone(),
        };
        match outcome {
            Outcome::Broken(Error::BadAnswer { .. }) => outcome = Outcome::Broken(truncated()),
            Outcome::More if self.chunks.finished() => {
                self.chunks.end(out.built(&self.cutter));
                outcome = Outcome::Closed;
            }
            Outcome::More => outcome = Outcome::Broken(broken.unwrap_or_else(truncated)),
            _ => {}
        }
        (out.finish(&self.cutter), outcome)
    }

    /// Puts an event into `out` as the client is to see it.
    fn event(&mut self, event: &Event, out: &mut Out) -> Outcome {
        let joined = event.joined.as_deref().map(chunk::on_one_line);
        let data = joined.as_deref().unwrap_or_else(|| self.cutter.bytes(&event.data));
        if is_done(data) {
            if event.plain && data == b"[DONE]" && !self.chunks.holds() {
                out.keep(event.whole.clone(), &self.cutter);
            } else {
                self.chunks.end(out.built(&self.cutter));
            }
            return Outcome::Ended;
        }
        let failed = self.cutter.bytes(&event.name) == b"error";
        // Anything else that is no object is a heartbeat of some sort.
        if !failed && data.trim_ascii_start().first() != Some(&b'{') {
            return Outcome::More;
        }
        let verdict = match std::str::from_utf8(data) {
            Err(_) => Err(Flaw::Malformed("a chunk that is not valid UTF-8")),
            Ok(text) if failed => Err(Flaw::Error(text.to_owned())),
            Ok(text) => self.chunks.look(text).map(|verdict| (verdict, text)),
        };
        match verdict {
            Ok((Verdict::Keep, _)) if event.plain => out.keep(event.whole.clone(), &self.cutter),
            Ok((Verdict::Keep, text)) => chunk::event(text.as_bytes(), out.built(&self.cutter)),
            Ok((Verdict::Change, text)) => self.chunks.write(text, out.built(&self.cutter)),
            Ok((Verdict::Hold, _)) => {}
            Err(flaw) => return self.broken(flaw),
        }
        Outcome::More
    }

    fn broken(&self, flaw: Flaw) -> Outcome {
        Outcome::Broken(refusal::of_flaw(&self.upstream, flaw, &HeaderMap::new()))
    }
}

/// True for the end mark, in any case.
pub(super) fn is_done(data: &[u8]) -> bool {
    data.trim_ascii().eq_ignore_ascii_case(b"[done]")
}

/// What goes out for one read: a run of the bytes that came, until something has to be built.
#[derive(Default)]
struct Out {
    kept: Range<usize>,
    built: BytesMut,
}

impl Out {
    /// Forwards a part of the read.
    fn keep(&mut self, span: Range<usize>, cutter: &Cutter) {
        if self.kept.is_empty() {
            self.kept = span;
        } else if self.kept.end == span.start {
            self.kept.end = span.end;
        } else {
            self.built(cutter);
            self.kept = span;
        }
    }

    /// Where to build what comes next.
    fn built(&mut self, cutter: &Cutter) -> &mut BytesMut {
        let kept = std::mem::take(&mut self.kept);
        self.built.extend_from_slice(cutter.bytes(&kept));
        &mut self.built
    }

    fn finish(mut self, cutter: &Cutter) -> Option<Bytes> {
        if self.built.is_empty() {
            return Some(cutter.slice(self.kept)).filter(|bytes| !bytes.is_empty());
        }
        self.built(cutter);
        Some(self.built.freeze())
    }
}
