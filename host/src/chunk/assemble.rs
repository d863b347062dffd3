//! A whole answer out of chunks, for a client that wants no stream from a provider that gives one.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value, json};

use super::{Answer, Flaw, Stamp, reader::Reader, usage};
use crate::call::Operation;

type Fields = Map<String, Value>;

/// Puts chunks together.
#[derive(Debug)]
pub struct Assembler {
    reader: Reader,
    whole: &'static str,
    top: Fields,
    choices: BTreeMap<u64, Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    /// What stands beside the message: the finish reason, log probabilities, a provider's own.
    beside: Fields,
    message: Fields,
    calls: BTreeMap<u64, Value>,
}

impl Assembler {
    /// For the chunks of one answer to `operation`.
    pub fn new(stamp: Stamp, operation: Operation) -> Self {
        Self {
            reader: Reader::stream(stamp, operation),
            whole: match operation {
                Operation::Completions => "text_completion",
                _ => "chat.completion",
            },
            top: Fields::new(),
            choices: BTreeMap::new(),
        }
    }

    /// Adds a chunk.
    pub fn add(&mut self, chunk: &str) -> Result<(), Flaw> {
        self.reader.read(chunk)?;
        let mut mended = BytesMut::new();
        self.reader.edits.apply(chunk, &mut mended);
        let mut top: Fields = serde_json::from_slice(&mended).map_err(|_| Flaw::Malformed("it is not valid JSON"))?;
        if let Some(Value::Array(choices)) = top.remove("choices") {
            choices.into_iter().for_each(|choice| self.choice(choice));
        }
        top.retain(|_, value| !value.is_null());
        self.top.extend(top);
        Ok(())
    }

    /// True if a finish reason has come.
    pub fn finished(&self) -> bool {
        self.reader.finished
    }

    /// The answer.
    pub fn finish(mut self) -> Result<Answer, Flaw> {
        if self.choices.is_empty() {
            return Err(Flaw::Malformed("it has no choices"));
        }
        let usage = usage(&self.reader.usage);
        self.top.insert("object".to_owned(), json!(self.whole));
        let choices: Vec<Value> = self
            .choices
            .into_iter()
            .map(|(index, choice)| choice.finish(index))
            .collect();
        self.top.insert("choices".to_owned(), choices.into());
        if usage.is_some()
            && let Ok(counted) = serde_json::from_str(&self.reader.usage)
        {
            self.top.insert("usage".to_owned(), counted);
        }
        let body = Bytes::from(Value::Object(self.top).to_string());
        Ok(Answer { body, usage })
    }

    fn choice(&mut self, choice: Value) {
        let Value::Object(mut fields) = choice else { return };
        let index = fields
            .remove("index")
            .and_then(|index| index.as_u64())
            .unwrap_or_default();
        let whole = self.choices.entry(index).or_default();
        if let Some(Value::Object(mut delta)) = fields.remove("delta") {
            if let Some(Value::Array(calls)) = delta.remove("tool_calls") {
                calls.into_iter().for_each(|call| whole.call(call));
            }
            merge(&mut whole.message, delta);
        }
        merge(&mut whole.beside, fields);
    }
}

impl Choice {
    fn call(&mut self, mut call: Value) {
        let index = call.get("index").and_then(Value::as_u64).unwrap_or_default();
        if let Value::Object(fields) = &mut call {
            fields.remove("index");
        }
        match (self.calls.get_mut(&index), call) {
            (Some(Value::Object(whole)), Value::Object(fragment)) => merge(whole, fragment),
            (Some(_), _) => {}
            (None, call) => {
                self.calls.insert(index, call);
            }
        }
    }

    fn finish(mut self, index: u64) -> Value {
        self.beside.insert("index".to_owned(), index.into());
        self.beside.entry("finish_reason").or_insert(Value::Null);
        if !self.beside.contains_key("text") {
            self.message.entry("role").or_insert_with(|| json!("assistant"));
            let content = if self.calls.is_empty() { json!("") } else { Value::Null };
            self.message.entry("content").or_insert(content);
            if !self.calls.is_empty() {
                self.message
                    .insert("tool_calls".to_owned(), self.calls.into_values().collect());
            }
            self.beside.insert("message".to_owned(), self.message.into());
        }
        Value::Object(self.beside)
    }
}

/// Adds the members of a fragment: text goes on, lists grow, objects are merged, and anything else is replaced. A null adds nothing,
/// nor does an empty text.
pub(crate) fn merge(whole: &mut Fields, fragment: Fields) {
    for (key, value) in fragment {
        match (whole.get_mut(&key), value) {
            (Some(_), Value::Null) => {}
            (Some(Value::String(_)), Value::String(more)) if more.is_empty() => {}
            (Some(Value::String(text)), Value::String(more)) if goes_on(&key) => text.push_str(&more),
            (Some(Value::Object(fields)), Value::Object(more)) => merge(fields, more),
            (Some(Value::Array(items)), Value::Array(more)) => more.into_iter().for_each(|item| grow(items, item)),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

/// Words are said once, or again as a whole; all other text comes in pieces.
fn goes_on(key: &str) -> bool {
    !matches!(
        key,
        "role" | "id" | "type" | "name" | "format" | "signature" | "finish_reason" | "native_finish_reason"
    )
}

/// Adds an item to a list. One that goes on with an item of its type that is there, by its index, or as a thought whose signature has
/// not come yet, is merged with it.
fn grow(items: &mut Vec<Value>, item: Value) {
    let place = match item.get("index") {
        // OpenRouter counts the items of each type by themselves.
        Some(index) => items.iter().position(|there| {
            let other = |kind| item.get("type").is_some_and(|own| own != kind);
            there.get("index") == Some(index) && !there.get("type").is_some_and(other)
        }),
        None => items.iter().rposition(|there| {
            let thought = there
                .get("type")
                .is_some_and(|kind| kind == "thinking" || kind == "reasoning.text");
            thought && there.get("type") == item.get("type") && there.get("signature").is_none()
        }),
    };
    match (place.and_then(|at| items.get_mut(at)), item) {
        (Some(Value::Object(there)), Value::Object(more)) => merge(there, more),
        (_, item) => items.push(item),
    }
}
