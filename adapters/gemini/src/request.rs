//! The request: Chat Completions to `generateContent`.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, fields of Gemini's own) is copied as
//! it stands.

mod assistant;
mod conversation;
mod format;
mod media;
mod parts;
mod results;
mod schema;
mod settings;
mod thinking;
mod tools;

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::Chat;

use crate::json::{push_comma, push_field, push_list};
use crate::model::Model;
use conversation::Conversation;
use format::Format;
use settings::Settings;

/// What a request is translated for.
pub(crate) struct About<'a> {
    /// the provider's model id
    pub(crate) model: &'a str,
    /// for Vertex AI
    pub(crate) vertex: bool,
    /// the operator's `safetySettings`, for clients that send none
    pub(crate) safety_settings: Option<&'a RawValue>,
}

/// Fields inside of others that Gemini has nothing for.
const DROPPED_INSIDE: [&str; 5] = [
    "messages.name",
    "messages.audio",
    "messages.content.image_url.detail",
    "messages.content.file.filename",
    "tools.function.strict",
];

/// A translated request.
pub(crate) struct Translated {
    /// the body for `generateContent`
    pub(crate) body: String,
    /// the client's fields that it does not have; with dots, if the client's has them
    pub(crate) dropped: Vec<&'static str>,
}

/// Translates the client's request.
pub(crate) fn translate(body: &str, about: &About<'_>) -> Result<Translated, Failure> {
    let chat = Chat::parse(body)?;
    let model = Model::named(about.model);
    let settings = Settings::read(&chat.fields)?;
    let (mode, allowed) = tools::choice(settings.tool_choice)?;
    let tools = tools::list(&chat.tools, &allowed, settings.web_search)?;
    let format = Format::of(settings.response_format, model, tools.functions)?;
    let mut conversation = Conversation::of(&chat.messages, model, about.vertex)?;
    if let Format::Words(words) = &format {
        push_comma(&mut conversation.system);
        conversation.system.push_str(words);
    }

    let mut out = String::with_capacity(body.len() + body.len() / 4 + 256);
    out.push('{');
    if !conversation.system.is_empty() {
        push_field(
            &mut out,
            "systemInstruction",
            &["{\"parts\":[", &conversation.system, "]}"].concat(),
        );
    }
    out.push_str(if out.len() > 1 {
        ",\"contents\":["
    } else {
        "\"contents\":["
    });
    out.push_str(&conversation.contents);
    out.push(']');
    push_list(&mut out, "tools", &tools.list);
    let mode = mode.filter(|_| tools.functions);
    if let Some(config) = tools::config(settings.tool_config, mode, &allowed) {
        push_field(&mut out, "toolConfig", &config);
    }
    settings.push(&mut out, model, &format);
    if let (Some(safety), false) = (about.safety_settings, settings.has_safety()) {
        push_field(&mut out, "safetySettings", safety.get());
    }
    out.push('}');
    let mut dropped = settings.dropped(model);
    dropped.extend(DROPPED_INSIDE);
    dropped.extend(format.dropped());
    dropped.extend(chat.lost_thoughts());
    Ok(Translated { body: out, dropped })
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing Gemini has.
fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}
