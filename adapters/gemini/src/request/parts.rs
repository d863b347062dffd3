//! The content of a message: a string or a list of parts to Gemini's parts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::{media, refuse, unsupported};
use crate::json::{Object, push_comma, string};

/// One part of a list.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    video_url: Option<&'a RawValue>,
    #[serde(borrow)]
    input_audio: Option<Object<'a>>,
    #[serde(borrow)]
    file: Option<Object<'a>>,
}

/// Adds the parts of the content of message number `at`.
pub(super) fn push(out: &mut String, content: Option<&RawValue>, at: usize) -> Result<(), Failure> {
    let Some(content) = content.map(RawValue::get) else {
        return Ok(());
    };
    if content.starts_with('"') {
        push_text(out, content);
        return Ok(());
    }
    let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(content) else {
        let text = "The content of a message is a string or a list of parts.";
        return Err(refuse(text, format!("messages[{at}].content")));
    };
    for (number, raw) in parts.iter().enumerate() {
        push_part(out, raw.get(), &format!("messages[{at}].content[{number}]"))?;
    }
    Ok(())
}

/// Adds one part; `param` names it in errors.
pub(super) fn push_part(out: &mut String, raw: &str, param: &str) -> Result<(), Failure> {
    let Ok(part) = serde_json::from_str::<Part<'_>>(raw) else {
        return Err(refuse("This part of a message cannot be read.", param));
    };
    let wrong = |text| refuse(text, param);
    match part.r#type.as_deref() {
        Some("text" | "input_text" | "output_text") => push_text(out, part.text.map_or("\"\"", RawValue::get)),
        Some("refusal") => push_text(out, part.refusal.map_or("\"\"", RawValue::get)),
        Some("image_url") => media::push_url(out, part.image_url, "image/jpeg").map_err(wrong)?,
        Some("video_url") => media::push_url(out, part.video_url, "video/mp4").map_err(wrong)?,
        Some("input_audio") => media::push_audio(out, &part.input_audio.unwrap_or_default()).map_err(wrong)?,
        Some("file") => media::push_file(out, &part.file.unwrap_or_default()).map_err(wrong)?,
        Some(other) => return Err(unsupported(format!("Gemini takes no parts of type {other:?}."), param)),
        // One of Gemini's own: inlineData, fileData, …
        None => {
            push_comma(out);
            out.push_str(raw);
        }
    }
    Ok(())
}

/// Adds a text; `text` is a JSON string. The API takes no empty ones, so those are left out.
pub(super) fn push_text(out: &mut String, text: &str) {
    if text != "\"\"" {
        push_comma(out);
        out.push_str("{\"text\":");
        out.push_str(text);
        out.push('}');
    }
}

/// All text of a content.
pub(super) fn text_of(content: Option<&RawValue>) -> String {
    let Some(content) = content.map(RawValue::get) else {
        return String::new();
    };
    if let Some(text) = string(content) {
        return text.into_owned();
    }
    let parts: Vec<Object<'_>> = serde_json::from_str(content).unwrap_or_default();
    parts.iter().filter_map(|part| part.text("text")).collect()
}
