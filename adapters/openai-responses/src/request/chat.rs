//! A Chat Completions request, read in one pass as far as the translation looks at it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Key, Object};

/// The request.
#[derive(Default)]
pub(super) struct Chat<'a> {
    /// the conversation
    pub(super) messages: Vec<Message<'a>>,
    /// `tools`
    pub(super) tools: Vec<&'a RawValue>,
    /// all other fields
    pub(super) fields: Object<'a>,
}

/// One message. What no provider looks at is left out.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    /// "system", "user", …
    #[serde(borrow)]
    pub(super) role: Cow<'a, str>,
    /// a string, a list of parts, or none
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    /// of an assistant that refused
    #[serde(borrow)]
    pub(super) refusal: Option<&'a RawValue>,
    /// calls that the assistant made
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
    /// the call a tool's message answers
    #[serde(borrow)]
    pub(super) tool_call_id: Option<Cow<'a, str>>,
    /// an earlier answer's items
    #[serde(borrow)]
    pub(super) extra_content: Option<&'a RawValue>,
}

/// A call in an assistant's message.
#[derive(Deserialize)]
pub(super) struct ToolCall<'a> {
    /// the call's id
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    /// what is called
    #[serde(borrow)]
    pub(super) function: Option<CalledTool<'a>>,
    /// what is called, if it is a tool with free-form input
    #[serde(borrow)]
    pub(super) custom: Option<CalledTool<'a>>,
}

/// The function or the tool of a call.
#[derive(Deserialize)]
pub(super) struct CalledTool<'a> {
    /// its name: JSON
    #[serde(borrow)]
    pub(super) name: &'a RawValue,
    /// a string that holds JSON, of a function
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    /// a string, of a tool with free-form input
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// The calls, none if there are none.
    pub(super) fn calls(&self) -> &[ToolCall<'a>] {
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
