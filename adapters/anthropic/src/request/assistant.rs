//! An assistant's message, back to the blocks it came from.

use serde_json::value::RawValue;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolCall};

use super::conversation::push_call_id;
use super::parts::{Parts, push_marker, push_text};
use super::refuse;
use crate::json::{Object, between_brackets, push_comma, push_field, push_string, string};
use crate::response::Block;

/// Adds the blocks of an assistant's message: thinking, then text, then calls; or the very blocks an earlier answer gave. `last`: the
/// conversation ends with it, so the model goes on where it ends.
pub(super) fn push(out: &mut String, message: &Message<'_>, at: usize, last: bool) -> Result<(), Failure> {
    let calls = message.calls();
    if let Some(blocks) = own_blocks(message) {
        push_comma(out);
        out.push_str(blocks);
        return Ok(());
    }
    for block in message.thinking_blocks.iter().flatten() {
        push_thinking(out, block.get());
    }
    let start = out.len();
    let mut uploaded_files = false;
    let mut parts = Parts {
        message: at,
        uploaded_files: &mut uploaded_files,
    };
    let continued = message.content.filter(|_| last && calls.is_empty());
    match continued.map(RawValue::get).and_then(string) {
        // The API takes no blanks at the end of a text that the model is to continue.
        Some(text) if text.ends_with(char::is_whitespace) => {
            let mut trimmed = String::new();
            push_string(&mut trimmed, text.trim_end());
            push_text(out, &trimmed);
        }
        _ => parts.push(out, message.content, None)?,
    }
    if let Some(refusal) = message.refusal {
        push_text(out, refusal.get());
    }
    for (number, call) in calls.iter().enumerate() {
        push_call(out, call).ok_or_else(|| {
            let text = "A tool call needs an id and a function.".to_owned();
            refuse(text, format!("messages[{at}].tool_calls[{number}]"))
        })?;
    }
    if out.len() > start {
        push_marker(out, message.cache_control.map(RawValue::get));
    }
    Ok(())
}

/// The blocks in `extra_content`, if they still say what the message says: a client may have changed its text or its calls.
fn own_blocks<'a>(message: &Message<'a>) -> Option<&'a str> {
    let list = message.extra("anthropic")?.get("content")?;
    let blocks: Vec<Block<'_>> = serde_json::from_str(list).ok()?;
    let of_kind = |kind: &'static str| blocks.iter().filter(move |block| block.r#type == kind);
    let said: String = of_kind("text").filter_map(|block| string(block.text?.get())).collect();
    let made = of_kind("tool_use").map(|block| block.id.as_deref());
    let asked = message.calls().iter().map(|call| call.id.as_deref());
    let same = message.text() == said && made.eq(asked);
    between_brackets(list).filter(|blocks| same && !blocks.trim().is_empty())
}

/// Adds a signed thought. Only Anthropic's own fields: it refuses others, such as the number that streams add.
fn push_thinking(out: &mut String, block: &str) {
    let Some(block) = Object::parse(block) else {
        return;
    };
    let r#type = block.text("type");
    let fields: &[&str] = match r#type.as_deref() {
        Some("thinking") => &["thinking", "signature"],
        Some("redacted_thinking") => &["data"],
        _ => return,
    };
    // Without its signature the API does not take it.
    if fields.iter().any(|field| block.get(field).is_none()) {
        return;
    }
    push_comma(out);
    out.push('{');
    for field in ["type"].iter().chain(fields) {
        push_field(out, field, block.get(field).unwrap_or_default());
    }
    out.push('}');
}

fn push_call(out: &mut String, call: &ToolCall<'_>) -> Option<()> {
    let id = call.id.as_deref().filter(|id| !id.is_empty())?;
    let function = call.function.as_ref()?;
    push_comma(out);
    out.push_str("{\"type\":\"tool_use\",\"id\":");
    push_call_id(out, id);
    push_field(out, "name", function.name.get());
    out.push_str(",\"input\":");
    function.push_arguments(out);
    out.push('}');
    push_marker(out, call.cache_control.map(RawValue::get));
    Some(())
}
