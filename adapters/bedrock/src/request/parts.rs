//! The content of a message: a string or a list of parts to Converse's blocks.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Content, Part};

use super::{media, refuse};
use crate::json::{Object, is_blank, push_comma, push_field};

/// Translates the content of one message.
pub(super) struct Parts {
    /// the message's number, for errors
    message: usize,
    /// how many documents the conversation has so far: their names must differ
    pub(super) documents: usize,
    /// there was a text
    pub(super) words: bool,
    /// the model takes cache points
    cache: bool,
}

impl Parts {
    pub(super) fn new(message: usize, documents: usize, cache: bool) -> Self {
        Self {
            message,
            documents,
            words: false,
            cache,
        }
    }

    /// Adds the blocks of `content` to the list `out`. `marker` is the message's own `cache_control`: it counts after the last block.
    pub(super) fn push(
        &mut self,
        out: &mut String,
        content: Option<&RawValue>,
        marker: Option<&RawValue>,
    ) -> Result<(), Failure> {
        let start = out.len();
        let mut marked = false;
        match Content::parse(content, self.message)? {
            Content::Text(text) => self.words |= push_text(out, text),
            Content::Parts(parts) => {
                for (at, raw) in parts.iter().enumerate() {
                    marked = self.push_part(out, raw.get(), at)?;
                }
            }
        }
        if out.len() > start && !marked && self.cache {
            push_cache_point(out, marker.map(RawValue::get));
        }
        Ok(())
    }

    /// Adds one part; says whether it carries a marker of its own.
    fn push_part(&mut self, out: &mut String, raw: &str, at: usize) -> Result<bool, Failure> {
        let param = || format!("messages[{}].content[{at}]", self.message);
        let part = Part::parse(raw).ok_or_else(|| Part::unreadable(param()))?;
        let start = out.len();
        match part.kind.as_deref() {
            Some("text") => self.words |= push_text(out, part.text.map_or("\"\"", RawValue::get)),
            Some("refusal") => self.words |= push_text(out, part.refusal.map_or("\"\"", RawValue::get)),
            Some("image_url") => {
                let url = Part::url(part.image_url)
                    .ok_or_else(|| refuse("An image part needs a URL.".to_owned(), param()))?;
                let pushed = media::push_url(out, "image", &url, &mut self.documents);
                pushed.map_err(|text| refuse(text, param()))?;
            }
            Some("video_url") => {
                let url =
                    Part::url(part.video_url).ok_or_else(|| refuse("A video part needs a URL.".to_owned(), param()))?;
                let pushed = media::push_url(out, "video", &url, &mut self.documents);
                pushed.map_err(|text| refuse(text, param()))?;
            }
            Some("input_audio") => {
                let audio = part.input_audio.unwrap_or_default();
                media::push_audio(out, &audio).map_err(|text| refuse(text, param()))?;
            }
            Some("file") => {
                let file = part.file.unwrap_or_default();
                let pushed = media::push_file(out, &file, &mut self.documents);
                pushed.map_err(|text| refuse(text, param()))?;
            }
            // A block of Converse's own: "guardContent", "cachePoint", "document", …
            None => {
                push_comma(out);
                out.push_str(raw);
                self.words = true;
            }
            Some(other) => {
                let text = format!("Parts of type {other:?} cannot be sent to Bedrock.");
                return Err(refuse(text, param()));
            }
        }
        let marked = part.cache_control.is_some() && out.len() > start && self.cache;
        if marked {
            push_cache_point(out, part.cache_control.map(RawValue::get));
        }
        Ok(marked)
    }
}

/// Adds a text block; `text` is a JSON string. The API takes no blank ones, so those are left out. True if there was one.
pub(super) fn push_text(out: &mut String, text: &str) -> bool {
    if is_blank(text) {
        return false;
    }
    push_comma(out);
    out.push_str("{\"text\":");
    out.push_str(text);
    out.push('}');
    true
}

/// Adds a cache point after what `out` ends with, for Anthropic's `cache_control`.
pub(super) fn push_cache_point(out: &mut String, marker: Option<&str>) {
    let Some(marker) = marker.and_then(Object::parse) else {
        return;
    };
    push_comma(out);
    out.push_str("{\"cachePoint\":{\"type\":\"default\"");
    if let Some(ttl) = marker.get("ttl") {
        push_field(out, "ttl", ttl);
    }
    out.push_str("}}");
}
