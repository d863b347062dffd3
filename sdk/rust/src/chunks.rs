//! The chunks of a streamed answer.

use serde::Serialize;

use crate::json::text::push_string;
use crate::openai::Usage;
use crate::{Failure, Result, Step};

/// Chunks for the client, in the order they are put in. The frequent kinds are written straight as text; any other goes through
/// [`push`](Self::push). Leave out `id`, `object`, `created` and `model`: the host fills them in.
///
/// ```
/// use witgate_sdk::{Chunks, openai::Usage};
/// let mut out = Chunks::new();
/// out.content("Hel");
/// out.content("lo");
/// out.finish("stop");
/// out.usage(&Usage::new(3, 2));
/// assert_eq!(out.as_slice()[0], r#"{"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    list: Vec<String>,
    failure: Option<Failure>,
}

impl Chunks {
    /// No chunks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any chunk, such as a [`ChatChunk`](crate::openai::ChatChunk).
    pub fn push<T: Serialize + ?Sized>(&mut self, chunk: &T) {
        match serde_json::to_string(chunk) {
            Ok(text) => self.list.push(text),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    /// Adds a chunk that you have as JSON text.
    pub fn push_text(&mut self, chunk: impl Into<String>) {
        self.list.push(chunk.into());
    }

    /// The answer begins: its first chunk, with the role.
    pub fn role(&mut self) {
        self.push_text(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#);
    }

    /// More text.
    pub fn content(&mut self, text: &str) {
        self.delta("content", text);
    }

    /// More of the thoughts that are shown.
    pub fn reasoning(&mut self, text: &str) {
        self.delta("reasoning_content", text);
    }

    /// More of a refusal.
    pub fn refusal(&mut self, text: &str) {
        self.delta("refusal", text);
    }

    /// A tool call begins, the `index`th of the message.
    pub fn tool_call(&mut self, index: u64, id: &str, name: &str, arguments: &str) {
        let mut text = tool_call_head(index);
        text.push_str(r#""id":"#);
        push_string(&mut text, id);
        text.push_str(r#","type":"function","function":{"name":"#);
        push_string(&mut text, name);
        text.push_str(r#","arguments":"#);
        push_string(&mut text, arguments);
        text.push_str("}}]}}]}");
        self.list.push(text);
    }

    /// More of the arguments of the `index`th tool call, which are JSON text.
    pub fn tool_arguments(&mut self, index: u64, more: &str) {
        let mut text = tool_call_head(index);
        text.push_str(r#""function":{"arguments":"#);
        push_string(&mut text, more);
        text.push_str("}}]}}]}");
        self.list.push(text);
    }

    /// The answer is complete, for this reason: `stop`, `length`, `tool_calls`, `content_filter`.
    pub fn finish(&mut self, reason: &str) {
        let mut text = String::from(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"#);
        push_string(&mut text, reason);
        text.push_str("}]}");
        self.list.push(text);
    }

    /// What the call used. Give it whenever the provider does: the host hides it from clients that did not ask.
    pub fn usage(&mut self, usage: &Usage<'_>) {
        #[derive(Serialize)]
        struct Chunk<'a> {
            choices: [(); 0],
            usage: &'a Usage<'a>,
        }
        self.push(&Chunk { choices: [], usage });
    }

    /// The last chunks of an answer given in chunks.
    ///
    /// # Errors
    /// If one of them could not be written as JSON.
    pub fn end(self) -> Result<Step> {
        self.into_list().map(Step::end_with)
    }

    /// The chunks so far, as JSON text.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.list
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn delta(&mut self, key: &str, value: &str) {
        let mut text = String::with_capacity(value.len() + 64);
        text.push_str(r#"{"choices":[{"index":0,"delta":{""#);
        text.push_str(key);
        text.push_str(r#"":"#);
        push_string(&mut text, value);
        text.push_str("}}]}");
        self.list.push(text);
    }

    pub(crate) fn into_list(self) -> Result<Vec<String>> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.list),
        }
    }

    /// The chunks that are good, and what went wrong.
    pub(crate) fn into_parts(self) -> (Vec<String>, Option<Failure>) {
        (self.list, self.failure)
    }
}

fn tool_call_head(index: u64) -> String {
    let mut text = String::with_capacity(160);
    text.push_str(r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":"#);
    text.push_str(&index.to_string());
    text.push(',');
    text
}

#[cfg(test)]
mod tests {
    use super::Chunks;

    #[test]
    fn the_chunks_written_as_text_are_those_of_openai() {
        let mut out = Chunks::new();
        out.role();
        out.tool_call(1, "call_1", "look", "");
        out.tool_arguments(1, "{\"a\":");
        out.finish("tool_calls");
        for chunk in out.as_slice() {
            let parsed: crate::openai::ChatChunk<'_> = serde_json::from_str(chunk).unwrap();
            assert!(parsed.rest.is_empty() && parsed.choices[0].rest.is_empty(), "{chunk}");
            assert!(parsed.choices[0].delta.rest.is_empty(), "{chunk}");
        }
    }
}
