//! The request: Chat Completions to `POST /responses`.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, fields of the API's own) is copied as
//! it stands.

mod assistant;
mod chat;
mod conversation;
mod format;
mod parts;
mod settings;
mod tools;

use serde::Deserialize;
use witgate_sdk::Failure;

use crate::json::{push_field, push_string};
use chat::Chat;
use conversation::Conversation;
use settings::Settings;

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// `reasoning.summary` for clients that name none
    reasoning_summary: Option<String>,
    /// ask for encrypted reasoning; else the model's name decides
    encrypted_reasoning: Option<bool>,
    /// let the provider store answers
    store: bool,
}

/// Translates the client's request into a body for `POST /responses`.
pub(crate) fn translate(body: &str, model: &str, streaming: bool, config: &Config) -> Result<String, Failure> {
    let chat: Chat<'_> = serde_json::from_str(body)
        .map_err(|error| Failure::invalid_request(format!("The request cannot be read: {error}.")))?;
    let settings = Settings::read(&chat.fields)?;
    let conversation = Conversation::of(&chat.messages)?;
    let tools = tools::list(&chat.tools, settings.web_search)?;

    let mut out = String::with_capacity(body.len() + body.len() / 8 + 256);
    out.push_str("{\"model\":");
    push_string(&mut out, model);
    if !conversation.instructions.is_empty() && settings.instructions.is_none() {
        let instructions = ["\"", &conversation.instructions, "\""].concat();
        push_field(&mut out, "instructions", &instructions);
    }
    out.push_str(",\"input\":[");
    out.push_str(&conversation.input);
    out.push(']');
    if !tools.is_empty() {
        push_field(&mut out, "tools", &["[", &tools, "]"].concat());
    }
    if let Some(choice) = settings.tool_choice.filter(|_| !tools.is_empty()) {
        push_field(&mut out, "tool_choice", &tools::choice(choice)?);
    }
    settings.push(&mut out, model, config)?;
    if streaming {
        push_field(&mut out, "stream", "true");
    }
    out.push('}');
    Ok(out)
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing that this API has.
fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}
