//! Models that take Chat Completions as it is, and Mistral's larger ones, whose form differs in a few names. The service writes thoughts
//! into the text, between marks.

use serde_json::{Value, json};
use witgate_sdk::{Failure, Response, Result};

use super::said;
use crate::json::{Object, push_field};

/// What stands around a thought in a text, of a whole answer and of each of its pieces.
const THOUGHT: (&str, &str) = ("<reasoning>", "</reasoning>");
/// Fields that the address says already, or that are Converse's.
const LEFT_OUT: [&str; 4] = ["model", "stream", "stream_options", "guardrailConfig"];

/// The client's request without what the address says.
pub(super) fn request(body: &str, streaming: bool) -> Result<String> {
    let fields = Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))?;
    let mut out = String::with_capacity(body.len() + 64);
    out.push('{');
    for (key, value) in fields.0.iter().filter(|(key, _)| !LEFT_OUT.contains(&&**key)) {
        push_field(&mut out, key, value.get());
    }
    if streaming {
        push_field(&mut out, "stream", "true");
        push_field(&mut out, "stream_options", "{\"include_usage\":true}");
    }
    out.push('}');
    Ok(out)
}

/// A whole answer; `None` if `body` is none. `guarded`: a guardrail has intervened.
pub(super) fn answer(reply: &Response, body: &str, guarded: bool) -> Option<String> {
    let mut answer = read(body)?;
    for choice in answer.get_mut("choices")?.as_array_mut()? {
        in_openais_words(choice, "message", guarded);
    }
    if let (Some(usage), None | Some(Value::Null)) = (said::usage(reply), answer.get("usage")) {
        answer["usage"] = json!(usage);
    }
    Some(answer.to_string())
}

/// An event of a stream as a chunk, and whether it ends the answer; `None` if `data` is none.
pub(super) fn chunk(data: &str, guarded: bool) -> Option<(String, bool)> {
    let mut chunk = read(data)?;
    let mut ended = false;
    for choice in chunk.get_mut("choices")?.as_array_mut()? {
        in_openais_words(choice, "delta", guarded);
        ended |= choice["finish_reason"].is_string();
    }
    Some((chunk.to_string(), ended))
}

/// What was said, with the usage that the service counts where the model tells none.
fn read(data: &str) -> Option<Value> {
    let mut said: Value = serde_json::from_str(data).ok()?;
    let metrics = said.as_object_mut()?.remove("amazon-bedrock-invocationMetrics");
    let counts = metrics.and_then(|metrics| {
        Some((
            metrics["inputTokenCount"].as_u64()?,
            metrics["outputTokenCount"].as_u64()?,
        ))
    });
    if let (Some((input, output)), None | Some(Value::Null)) = (counts, said.get("usage")) {
        let total = input.saturating_add(output);
        said["usage"] = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": total});
    }
    Some(said)
}

/// Mistral says `stop_reason`, in streams `message`, and leaves out what a call is.
fn in_openais_words(choice: &mut Value, place: &str, guarded: bool) {
    let Some(fields) = choice.as_object_mut() else {
        return;
    };
    if let (Some(reason), false) = (fields.remove("stop_reason"), fields.contains_key("finish_reason")) {
        fields.insert("finish_reason".to_owned(), reason);
    }
    if let (Some(message), false) = (fields.remove("message"), fields.contains_key(place)) {
        fields.insert(place.to_owned(), message);
    }
    if let (Some(reason @ Value::String(_)), true) = (fields.get_mut("finish_reason"), guarded) {
        *reason = json!("content_filter");
    }
    let Some(message) = fields.get_mut(place) else {
        return;
    };
    take_thought(message);
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for (index, call) in calls.into_iter().flatten().enumerate() {
        let Some(call) = call.as_object_mut() else {
            continue;
        };
        if call.contains_key("id") {
            call.entry("type").or_insert_with(|| json!("function"));
        }
        if place == "delta" {
            call.entry("index").or_insert_with(|| json!(index));
        }
    }
}

/// A thought at the beginning of the text becomes `reasoning_content`.
fn take_thought(message: &mut Value) {
    let (begin, end) = THOUGHT;
    let thought = message["content"].as_str();
    let thought = thought.and_then(|text| text.strip_prefix(begin)?.split_once(end));
    if let Some((thought, rest)) = thought {
        let (thought, rest) = (json!(thought), json!(rest));
        message["reasoning_content"] = thought;
        message["content"] = rest;
    }
}
