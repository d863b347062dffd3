//! A whole answer: Converse's message to a `chat.completion`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_anthropic::{Annotations, Kept, Place};

use crate::block::{Block, KEY, Reasoning};
use crate::json::{Object, pieces, push_comma, push_escaped, push_field, push_list, push_quoted, push_string};
use crate::stop::Stop;
use crate::structured;
use crate::thought::{Thought, push_thought};
use crate::usage::Counts;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    #[serde(borrow)]
    output: Output<'a>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    #[serde(borrow)]
    trace: Option<&'a RawValue>,
    #[serde(borrow)]
    additional_model_response_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
}

/// The answer as it grows, block by block. What are strings here are pieces of JSON strings: still escaped, without their quotes.
#[derive(Default)]
struct Answer {
    text: Option<String>,
    reasoning: String,
    thinking_blocks: String,
    tool_calls: String,
    annotations: Annotations,
    kept: Kept,
}

/// The answer's JSON text, or `None` if `body` is none. `structured`: a forced tool stands for the response format.
pub(crate) fn translate(body: &str, structured: bool) -> Option<String> {
    let reply: Reply<'_> = serde_json::from_str(body).ok()?;
    let mut answer = Answer::default();
    for raw in &reply.output.message.content {
        answer.add(raw.get(), structured);
    }
    let mut stop = Stop::default();
    stop.update(reply.stop_reason.as_deref());
    stop.keep("trace", reply.trace);
    stop.keep(
        "additional_model_response_fields",
        reply.additional_model_response_fields,
    );
    let mut out = String::with_capacity(body.len() + 256);
    out.push_str("{\"choices\":[{\"index\":0,\"message\":");
    answer.push_message(&mut out);
    stop.push(&mut out, !answer.tool_calls.is_empty());
    out.push_str("}]");
    if let Some(usage) = reply.usage.and_then(|counts| counts.to_json()) {
        push_field(&mut out, "usage", &usage);
    }
    out.push('}');
    Some(out)
}

impl Answer {
    fn add(&mut self, raw: &str, structured: bool) {
        let Ok(block) = serde_json::from_str::<Block<'_>>(raw) else {
            // Not a kind that is known here: kept for the next request if it is an object at all.
            if Object::parse(raw).is_some() {
                self.kept.add(Place::Other, raw);
            }
            return;
        };
        let mut said = false;
        for text in block.texts() {
            self.text.get_or_insert_default().push_str(pieces(Some(text)));
            said |= !pieces(Some(text)).is_empty();
        }
        let texts: String = block.texts().map(|text| pieces(Some(text))).collect();
        self.annotations.text(&texts, block.sources());
        if let Some(thought) = &block.reasoning_content {
            self.add_thought(thought);
        }
        if let Some(call) = block.client_call() {
            let input = call.input.map_or("{}", RawValue::get);
            if structured && call.name.as_deref() == Some(structured::TOOL) {
                push_escaped(self.text.get_or_insert_default(), input);
                return;
            }
            push_comma(&mut self.tool_calls);
            self.tool_calls.push('{');
            call.push(&mut self.tool_calls);
            push_string(&mut self.tool_calls, input);
            self.tool_calls.push_str("}}");
        }
        if said || block.text.is_none() {
            self.kept.add(block.place(), raw);
        }
    }

    fn add_thought(&mut self, thought: &Reasoning<'_>) {
        let thought = match thought.redacted_content {
            Some(data) => Thought::Redacted(pieces(Some(data))),
            None => Thought::Readable {
                text: pieces(thought.text()),
                signature: pieces(thought.signature()),
            },
        };
        if let Thought::Readable { text, .. } = &thought {
            self.reasoning.push_str(text);
        }
        push_comma(&mut self.thinking_blocks);
        self.thinking_blocks.push('{');
        push_thought(&mut self.thinking_blocks, &thought);
        self.thinking_blocks.push('}');
    }

    fn push_message(&self, out: &mut String) {
        out.push_str("{\"role\":\"assistant\",\"content\":");
        match &self.text {
            Some(text) => push_quoted(out, text),
            None if self.tool_calls.is_empty() => out.push_str("\"\""),
            None => out.push_str("null"),
        }
        if !self.reasoning.is_empty() {
            out.push_str(",\"reasoning_content\":");
            push_quoted(out, &self.reasoning);
        }
        for (key, list) in [
            ("thinking_blocks", &self.thinking_blocks),
            ("tool_calls", &self.tool_calls),
        ] {
            push_list(out, key, list);
        }
        self.annotations.push(out);
        if let Some(extra) = self.kept.extra_content(KEY) {
            push_field(out, "extra_content", &extra);
        }
        out.push('}');
    }
}
