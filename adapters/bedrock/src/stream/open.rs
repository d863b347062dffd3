//! A content block that is still being streamed.

use serde_json::value::RawValue;
use witgate_anthropic::Place;

use crate::base64::join;
use crate::json::{Object, between_quotes, push_comma, push_field, string};
use crate::thought::Thought;

/// What a block is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// text of the answer
    Text,
    /// shown as reasoning, or not to be read
    Thinking,
    /// a call of the client's tool
    Call,
    /// the forced tool whose input is the answer
    Structured,
    /// not shown: the provider's own tools, what is new
    Opaque,
}

/// The block as far as it has come. Texts are pieces of JSON strings: still escaped, without their quotes.
#[derive(Debug)]
pub(super) struct OpenBlock {
    /// its number in the message
    pub(super) index: u64,
    pub(super) kind: Kind,
    /// the number of the client's call, for [`Kind::Call`]
    pub(super) call: u64,
    /// text, thinking, or a call's arguments
    pub(super) body: String,
    pub(super) signature: String,
    /// base64
    redacted: String,
    /// the block as it began, as JSON text
    pub(super) head: String,
    /// sources of a text, or what a tool of the provider's gave, as JSON text
    items: String,
    /// a picture's bytes, in base64
    picture: String,
    /// a picture's source or error where that is no bytes: its key and its JSON text
    told: Option<(&'static str, String)>,
    /// A piece could not be read.
    broken: bool,
}

impl OpenBlock {
    pub(super) fn new(index: u64, kind: Kind) -> Self {
        Self {
            index,
            kind,
            call: 0,
            body: String::new(),
            signature: String::new(),
            redacted: String::new(),
            head: String::new(),
            items: String::new(),
            picture: String::new(),
            told: None,
            broken: false,
        }
    }

    /// Takes in a source, or results.
    pub(super) fn list(&mut self, items: &str) {
        push_comma(&mut self.items);
        self.items.push_str(items);
    }

    /// The sources of a text, as a JSON list.
    pub(super) fn citations(&self) -> String {
        ["[", &self.items, "]"].concat()
    }

    /// Takes in more of a thought that is not to be read.
    pub(super) fn redact(&mut self, data: &str) {
        self.broken |= !data.is_empty() && !join(&mut self.redacted, data);
    }

    /// Takes in more of a picture: bytes, or where it is, or why there is none.
    pub(super) fn picture(&mut self, delta: &str) {
        let delta = Object::parse(delta).unwrap_or_default();
        let source = delta.get("source");
        let bytes = source.and_then(Object::parse).and_then(|source| source.get("bytes"));
        if let Some(bytes) = bytes.and_then(between_quotes) {
            self.broken |= !join(&mut self.picture, bytes);
        } else {
            let error = || delta.get("error").map(|error| ("error", error));
            let told = source.map(|source| ("source", source)).or_else(error);
            self.told = told.map(|(key, value)| (key, value.to_owned()));
        }
    }

    /// What was thought.
    pub(super) fn thought(&self) -> Thought<'_> {
        if self.redacted.is_empty() {
            Thought::Readable {
                text: &self.body,
                signature: &self.signature,
            }
        } else {
            Thought::Redacted(&self.redacted)
        }
    }

    /// Its finished form and where that stands; an empty text for a block that is not to come back; `None` if it could not be kept.
    pub(super) fn whole(&self) -> Option<(Place, String)> {
        if self.broken {
            return None;
        }
        match self.kind {
            Kind::Structured => Some((Place::Text, String::new())),
            Kind::Text if self.body.is_empty() && self.items.is_empty() => Some((Place::Text, String::new())),
            Kind::Text if self.items.is_empty() => Some((Place::Text, ["{\"text\":\"", &self.body, "\"}"].concat())),
            Kind::Text => Some((Place::Other, self.cited())),
            Kind::Thinking => Some((Place::Thinking, self.reasoning())),
            Kind::Call => Some((Place::Call, self.filled("toolUse", "input", &self.input()?)?)),
            Kind::Opaque if !self.picture.is_empty() => {
                let source = ["{\"bytes\":\"", &self.picture, "\"}"].concat();
                Some((Place::Other, self.filled("image", "source", &source)?))
            }
            Kind::Opaque if let Some((key, value)) = &self.told => {
                Some((Place::Other, self.filled("image", key, value)?))
            }
            Kind::Opaque if self.body.is_empty() => {
                let content = ["[", &self.items, "]"].concat();
                Some((Place::Other, self.filled("toolResult", "content", &content)?))
            }
            Kind::Opaque => Some((Place::Other, self.filled("toolUse", "input", &self.input()?)?)),
        }
    }

    fn cited(&self) -> String {
        let (text, citations) = (&self.body, &self.items);
        format!("{{\"citationsContent\":{{\"content\":[{{\"text\":\"{text}\"}}],\"citations\":[{citations}]}}}}")
    }

    fn reasoning(&self) -> String {
        let mut out = String::from("{\"reasoningContent\":{");
        match self.thought() {
            Thought::Redacted(data) => out.push_str(&["\"redactedContent\":\"", data, "\""].concat()),
            Thought::Readable { text, signature } => {
                out.push_str(&["\"reasoningText\":{\"text\":\"", text, "\""].concat());
                if !signature.is_empty() {
                    out.push_str(&[",\"signature\":\"", signature, "\""].concat());
                }
                out.push('}');
            }
        }
        out.push_str("}}");
        out
    }

    /// A call's arguments.
    fn input(&self) -> Option<String> {
        if self.body.is_empty() {
            return Some("{}".to_owned());
        }
        let quoted = ["\"", &self.body, "\""].concat();
        let input = string(&quoted)?;
        serde_json::from_str::<&RawValue>(&input).ok()?;
        Some(input.into_owned())
    }

    /// The block as it began, of this kind, with what was streamed of it.
    fn filled(&self, kind: &str, key: &str, value: &str) -> Option<String> {
        let start = Object::parse(Object::parse(&self.head)?.get(kind)?)?;
        let mut out = ["{\"", kind, "\":{"].concat();
        for (name, old) in start.0.iter().filter(|(name, _)| name != key) {
            push_field(&mut out, name, old.get());
        }
        push_field(&mut out, key, value);
        out.push_str("}}");
        Some(out)
    }
}
