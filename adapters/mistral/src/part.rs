//! Content: a string, or parts, of which some are called otherwise at Mistral.

use witgate_sdk::json::text::{Object, push_comma, push_field, push_string};

use crate::message::is_string;

/// The content for a client's.
pub(crate) fn content(content: &str) -> String {
    let Ok(parts) = serde_json::from_str::<Vec<Object<'_>>>(content) else {
        return content.to_owned();
    };
    let mut out = String::from("[");
    for part in &parts {
        push(&mut out, part);
    }
    out.push(']');
    out
}

/// The content that begins with what the model thought, as JSON text.
pub(crate) fn after_thought(thought: &str, content: Option<&str>) -> String {
    let mut out = String::from("[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":");
    out.push_str(thought);
    out.push_str("}]}");
    match content {
        Some(text) if is_string(text) && text != "\"\"" => {
            out.push_str(",{\"type\":\"text\",\"text\":");
            out.push_str(text);
            out.push('}');
        }
        Some(parts) => {
            let parts: Vec<Object<'_>> = serde_json::from_str(parts).unwrap_or_default();
            for part in &parts {
                push(&mut out, part);
            }
        }
        None => {}
    }
    out.push(']');
    out
}

fn push(out: &mut String, part: &Object<'_>) {
    let kind = part.text("type").unwrap_or_default();
    push_comma(out);
    out.push('{');
    let renamed = match &*kind {
        "refusal" => part.get("refusal").map(|text| ("text", "text", text.to_owned())),
        "input_audio" => inner(part, "input_audio", "data").map(|data| ("input_audio", "input_audio", data.to_owned())),
        "file" => file(part),
        _ => None,
    };
    match renamed {
        Some((kind, key, value)) => {
            push_field(out, "type", &["\"", kind, "\""].concat());
            push_field(out, key, &value);
            if let (Some(name), "document_url") = (inner(part, "file", "filename"), kind) {
                push_field(out, "document_name", name);
            }
        }
        None => {
            for (key, value) in part.0.iter().filter(|(key, _)| key != "cache_control") {
                push_field(out, key, value.get());
            }
        }
    }
    out.push('}');
}

/// The JSON text of a member of one of the part's members.
fn inner<'a>(part: &Object<'a>, outer: &str, key: &str) -> Option<&'a str> {
    Object::parse(part.get(outer)?)?.get(key)
}

/// A document by its content, or a file by its id.
fn file(part: &Object<'_>) -> Option<(&'static str, &'static str, String)> {
    let file = Object::parse(part.get("file")?)?;
    if let Some(id) = file.get("file_id") {
        return Some(("file", "file_id", id.to_owned()));
    }
    let data = file.text("file_data")?;
    let addressed = ["data:", "http:", "https:"]
        .iter()
        .any(|scheme| data.starts_with(scheme));
    let mut url = String::with_capacity(data.len() + 32);
    if addressed {
        push_string(&mut url, &data);
    } else {
        push_string(&mut url, &["data:application/pdf;base64,", &data].concat());
    }
    Some(("document_url", "document_url", url))
}
