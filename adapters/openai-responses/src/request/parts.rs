//! What a message of the user's, or a tool's result, has in it: a string stays one, and each part of a list gets its name here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::refuse;
use crate::json::{Object, pieces, push_comma, push_field};

/// A part, read as far as the translation looks at it.
#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    input_audio: Option<&'a RawValue>,
    #[serde(borrow)]
    file: Option<Object<'a>>,
}

/// Writes the value of `content`, or of a result's `output`.
pub(super) fn push(out: &mut String, content: Option<&RawValue>, at: usize) -> Result<(), Failure> {
    match content.map(RawValue::get) {
        None | Some("null") => out.push_str("\"\""),
        Some(text) if text.starts_with('"') => out.push_str(text),
        Some(list) => {
            out.push('[');
            push_list(out, list, at)?;
            out.push(']');
        }
    }
    Ok(())
}

/// Adds the parts of a list.
fn push_list(out: &mut String, list: &str, at: usize) -> Result<(), Failure> {
    let wrong = |_| refuse("This content cannot be read.", format!("messages[{at}].content"));
    let list: Vec<&RawValue> = serde_json::from_str(list).map_err(wrong)?;
    for (number, raw) in list.iter().enumerate() {
        push_part(out, raw.get()).map_err(|what| refuse(what, format!("messages[{at}].content[{number}]")))?;
    }
    Ok(())
}

/// The texts of a list that has nothing else, as pieces of JSON strings.
pub(super) fn texts(list: &str) -> Option<Vec<&str>> {
    let parts: Vec<Part<'_>> = serde_json::from_str(list).ok()?;
    let text = |part: &Part<'_>| part.r#type.as_deref() == Some("text");
    parts
        .iter()
        .all(text)
        .then(|| parts.iter().map(|part| pieces(part.text)).collect())
}

/// The error says what is wrong with the part.
fn push_part(out: &mut String, raw: &str) -> Result<(), &'static str> {
    let part: Part<'_> = serde_json::from_str(raw).map_err(|_| "This part cannot be read.")?;
    push_comma(out);
    match part.r#type.as_deref() {
        Some("text") => push_text(out, part.text),
        Some("refusal") => push_text(out, part.refusal),
        Some("image_url") => push_image(out, part.image_url.ok_or("An image part needs a URL.")?.get())?,
        Some("input_audio") if part.input_audio.is_some() => {
            out.push_str("{\"type\":\"input_audio\"");
            push_field(out, "input_audio", part.input_audio.map_or("{}", RawValue::get));
            out.push('}');
        }
        Some("file") => push_file(out, &part.file.ok_or("A file part needs a file.")?)?,
        Some(_) => out.push_str(raw),
        None => return Err("A part needs a type."),
    }
    Ok(())
}

fn push_text(out: &mut String, text: Option<&RawValue>) {
    for piece in [
        "{\"type\":\"input_text\",\"text\":",
        text.map_or("\"\"", RawValue::get),
        "}",
    ] {
        out.push_str(piece);
    }
}

/// `image`: the object a chat has, or the bare URL that some clients send.
fn push_image(out: &mut String, image: &str) -> Result<(), &'static str> {
    let object = Object::parse(image);
    let url = match &object {
        Some(object) => object.get("url"),
        None => Some(image),
    };
    let url = url.filter(|url| url.starts_with('"') && *url != "\"\"");
    out.push_str("{\"type\":\"input_image\"");
    push_field(out, "image_url", url.ok_or("An image part needs a URL.")?);
    let detail = object.as_ref().and_then(|object| object.get("detail"));
    push_field(out, "detail", detail.unwrap_or("\"auto\""));
    out.push('}');
    Ok(())
}

fn push_file(out: &mut String, file: &Object<'_>) -> Result<(), &'static str> {
    let data = file.get("file_data");
    let web = data.is_some_and(|data| data.starts_with("\"https://") || data.starts_with("\"http://"));
    if data.is_none() && file.get("file_id").is_none() {
        return Err("A file part needs file_data or file_id.");
    }
    out.push_str("{\"type\":\"input_file\"");
    for (key, value) in [
        ("file_id", file.get("file_id")),
        // The API takes no name beside an address.
        ("filename", file.get("filename").filter(|_| !web)),
        (if web { "file_url" } else { "file_data" }, data),
    ] {
        if let Some(value) = value {
            push_field(out, key, value);
        }
    }
    out.push('}');
    Ok(())
}
