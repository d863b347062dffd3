//! A content block that is still being streamed.

use serde_json::value::RawValue;
use witgate_sdk::Chunks;

use crate::json::{Object, pieces, push_comma, push_escaped, push_field, string};
use crate::kept::Place;
use crate::response::Block;
use crate::structured;

/// What a block is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// text of the answer
    Text,
    /// shown as reasoning
    Thinking,
    /// a call of the client's tool
    Call,
    /// the forced tool whose input is the answer
    Structured,
    /// not shown: the provider's own tools, redacted thinking, what is new
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
    signature: String,
    citations: String,
    head: String,
    place: Place,
    lost: bool,
}

impl OpenBlock {
    /// The block that `content_block_start` tells of.
    pub(super) fn new(index: u64, raw: &str, call: u64, structured: bool) -> Self {
        let mut open = Self {
            index,
            kind: Kind::Opaque,
            call,
            body: String::new(),
            signature: String::new(),
            citations: String::new(),
            head: raw.to_owned(),
            place: Place::Other,
            lost: false,
        };
        let Ok(block) = serde_json::from_str::<Block<'_>>(raw) else {
            return open;
        };
        open.place = block.place();
        open.kind = match &*block.r#type {
            "text" => Kind::Text,
            "thinking" => Kind::Thinking,
            "tool_use" if structured && block.name.as_deref() == Some(structured::TOOL) => Kind::Structured,
            "tool_use" => Kind::Call,
            _ => Kind::Opaque,
        };
        open.body.push_str(match open.kind {
            Kind::Text => pieces(block.text),
            Kind::Thinking => pieces(block.thinking),
            Kind::Call | Kind::Structured | Kind::Opaque => "",
        });
        open.signature.push_str(pieces(block.signature));
        open
    }

    /// Takes in a piece of the signature.
    pub(super) fn sign(&mut self, piece: &str) {
        self.signature.push_str(piece);
    }

    /// Takes in a citation of the text.
    pub(super) fn cite(&mut self, citation: Option<&RawValue>) {
        if let Some(citation) = citation {
            push_comma(&mut self.citations);
            self.citations.push_str(citation.get());
            self.place = Place::Other;
        }
    }

    /// What was cited, as a JSON list.
    pub(super) fn citations(&self) -> String {
        ["[", &self.citations, "]"].concat()
    }

    /// Takes in a delta that has no place in the client's chunks. `event` is the whole event.
    pub(super) fn patch(&mut self, event: &str) {
        let event = Object::parse(event).unwrap_or_default();
        let delta = event.get("delta").and_then(Object::parse).unwrap_or_default();
        if delta.text("type").as_deref() != Some("compaction_delta") {
            // Whether its fields replace or continue the block's is not known, so the block cannot be rebuilt.
            self.lost = true;
            return;
        }
        for (key, value) in delta.0.iter().filter(|(key, _)| key != "type") {
            self.set(key, value.get());
        }
    }

    /// The input of a call of which nothing was streamed.
    pub(super) fn first_input(&self) -> String {
        let head = Object::parse(&self.head).unwrap_or_default();
        head.get("input").unwrap_or("{}").to_owned()
    }

    /// Its finished form and where that stands; an empty text for a block that is not to come back; `None` if it could not be kept.
    pub(super) fn whole(mut self) -> Option<(Place, String)> {
        if self.lost {
            return None;
        }
        match self.kind {
            Kind::Structured => self.head.clear(),
            Kind::Text if self.body.is_empty() => self.head.clear(),
            Kind::Text => {
                self.head = format!("{{\"type\":\"text\",\"text\":\"{}\"}}", self.body);
                if !self.citations.is_empty() {
                    self.set("citations", &self.citations());
                }
            }
            Kind::Thinking => {
                let (thinking, signature) = (&self.body, &self.signature);
                self.head =
                    format!("{{\"type\":\"thinking\",\"thinking\":\"{thinking}\",\"signature\":\"{signature}\"}}");
            }
            Kind::Call | Kind::Opaque if !self.body.is_empty() => {
                let quoted = format!("\"{}\"", self.body);
                let input = string(&quoted)?;
                serde_json::from_str::<&RawValue>(&input).ok()?;
                self.set("input", &input);
            }
            Kind::Call | Kind::Opaque => {}
        }
        Some((self.place, self.head))
    }

    fn set(&mut self, key: &str, value: &str) {
        let mut changed = String::from("{");
        if let Some(head) = Object::parse(&self.head) {
            for (name, old) in head.0.iter().filter(|(name, _)| name != key) {
                push_field(&mut changed, name, old.get());
            }
        }
        push_field(&mut changed, key, value);
        changed.push('}');
        self.head = changed;
    }
}

/// Adds a chunk whose delta is one string field. `text` is escaped already.
pub(super) fn push_text(out: &mut Chunks, key: &str, text: &str) {
    if !text.is_empty() {
        out.push_text([super::CHUNK, "\"", key, "\":\"", text, "\"", super::CHUNK_END].concat());
    }
}

/// Adds a chunk with a piece of a call's arguments. `text` is escaped already.
pub(super) fn push_arguments(out: &mut Chunks, call: u64, text: &str) {
    if !text.is_empty() {
        let (start, end) = (super::CHUNK, super::CHUNK_END);
        out.push_text(format!(
            "{start}\"tool_calls\":[{{\"index\":{call},\"function\":{{\"arguments\":\"{text}\"}}}}]{end}"
        ));
    }
}

/// JSON text as the inside of a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(&mut out, text);
    out
}
