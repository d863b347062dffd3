//! The request's fields. What Mistral does not know it refuses, so what it has under another name is renamed and what it has nothing
//! like is left out; its own fields (`safe_prompt`, `random_seed`, `prompt_mode`, …) pass.

use serde_json::value::RawValue;
use witgate_sdk::json::text::{Object, push_comma, push_field, string};
use witgate_sdk::{Failure, Result};

use crate::message;

/// Fields of OpenAI's, or of other servers of its API, that Mistral has nothing like. The manifest says so.
pub(crate) const DROPPED: [&str; 14] = [
    "audio",
    "extra_body",
    "logit_bias",
    "modalities",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "thinking",
    "top_k",
    "user",
    "verbosity",
    "web_search_options",
];

/// Fields that ask for what is so: usage comes at the end of every stream, and what was asked before is found without a mark.
const DONE: [&str; 2] = ["cache_control", "stream_options"];

/// A translated chat.
pub(crate) struct Translated {
    pub(crate) body: String,
    /// What the client's messages say and these do not, as paths.
    pub(crate) dropped: Vec<&'static str>,
}

fn object(body: &str) -> Result<Object<'_>> {
    Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))
}

/// A chat with `model`.
pub(crate) fn chat(body: &str, model: &str) -> Result<Translated> {
    let fields = object(body)?;
    let mut out = String::with_capacity(body.len() + 64);
    let mut dropped = Vec::new();
    out.push('{');
    for (key, value) in &fields.0 {
        match &**key {
            "messages" => push_field(&mut out, key, &messages(value.get(), model, &mut dropped)?),
            _ => field(&mut out, key, value.get())?,
        }
    }
    let length = fields.get("max_completion_tokens").or_else(|| fields.get("max_tokens"));
    if let Some(length) = length {
        push_field(&mut out, "max_tokens", length);
    }
    out.push('}');
    Ok(Translated { body: out, dropped })
}

fn field(out: &mut String, key: &str, value: &str) -> Result<()> {
    match key {
        "tools" if value != "null" => push_field(out, key, &tools(value)?),
        "seed" => push_field(out, "random_seed", value),
        "reasoning_effort" => {
            if let Some(effort) = effort(value) {
                push_field(out, key, effort);
            }
        }
        "max_completion_tokens" | "max_tokens" => {}
        _ if DROPPED.contains(&key) || DONE.contains(&key) => {}
        _ => push_field(out, key, value),
    }
    Ok(())
}

/// Mistral's models think or do not.
fn effort(value: &str) -> Option<&'static str> {
    match &*string(value)? {
        "none" | "minimal" => Some("\"none\""),
        _ => Some("\"high\""),
    }
}

fn messages(list: &str, model: &str, dropped: &mut Vec<&'static str>) -> Result<String> {
    let wrong = |_| Failure::invalid_request("The messages are no list of objects.").param("messages");
    let list: Vec<Object<'_>> = serde_json::from_str(list).map_err(wrong)?;
    // Only models that always think are known to read what they thought before.
    let thoughts = model.contains("magistral");
    let mut out = String::from("[");
    for message in &list {
        push_comma(&mut out);
        message::push(&mut out, message, thoughts);
        message::lost(message, thoughts, dropped);
    }
    out.push(']');
    Ok(out)
}

/// Tools as they are, but for marks of other providers'.
fn tools(list: &str) -> Result<String> {
    let wrong = |_| Failure::invalid_request("The tools are no list of objects.").param("tools");
    let list: Vec<Object<'_>> = serde_json::from_str(list).map_err(wrong)?;
    let mut out = String::from("[");
    for tool in &list {
        push_comma(&mut out);
        out.push('{');
        for (key, value) in tool.0.iter().filter(|(key, _)| key != "cache_control") {
            push_field(&mut out, key, value.get());
        }
        out.push('}');
    }
    out.push(']');
    Ok(out)
}

/// The body for embeddings: the two fields that Mistral calls otherwise.
pub(crate) fn embeddings(body: &str) -> Result<String> {
    let mut out = String::with_capacity(body.len());
    out.push('{');
    let fields = object(body)?;
    let push = |out: &mut String, key: &str, value: &RawValue| push_field(out, key, value.get());
    for (key, value) in &fields.0 {
        match &**key {
            "dimensions" => push(&mut out, "output_dimension", value),
            // The gateway makes what the client wants of numbers.
            "user" | "encoding_format" => {}
            _ => push(&mut out, key, value),
        }
    }
    out.push('}');
    Ok(out)
}
