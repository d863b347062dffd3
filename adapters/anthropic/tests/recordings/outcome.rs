//! What a client reads from an answer or from chunks, to be compared with what a recording means.

use serde_json::{Map, Value, json};

/// An answer as a client has it in the end.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    text: String,
    reasoning: String,
    refusal: String,
    calls: Vec<(String, String, String)>,
    finish_reason: Option<String>,
    usage: Value,
    choices: usize,
    error: Option<(u16, String)>,
    /// departures from OpenAI's schema
    pub(crate) odd: Vec<String>,
}

impl Outcome {
    /// Reads a `chat.completion`.
    pub(crate) fn of_answer(answer: &str) -> Self {
        let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
        let mut outcome = Self::default();
        let choice = &answer["choices"][0];
        outcome.message(&choice["message"], true);
        outcome.finish_reason = choice["finish_reason"].as_str().map(str::to_owned);
        outcome.usage = answer["usage"].clone();
        outcome.choices = answer["choices"].as_array().map_or(0, Vec::len);
        outcome
    }

    /// Reads chunks in their order.
    pub(crate) fn of_chunks<'a>(chunks: impl IntoIterator<Item = &'a String>) -> Self {
        let mut outcome = Self::default();
        for chunk in chunks {
            let chunk: Value = serde_json::from_str(chunk).expect("a chunk is JSON");
            let index = |choice: &Value| choice["index"].as_u64().map_or(0, |index| index as usize);
            if let Some(choice) = chunk["choices"].get(0) {
                outcome.choices = outcome.choices.max(index(choice) + 1);
            }
            if let Some(choice) = chunk["choices"].get(0).filter(|choice| index(choice) == 0) {
                if outcome.finish_reason.is_some() {
                    outcome.odd.push("a delta after the finish reason".to_owned());
                }
                outcome.message(&choice["delta"], false);
                if let Some(reason) = choice["finish_reason"].as_str() {
                    outcome.finish_reason = Some(reason.to_owned());
                }
            }
            if chunk["usage"].is_object() {
                outcome.usage = chunk["usage"].clone();
            }
        }
        outcome
    }

    /// The answer ended in this error.
    pub(crate) fn failed(mut self, status: u16, message: &str) -> Self {
        self.error = Some((status, message.to_owned()));
        self
    }

    fn message(&mut self, message: &Value, whole: bool) {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        self.text += &text("content");
        self.reasoning += &text("reasoning_content");
        self.refusal += &text("refusal");
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let function = &call["function"];
            let at = if whole {
                self.calls.len()
            } else {
                call["index"].as_u64().unwrap_or(u64::MAX) as usize
            };
            if call.get("id").is_some() {
                if at != self.calls.len() {
                    self.odd.push(format!("call {at} is named out of order"));
                }
                self.calls
                    .push((part(&call["id"]), part(&function["name"]), part(&function["arguments"])));
            } else if let Some(named) = self.calls.get_mut(at) {
                named.2 += &part(&function["arguments"]);
            } else {
                self.odd.push(format!("arguments of a call {at} that was not named"));
            }
        }
    }

    fn tool_calls(&self) -> Value {
        let call = |(_, name, arguments): &(String, String, String)| {
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({"no JSON": arguments}));
            json!({"name": name, "arguments": arguments})
        };
        self.calls.iter().map(call).collect()
    }

    /// Compares with the meaning's fields, each a list of values that will do. Gives the differences.
    pub(crate) fn differences(&self, fields: &Map<String, Value>) -> Vec<String> {
        let mut differences = self.odd.clone();
        for (field, any) in fields {
            let got = self.field(field);
            let any = any.as_array().expect("a list of values");
            let same = match field.as_str() {
                "error_message" => any
                    .iter()
                    .any(|text| got.as_str().zip(text.as_str()).is_some_and(|(a, b)| a.contains(b))),
                "server_tools_not_client_calls" => self.calls.len() == any[0].as_array().map_or(0, Vec::len),
                _ => any.contains(&got),
            };
            if !same {
                differences.push(format!("{field}: expected one of {any:?}, got {got}"));
            }
        }
        if !fields.contains_key("error_signalled") && self.error.is_some() {
            differences.push(format!("an answer became an error: {:?}", self.error));
        }
        differences
    }

    fn field(&self, field: &str) -> Value {
        let error = self.error.as_ref();
        match field {
            "text" => json!(self.text),
            "reasoning" => json!(self.reasoning),
            "refusal" => json!(self.refusal),
            "tool_calls" | "server_tools_not_client_calls" => self.tool_calls(),
            "finish_reason" => json!(self.finish_reason),
            "choices" => json!(self.choices),
            "prompt_tokens" | "completion_tokens" => self.usage[field].clone(),
            "cached_tokens" => self.usage["prompt_tokens_details"][field].clone(),
            "reasoning_tokens" => self.usage["completion_tokens_details"][field].clone(),
            "error_signalled" => json!(error.is_some()),
            "error_status" | "error_status_exact" => json!(error.map(|(status, _)| *status)),
            "error_envelope" => json!(error.is_some_and(|(_, message)| !message.is_empty())),
            "error_message" => json!(error.map(|(_, message)| message)),
            _ => panic!("the meaning has a field that is not compared: {field}"),
        }
    }
}
