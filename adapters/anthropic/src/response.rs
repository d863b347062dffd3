//! A whole answer: Anthropic's message to a `chat.completion`.

mod block;

pub(crate) use block::Block;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Response, Result, Step};

use crate::annotations::{Annotations, sources};
use crate::error;
use crate::json::{Object, pieces, push_comma, push_escaped, push_field, push_list, push_quoted, push_string};
use crate::kept::{Kept, Place};
use crate::stop::{Stop, StopFields};
use crate::structured;
use crate::usage::{Counts, Usage};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    stop_reason: Option<String>,
    #[serde(borrow)]
    stop_sequence: Option<&'a RawValue>,
    #[serde(borrow)]
    stop_details: Option<&'a RawValue>,
    #[serde(borrow)]
    container: Option<&'a RawValue>,
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

/// The client's answer to a reply that was read whole, whatever its status.
///
/// # Errors
/// What the provider reports, or an answer that is no message.
pub fn answer(reply: &Response) -> Result<Step> {
    if !reply.is_success() {
        return Err(error::from_reply(reply));
    }
    let body = reply.text()?;
    if let Some(answer) = message(body, reply.state()) {
        return Ok(Step::done_text(answer));
    }
    if Object::parse(body).is_some_and(|object| object.get("error").is_some()) {
        return Err(error::from_reply(reply));
    }
    let text = "The provider's answer is no message.";
    Err(error::unreadable(reply.status(), text, body))
}

/// The answer's JSON text, or `None` if `body` is no message. `state`: what the request has left.
#[must_use]
pub fn message(body: &str, state: &str) -> Option<String> {
    let structured = structured::is_state(state);
    let message: Message<'_> = serde_json::from_str(body).ok()?;
    let mut answer = Answer::default();
    for raw in &message.content {
        answer.add(raw.get(), structured);
    }
    if let Some(container) = message.container {
        answer.kept.contained(container.get());
    }
    let mut stop = Stop::default();
    stop.update(&StopFields {
        stop_reason: message.stop_reason,
        stop_sequence: message.stop_sequence,
        stop_details: message.stop_details,
    });
    let mut usage = Usage::default();
    if let Some(counts) = &message.usage {
        usage.update(counts);
    }
    let mut out = String::with_capacity(body.len() + 256);
    out.push_str("{\"choices\":[{\"index\":0,\"message\":");
    answer.push_message(&mut out, &stop);
    stop.push(&mut out, !answer.tool_calls.is_empty());
    out.push_str("}]");
    if let Some(usage) = usage.to_json() {
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
        match &*block.r#type {
            "text" => {
                self.text.get_or_insert_default().push_str(pieces(block.text));
                let sources = block.citations.map(|list| sources(list.get()));
                self.annotations.text(pieces(block.text), sources.into_iter().flatten());
                if !pieces(block.text).is_empty() {
                    self.kept.add(block.place(), raw);
                }
            }
            "thinking" | "redacted_thinking" => {
                self.reasoning.push_str(pieces(block.thinking));
                push_comma(&mut self.thinking_blocks);
                self.thinking_blocks.push_str(raw);
                self.kept.add(Place::Thinking, raw);
            }
            "tool_use" if structured && block.name.as_deref() == Some(structured::TOOL) => {
                let text = self.text.get_or_insert_default();
                push_escaped(text, block.input.map_or("{}", RawValue::get));
            }
            "tool_use" => {
                push_comma(&mut self.tool_calls);
                self.tool_calls.push('{');
                block.push_call(&mut self.tool_calls);
                push_string(&mut self.tool_calls, block.input.map_or("{}", RawValue::get));
                self.tool_calls.push_str("}}");
                self.kept.add(block.place(), raw);
            }
            _ => self.kept.add(Place::Other, raw),
        }
    }

    fn push_message(&self, out: &mut String, stop: &Stop) {
        out.push_str("{\"role\":\"assistant\",\"content\":");
        match &self.text {
            Some(text) => push_quoted(out, text),
            None if self.tool_calls.is_empty() => out.push_str("\"\""),
            None => out.push_str("null"),
        }
        if let Some(refusal) = stop.refusal() {
            out.push_str(",\"refusal\":");
            push_string(out, &refusal);
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
        if let Some(extra) = self.kept.extra_content("anthropic") {
            push_field(out, "extra_content", &extra);
        }
        out.push('}');
    }
}
