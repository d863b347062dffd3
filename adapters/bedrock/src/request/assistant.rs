//! An assistant's message, back to the blocks it came from.

use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::chat::{Message, ToolCall};
use super::conversation::push_call_id;
use super::parts::{Parts, push_cache_point, push_text};
use super::refuse;
use crate::block::Block;
use crate::json::{Object, push_comma, push_field, push_string, string};
use crate::kept::KEY;

/// Adds the blocks of an assistant's message: thinking, then text, then calls; or the very blocks an earlier answer gave. `last`: the
/// conversation ends with it, so the model goes on where it ends. `cache`: the model takes cache points.
pub(super) fn push(out: &mut String, message: &Message<'_>, at: usize, last: bool, cache: bool) -> Result<(), Failure> {
    if let Some(blocks) = own_blocks(message) {
        push_comma(out);
        out.push_str(&blocks);
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
fn own_blocks(message: &Message<'_>) -> Option<String> {
    let extra = Object::parse(message.extra_content?.get())?;
    let list = Object::parse(extra.get(KEY)?)?.get("content")?;
    let blocks: Vec<Block<'_>> = serde_json::from_str(list).ok()?;
    let said: String = blocks.iter().map(Block::said).collect();
    let made = blocks
        .iter()
        .filter_map(Block::client_call)
        .map(|call| call.id.as_deref());
    let asked = message.calls().iter().map(|call| call.id.as_deref());
    let same = message_text(message) == said && made.eq(asked);
    same.then(|| list.trim().trim_start_matches('[').trim_end_matches(']').to_owned())
        .filter(|blocks| !blocks.trim().is_empty())
}

fn message_text(message: &Message<'_>) -> String {
    let Some(content) = message.content.map(RawValue::get) else {
        return String::new();
    };
    if let Some(text) = string(content) {
        return text.into_owned();
    }
    let parts: Vec<Object<'_>> = serde_json::from_str(content).unwrap_or_default();
    parts.iter().filter_map(|part| part.text("text")).collect()
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
    push_input(out, function.arguments.map_or("\"\"", RawValue::get));
    out.push_str("}}");
    Some(())
}

/// Writes the arguments as the object the API wants. A model may have written what is no object: that is kept as a text in one.
fn push_input(out: &mut String, arguments: &str) {
    let is_object = |text: &str| text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok();
    let text = string(arguments);
    let input = text.as_deref().unwrap_or(arguments).trim();
    if is_object(input) {
        out.push_str(input);
    } else if input.is_empty() || input == "null" {
        out.push_str("{}");
    } else {
        out.push_str("{\"arguments\":");
        push_string(out, input);
        out.push('}');
    }
}
