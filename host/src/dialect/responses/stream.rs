//! A streamed answer: chunks of Chat Completions to the events of a response, each in its place and numbered.
//!
//! What a chunk brings becomes items as it comes: thoughts a reasoning item, text and refusals a message, each call an item, images
//! those of a generation. An item ends when one of another kind begins; a call ends when the next begins and its arguments are whole.
//! Sources that stand beside the choices are told when the message ends, or in one of their own if there is none.
//! Fields that are the provider's own wait for the next item and go before it, in a reasoning item's `encrypted_content`; those that
//! come last of all get one at the end.

mod call;
mod message;
mod output;
mod reasoning;
mod sink;

use bytes::BytesMut;
use serde_json::value::RawValue;

use super::{
    error,
    memo::{Envelope, Memo},
    usage,
};
use crate::{
    dialect::{
        self,
        chunk::Chunk,
        json::{self, quoted},
    },
    error::Error,
};
use output::Output;
use sink::Sink;

/// More than this an answer does not have, in bytes.
const LONGEST: usize = 256 << 20;

/// Writes the events of one response.
#[derive(Debug)]
pub struct Writer {
    memo: Memo,
    head: Option<Head>,
    output: Output,
    finish: Option<String>,
    usage: Option<String>,
    service_tier: Option<String>,
    length: usize,
}

/// What identifies the response: JSON.
#[derive(Debug)]
struct Head {
    id: String,
    created_at: String,
    model: String,
}

impl Writer {
    /// For the answer to the request that `memo` is of.
    pub fn new(memo: Memo) -> Self {
        Self::with(memo, Sink::new(false))
    }

    fn with(memo: Memo, sink: Sink) -> Self {
        Self {
            memo,
            head: None,
            output: Output::new(sink),
            finish: None,
            usage: None,
            service_tier: None,
            length: 0,
        }
    }

    /// The response that says what `answer`, a `chat.completion`, says.
    pub(super) fn whole(answer: &str, memo: &Memo) -> Result<String, &'static str> {
        let mut writer = Self::with(memo.clone(), Sink::new(true));
        writer.read(answer)?;
        Ok(writer.end().1)
    }

    /// Lets the events go straight to where they are wanted.
    fn writing<T>(&mut self, out: &mut BytesMut, act: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.output.sink.ready, out);
        let done = act(self);
        std::mem::swap(&mut self.output.sink.ready, out);
        done
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        self.length = self.length.saturating_add(text.len());
        if self.length > LONGEST {
            return Err("an answer that is too long");
        }
        let mut once = String::new();
        let chunk: Chunk<'_> = json::read(text, &mut once).map_err(|_| "a chunk that is not of OpenAI's shape")?;
        self.begin(Some(&chunk));
        if let Some(counted) = chunk.usage.and_then(|counted| usage::of_chat(counted.get())) {
            self.usage = Some(counted);
        }
        if let Some(tier) = chunk.service_tier {
            self.service_tier = Some(tier.get().to_owned());
        }
        self.output.sources.find(chunk.citations, chunk.search_results);
        for choice in chunk.first() {
            let logprobs = choice.logprobs.filter(|_| self.memo.logprobs);
            let logprobs = logprobs.and_then(|of| message::logprobs(of.get()));
            if let Some(said) = chunk.said(choice) {
                self.output.say(&said, &logprobs.unwrap_or_default(), &self.memo);
            }
            if let Some(word) = choice.finish_reason.as_deref().filter(|word| !word.is_empty()) {
                self.finish = Some(word.to_owned());
            }
        }
        Ok(())
    }

    /// Writes the first events, if they are not out.
    fn begin(&mut self, chunk: Option<&Chunk<'_>>) {
        if self.head.is_some() {
            return;
        }
        let created = chunk.and_then(|chunk| chunk.created).map(RawValue::get);
        let model = chunk.and_then(|chunk| chunk.model).map(RawValue::get);
        self.head = Some(Head {
            id: quoted(&["resp_", &self.memo.id].concat()),
            created_at: created.unwrap_or("0").to_owned(),
            model: model.map_or_else(|| quoted(&self.memo.model), str::to_owned),
        });
        let response = self.response("in_progress", None, None);
        for kind in ["response.created", "response.in_progress"] {
            self.output.sink.event(kind, format_args!("\"response\":{response}"));
        }
    }

    /// Ends all items. The kind of the last event, and the response.
    fn end(&mut self) -> (&'static str, String) {
        self.begin(None);
        let incomplete = match self.finish.as_deref() {
            Some("length") => Some("max_output_tokens"),
            Some("content_filter") => Some("content_filter"),
            _ => None,
        };
        let (status, kind) = match incomplete {
            Some(_) => ("incomplete", "response.incomplete"),
            None => ("completed", "response.completed"),
        };
        self.output.close(status, &self.memo);
        (kind, self.response(status, incomplete, None))
    }

    fn response(&self, status: &str, incomplete: Option<&str>, error: Option<&str>) -> String {
        let head = self.head.as_ref();
        let envelope = Envelope {
            id: head.map_or("\"\"", |head| &head.id),
            created_at: head.map_or("0", |head| &head.created_at),
            model: head.map_or("\"\"", |head| &head.model),
            status,
            incomplete,
            error,
            service_tier: self.service_tier.as_deref(),
            usage: self.usage.as_deref(),
            output: &self.output.items.joined(),
        };
        envelope.to_json(&self.memo)
    }
}

impl dialect::Writer for Writer {
    fn push(&mut self, chunk: &str, out: &mut BytesMut) -> Result<(), &'static str> {
        self.writing(out, |this| this.read(chunk))
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.writing(out, |this| {
            let (kind, response) = this.end();
            this.output.sink.event(kind, format_args!("\"response\":{response}"));
        });
    }

    /// What was said before it stays as it is.
    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        self.writing(out, |this| {
            this.begin(None);
            let fields = error::event_fields(error);
            this.output.sink.event("error", format_args!("{fields}"));
            let fields = ["{", &error::fields(error), "}"].concat();
            let response = this.response("failed", None, Some(&fields));
            let sink = &mut this.output.sink;
            sink.event("response.failed", format_args!("\"response\":{response}"));
        });
    }
}

#[cfg(test)]
mod tests;
