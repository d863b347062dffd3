//! The content of a message: a string or a list of parts to Anthropic's blocks.

use serde_json::value::RawValue;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Content, Part};

use super::{media, refuse, unsupported};
use crate::json::{is_blank, push_comma, push_field};

/// Translates the content of one message.
pub(super) struct Parts<'c> {
    /// the message's number, for errors
    pub(super) message: usize,
    /// set when a part names a file that was uploaded to the provider
    pub(super) uploaded_files: &'c mut bool,
}

impl Parts<'_> {
    /// Adds the blocks of `content` to the list `out`. `marker` is the message's own `cache_control`: it goes to the last block.
    pub(super) fn push(
        &mut self,
        out: &mut String,
        content: Option<&RawValue>,
        marker: Option<&RawValue>,
    ) -> Result<(), Failure> {
        let start = out.len();
        let mut marked = false;
        match Content::parse(content, self.message)? {
            Content::Text(text) => push_text(out, text),
            Content::Parts(parts) => {
                for (at, raw) in parts.iter().enumerate() {
                    marked = self.push_part(out, raw.get(), at)?;
                }
            }
        }
        if out.len() > start && !marked {
            push_marker(out, marker.map(RawValue::get));
        }
        Ok(())
    }

    /// Adds one part; says whether it carries a marker of its own.
    fn push_part(&mut self, out: &mut String, raw: &str, at: usize) -> Result<bool, Failure> {
        let param = || format!("messages[{}].content[{at}]", self.message);
        let part = Part::parse(raw).ok_or_else(|| Part::unreadable(param()))?;
        let kind = part.kind.as_deref().ok_or_else(|| Part::unreadable(param()))?;
        let start = out.len();
        match kind {
            "text" => push_text(out, part.text.map_or("\"\"", RawValue::get)),
            "refusal" => push_text(out, part.refusal.map_or("\"\"", RawValue::get)),
            "image_url" => {
                let url = Part::url(part.image_url)
                    .ok_or_else(|| refuse("An image part needs a URL.".to_owned(), param()))?;
                media::push_image(out, &url).map_err(|text| refuse(text, param()))?;
            }
            "file" => {
                let file = part.file.unwrap_or_default();
                *self.uploaded_files |= media::push_file(out, &file).map_err(|text| refuse(text, param()))?;
            }
            "input_audio" => {
                let text = "Anthropic's models take no audio.".to_owned();
                return Err(unsupported(text, param()));
            }
            // A block of Anthropic's own: "image", "document", "search_result", …
            _ => {
                push_comma(out);
                out.push_str(raw);
                return Ok(part.cache_control.is_some());
            }
        }
        let marked = part.cache_control.is_some() && out.len() > start;
        if marked {
            push_marker(out, part.cache_control.map(RawValue::get));
        }
        Ok(marked)
    }
}

/// Adds a text block; `text` is a JSON string. The API takes no blank ones, so those are left out.
pub(super) fn push_text(out: &mut String, text: &str) {
    if is_blank(text) {
        return;
    }
    push_comma(out);
    out.push_str("{\"type\":\"text\",\"text\":");
    out.push_str(text);
    out.push('}');
}

/// Puts `cache_control` into the block that `out` ends with.
pub(super) fn push_marker(out: &mut String, marker: Option<&str>) {
    if let (Some(marker), true) = (marker, out.ends_with('}')) {
        out.pop();
        push_field(out, "cache_control", marker);
        out.push('}');
    }
}
