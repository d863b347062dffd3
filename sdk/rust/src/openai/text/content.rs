//! What a message says: a string, or a list of parts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Str;
use crate::json::read::read;
use crate::json::text::{Object, string};
use crate::{Failure, Result};

/// The content of a message.
#[derive(Debug)]
pub enum Content<'a> {
    /// One text: a JSON string.
    Text(&'a str),
    /// A list, each for [`Part::parse`]; empty where a message has no content.
    Parts(Vec<&'a RawValue>),
}

/// One part of a content. [`kind`](Self::kind) says which of the other fields counts.
#[derive(Debug, Deserialize)]
pub struct Part<'a> {
    /// `text`, `image_url`, … : an open set. A part without one is nothing that OpenAI has: some clients send a provider's own.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Str<'a>>,
    /// A JSON string.
    #[serde(borrow)]
    pub text: Option<&'a RawValue>,
    /// A JSON string.
    #[serde(borrow)]
    pub refusal: Option<&'a RawValue>,
    /// See [`url`](Self::url).
    #[serde(borrow)]
    pub image_url: Option<&'a RawValue>,
    /// See [`url`](Self::url).
    #[serde(borrow)]
    pub video_url: Option<&'a RawValue>,
    /// `data` in base64, `format`.
    #[serde(borrow)]
    pub input_audio: Option<Object<'a>>,
    /// `file_data`, `file_id`, `filename`.
    #[serde(borrow)]
    pub file: Option<Object<'a>>,
    /// Anthropic's marker: the prompt is cached up to this part.
    #[serde(borrow)]
    pub cache_control: Option<&'a RawValue>,
}

impl<'a> Content<'a> {
    /// Reads the content of message number `at`.
    ///
    /// # Errors
    /// A failure that names the place, if it is neither a string nor a list.
    #[inline]
    pub fn parse(content: Option<&'a RawValue>, at: usize) -> Result<Self> {
        let Some(content) = content.map(RawValue::get) else {
            return Ok(Self::Parts(Vec::new()));
        };
        if content.starts_with('"') {
            return Ok(Self::Text(content));
        }
        read(content).map(Self::Parts).ok_or_else(|| {
            Failure::invalid_request("The content of a message is a string or a list of parts.")
                .param(format!("messages[{at}].content"))
        })
    }
}

impl<'a> Part<'a> {
    /// Reads a part; `None` if it is none: not an object, or one with a field of another type than it has here.
    #[inline]
    #[must_use]
    pub fn parse(raw: &'a str) -> Option<Self> {
        read(raw)
    }

    /// What a client is told of a part that is none. `param`: the place of the part.
    #[must_use]
    pub fn unreadable(param: impl Into<String>) -> Failure {
        Failure::invalid_request("This part of a message cannot be read.").param(param)
    }

    /// The URL in [`image_url`](Self::image_url) or [`video_url`](Self::video_url), which are objects with a `url`; some clients send
    /// the URL itself.
    #[must_use]
    pub fn url(value: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
        let value = value?.get();
        string(value).or_else(|| Object::parse(value)?.text("url"))
    }
}
