//! A message, as far as any provider looks at it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Str;
use crate::json::read::is_value;
use crate::json::text::{Object, objects, push_string, string};

/// One message.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// "system", "user", …: an open set.
    #[serde(borrow)]
    pub role: Str<'a>,
    /// A string or a list of parts: see [`Content::parse`](super::Content::parse).
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    /// Of an assistant that refused: a JSON string.
    #[serde(borrow)]
    pub refusal: Option<&'a RawValue>,
    /// Calls that the assistant made: see [`calls`](Self::calls).
    #[serde(borrow)]
    pub tool_calls: Option<Vec<ToolCall<'a>>>,
    /// The call that a tool's message answers.
    #[serde(borrow)]
    pub tool_call_id: Option<Str<'a>>,
    /// Who speaks; in a tool's message, its function: a JSON string.
    #[serde(borrow)]
    pub name: Option<&'a RawValue>,
    /// In a tool's message: the tool failed (a field that clients of Anthropic's know).
    pub is_error: Option<bool>,
    /// Signed thinking of an earlier answer, in the form that clients know from Anthropic.
    #[serde(borrow)]
    pub thinking_blocks: Option<Vec<&'a RawValue>>,
    /// What else a provider gave with an earlier answer: see [`extra`](Self::extra).
    #[serde(borrow)]
    pub extra_content: Option<&'a RawValue>,
    /// Anthropic's marker: the prompt is cached up to this message.
    #[serde(borrow)]
    pub cache_control: Option<&'a RawValue>,
}

/// A call in an assistant's message.
#[derive(Debug, Deserialize)]
pub struct ToolCall<'a> {
    /// Names the call in its answer.
    #[serde(borrow)]
    pub id: Option<Str<'a>>,
    /// The function that is called.
    #[serde(borrow)]
    pub function: Option<Called<'a>>,
    /// Or the tool with free-form input.
    #[serde(borrow)]
    pub custom: Option<Called<'a>>,
    /// What else the provider gave with it: see [`extra`](Self::extra).
    #[serde(borrow)]
    pub extra_content: Option<&'a RawValue>,
    /// Anthropic's marker.
    #[serde(borrow)]
    pub cache_control: Option<&'a RawValue>,
}

/// What is called, and with what.
#[derive(Debug, Deserialize)]
pub struct Called<'a> {
    /// Its name: a JSON string.
    #[serde(borrow)]
    pub name: &'a RawValue,
    /// Of a function: a string that holds JSON, as the model wrote it.
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
    /// Of a tool with free-form input: a string.
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// The calls, none if there are none.
    #[must_use]
    pub fn calls(&self) -> &[ToolCall<'a>] {
        self.tool_calls.as_deref().unwrap_or_default()
    }

    /// The text of its content, "" if there is none: the texts of a list as one. To compare with what an earlier answer said; what is
    /// sent is better copied from [`content`](Self::content).
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        let Some(content) = self.content.map(RawValue::get) else {
            return Cow::Borrowed("");
        };
        string(content).unwrap_or_else(|| {
            let parts = objects(content).unwrap_or_default();
            Cow::Owned(parts.iter().filter_map(|part| part.text("text")).collect())
        })
    }

    /// `extra_content.PROVIDER`: what an answer of this provider's gave beside what a chat has fields for, brought back by the client.
    #[must_use]
    pub fn extra(&self, provider: &str) -> Option<Object<'a>> {
        extra(self.extra_content, provider)
    }
}

impl<'a> ToolCall<'a> {
    /// `extra_content.PROVIDER`, as [`Message::extra`].
    #[must_use]
    pub fn extra(&self, provider: &str) -> Option<Object<'a>> {
        extra(self.extra_content, provider)
    }
}

impl<'a> Called<'a> {
    /// Its name, if it is a string.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'a, str>> {
        string(self.name.get())
    }

    /// Writes the arguments as a JSON object, for APIs that take nothing else. A model may have written what is none: that is kept as
    /// a text, `{"arguments":"…"}`. Some clients send the object itself.
    pub fn push_arguments(&self, out: &mut String) {
        let arguments = self.arguments.map_or("\"\"", RawValue::get);
        let is_object = |text: &str| text.starts_with('{') && is_value(text);
        let text = string(arguments);
        let text = text.as_deref().unwrap_or(arguments).trim();
        if is_object(text) {
            out.push_str(text);
        } else if text.is_empty() || text == "null" {
            out.push_str("{}");
        } else {
            out.push_str("{\"arguments\":");
            push_string(out, text);
            out.push('}');
        }
    }
}

fn extra<'a>(extra_content: Option<&'a RawValue>, provider: &str) -> Option<Object<'a>> {
    Object::parse(Object::parse(extra_content?.get())?.get(provider)?)
}
