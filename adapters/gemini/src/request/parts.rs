//! The content of a message: a string or a list of parts to Gemini's parts.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Content, Part};

use super::{media, refuse, unsupported};
use crate::json::push_comma;

/// Adds the parts of the content of message number `at`.
pub(super) fn push(out: &mut String, content: Option<&RawValue>, at: usize) -> Result<(), Failure> {
    match Content::parse(content, at)? {
        Content::Text(text) => push_text(out, text),
        Content::Parts(parts) => {
            for (number, raw) in parts.iter().enumerate() {
                push_part(out, raw.get(), &format!("messages[{at}].content[{number}]"))?;
            }
        }
    }
    Ok(())
}

/// Adds one part; `param` names it in errors.
pub(super) fn push_part(out: &mut String, raw: &str, param: &str) -> Result<(), Failure> {
    let part = Part::parse(raw).ok_or_else(|| Part::unreadable(param))?;
    let wrong = |text| refuse(text, param);
    match part.kind.as_deref() {
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
