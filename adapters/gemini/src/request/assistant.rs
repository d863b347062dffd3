//! An assistant's message, back to the parts it came from.

use std::borrow::Cow;

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Called, Message, ToolCall};

use super::parts::{self, push_text};
use super::refuse;
use crate::answer::{OWN_ID, Part};
use crate::json::{Object, between_brackets, push_comma, push_field, push_string, string};
use crate::model::Model;

/// Where Google's own is in an `extra_content`.
const GOOGLE: &str = "google";
/// Stands for the signature that a call of another provider's never had; Google documents it for such histories.
const NO_SIGNATURE: &str = "\"skip_thought_signature_validator\"";

/// Adds the parts of an assistant's message: text, then calls; or the very parts an earlier answer gave.
pub(super) fn push(
    out: &mut String,
    message: &Message<'_>,
    at: usize,
    model: Model,
    vertex: bool,
) -> Result<(), Failure> {
    let google = message.extra(GOOGLE);
    if let Some(parts) = google.as_ref().and_then(|google| own_parts(message, google)) {
        push_comma(out);
        out.push_str(parts);
        return Ok(());
    }
    let signature = google.as_ref().and_then(|google| google.get("thought_signature"));
    let signed = signature.is_some_and(|signature| {
        let tail = google.as_ref().and_then(|google| google.text("signed_text"));
        push_signed(
            out,
            message.content.map_or("\"\"", RawValue::get),
            signature,
            tail.as_deref(),
        )
    });
    if !signed {
        parts::push(out, message.content, at)?;
    }
    if let Some(refusal) = message.refusal {
        push_text(out, refusal.get());
    }
    for (number, call) in message.calls().iter().enumerate() {
        push_call(out, call, model.demands_signatures() && number == 0, vertex).ok_or_else(|| {
            let text = "A tool call needs a function.";
            refuse(text, format!("messages[{at}].tool_calls[{number}]"))
        })?;
    }
    Ok(())
}

/// The parts in `extra_content`, if they still say what the message says: a client may have changed its text or its calls.
fn own_parts<'a>(message: &Message<'_>, google: &Object<'a>) -> Option<&'a str> {
    let list = google.get("parts")?;
    let parts: Vec<Part<'_>> = serde_json::from_str(list).ok()?;
    let shown = parts.iter().filter(|part| part.thought != Some(true));
    let said: String = shown.filter_map(|part| string(part.text?.get())).collect();
    let made = parts
        .iter()
        .filter_map(|part| Some(&*part.function_call.as_ref()?.name));
    let same = message.text() == said && made.eq(message.calls().iter().map(called));
    between_brackets(list).filter(|parts| same && !parts.trim().is_empty())
}

/// The name of the function that is called, "" if there is none.
pub(super) fn called<'a>(call: &ToolCall<'a>) -> Cow<'a, str> {
    call.function.as_ref().and_then(Called::name).unwrap_or_default()
}

/// Adds the text with its signature, which belongs to all of it or to its tail. False if the text is no longer the one that was signed.
fn push_signed(out: &mut String, content: &str, signature: &str, tail: Option<&str>) -> bool {
    let Some(text) = (if content == "null" {
        Some("".into())
    } else {
        string(content)
    }) else {
        return false;
    };
    let tail = tail.unwrap_or(&text);
    let Some(head) = text.strip_suffix(tail) else {
        return false;
    };
    for (text, signature) in [(head, None), (tail, Some(signature))] {
        if text.is_empty() && signature.is_none() {
            continue;
        }
        push_comma(out);
        out.push_str("{\"text\":");
        push_string(out, text);
        if let Some(signature) = signature {
            push_field(out, "thoughtSignature", signature);
        }
        out.push('}');
    }
    true
}

/// `first`: the model refuses the message if this call, its first, has no signature.
fn push_call(out: &mut String, call: &ToolCall<'_>, first: bool, vertex: bool) -> Option<()> {
    let function = call.function.as_ref()?;
    let name = function.name()?;
    push_comma(out);
    out.push_str("{\"functionCall\":{");
    push_id(out, call.id.as_deref().unwrap_or_default(), vertex);
    out.push_str("\"name\":");
    push_string(out, &name);
    out.push_str(",\"args\":");
    function.push_arguments(out);
    out.push('}');
    let signature = call.extra(GOOGLE).and_then(|google| google.get("thought_signature"));
    if let Some(signature) = signature.or_else(|| first.then_some(NO_SIGNATURE)) {
        push_field(out, "thoughtSignature", signature);
    }
    out.push('}');
    Some(())
}

/// Writes a call's id, and a comma after it, where the API is to know it: not if it was made here, and not for Vertex AI, whose
/// older versions refuse the field.
pub(super) fn push_id(out: &mut String, id: &str, vertex: bool) {
    if !id.is_empty() && !vertex && !id.starts_with(OWN_ID) {
        out.push_str("\"id\":");
        push_string(out, id);
        out.push(',');
    }
}
