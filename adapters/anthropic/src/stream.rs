//! A streamed answer: Anthropic's events to chunks, one event at a time.

mod open;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Chunks, Decoder, End, Flow, Frame, Result, Step};

use crate::annotations::{Annotations, sources};
use crate::error;
use crate::json::{pieces, push_field, push_string};
use crate::kept::{Kept, Place};
use crate::response::Block;
use crate::stop::{Stop, StopFields};
use crate::structured;
use crate::usage::{Counts, Usage};
use open::{Kind, OpenBlock, escaped, push_arguments, push_text};

/// Every chunk begins so; its delta's fields follow.
const CHUNK: &str = "{\"choices\":[{\"index\":0,\"delta\":{";
/// Ends a chunk that is not the last.
const CHUNK_END: &str = "},\"finish_reason\":null}]}";
/// More blocks than this are never open at once; one is the rule.
const MAX_OPEN: usize = 64;

/// An event, with every field that any known kind has. `type` may come last, so all is read in one pass.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<Start<'a>>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// The `delta` of `content_block_delta` and of `message_delta`.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow)]
    citation: Option<&'a RawValue>,
    stop_reason: Option<String>,
    #[serde(borrow)]
    stop_sequence: Option<&'a RawValue>,
    #[serde(borrow)]
    stop_details: Option<&'a RawValue>,
    #[serde(borrow)]
    container: Option<&'a RawValue>,
}

/// The `message` of `message_start`.
#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow, default)]
    content: Vec<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    stop_reason: Option<String>,
    #[serde(borrow)]
    container: Option<&'a RawValue>,
}

/// What an event that is no known one, or no JSON, may still tell.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub struct Events {
    structured: bool,
    open: Vec<OpenBlock>,
    calls: u64,
    annotations: Annotations,
    kept: Kept,
    usage: Usage,
    stop: Stop,
}

impl Events {
    /// `state`: what the request has left ([`Translated::state`](crate::Translated::state)).
    #[must_use]
    pub fn new(state: &str) -> Self {
        Self {
            structured: structured::is_state(state),
            ..Self::default()
        }
    }

    /// Reads one event, of this name or none, and adds the chunks it makes to `out`.
    ///
    /// # Errors
    /// What went wrong at the provider, or an event that cannot be read.
    pub fn event(&mut self, name: &str, data: &str, out: &mut Chunks) -> Result<Flow> {
        if name == "error" {
            return Err(error::from_event(data));
        }
        let Ok(event) = serde_json::from_str::<Event<'_>>(data) else {
            return unreadable(name, data);
        };
        match &*event.r#type {
            "content_block_delta" => self.delta(&event, data, out),
            "content_block_start" => {
                if let (Some(index), Some(block)) = (event.index, event.content_block) {
                    self.start_block(index, block.get(), out);
                }
            }
            "content_block_stop" => {
                if let Some(at) = self.open.iter().position(|block| Some(block.index) == event.index) {
                    let block = self.open.swap_remove(at);
                    self.finish_block(block, out);
                }
            }
            "message_start" => self.start(event.message, out),
            "message_delta" => self.message_delta(event),
            "message_stop" => return Ok(Flow::Ended),
            "error" => return Err(error::from_event(data)),
            _ if event.error.is_some() => return Err(error::from_event(data)),
            _ => {}
        }
        Ok(Flow::More)
    }

    /// The last chunks: finish reason, then usage.
    fn last_chunks(&mut self) -> Chunks {
        let mut out = Chunks::new();
        for block in std::mem::take(&mut self.open) {
            self.finish_block(block, &mut out);
        }
        let mut chunk = String::from(CHUNK);
        if let Some(refusal) = self.stop.refusal() {
            chunk.push_str("\"refusal\":");
            push_string(&mut chunk, &refusal);
        }
        self.annotations.push(&mut chunk);
        if let Some(extra) = self.kept.extra_content("anthropic") {
            push_field(&mut chunk, "extra_content", &extra);
        }
        chunk.push('}');
        self.stop.push(&mut chunk, self.calls > 0);
        chunk.push_str("}]}");
        out.push_text(chunk);
        self.push_usage(&mut out);
        out
    }

    /// What is known of the usage so far.
    fn push_usage(&self, out: &mut Chunks) {
        if let Some(usage) = self.usage.to_json() {
            out.push_text(format!("{{\"choices\":[],\"usage\":{usage}}}"));
        }
    }

    fn start(&mut self, message: Option<Start<'_>>, out: &mut Chunks) {
        out.push_text(format!("{CHUNK}\"role\":\"assistant\",\"content\":\"\"{CHUNK_END}"));
        let Some(message) = message else {
            return;
        };
        if let Some(counts) = &message.usage {
            self.usage.update(counts);
        }
        if let Some(container) = message.container {
            self.kept.contained(container.get());
        }
        self.stop.update(&StopFields {
            stop_reason: message.stop_reason,
            ..StopFields::default()
        });
        // Blocks that were there before the stream began come whole.
        for raw in message.content {
            self.start_block(u64::MAX, raw.get(), out);
            if let Some(block) = self.open.pop() {
                self.finish_block(block, out);
            }
        }
    }

    fn message_delta(&mut self, event: Event<'_>) {
        if let Some(counts) = &event.usage {
            self.usage.update(counts);
        }
        if let Some(delta) = event.delta {
            if let Some(container) = delta.container {
                self.kept.contained(container.get());
            }
            self.stop.update(&StopFields {
                stop_reason: delta.stop_reason,
                stop_sequence: delta.stop_sequence,
                stop_details: delta.stop_details,
            });
        }
    }

    fn start_block(&mut self, index: u64, raw: &str, out: &mut Chunks) {
        if self.open.len() >= MAX_OPEN {
            return self.kept.lose();
        }
        let block = OpenBlock::new(index, raw, self.calls, self.structured);
        match &block.kind {
            Kind::Text => push_text(out, "content", &block.body),
            Kind::Thinking => push_text(out, "reasoning_content", &block.body),
            Kind::Call => self.push_call(raw, out),
            Kind::Structured | Kind::Opaque => {}
        }
        self.open.push(block);
    }

    /// The chunk that names a call; its arguments follow.
    fn push_call(&mut self, raw: &str, out: &mut Chunks) {
        let Ok(block) = serde_json::from_str::<Block<'_>>(raw) else {
            return;
        };
        let mut chunk = format!("{CHUNK}\"tool_calls\":[{{\"index\":{},", self.calls);
        self.calls += 1;
        block.push_call(&mut chunk);
        chunk.push_str("\"\"}}]");
        chunk.push_str(CHUNK_END);
        out.push_text(chunk);
    }

    fn delta(&mut self, event: &Event<'_>, data: &str, out: &mut Chunks) {
        let Some(delta) = &event.delta else {
            return;
        };
        let Some(block) = self
            .open
            .iter_mut()
            .rev()
            .find(|block| Some(block.index) == event.index)
        else {
            return;
        };
        match (&*delta.r#type, block.kind) {
            ("text_delta", Kind::Text) => {
                block.body.push_str(pieces(delta.text));
                push_text(out, "content", pieces(delta.text));
            }
            ("thinking_delta", Kind::Thinking) => {
                block.body.push_str(pieces(delta.thinking));
                push_text(out, "reasoning_content", pieces(delta.thinking));
            }
            ("signature_delta", Kind::Thinking) => block.sign(pieces(delta.signature)),
            ("citations_delta", Kind::Text) => block.cite(delta.citation),
            ("input_json_delta", kind) => {
                let piece = pieces(delta.partial_json);
                block.body.push_str(piece);
                match kind {
                    Kind::Call => push_arguments(out, block.call, piece),
                    Kind::Structured => push_text(out, "content", piece),
                    Kind::Text | Kind::Thinking | Kind::Opaque => {}
                }
            }
            _ => block.patch(data),
        }
    }

    fn finish_block(&mut self, block: OpenBlock, out: &mut Chunks) {
        if block.body.is_empty() {
            // Nothing was streamed: the input is the one the block began with.
            match block.kind {
                Kind::Call => push_arguments(out, block.call, &escaped(&block.first_input())),
                Kind::Structured => push_text(out, "content", &escaped(&block.first_input())),
                Kind::Text | Kind::Thinking | Kind::Opaque => {}
            }
        }
        if block.kind == Kind::Text {
            self.annotations.text(&block.body, sources(&block.citations()));
        }
        match block.whole() {
            None => self.kept.lose(),
            Some((_, whole)) if whole.is_empty() => {}
            Some((place, whole)) => {
                if place == Place::Thinking {
                    out.push_text(self.thinking_chunk(&whole));
                }
                self.kept.add(place, &whole);
            }
        }
    }

    /// A finished thinking block. Its number lets clients that merge chunks tell one from the next.
    fn thinking_chunk(&mut self, block: &str) -> String {
        let (number, fields) = (self.kept.next_thinking(), block.trim_start_matches('{'));
        format!("{CHUNK}\"thinking_blocks\":[{{\"index\":{number},{fields}]{CHUNK_END}")
    }
}

impl Decoder for Events {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        self.event(frame.event(), frame.text()?, out)
    }

    fn finish(&mut self, end: End) -> Result<Step> {
        match end {
            End::Ended => self.last_chunks().end(),
            // The reason comes after all text, so nothing is missing but the end mark.
            End::Eof if self.stop.known() => self.last_chunks().end(),
            End::Eof => end.complete(),
            _ => {
                let mut out = Chunks::new();
                self.push_usage(&mut out);
                out.end()
            }
        }
    }
}

/// What an event means that does not have the known shape: a kind that is new, or one that is broken.
fn unreadable(name: &str, data: &str) -> Result<Flow> {
    let kind = match serde_json::from_str::<Named<'_>>(data) {
        Ok(event) => event.r#type,
        Err(_) if data.trim() == "[DONE]" => return Ok(Flow::More),
        Err(_) => name.into(),
    };
    let known = ["message_start", "message_delta", "message_stop", ""];
    if known.contains(&&*kind) || kind.starts_with("content_block_") {
        return Err(error::unreadable(
            0,
            "The provider sent an event that cannot be read.",
            data,
        ));
    }
    Ok(Flow::More)
}
