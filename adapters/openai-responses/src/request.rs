//! The request: Chat Completions to `POST /responses`.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, fields of the API's own) is copied as
//! it stands.

mod assistant;
mod conversation;
mod format;
mod parts;
mod settings;
mod tools;

use serde::Deserialize;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::Chat;

use crate::declared::Declared;
use crate::json::{push_field, push_list, push_string};
use conversation::Conversation;
pub(crate) use settings::DROPPED;
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

/// What a request is translated for.
pub(crate) struct About<'a> {
    /// the provider's model id
    pub(crate) model: &'a str,
    /// the client wants chunks
    pub(crate) streaming: bool,
    /// the items of earlier answers may come back as they were
    pub(crate) own: bool,
    /// the provider's settings
    pub(crate) config: Config,
}

/// A request to be sent.
pub(crate) struct Sent {
    /// its body
    pub(crate) body: String,
    /// items of earlier answers are in it as they were
    pub(crate) own: bool,
    /// which calls of its answer are the client's
    pub(crate) declared: Declared,
    /// fields inside of others that it does not have, if the client's has them
    pub(crate) dropped: Option<&'static str>,
}

/// Translates the client's request into a body for `POST /responses`.
pub(crate) fn translate(body: &str, about: &About<'_>) -> Result<Sent, Failure> {
    let chat = Chat::parse(body)?;
    let settings = Settings::read(&chat.fields)?;
    let (tools, declared) = tools::list(&chat.tools, settings.web_search)?;
    let conversation = Conversation::of(&chat.messages, about.own, &declared)?;

    let mut out = String::with_capacity(body.len() + body.len() / 8 + 256);
    out.push_str("{\"model\":");
    push_string(&mut out, about.model);
    if !conversation.instructions.is_empty() && settings.instructions.is_none() {
        let instructions = ["\"", &conversation.instructions, "\""].concat();
        push_field(&mut out, "instructions", &instructions);
    }
    out.push_str(",\"input\":[");
    out.push_str(&conversation.input);
    out.push(']');
    push_list(&mut out, "tools", &tools);
    if let Some(choice) = settings.tool_choice.filter(|_| !tools.is_empty()) {
        push_field(&mut out, "tool_choice", &tools::choice(choice)?);
    }
    settings.push(&mut out, about.model, &about.config)?;
    if about.streaming {
        push_field(&mut out, "stream", "true");
    }
    out.push('}');
    Ok(Sent {
        body: out,
        own: conversation.own,
        declared,
        dropped: chat.lost_thoughts(),
    })
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing that this API has.
fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}
