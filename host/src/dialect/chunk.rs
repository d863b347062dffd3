//! A chunk, or a whole answer, of Chat Completions, read as far as a response needs it, or [`super::kept`].

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    json::inside,
    object::{Object, list},
    old,
};

/// What hosts tell of how an answer was made: no provider wants it back, and some refuse a message that has it. Groq's streams name the
/// channel of each word, and its messages the tools that ran; Writer's have a graph; GitHub Copilot's are padded; Vercel's have costs.
const TOLD: [&str; 5] = [
    "channel",
    "executed_tools",
    "graph_data",
    "padding",
    "provider_metadata",
];

/// A `chat.completion.chunk`, or a `chat.completion`.
#[derive(Deserialize)]
pub(in crate::dialect) struct Chunk<'a> {
    #[serde(borrow)]
    object: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(in crate::dialect) created: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::dialect) model: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::dialect) choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    pub(in crate::dialect) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::dialect) service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::dialect) citations: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::dialect) search_results: Option<&'a RawValue>,
}

/// One of its choices.
#[derive(Deserialize)]
pub(in crate::dialect) struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Object<'a>>,
    #[serde(borrow)]
    message: Option<Object<'a>>,
    #[serde(borrow)]
    pub(in crate::dialect) finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(in crate::dialect) logprobs: Option<&'a RawValue>,
}

impl Chunk<'_> {
    /// A response has one answer.
    pub(in crate::dialect) fn first(&self) -> impl Iterator<Item = &Choice<'_>> {
        let choices = self.choices.iter().flatten();
        choices.filter(|choice| choice.index.is_none_or(|index| index == 0))
    }

    /// What a choice of it says. Perplexity's have a message beside the delta, of all that was said so far, and an empty delta beside
    /// the message of a whole answer.
    pub(in crate::dialect) fn said<'c>(&self, choice: &'c Choice<'_>) -> Option<Said<'c>> {
        let whole = choice.delta.is_none() || self.object.as_deref() == Some("chat.completion");
        let said = if whole { &choice.message } else { &choice.delta };
        said.as_ref().map(|said| Said::of(said, whole))
    }
}

/// What a delta or a message says. Texts are escaped, without quotes.
#[derive(Default)]
pub(in crate::dialect) struct Said<'a> {
    /// The field it stood in, and the text.
    pub(in crate::dialect) reasoning: Option<(&'static str, &'a str)>,
    pub(in crate::dialect) content: Option<&'a str>,
    pub(in crate::dialect) refusal: Option<&'a str>,
    pub(in crate::dialect) annotations: Vec<&'a RawValue>,
    pub(in crate::dialect) images: Vec<&'a RawValue>,
    pub(in crate::dialect) calls: Vec<Fragment<'a>>,
    /// The call of a server that has no list of them, or a piece of it.
    pub(in crate::dialect) old: Option<Fragment<'a>>,
    /// Fields of the provider's own.
    pub(in crate::dialect) own: Vec<(&'a str, &'a str)>,
}

impl<'a> Said<'a> {
    /// True if there are words for a message.
    pub(in crate::dialect) fn speaks(&self) -> bool {
        let some = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        some(self.content) || some(self.refusal)
    }

    fn of(fields: &'a Object<'a>, whole: bool) -> Self {
        let mut said = Self::default();
        for (key, value) in fields.iter() {
            match key {
                // Some say one beside the other, empty. The last is GitHub Copilot's.
                "reasoning_content" if value != "\"\"" => said.reasoning = Some(("reasoning_content", inside(value))),
                "reasoning" => said.reasoning = said.reasoning.or(Some(("reasoning", inside(value)))),
                "reasoning_text" => said.reasoning = said.reasoning.or(Some(("reasoning_text", inside(value)))),
                "content" => said.content = Some(inside(value)),
                "refusal" => said.refusal = Some(inside(value)),
                "annotations" => said.annotations = list(value).unwrap_or_default(),
                "images" => said.images = list(value).unwrap_or_default(),
                "tool_calls" => said.calls = calls(value, whole),
                "function_call" => said.old = Fragment::old(value),
                "role" | "reasoning_content" => {}
                // Numbers and truths are no state either: some give each word its number.
                _ if TOLD.contains(&key) || !value.starts_with(['"', '[', '{']) => {}
                _ => said.own.push((key, value)),
            }
        }
        // Who has both says the same in both.
        said.old = said.old.filter(|_| said.calls.is_empty());
        said
    }
}

/// A call, or a piece of one.
pub(in crate::dialect) struct Fragment<'a> {
    pub(in crate::dialect) index: u64,
    pub(in crate::dialect) id: Cow<'a, str>,
    pub(in crate::dialect) name: Cow<'a, str>,
    /// Escaped, without quotes.
    pub(in crate::dialect) arguments: &'a str,
    /// Fields of the provider's own.
    pub(in crate::dialect) own: Vec<(Cow<'a, str>, &'a str)>,
}

fn calls(text: &str, whole: bool) -> Vec<Fragment<'_>> {
    let calls: Vec<Object<'_>> = serde_json::from_str(text).unwrap_or_default();
    let fragments = calls.into_iter().enumerate();
    fragments.map(|(at, call)| Fragment::of(call, at, whole)).collect()
}

impl<'a> Fragment<'a> {
    /// Snowflake's answers without calls have an empty one.
    fn old(text: &'a str) -> Option<Self> {
        let function = Object::parse(text)?;
        let name = function.text("name").unwrap_or_default();
        let arguments = function.get("arguments").map_or("", inside);
        (!name.is_empty() || !arguments.is_empty()).then(|| Self {
            index: old::NUMBER,
            id: Cow::default(),
            name,
            arguments,
            own: Vec::new(),
        })
    }

    fn of(call: Object<'a>, at: usize, whole: bool) -> Self {
        let tool = call.get("function").or_else(|| call.get("custom"));
        let tool = tool.and_then(Object::parse).unwrap_or_default();
        let given = call.get("index").and_then(|index| index.parse().ok());
        Self {
            index: given.filter(|_| !whole).unwrap_or(at as u64),
            id: call.text("id").unwrap_or_default(),
            name: tool.text("name").unwrap_or_default(),
            arguments: tool.get("arguments").or_else(|| tool.get("input")).map_or("", inside),
            own: call
                .0
                .into_iter()
                .filter(|(key, _)| !matches!(&**key, "id" | "type" | "index" | "function" | "custom"))
                .map(|(key, value)| (key, value.get()))
                .collect(),
        }
    }
}
