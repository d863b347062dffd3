//! An assistant's message, back to the blocks it came from.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolCall};

use super::conversation::push_call_id;
use super::parts::{Parts, push_cache_point, push_text};
use super::refuse;
use crate::block::{Block, KEY};
use crate::json::{Object, between_brackets, push_comma, push_field, push_string, string};

/// Adds the blocks of an assistant's message: thinking, then text, then calls; or the very blocks an earlier answer gave. `last`: the
/// conversation ends with it, so the model goes on where it ends. `cache`: the model takes cache points.
pub(super) fn push(out: &mut String, message: &Message<'_>, at: usize, last: bool, cache: bool) -> Result<(), Failure> {
    if let Some(blocks) = own_blocks(message) {
        push_comma(out);
        out.push_str(blocks);
        return Ok(());
    }
    for block in message.thinking_blocks.iter().flatten() {
        push_thinking(out, block.get());
    }
    let start = out.len();
    match message.content.map(RawValue::get).and_then(string) {
        // The API takes no blanks at the end of a text that the model is to continue.
        Some(text) if last && message.calls().is_empty() && text.ends_with(char::is_whitespace) => {
            let mut trimmed = String::new();
            push_string(&mut trimmed, text.trim_end());
            push_text(out, &trimmed);
        }
        _ => Parts::new(at, 0, cache).push(out, message.content, None)?,
    }
    if let Some(refusal) = message.refusal {
        push_text(out, refusal.get());
    }
    for (number, call) in message.calls().iter().enumerate() {
        push_call(out, call).ok_or_else(|| {
            let text = "A tool call needs an id and a function.".to_owned();
            refuse(text, format!("messages[{at}].tool_calls[{number}]"))
        })?;
    }
    if out.len() > start && cache {
        push_cache_point(out, message.cache_control.map(RawValue::get));
    }
    Ok(())
}

/// The blocks in `extra_content`, if they still say what the message says: a client may have changed its text or its calls.
fn own_blocks<'a>(message: &Message<'a>) -> Option<&'a str> {
    let list = message.extra(KEY)?.get("content")?;
    let blocks: Vec<Block<'_>> = serde_json::from_str(list).ok()?;
    let said: String = blocks.iter().map(Block::said).collect();
    let made = blocks
        .iter()
        .filter_map(Block::client_call)
        .map(|call| call.id.as_deref());
    let asked = message.calls().iter().map(|call| call.id.as_deref());
    let same = message.text() == said && made.eq(asked);
    between_brackets(list).filter(|blocks| same && !blocks.trim().is_empty())
}

/// Adds a signed thought, as Anthropic writes it and as answers are given out here.
fn push_thinking(out: &mut String, block: &str) {
    let Some(block) = Object::parse(block) else {
        return;
    };
    match block.text("type").as_deref() {
        Some("thinking") => {
            let (Some(text), signature) = (block.get("thinking"), block.get("signature")) else {
                return;
            };
            push_comma(out);
            out.push_str("{\"reasoningContent\":{\"reasoningText\":{\"text\":");
            out.push_str(text);
            // Models other than Claude do not sign.
            if let Some(signature) = signature.filter(|signature| *signature != "\"\"") {
                push_field(out, "signature", signature);
            }
            out.push_str("}}}");
        }
        Some("redacted_thinking") => {
            if let Some(data) = block.get("data") {
                push_comma(out);
                out.push_str("{\"reasoningContent\":{\"redactedContent\":");
                out.push_str(data);
                out.push_str("}}");
            }
        }
        _ => {}
    }
}

fn push_call(out: &mut String, call: &ToolCall<'_>) -> Option<()> {
    let id = call.id.as_deref().filter(|id| !id.is_empty())?;
    let function = call.function.as_ref()?;
    push_comma(out);
    out.push_str("{\"toolUse\":{\"toolUseId\":");
    push_call_id(out, id);
    push_field(out, "name", function.name.get());
    out.push_str(",\"input\":");
    function.push_arguments(out);
    out.push_str("}}");
    Some(())
}
