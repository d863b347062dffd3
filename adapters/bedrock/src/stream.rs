//! A streamed answer: Converse's events to chunks, one event at a time.

mod open;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_anthropic::{Annotations, Kept};
use witgate_sdk::{Chunks, Decoder, End, Flow, Frame, Result, Step};

use crate::block::{KEY, Reasoning, ToolUse, source};
use crate::error;
use crate::json::{pieces, push_field};
use crate::stop::Stop;
use crate::thought::push_thought;
use crate::usage::Counts;
use open::{Kind, OpenBlock};

/// Every chunk begins so; its delta's fields follow.
const CHUNK: &str = "{\"choices\":[{\"index\":0,\"delta\":{";
/// Ends a chunk that is not the last.
const CHUNK_END: &str = "},\"finish_reason\":null}]}";
/// More blocks than this are never open at once; one is the rule.
const MAX_OPEN: usize = 64;

/// An event about a block, with every field that any of them has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockEvent<'a> {
    #[serde(default)]
    content_block_index: u64,
    #[serde(borrow)]
    start: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
    #[serde(borrow)]
    reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow)]
    citation: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_result: Option<&'a RawValue>,
    #[serde(borrow)]
    image: Option<&'a RawValue>,
}

/// The end of the message, and what comes after it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndEvent<'a> {
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    additional_model_response_fields: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    #[serde(borrow)]
    trace: Option<&'a RawValue>,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub struct Events {
    structured: bool,
    open: Vec<OpenBlock>,
    calls: u64,
    annotations: Annotations,
    kept: Kept,
    stop: Stop,
    /// The last chunks were given.
    over: bool,
}

impl Events {
    /// `structured`: a forced tool stands for the response format, its input is the answer's text.
    #[must_use]
    pub fn new(structured: bool) -> Self {
        Self {
            structured,
            ..Self::default()
        }
    }

    /// Reads one event and adds the chunks it makes to `out`. Events that are new are passed over.
    pub(crate) fn event(&mut self, name: &str, data: &str, out: &mut Chunks) -> Result<()> {
        match name {
            "contentBlockDelta" => self.delta(&read(data)?, out),
            "contentBlockStart" => self.start(&read(data)?, out),
            "contentBlockStop" => {
                let event: BlockEvent<'_> = read(data)?;
                if let Some(at) = self.place_of(event.content_block_index) {
                    let block = self.open.swap_remove(at);
                    self.finish_block(&block, out);
                }
            }
            "messageStart" => out.push_text([CHUNK, "\"role\":\"assistant\",\"content\":\"\"", CHUNK_END].concat()),
            "messageStop" => {
                let event: EndEvent<'_> = read(data)?;
                self.stop
                    .update(Some(event.stop_reason.as_deref().unwrap_or("end_turn")));
                let fields = event.additional_model_response_fields;
                self.stop.keep("additional_model_response_fields", fields);
            }
            "metadata" => {
                let event: EndEvent<'_> = read(data)?;
                self.stop.keep("trace", event.trace);
                self.push_last(event.usage.as_ref(), out);
            }
            _ => {}
        }
        Ok(())
    }

    /// True once the provider has said how the message ended.
    pub(crate) fn complete(&self) -> bool {
        self.stop.known()
    }

    /// The last chunks: finish reason, then usage. Only once, and only for a message that has ended.
    pub(crate) fn push_last(&mut self, usage: Option<&Counts<'_>>, out: &mut Chunks) {
        if self.complete() && !self.over {
            self.over = true;
            for block in std::mem::take(&mut self.open) {
                self.finish_block(&block, out);
            }
            let mut chunk = String::from(CHUNK);
            self.annotations.push(&mut chunk);
            if let Some(extra) = self.kept.extra_content(KEY) {
                push_field(&mut chunk, "extra_content", &extra);
            }
            chunk.push('}');
            self.stop.push(&mut chunk, self.calls > 0);
            chunk.push_str("}]}");
            out.push_text(chunk);
        }
        if let Some(usage) = usage.and_then(Counts::to_json) {
            out.push_text(["{\"choices\":[],\"usage\":", &usage, "}"].concat());
        }
    }

    fn place_of(&self, index: u64) -> Option<usize> {
        self.open.iter().position(|block| block.index == index)
    }

    fn start(&mut self, event: &BlockEvent<'_>, out: &mut Chunks) {
        let Some(raw) = event.start.map(RawValue::get).filter(|raw| *raw != "{}") else {
            return;
        };
        let start: Option<Start<'_>> = serde_json::from_str(raw).ok();
        let call = start.and_then(|start| start.tool_use);
        let kind = match &call {
            Some(call) if call.is_the_servers() => Kind::Opaque,
            Some(call) if self.structured && call.name.as_deref() == Some(crate::structured::TOOL) => Kind::Structured,
            Some(_) => Kind::Call,
            None => Kind::Opaque,
        };
        let mut block = OpenBlock::new(event.content_block_index, kind);
        raw.clone_into(&mut block.head);
        if let (Kind::Call, Some(call)) = (kind, &call) {
            block.call = self.calls;
            let mut chunk = format!("{CHUNK}\"tool_calls\":[{{\"index\":{},", self.calls);
            self.calls += 1;
            call.push(&mut chunk);
            chunk.push_str("\"\"}}]");
            chunk.push_str(CHUNK_END);
            out.push_text(chunk);
        }
        self.add(block);
    }

    /// Opens a block; its place.
    fn add(&mut self, block: OpenBlock) -> Option<usize> {
        if self.open.len() >= MAX_OPEN {
            self.kept.lose();
            return None;
        }
        self.open.push(block);
        Some(self.open.len() - 1)
    }

    fn delta(&mut self, event: &BlockEvent<'_>, out: &mut Chunks) {
        let Some(delta) = &event.delta else {
            return;
        };
        let index = event.content_block_index;
        // Texts and thoughts begin without a start.
        let kind = if delta.reasoning_content.is_some() {
            Kind::Thinking
        } else {
            Kind::Text
        };
        let place = self.place_of(index).or_else(|| self.add(OpenBlock::new(index, kind)));
        let Some(block) = place.and_then(|place| self.open.get_mut(place)) else {
            return;
        };
        if let Some(text) = delta.text {
            block.body.push_str(pieces(Some(text)));
            push_text(out, "content", pieces(Some(text)));
        } else if let Some(thought) = &delta.reasoning_content {
            let text = pieces(thought.text());
            block.body.push_str(text);
            block.signature.push_str(pieces(thought.signature()));
            block.redact(pieces(thought.redacted_content));
            push_text(out, "reasoning_content", text);
        } else if let Some(call) = &delta.tool_use {
            let piece = pieces(call.input);
            block.body.push_str(piece);
            match block.kind {
                Kind::Call => push_arguments(out, block.call, piece),
                Kind::Structured => push_text(out, "content", piece),
                Kind::Text | Kind::Thinking | Kind::Opaque => {}
            }
        } else if let Some(citation) = delta.citation {
            block.list(citation.get());
        } else if let Some(results) = delta.tool_result {
            block.list(results.get().trim_start_matches('[').trim_end_matches(']'));
        } else if let Some(image) = delta.image {
            block.picture(image.get());
        } else {
            self.kept.lose();
        }
    }

    fn finish_block(&mut self, block: &OpenBlock, out: &mut Chunks) {
        if block.body.is_empty() {
            // Nothing was streamed: a call without arguments.
            match block.kind {
                Kind::Call => push_arguments(out, block.call, "{}"),
                Kind::Structured => push_text(out, "content", "{}"),
                Kind::Text | Kind::Thinking | Kind::Opaque => {}
            }
        }
        if block.kind == Kind::Thinking {
            out.push_text(self.thinking_chunk(block));
        }
        if block.kind == Kind::Text {
            let list = block.citations();
            let citations: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
            let sources = citations.iter().filter_map(|citation| source(citation.get()));
            self.annotations.text(&block.body, sources);
        }
        match block.whole() {
            None => self.kept.lose(),
            Some((_, whole)) if whole.is_empty() => {}
            Some((place, whole)) => self.kept.add(place, &whole),
        }
    }

    /// A finished thinking block. Its number lets clients that merge chunks tell one from the next.
    fn thinking_chunk(&mut self, block: &OpenBlock) -> String {
        let mut chunk = format!("{CHUNK}\"thinking_blocks\":[{{\"index\":{},", self.kept.next_thinking());
        push_thought(&mut chunk, &block.thought());
        chunk.push_str("}]");
        chunk.push_str(CHUNK_END);
        chunk
    }
}

impl Decoder for Events {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if frame.header(":message-type").is_some_and(|kind| kind != "event") {
            return Err(error::from_exception(frame));
        }
        self.event(frame.event(), frame.text()?, out)?;
        Ok(Flow::More)
    }

    fn finish(&mut self, end: End) -> Result<Step> {
        let mut out = Chunks::new();
        if !end.is_broken() {
            if !self.complete() {
                return end.complete();
            }
            self.push_last(None, &mut out);
        }
        out.end()
    }
}

/// Reads an event of a known name.
fn read<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T> {
    serde_json::from_str(data)
        .map_err(|_| error::unreadable(0, "The provider sent an event that cannot be read.", data))
}

/// Adds a chunk whose delta is one string field. `text` is escaped already.
fn push_text(out: &mut Chunks, key: &str, text: &str) {
    if !text.is_empty() {
        out.push_text([CHUNK, "\"", key, "\":\"", text, "\"", CHUNK_END].concat());
    }
}

/// Adds a chunk with a piece of a call's arguments. `text` is escaped already.
fn push_arguments(out: &mut Chunks, call: u64, text: &str) {
    if !text.is_empty() {
        out.push_text(format!(
            "{CHUNK}\"tool_calls\":[{{\"index\":{call},\"function\":{{\"arguments\":\"{text}\"}}}}]{CHUNK_END}"
        ));
    }
}
