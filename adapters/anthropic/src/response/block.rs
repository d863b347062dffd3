//! One content block, read as far as the translation looks at it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Object, push_string};
use crate::kept::Place;

/// A block of a message, or of `content_block_start`.
#[derive(Debug, Deserialize)]
pub(crate) struct Block<'a> {
    /// "text", "thinking", "tool_use", …
    #[serde(borrow)]
    pub(crate) r#type: Cow<'a, str>,
    /// of a text block
    #[serde(borrow)]
    pub(crate) text: Option<&'a RawValue>,
    /// of a thinking block
    #[serde(borrow)]
    pub(crate) thinking: Option<&'a RawValue>,
    /// of a thinking block
    #[serde(borrow)]
    pub(crate) signature: Option<&'a RawValue>,
    /// of a call
    pub(crate) id: Option<String>,
    /// of a call
    pub(crate) name: Option<String>,
    /// of a call
    #[serde(borrow)]
    pub(crate) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) citations: Option<&'a RawValue>,
    #[serde(borrow)]
    caller: Option<&'a RawValue>,
    /// of a call: the provider's set of tools that the called one is of
    #[serde(borrow)]
    toolset_name: Option<&'a RawValue>,
}

impl Block<'_> {
    /// Where it stands if a plain message can tell of it: citations, calls made by the provider's own code and calls of one of its
    /// toolsets cannot be told.
    pub(crate) fn place(&self) -> Place {
        match &*self.r#type {
            "thinking" | "redacted_thinking" => Place::Thinking,
            "text" if self.citations.is_none_or(|list| list.get() == "[]") => Place::Text,
            "tool_use" if self.caller.is_none_or(is_direct) && self.toolset_name.is_none() => Place::Call,
            _ => Place::Other,
        }
    }

    /// Writes a call's fields up to where the JSON string of its arguments begins; `}}` ends it.
    pub(crate) fn push_call(&self, out: &mut String) {
        out.push_str("\"id\":");
        push_string(out, self.id.as_deref().unwrap_or_default());
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_string(out, self.name.as_deref().unwrap_or_default());
        out.push_str(",\"arguments\":");
    }
}

fn is_direct(caller: &RawValue) -> bool {
    Object::parse(caller.get())
        .and_then(|caller| caller.text("type"))
        .as_deref()
        == Some("direct")
}
