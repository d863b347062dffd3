//! The content of a message: a string or a list of parts to Anthropic's blocks.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use witgate_sdk::Failure;

use super::{media, refuse, unsupported};
use crate::json::{Object, push_comma, push_field, string};

/// One part of a list.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    file: Option<Object<'a>>,
    #[serde(borrow)]
    cache_control: Option<&'a RawValue>,
}

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
        let Some(content) = content.map(RawValue::get) else {
            return Ok(());
        };
        let start = out.len();
        let mut marked = false;
        if content.starts_with('"') {
            push_text(out, content);
        } else {
            let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(content) else {
                let text = "The content of a message is a string or a list of parts.".to_owned();
                return Err(refuse(text, format!("messages[{}].content", self.message)));
            };
            for (at, raw) in parts.iter().enumerate() {
                marked = self.push_part(out, raw.get(), at)?;
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
        let Ok(part) = serde_json::from_str::<Part<'_>>(raw) else {
            return Err(refuse("This part of a message cannot be read.".to_owned(), param()));
        };
        let start = out.len();
        match &*part.r#type {
            "text" => push_text(out, part.text.map_or("\"\"", RawValue::get)),
            "refusal" => push_text(out, part.refusal.map_or("\"\"", RawValue::get)),
            "image_url" => {
                let url = part.image_url.and_then(|image| url_of(image.get()));
                let url = url.ok_or_else(|| refuse("An image part needs a URL.".to_owned(), param()))?;
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

fn is_blank(text: &str) -> bool {
    // Nearly every text begins with a letter, so nearly none is read to the end here.
    let letter = text.as_bytes().get(1).is_some_and(u8::is_ascii_alphanumeric);
    !letter && string(text).is_some_and(|text| text.trim().is_empty())
}

/// `image_url` is an object with a `url`; some clients send the URL itself.
fn url_of(image: &str) -> Option<Cow<'_, str>> {
    string(image).or_else(|| Object::parse(image)?.text("url"))
}
