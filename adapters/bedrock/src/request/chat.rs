//! A Chat Completions request, read in one pass as far as the translation looks at it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Key, Object};

/// The request.
#[derive(Default)]
pub(crate) struct Chat<'a> {
    /// the conversation
    pub(crate) messages: Vec<Message<'a>>,
    /// `tools`
    pub(crate) tools: Vec<&'a RawValue>,
    /// all other fields
    pub(crate) fields: Object<'a>,
}

/// One message. What no provider looks at is left out.
#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    /// "system", "user", …
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    /// a string, a list of parts, or none
    #[serde(borrow)]
    pub(crate) content: Option<&'a RawValue>,
    /// of an assistant that refused
    #[serde(borrow)]
    pub(crate) refusal: Option<&'a RawValue>,
    /// calls that the assistant made
    #[serde(borrow)]
    pub(crate) tool_calls: Option<Vec<ToolCall<'a>>>,
    /// the call a tool's message answers
    #[serde(borrow)]
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
    /// the tool failed (Anthropic's field)
    pub(crate) is_error: Option<bool>,
    /// signed thinking of an earlier answer
    #[serde(borrow)]
    pub(crate) thinking_blocks: Option<Vec<&'a RawValue>>,
    /// an earlier answer's own blocks
    #[serde(borrow)]
    pub(crate) extra_content: Option<&'a RawValue>,
    /// Anthropic's marker: the prompt is cached up to this message
    #[serde(borrow)]
    pub(crate) cache_control: Option<&'a RawValue>,
}

/// A call in an assistant's message.
#[derive(Deserialize)]
pub(crate) struct ToolCall<'a> {
    /// the call's id
    #[serde(borrow)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// what is called
    #[serde(borrow)]
    pub(crate) function: Option<CalledFunction<'a>>,
}

/// The function of a call.
#[derive(Deserialize)]
pub(crate) struct CalledFunction<'a> {
    /// its name, as JSON text
    #[serde(borrow)]
    pub(crate) name: &'a RawValue,
    /// a string that holds JSON
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
}

impl Message<'_> {
    /// The assistant's calls.
    pub(crate) fn calls(&self) -> &[ToolCall<'_>] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Chat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Chat<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut chat = Chat::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        "messages" => chat.messages = map.next_value()?,
                        "tools" => chat.tools = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => chat.fields.0.push((key, map.next_value()?)),
                    }
                }
                Ok(chat)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
