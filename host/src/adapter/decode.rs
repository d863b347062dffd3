//! Reading a provider's stream through the guest's decoder: the host cuts frames, all frames that have come go in together, and the
//! chunks that come out leave together.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{
    contract::{Payload, streaming},
    exchange::{At, Exchange, Turn},
    guest::Decoder,
    task::pairs,
};
use crate::{
    call,
    error::{Error, Result},
    transport::{
        frame::{Cutter, Frame, Framing, LIMIT},
        http::{Incoming, Reading},
    },
};

/// How much is read before the guest is asked, if it is there already.
const GATHER: usize = 64 << 10;

/// A stream being read.
pub(super) struct Decoding {
    pub(super) decoder: Decoder,
    /// That of the fetch.
    pub(super) state: String,
    /// Why it ends, if it is broken off. What a client's departure finds here.
    pub(super) reason: &'static str,
    body: Option<Reading>,
    cutter: Cutter,
    /// Broke after frames that the guest was to see first.
    failed: Option<Error>,
}

/// What was there to read.
enum Gathered {
    Frames(Vec<streaming::Frame>),
    /// The last frames, and the end.
    End(Vec<streaming::Frame>),
    Broken(Error),
}

impl Exchange {
    /// Opens the guest's decoder for a reply.
    pub(super) async fn open(&mut self, incoming: Incoming, framing: Framing, state: String) -> Result<()> {
        // A request that follows a stream says nothing of what the client asked for, and a stream can last.
        self.asked = call::Body::default();
        let headers = pairs(&incoming.headers);
        let opened = self.guest.open(&self.context, &state, incoming.status, &headers).await;
        let decoder = self.planned(opened)?;
        self.at = At::Stream(Box::new(Decoding {
            decoder,
            state,
            reason: "client-gone",
            body: Some(incoming.body),
            cutter: Cutter::new(framing, LIMIT),
            failed: None,
        }));
        Ok(())
    }

    /// Reads what has come and passes on what the guest makes of it.
    pub(super) async fn read(&mut self) -> Result<Option<Turn>> {
        let provider = &self.site.upstream.id;
        let At::Stream(stream) = &mut self.at else {
            return Err(Error::Internal("a read without a stream"));
        };
        let decoder = stream.decoder;
        let (frames, end) = match poll_fn(|context| stream.gather(context, provider)).await {
            Gathered::Frames(frames) => (frames, false),
            Gathered::End(frames) => (frames, true),
            Gathered::Broken(error) => {
                stream.reason = match error {
                    Error::UpstreamTimeout { .. } => "timeout",
                    _ => "upstream-error",
                };
                return Err(error);
            }
        };
        if !frames.is_empty() {
            let pushed = self.guest.push(decoder, &frames).await;
            let output = self.planned(pushed)?;
            self.emit(output.emit)?;
            if output.ended {
                return self.finish("ended").await;
            }
        }
        if end { self.finish("eof").await } else { Ok(None) }
    }

    /// Tells the decoder that it is over and takes its last step.
    pub(super) async fn finish(&mut self, reason: &str) -> Result<Option<Turn>> {
        let At::Stream(stream) = &mut self.at else {
            return Err(Error::Internal("an end without a stream"));
        };
        // Nobody reads on: the provider may know.
        stream.body = None;
        let decoder = stream.decoder;
        let finished = self.guest.finish(decoder, reason).await;
        let step = self.planned(finished)?;
        self.take(step, None)
    }
}

impl Decoding {
    /// All that is there, once there is something.
    fn gather(&mut self, context: &mut Context<'_>, provider: &str) -> Poll<Gathered> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Gathered::Broken(error));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(Gathered::End(Vec::new()));
        };
        let (mut frames, mut read) = (Vec::new(), 0);
        while read < GATHER {
            match body.poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    read += bytes.len();
                    self.cutter.feed(bytes);
                    loop {
                        match self.cutter.cut() {
                            Ok(Some(frame)) => frames.push(convert(frame)),
                            Ok(None) => break,
                            Err(broken) => return self.break_off(frames, broken.from(provider)),
                        }
                    }
                }
                Poll::Ready(None) => {
                    frames.extend(self.cutter.rest().map(convert));
                    self.body = None;
                    return Poll::Ready(Gathered::End(frames));
                }
                Poll::Ready(Some(Err(error))) => return self.break_off(frames, error),
                Poll::Pending if frames.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Gathered::Frames(frames))
    }

    /// It ends with an error, after these frames.
    fn break_off(&mut self, frames: Vec<streaming::Frame>, error: Error) -> Poll<Gathered> {
        Poll::Ready(if frames.is_empty() {
            Gathered::Broken(error)
        } else {
            self.failed = Some(error);
            Gathered::Frames(frames)
        })
    }
}

fn convert(frame: Frame) -> streaming::Frame {
    let text = |bytes: Bytes| String::from_utf8(bytes.into()).unwrap_or_else(|e| lossy(e.as_bytes()));
    let header = |name: &str, value: Option<Bytes>| value.map(|value| (name.to_owned(), text(value)));
    let data = match String::from_utf8(frame.data.into()) {
        Ok(text) => Payload::Text(text),
        Err(bytes) => Payload::Bytes(bytes.into_bytes()),
    };
    streaming::Frame {
        event: text(frame.event),
        data,
        headers: header("id", frame.id)
            .into_iter()
            .chain(header("retry", frame.retry))
            .chain(frame.headers)
            .collect(),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
