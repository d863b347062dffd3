//! The request: Chat Completions to Converse.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, schemas, fields of Bedrock's own) is
//! copied as it stands.

mod assistant;
pub(crate) mod chat;
mod conversation;
mod format;
mod media;
mod parts;
mod settings;
mod thinking;
mod tools;

use witgate_sdk::Failure;

use crate::json::{push_comma, push_field, push_string};
use crate::model::Model;
use chat::Chat;
use conversation::Conversation;
use format::Format;
pub(crate) use settings::DROPPED;
use settings::Settings;
pub(crate) use settings::is_not_the_models;
use tools::Choice;

/// A translated request.
pub(crate) struct Translated {
    /// the body for `converse`
    pub(crate) body: String,
    /// A forced tool stands for the response format.
    pub(crate) structured: bool,
    /// The client names a guardrail.
    pub(crate) guarded: bool,
}

/// Reads the client's request.
pub(crate) fn read(body: &str) -> Result<Chat<'_>, Failure> {
    serde_json::from_str(body)
        .map_err(|error| Failure::invalid_request(format!("The request cannot be read: {error}.")))
}

/// Translates the client's request.
pub(crate) fn translate(body: &str, model: Model<'_>) -> Result<Translated, Failure> {
    let chat = read(body)?;
    let mut settings = Settings::read(&chat.fields)?;
    let format = Format::of(settings.response_format, model)?;
    let mut conversation = Conversation::of(&chat.messages, model.caches())?;
    if let Format::Words(words) = &format {
        format::push_words(&mut conversation.system, words);
    }
    let (choice, allowed) = match settings.tool_choice {
        Some(choice) => Choice::parse(choice)?,
        None => (Choice::Unsaid, None),
    };
    settings.decide_thinking(model, &choice, &chat.messages);
    let mut tools = String::new();
    // The API knows no choice of none: without tools there is none. But what was called before must be known.
    if choice != Choice::None || !conversation.called.is_empty() {
        tools::push(&mut tools, &chat.tools, allowed.as_deref(), model)?;
    }
    let has_tools = !tools.is_empty();
    if !has_tools {
        tools::push_called(&mut tools, &conversation.called);
    }
    let choice = match &format {
        Format::Tool(tool) => {
            push_comma(&mut tools);
            tools.push_str(tool);
            format::choice(choice, has_tools, settings.thinks())
        }
        _ => choice,
    };
    let mut out = String::with_capacity(body.len() + body.len() / 4 + 256);
    out.push('{');
    push_list(&mut out, "messages", &conversation.turns);
    push_list(&mut out, "system", &conversation.system);
    if !tools.is_empty() {
        let mut config = String::from("{");
        push_list(&mut config, "tools", &tools);
        if let Some(choice) = choice.to_json() {
            push_field(&mut config, "toolChoice", &choice);
        }
        config.push('}');
        push_field(&mut out, "toolConfig", &config);
    }
    settings.push(&mut out, model, has_tools);
    out.push('}');
    Ok(Translated {
        body: out,
        structured: matches!(format, Format::Tool(_)),
        guarded: chat.fields.get("guardrailConfig").is_some(),
    })
}

fn push_list(out: &mut String, key: &str, list: &str) {
    if !list.is_empty() {
        push_comma(out);
        out.push_str(&["\"", key, "\":["].concat());
        out.push_str(list);
        out.push(']');
    }
}

/// `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: String, param: String) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing Bedrock has.
fn unsupported(message: String, param: String) -> Failure {
    Failure::unsupported(message).param(param)
}
