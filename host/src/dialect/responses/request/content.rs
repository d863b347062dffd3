//! What a message, or a tool's result, has in it, as the parts of a chat's message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Request, objects, refuse, wrong};
use crate::{
    dialect::json::{inside, push_comma, push_member},
    error::Result,
};

/// A part, read as far as the translation looks at it.
#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) r#type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    file_id: Option<&'a RawValue>,
    #[serde(borrow)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow)]
    file_url: Option<&'a RawValue>,
    #[serde(borrow)]
    filename: Option<&'a RawValue>,
    #[serde(borrow)]
    input_audio: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_cache_breakpoint: Option<&'a RawValue>,
}

/// A content: its parts, or the one text it is.
pub(super) enum Content<'a> {
    Text(&'a str),
    Parts(Vec<Part<'a>>),
}

impl<'a> Content<'a> {
    /// Reads a content; `path` names it.
    pub(super) fn read(content: Option<&'a RawValue>, path: &str) -> Result<Self> {
        match content.map(RawValue::get) {
            None | Some("null") => Err(wrong("is missing", path)),
            Some(text) if text.starts_with('"') => Ok(Self::Text(text)),
            Some(list) if list.starts_with('[') => objects(list, path).map(Self::Parts),
            Some(_) => Err(wrong("must be a string or a list", path)),
        }
    }
}

/// The parts of a chat's message as they are written.
#[derive(Default)]
pub(super) struct Parts {
    list: String,
    /// The texts joined: a piece of a JSON string.
    pub(super) text: String,
    texts: usize,
    /// Those that are no text, once more.
    others: String,
}

impl Parts {
    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True if they are not only text.
    pub(super) fn is_more_than_text(&self) -> bool {
        !self.others.is_empty()
    }

    /// Its texts by themselves, and the others by themselves.
    pub(super) fn apart(self) -> (Self, Self) {
        let mut texts = Self::default();
        if self.texts > 0 {
            texts.push_text(&["\"", &self.text, "\""].concat());
        }
        let others = Self {
            list: self.others.clone(),
            others: self.others,
            ..Self::default()
        };
        (texts, others)
    }

    /// Adds a text, which is a JSON string.
    pub(super) fn push_text(&mut self, text: &str) {
        if self.texts > 0 {
            self.text.push_str("\\n\\n");
        }
        self.texts += 1;
        self.text.push_str(inside(text));
        push_comma(&mut self.list);
        for piece in ["{\"type\":\"text\",\"text\":", text, "}"] {
            self.list.push_str(piece);
        }
    }

    /// Adds any other part.
    fn push_other(&mut self, part: &str) {
        for list in [&mut self.list, &mut self.others] {
            push_comma(list);
            list.push_str(part);
        }
    }

    /// Adds those of another list.
    pub(super) fn append(&mut self, more: &Self) {
        push_comma(&mut self.list);
        self.list.push_str(&more.list);
        if more.is_more_than_text() {
            push_comma(&mut self.others);
            self.others.push_str(&more.others);
        }
        if self.texts > 0 && more.texts > 0 {
            self.text.push_str("\\n\\n");
        }
        self.text.push_str(&more.text);
        self.texts += more.texts;
    }

    /// The value of `content`. Texts are one string for a server: many take no parts.
    pub(super) fn content(&self, adapter: bool) -> String {
        match !self.is_more_than_text() && (self.texts <= 1 || !adapter) {
            true => ["\"", &self.text, "\""].concat(),
            false => ["[", &self.list, "]"].concat(),
        }
    }
}

impl Request<'_> {
    /// What `content` has as parts; `path` names it.
    pub(super) fn parts(&mut self, content: &Content<'_>, path: &str) -> Result<Parts> {
        let mut parts = Parts::default();
        match content {
            Content::Text(text) => parts.push_text(text),
            Content::Parts(list) => {
                for (at, part) in list.iter().enumerate() {
                    self.push_part(&mut parts, part, &format!("{path}[{at}]"))?;
                }
            }
        }
        Ok(parts)
    }

    /// Adds one part to `parts`.
    pub(super) fn push_part(&mut self, parts: &mut Parts, part: &Part<'_>, path: &str) -> Result<()> {
        if part.prompt_cache_breakpoint.is_some() {
            self.drop("input.content.prompt_cache_breakpoint");
        }
        match &*part.r#type {
            "input_text" | "output_text" | "text" => {
                let text = part.text.map(RawValue::get).filter(|text| text.starts_with('"'));
                parts.push_text(text.ok_or_else(|| wrong("must be a string", &format!("{path}.text")))?);
            }
            "input_image" => {
                let Some(url) = part.image_url.filter(|url| url.get().starts_with('"')) else {
                    return Err(match part.file_id {
                        Some(_) => refuse("an image by its file's id", format!("{path}.file_id")),
                        None => wrong("must be a string", &format!("{path}.image_url")),
                    });
                };
                let mut image = String::from("{");
                push_member(&mut image, "url", url.get());
                if let Some(detail) = part.detail {
                    push_member(&mut image, "detail", detail.get());
                }
                parts.push_other(&format!("{{\"type\":\"image_url\",\"image_url\":{image}}}}}"));
            }
            "input_file" => parts.push_other(&self.file(part, path)?),
            "input_audio" => {
                let audio = part.input_audio.ok_or_else(|| wrong("has no data", path))?;
                parts.push_other(&format!("{{\"type\":\"input_audio\",\"input_audio\":{}}}", audio.get()));
            }
            kind => return Err(refuse(&format!("content of type '{kind}'"), format!("{path}.type"))),
        }
        Ok(())
    }

    /// A file. Adapters take an address where a chat has the data, servers do not.
    fn file(&self, part: &Part<'_>, path: &str) -> Result<String> {
        let mut file = String::from("{");
        let data = match (part.file_data, part.file_url) {
            (Some(data), _) => Some(data),
            (None, Some(url)) if self.taker.adapter => Some(url),
            (None, Some(_)) => return Err(refuse("a file by its address", format!("{path}.file_url"))),
            (None, None) => None,
        };
        if data.is_none() && part.file_id.is_none() {
            return Err(wrong("has no data", path));
        }
        for (key, value) in [
            ("filename", part.filename),
            ("file_data", data),
            ("file_id", part.file_id),
        ] {
            if let Some(value) = value {
                push_member(&mut file, key, value.get());
            }
        }
        Ok(format!("{{\"type\":\"file\",\"file\":{file}}}}}"))
    }
}
