//! One content block of an answer, read as far as the translation looks at it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_anthropic::{Place, Source};

use crate::json::{Object, push_string, string};

/// Where the blocks of an answer are in `extra_content`.
pub(crate) const KEY: &str = "bedrock";
/// What a server's own tool calls itself in a block; those are not for the client.
const SERVER_TOOL: &str = "server_tool_use";

/// A block of a message. Each holds one of these, or what is not looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Block<'a> {
    /// a JSON string
    #[serde(borrow)]
    pub(crate) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) tool_use: Option<ToolUse<'a>>,
    #[serde(borrow)]
    pub(crate) reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow)]
    pub(crate) citations_content: Option<Cited<'a>>,
}

/// A call of a tool, or the start of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolUse<'a> {
    #[serde(borrow, rename = "toolUseId")]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) input: Option<&'a RawValue>,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
}

/// A thought: readable, or not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reasoning<'a> {
    #[serde(borrow)]
    reasoning_text: Option<ReasoningText<'a>>,
    /// in streams, and of servers in front that leave the layer between out
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) redacted_content: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ReasoningText<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
}

/// A text with its sources.
#[derive(Debug, Deserialize)]
pub(crate) struct Cited<'a> {
    #[serde(borrow, default)]
    content: Vec<CitedText<'a>>,
    #[serde(borrow, default)]
    citations: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct CitedText<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

impl<'a> Block<'a> {
    /// Where it stands if a plain message can tell of it.
    pub(crate) fn place(&self) -> Place {
        if self.text.is_some() {
            Place::Text
        } else if self.client_call().is_some() {
            Place::Call
        } else if self.reasoning_content.is_some() {
            Place::Thinking
        } else {
            Place::Other
        }
    }

    /// The call, if it is the client's to answer.
    pub(crate) fn client_call(&self) -> Option<&ToolUse<'a>> {
        self.tool_use.as_ref().filter(|call| !call.is_the_servers())
    }

    /// The pieces of its text, still escaped.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'a RawValue> {
        let cited = self.citations_content.iter().flat_map(|cited| &cited.content);
        self.text.into_iter().chain(cited.filter_map(|part| part.text))
    }

    /// Where on the web its text is from.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source<'a>> {
        let cited = self.citations_content.iter().flat_map(|cited| &cited.citations);
        cited.filter_map(|citation| source(citation.get()))
    }

    /// Its text.
    pub(crate) fn said(&self) -> String {
        self.texts().filter_map(|text| string(text.get())).collect()
    }
}

/// The source that a citation names, if it is on the web.
pub(crate) fn source(citation: &str) -> Option<Source<'_>> {
    let citation = Object::parse(citation)?;
    let place = citation.get("location").and_then(Object::parse)?;
    let web = place.get("web").and_then(Object::parse)?;
    let url = web.get("url").and_then(string)?;
    // Nova gives no title.
    let title = citation.get("title").or_else(|| web.get("domain")).and_then(string);
    Some(Source {
        url,
        title: title.unwrap_or_default(),
    })
}

impl ToolUse<'_> {
    /// A tool that the provider runs itself.
    pub(crate) fn is_the_servers(&self) -> bool {
        self.r#type.as_deref() == Some(SERVER_TOOL)
    }

    /// Writes a call's fields up to where the JSON string of its arguments begins; `}}` ends it.
    pub(crate) fn push(&self, out: &mut String) {
        out.push_str("\"id\":");
        push_string(out, self.id.as_deref().unwrap_or_default());
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_string(out, self.name.as_deref().unwrap_or_default());
        out.push_str(",\"arguments\":");
    }
}

impl<'a> Reasoning<'a> {
    /// The readable thought.
    pub(crate) fn text(&self) -> Option<&'a RawValue> {
        let inner = self.reasoning_text.as_ref();
        inner.and_then(|inner| inner.text).or(self.text)
    }

    /// What proves it.
    pub(crate) fn signature(&self) -> Option<&'a RawValue> {
        let inner = self.reasoning_text.as_ref();
        inner.and_then(|inner| inner.signature).or(self.signature)
    }
}
