//! An assistant's message, back to the items it came from.

use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::chat::{Message, ToolCall};
use super::parts::{self, Side};
use super::refuse;
use crate::json::{Object, push_comma, push_field, push_string};
use crate::output::Item;

/// Adds the items of an assistant's message: text, then calls; or the very items an earlier answer gave.
pub(super) fn push(out: &mut String, message: &Message<'_>, at: usize) -> Result<(), Failure> {
    if let Some(items) = own_items(message) {
        push_comma(out);
        out.push_str(&items);
        return Ok(());
    }
    let content = message
        .content
        .filter(|content| !matches!(content.get(), "null" | "\"\"" | "[]"));
    let refusal = message.refusal.filter(|text| !matches!(text.get(), "null" | "\"\""));
    if content.is_some() || refusal.is_some() || message.calls().is_empty() {
        push_comma(out);
        out.push_str("{\"type\":\"message\",\"role\":\"assistant\",\"content\":");
        match refusal {
            Some(refusal) => push_parts(out, content, refusal, at)?,
            None => parts::push(out, content, Side::Output, at)?,
        }
        out.push('}');
    }
    for (number, call) in message.calls().iter().enumerate() {
        push_call(out, call).ok_or_else(|| {
            let text = "A tool call needs an id and a function.";
            refuse(text, format!("messages[{at}].tool_calls[{number}]"))
        })?;
    }
    Ok(())
}

/// Writes text and refusal as a list.
fn push_parts(out: &mut String, content: Option<&RawValue>, refusal: &RawValue, at: usize) -> Result<(), Failure> {
    out.push('[');
    match content.map(RawValue::get) {
        Some(text) if text.starts_with('"') => parts::push_text(out, text, Side::Output),
        Some(list) => parts::push_list(out, list, Side::Output, at)?,
        None => {}
    }
    push_comma(out);
    parts::push_refusal(out, refusal.get());
    out.push(']');
    Ok(())
}

/// The items in `extra_content`, if they still say what the message says: a client may have changed its text or its calls.
fn own_items(message: &Message<'_>) -> Option<String> {
    let extra = Object::parse(message.extra_content?.get())?;
    let list = Object::parse(extra.get("openai")?)?.get("output")?;
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    let items: Vec<Item<'_>> = items.iter().filter_map(|raw| Item::parse(raw.get())).collect();
    let said: String = items.iter().map(Item::text).collect();
    let made = items.iter().filter_map(Item::call);
    let asked = message
        .calls()
        .iter()
        .map(|call| call.id.as_deref().unwrap_or_default());
    let same = parts::text_of(message.content) == said && made.map(|call| call.id).eq(asked);
    let inside = list.trim().trim_start_matches('[').trim_end_matches(']');
    (same && !inside.trim().is_empty()).then(|| inside.to_owned())
}

fn push_call(out: &mut String, call: &ToolCall<'_>) -> Option<()> {
    let id = call.id.as_deref().filter(|id| !id.is_empty())?;
    let (kind, called) = match (&call.function, &call.custom) {
        (Some(function), _) => ("\"function_call\"", function),
        (None, Some(custom)) => ("\"custom_tool_call\"", custom),
        (None, None) => return None,
    };
    push_comma(out);
    out.push('{');
    push_field(out, "type", kind);
    out.push_str(",\"call_id\":");
    push_string(out, id);
    push_field(out, "name", called.name.get());
    match &call.function {
        Some(function) => out.push_str(&arguments(function.arguments)),
        None => push_field(out, "input", called.input.map_or("\"\"", RawValue::get)),
    }
    out.push('}');
    Some(())
}

/// The arguments, which the API takes as a string only, as a chat does; some clients send an object.
fn arguments(given: Option<&RawValue>) -> String {
    let mut out = String::from(",\"arguments\":");
    match given.map(RawValue::get) {
        None | Some("null" | "\"\"") => out.push_str("\"{}\""),
        Some(text) if text.starts_with('"') => out.push_str(text),
        Some(object) => push_string(&mut out, object),
    }
    out
}
