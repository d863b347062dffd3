//! The request's fields. What Mistral does not know it refuses, so what it has under another name is renamed and what it has nothing
//! like is left out; its own fields (`safe_prompt`, `random_seed`, `prompt_mode`, …) pass.

use serde_json::value::RawValue;
use witgate_sdk::json::text::{Object, push_comma, push_field, push_string, string};
use witgate_sdk::openai::text::asks;
use witgate_sdk::{Failure, Result};

use crate::{message, tools};

/// Fields of OpenAI's, or of other servers of its API, that Mistral has nothing like. The manifest says so.
pub(crate) const DROPPED: [&str; 12] = [
    "audio",
    "extra_body",
    "logit_bias",
    "modalities",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "thinking",
    "user",
    "verbosity",
    "web_search_options",
];

/// Fields that ask for what is so: usage comes at the end of every stream, and what was asked before is found without a mark.
const DONE: [&str; 2] = ["cache_control", "stream_options"];

/// A translated chat.
#[derive(Debug)]
pub struct Translated {
    /// The body for Mistral.
    pub body: String,
    /// What the client's chat says and this does not, as paths.
    pub dropped: Vec<&'static str>,
}

fn object(body: &str) -> Result<Object<'_>> {
    Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))
}

/// A chat with `model`, whatever the client's calls it.
///
/// # Errors
/// What the client asks for and Mistral cannot be asked for.
pub fn chat(body: &str, model: &str) -> Result<Translated> {
    let fields = object(body)?;
    let mut out = String::with_capacity(body.len() + 64);
    let mut dropped = Vec::new();
    let (choice, allowed) = tools::choice(fields.get("tool_choice"))?;
    let tools = tools::list(fields.get("tools"), &allowed)?;
    out.push_str("{\"model\":");
    push_string(&mut out, model);
    for (key, value) in &fields.0 {
        match &**key {
            "model" => {}
            "messages" => push_field(&mut out, key, &messages(value.get(), model, &mut dropped)?),
            "tools" if value.get() != "null" => push_field(&mut out, key, &tools),
            "tool_choice" => push_field(&mut out, key, choice.as_deref().unwrap_or("null")),
            "service_tier" => match tier(value.get()) {
                Some(tier) => push_field(&mut out, key, tier),
                None => dropped.push("service_tier"),
            },
            _ => field(&mut out, key, value.get(), &mut dropped),
        }
    }
    let length = fields.get("max_completion_tokens").or_else(|| fields.get("max_tokens"));
    if let Some(length) = length {
        push_field(&mut out, "max_tokens", length);
    }
    out.push('}');
    Ok(Translated { body: out, dropped })
}

fn field(out: &mut String, key: &str, value: &str, dropped: &mut Vec<&'static str>) {
    match key {
        "seed" => push_field(out, "random_seed", value),
        "reasoning_effort" => {
            if let Some(effort) = effort(value) {
                push_field(out, key, effort);
            }
        }
        "max_completion_tokens" | "max_tokens" => {}
        _ if DONE.contains(&key) => {}
        _ => match DROPPED.iter().find(|field| **field == key) {
            // Said here too: other hosts of Mistral's models have models that take them.
            Some(field) if asks(value) => dropped.push(field),
            Some(_) => {}
            None => push_field(out, key, value),
        },
    }
}

/// Mistral's models think or do not.
fn effort(value: &str) -> Option<&'static str> {
    match &*string(value)? {
        "none" | "minimal" => Some("\"none\""),
        _ => Some("\"high\""),
    }
}

/// Mistral has two tiers: its capacity for priority where there is some, and none of it. `None` for what is neither.
fn tier(value: &str) -> Option<&str> {
    match &*string(value)? {
        "auto" | "standard_only" => Some(value),
        "default" => Some("\"standard_only\""),
        _ => None,
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
