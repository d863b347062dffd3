//! An assistant's message, back to the items it came from.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolCall};

use super::parts::Part;
use super::refuse;
use crate::declared::Declared;
use crate::json::{between_brackets, between_quotes, pieces, push_comma, push_field, push_string};
use crate::output::Item;

/// Adds the items of an assistant's message: text, then calls.
pub(super) fn push(out: &mut String, message: &Message<'_>, at: usize) -> Result<(), Failure> {
    let (text, refusal) = said(message, at)?;
    if !text.is_empty() || !refusal.is_empty() || message.calls().is_empty() {
        push_comma(out);
        out.push_str("{\"type\":\"message\",\"role\":\"assistant\",\"content\":");
        push_content(out, &text, &refusal);
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

/// What the assistant said, and what it refused to: pieces of JSON strings. Thoughts of other providers are left out.
fn said(message: &Message<'_>, at: usize) -> Result<(String, String), Failure> {
    let mut refusal = pieces(message.refusal).to_owned();
    let content = message.content.map_or("null", RawValue::get);
    if !content.starts_with('[') {
        return Ok((between_quotes(content).unwrap_or_default().to_owned(), refusal));
    }
    let wrong = || refuse("This content cannot be read.", format!("messages[{at}].content"));
    let parts: Vec<Part<'_>> = serde_json::from_str(content).map_err(|_| wrong())?;
    let text = parts.iter().map(|part| pieces(part.text)).collect();
    parts.iter().for_each(|part| refusal.push_str(pieces(part.refusal)));
    Ok((text, refusal))
}

/// Writes the text as a string, which is all that the API takes of a message without an id; a refusal has no other form than a part.
fn push_content(out: &mut String, text: &str, refusal: &str) {
    if refusal.is_empty() {
        for piece in ["\"", text, "\""] {
            out.push_str(piece);
        }
        return;
    }
    out.push('[');
    if !text.is_empty() {
        for piece in ["{\"type\":\"output_text\",\"text\":\"", text, "\",\"annotations\":[]}"] {
            out.push_str(piece);
        }
    }
    push_comma(out);
    for piece in ["{\"type\":\"refusal\",\"refusal\":\"", refusal, "\"}]"] {
        out.push_str(piece);
    }
}

/// The very items of an earlier answer, from `extra_content`, if they still say what the message says: a client may have changed its
/// text or its calls.
pub(super) fn own_items<'a>(message: &Message<'a>, declared: &Declared) -> Option<&'a str> {
    let list = message.extra("openai")?.get("output")?;
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    let items: Vec<Item<'_>> = items.iter().filter_map(|raw| Item::parse(raw.get())).collect();
    let said: String = items.iter().map(Item::text).collect();
    let made = items.iter().filter_map(|item| item.call(declared));
    let asked = message
        .calls()
        .iter()
        .map(|call| call.id.as_deref().unwrap_or_default());
    let same = message.text() == said && made.map(|call| call.id).eq(asked);
    between_brackets(list).filter(|items| same && !items.trim().is_empty())
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
