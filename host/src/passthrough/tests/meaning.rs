//! What an answer in OpenAI's shape says, read as a client reads it, and held against what the recording says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// What was heard. Departures from OpenAI's schema are kept in `odd`.
#[derive(Debug, Default)]
pub(super) struct Heard {
    text: String,
    reasoning: String,
    refusal: String,
    calls: BTreeMap<u64, (String, String, String)>,
    legacy: (String, String),
    finish: Option<String>,
    usage: Value,
    choices: BTreeSet<u64>,
    /// The error's `message`, in a stream or instead of an answer.
    pub(super) error: Option<String>,
    pub(super) done: bool,
    pub(super) odd: Vec<String>,
}

impl Heard {
    /// Reads the events of a stream.
    pub(super) fn stream(bytes: &[u8]) -> Self {
        let mut heard = Self::default();
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        for event in text.split_terminator("\n\n") {
            let Some(data) = event.strip_prefix("data: ") else {
                assert!(event.starts_with(':'), "neither an event nor a comment: {event:?}");
                continue;
            };
            assert!(!heard.done, "something follows the end mark");
            if data == "[DONE]" {
                heard.done = true;
                continue;
            }
            let chunk: Value = serde_json::from_str(data).expect("JSON in every event");
            heard.chunk(&chunk);
        }
        heard
    }

    /// Reads a whole answer.
    pub(super) fn whole(bytes: &[u8]) -> Self {
        let mut heard = Self {
            done: true,
            ..Self::default()
        };
        let answer: Value = serde_json::from_slice(bytes).expect("JSON");
        if heard.failed(&answer) {
            return heard;
        }
        heard.expect(answer["object"] == "chat.completion", "object");
        heard.expect(answer["id"].as_str().is_some_and(|id| !id.is_empty()), "id");
        heard.usage = answer["usage"].clone();
        for choice in answer["choices"].as_array().expect("choices") {
            heard.choice(choice, &choice["message"], true);
        }
        heard
    }

    /// True if this says that there is no answer, or no more of it.
    fn failed(&mut self, said: &Value) -> bool {
        let error = &said["error"];
        if error.is_object() {
            self.error = Some(error["message"].as_str().unwrap_or_default().to_owned());
        }
        error.is_object()
    }

    fn chunk(&mut self, chunk: &Value) {
        if self.failed(chunk) {
            return;
        }
        self.expect(chunk["object"] == "chat.completion.chunk", "object");
        self.expect(
            chunk["id"].is_string() && chunk["created"].is_number() && chunk["model"].is_string(),
            "identity",
        );
        let choices = chunk["choices"].as_array().expect("choices");
        if chunk["usage"].is_object() {
            self.expect(choices.is_empty(), "usage beside choices");
            self.usage = chunk["usage"].clone();
        }
        for choice in choices {
            let first = self.choices.insert(choice["index"].as_u64().unwrap_or_default());
            self.expect(!first || choice["delta"]["role"].is_string(), "no role at first");
            self.choice(choice, &choice["delta"], false);
        }
    }

    fn choice(&mut self, choice: &Value, said: &Value, whole: bool) {
        let index = choice["index"].as_u64().unwrap_or_default();
        self.choices.insert(index);
        self.expect(said.is_object(), "no delta, or no message");
        let words = ["stop", "length", "tool_calls", "content_filter", "function_call"];
        let finish = &choice["finish_reason"];
        self.expect(
            finish.is_null() || finish.as_str().is_some_and(|word| words.contains(&word)),
            "finish_reason",
        );
        let content = &said["content"];
        self.expect(content.is_null() || content.is_string(), "content");
        if index != 0 {
            return;
        }
        self.finish = finish.as_str().map(str::to_owned).or(self.finish.take());
        self.text.push_str(content.as_str().unwrap_or_default());
        self.refusal.push_str(said["refusal"].as_str().unwrap_or_default());
        self.reasoning.push_str(&reasoning(said));
        for (at, call) in said["tool_calls"].as_array().into_iter().flatten().enumerate() {
            self.call(call, if whole { Some(at as u64) } else { call["index"].as_u64() });
        }
        let function = &said["function_call"];
        self.legacy.0.push_str(function["name"].as_str().unwrap_or_default());
        self.legacy
            .1
            .push_str(function["arguments"].as_str().unwrap_or_default());
    }

    fn call(&mut self, call: &Value, index: Option<u64>) {
        self.expect(index.is_some(), "a tool call without index");
        let index = index.unwrap_or_default();
        let first = !self.calls.contains_key(&index);
        let id = call["id"].as_str().unwrap_or_default();
        self.expect(!first || !id.is_empty(), "a tool call without id");
        let arguments = &call["function"]["arguments"];
        self.expect(arguments.is_null() || arguments.is_string(), "arguments");
        let entry = self.calls.entry(index).or_default();
        let reused = !entry.0.is_empty() && !id.is_empty() && entry.0 != id && call["function"]["name"].is_string();
        entry.0 = if entry.0.is_empty() {
            id.to_owned()
        } else {
            std::mem::take(&mut entry.0)
        };
        if entry.1.is_empty() {
            call["function"]["name"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut entry.1);
        }
        entry.2.push_str(arguments.as_str().unwrap_or_default());
        self.expect(!reused, "one index for two calls");
    }

    fn expect(&mut self, good: bool, what: &str) {
        if !good {
            self.odd.push(what.to_owned());
        }
    }

    /// What differs from `means`: for each field, the values that are right.
    pub(super) fn differences(&self, means: &Map<String, Value>) -> Vec<String> {
        let mut found = self.odd.clone();
        found.extend(
            self.error
                .iter()
                .map(|error| format!("an answer became an error: {error}")),
        );
        for (field, right) in means {
            let heard = match field.as_str() {
                "text" => json!(self.text),
                "reasoning" => json!(self.reasoning),
                "refusal" => json!(self.refusal),
                "finish_reason" => json!(self.finish),
                "prompt_tokens" | "completion_tokens" => self.usage[field].clone(),
                "cached_tokens" => self.usage["prompt_tokens_details"][field].clone(),
                "reasoning_tokens" => self.usage["completion_tokens_details"][field].clone(),
                "tool_calls" | "server_tools_not_client_calls" => self.tool_calls(),
                "choices" => json!(self.choices.len()),
                _ => continue,
            };
            if !right.as_array().is_some_and(|right| right.contains(&heard)) {
                found.push(format!("{field}: heard {heard}, recorded {right}"));
            }
        }
        found
    }

    fn tool_calls(&self) -> Value {
        let parsed = |name: &str, arguments: &str| {
            let text = if arguments.is_empty() { "{}" } else { arguments };
            json!({"name": name, "arguments": serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text))})
        };
        let mut calls: Vec<Value> = self
            .calls
            .values()
            .map(|(_, name, arguments)| parsed(name, arguments))
            .collect();
        if calls.is_empty() && !self.legacy.0.is_empty() {
            calls.push(parsed(&self.legacy.0, &self.legacy.1));
        }
        calls.into()
    }
}

fn reasoning(said: &Value) -> String {
    let text = |key: &str| said[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let details = || {
        let items = said["reasoning_details"].as_array()?.iter();
        Some(
            items
                .filter(|item| matches!(item["type"].as_str(), None | Some("reasoning.text")))
                .filter_map(|item| item["text"].as_str())
                .collect(),
        )
    };
    text("reasoning_content")
        .or_else(|| text("reasoning"))
        .or_else(details)
        .unwrap_or_default()
}
