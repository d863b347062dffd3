//! Streams of which the gateway reads only what they cost: the events of a transcription, a picture or speech go by as they come.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;

use crate::{
    chunk,
    record::Record,
    reply::Events,
    transport::{
        frame::{Cutter, Framing, LIMIT},
        http::Reading,
    },
};

/// A body as it comes, its usage noted as it goes by.
pub(super) fn counted(body: Reading, record: &Arc<Record>) -> Events {
    let meter = Meter {
        cutter: Some(Cutter::new(Framing::Sse, LIMIT)),
        record: record.clone(),
    };
    Box::pin(futures_util::stream::unfold(
        (body, meter),
        async |(mut body, mut meter)| {
            let read = body.next().await;
            match &read {
                Some(Ok(bytes)) => meter.read(bytes.clone()),
                _ => meter.end(),
            }
            Some((read?, (body, meter)))
        },
    ))
}

/// Looks for usage in the events that go by. The last that tells any is right.
struct Meter {
    /// `None` once an event is longer than can be held: nothing is read from there on, but all of it still goes by.
    cutter: Option<Cutter>,
    record: Arc<Record>,
}

impl Meter {
    fn read(&mut self, bytes: Bytes) {
        let Some(cutter) = &mut self.cutter else { return };
        cutter.feed(bytes);
        loop {
            match cutter.cut() {
                Ok(Some(event)) => note(&self.record, &event.data),
                Ok(None) => return,
                Err(_) => break,
            }
        }
        self.cutter = None;
    }

    /// Many a server ends its last event without the blank line.
    fn end(&mut self) {
        if let Some(event) = self.cutter.take().and_then(|mut cutter| cutter.rest()) {
            note(&self.record, &event.data);
        }
    }
}

fn note(record: &Record, event: &[u8]) {
    // Most events are a word of text, or a picture.
    if memmem::find(event, b"\"usage\"").is_none() {
        return;
    }
    if let Some(usage) = std::str::from_utf8(event).ok().and_then(chunk::plain_usage) {
        record.note(|entry| entry.usage = usage);
    }
}
