//! Cutting a provider's byte stream into frames: server-sent events, lines of JSON, AWS event streams, or the reads themselves.
//! [`Cutter`] takes reads as they come and gives each frame once it is whole; a frame that lies in one read is a slice of it.
//!
//! A further framing is a word in [`Framing`], an arm in [`Cutter`], and a file beside `sse`.

pub mod aws;
mod lines;
pub(crate) mod sse;

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use crate::error::Error;

/// How long a frame may be where nothing else is configured, in bytes.
pub const LIMIT: usize = 16 << 20;

/// How a stream is cut. The words are the contract's (`http-request.framing` in `wit/adapter.wit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON value per line.
    Ndjson,
    /// AWS's binary messages, with typed headers and checksums.
    AwsEvents,
    /// Bytes as they come: each read is a frame.
    Raw,
}

impl Framing {
    /// Reads the contract's word. `None` for a word that does not mean cutting (`buffered`, `relay`), or is unknown.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "sse" => Some(Self::Sse),
            "ndjson" => Some(Self::Ndjson),
            "aws-eventstream" => Some(Self::AwsEvents),
            "raw" => Some(Self::Raw),
            _ => None,
        }
    }
}

/// One frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The event's name; empty if it has none.
    pub event: Bytes,
    /// What it carries: a server-sent event's data lines joined by LF, a line without its end, a message's payload, a read. Any bytes,
    /// not always UTF-8.
    pub data: Bytes,
    /// The event's `id`, if one was sent with it.
    pub id: Option<Bytes>,
    /// The event's `retry` in milliseconds (digits), if one was sent with it.
    pub retry: Option<Bytes>,
    /// The headers of an AWS message, in their order, as text ([`aws::Value`]).
    pub headers: Vec<(String, String)>,
}

/// Why a stream cannot be cut any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A frame does not end.
    TooLong {
        /// The bytes it may have.
        limit: usize,
    },
    /// What came is not what was sent; the words say how that shows.
    Damaged(&'static str),
}

impl Broken {
    /// The error of a call to `provider`.
    pub fn from(self, provider: &str) -> Error {
        Error::BadAnswer {
            provider: provider.to_owned(),
            what: match self {
                Self::TooLong { limit } => format!("a piece of its stream is longer than the limit of {limit} bytes"),
                Self::Damaged(what) => format!("its stream arrived damaged: {what}"),
            },
        }
    }
}

/// Cuts reads into frames. [`feed`](Self::feed) it each read, then [`cut`](Self::cut) until there is no more; after the last read ask
/// for the [`rest`](Self::rest).
#[derive(Debug)]
pub struct Cutter {
    kind: Kind,
    limit: usize,
    /// What was fed and is not cut yet, and before it what the last frames were cut from.
    buffer: Bytes,
}

#[derive(Debug)]
enum Kind {
    Sse(sse::Scanner),
    Ndjson(lines::Scanner),
    AwsEvents(aws::Scanner),
    Raw,
}

impl Cutter {
    /// A cutter for a stream whose frames have at most `limit` bytes.
    pub fn new(framing: Framing, limit: usize) -> Self {
        let kind = match framing {
            Framing::Sse => Kind::Sse(sse::Scanner::default()),
            Framing::Ndjson => Kind::Ndjson(lines::Scanner::default()),
            Framing::AwsEvents => Kind::AwsEvents(aws::Scanner::default()),
            Framing::Raw => Kind::Raw,
        };
        Self {
            kind,
            limit,
            buffer: Bytes::new(),
        }
    }

    /// A cutter for server-sent events that forgives what some servers forget: see [`sse::Scanner::forgiving`].
    pub(crate) fn forgiving(limit: usize) -> Self {
        Self {
            kind: Kind::Sse(sse::Scanner::forgiving()),
            limit,
            buffer: Bytes::new(),
        }
    }

    /// Takes a read. All frames of the reads before it must have been cut.
    pub fn feed(&mut self, read: Bytes) {
        let begun = match &mut self.kind {
            Kind::Sse(scanner) => scanner.restart(),
            Kind::Ndjson(scanner) => scanner.restart(),
            Kind::AwsEvents(scanner) => scanner.restart(),
            Kind::Raw => 0,
        };
        self.buffer.advance(begun.min(self.buffer.len()));
        if self.buffer.is_empty() {
            self.buffer = read;
            return;
        }
        let begun = std::mem::take(&mut self.buffer);
        // Nobody holds a frame of the last read any more, mostly: then the begun one stays where it is and grows.
        let mut grown = begun.try_into_mut().unwrap_or_else(|begun| BytesMut::from(&begun[..]));
        grown.extend_from_slice(&read);
        self.buffer = grown.freeze();
    }

    /// The next frame that is whole.
    pub fn cut(&mut self) -> Result<Option<Frame>, Broken> {
        let frame = match &mut self.kind {
            Kind::Sse(_) => self.event()?.map(|event| self.frame(event)),
            Kind::Ndjson(scanner) => {
                let line = scanner.next(&self.buffer, self.limit)?;
                line.map(|line| Frame::of(self.buffer.slice(line)))
            }
            Kind::AwsEvents(scanner) => match scanner.next(&self.buffer, self.limit)? {
                Some(message) => Some(self.message(message)?),
                None => None,
            },
            Kind::Raw if self.buffer.is_empty() => None,
            Kind::Raw => Some(Frame::of(std::mem::take(&mut self.buffer))),
        };
        Ok(frame)
    }

    /// What was begun when the stream ended. A strict reader drops an event without its blank line; many a provider ends its last
    /// one so. Whether it is whole shows in its data. (An AWS message that is not whole is none.)
    pub fn rest(&mut self) -> Option<Frame> {
        match &mut self.kind {
            Kind::Sse(_) => self.last_event().map(|event| self.frame(event)),
            Kind::Ndjson(scanner) => {
                let line = scanner.rest(&self.buffer)?;
                Some(Frame::of(self.buffer.slice(line)))
            }
            Kind::AwsEvents(_) | Kind::Raw => None,
        }
    }

    /// The next server-sent event that is whole, as spans for [`bytes`](Self::bytes) and [`slice`](Self::slice): good until the next
    /// read is fed.
    pub(crate) fn event(&mut self) -> Result<Option<sse::Event>, Broken> {
        match &mut self.kind {
            Kind::Sse(scanner) => scanner.next(&self.buffer, self.limit),
            Kind::Ndjson(_) | Kind::AwsEvents(_) | Kind::Raw => Ok(None),
        }
    }

    /// As [`rest`](Self::rest), in spans.
    pub(crate) fn last_event(&mut self) -> Option<sse::Event> {
        match &mut self.kind {
            Kind::Sse(scanner) => scanner.rest(&self.buffer),
            Kind::Ndjson(_) | Kind::AwsEvents(_) | Kind::Raw => None,
        }
    }

    /// The bytes of a span.
    pub(crate) fn bytes(&self, span: &Range<usize>) -> &[u8] {
        self.buffer.get(span.clone()).unwrap_or_default()
    }

    /// The bytes of a span, shared.
    pub(crate) fn slice(&self, span: Range<usize>) -> Bytes {
        if span.is_empty() {
            Bytes::new()
        } else {
            self.buffer.slice(span)
        }
    }

    fn frame(&self, event: sse::Event) -> Frame {
        Frame {
            event: self.slice(event.name),
            data: event.joined.map_or_else(|| self.slice(event.data), Into::into),
            id: event.id.map(|span| self.slice(span)),
            retry: event.retry.map(|span| self.slice(span)),
            headers: Vec::new(),
        }
    }

    /// An AWS message: which event it is, or which exception or error, its headers say.
    fn message(&self, message: aws::Message) -> Result<Frame, Broken> {
        let headers = aws::headers(self.bytes(&message.headers))?;
        let name = |header: &&aws::Header<'_>| matches!(header.name, ":event-type" | ":exception-type" | ":error-code");
        let event = headers.iter().find(name).map(|header| header.value.text());
        let texts = headers
            .iter()
            .map(|header| (header.name.to_owned(), header.value.text()));
        Ok(Frame {
            event: event.unwrap_or_default().into(),
            headers: texts.collect(),
            data: self.slice(message.payload),
            ..Frame::default()
        })
    }
}

impl Frame {
    fn of(data: Bytes) -> Self {
        Self {
            data,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
