//! The request: Chat Completions to Converse.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, schemas, fields of Bedrock's own) is
//! copied as it stands.

mod assistant;
mod conversation;
mod format;
mod media;
mod parts;
mod settings;
mod thinking;
mod tools;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Chat, ToolChoice};

use crate::json::{push_comma, push_field, push_list, push_string};
use crate::model::Model;
use crate::structured;
use conversation::Conversation;
use format::Format;
pub(crate) use settings::DROPPED;
use settings::Settings;
pub(crate) use settings::is_not_the_models;

/// Fields inside of others that Converse has nothing for.
const DROPPED_INSIDE: [&str; 4] = [
    "messages.name",
    "messages.audio",
    "messages.content.image_url.detail",
    "tools.function.strict",
];

/// A translated request.
pub(crate) struct Translated {
    /// the body for `converse`
    pub(crate) body: String,
    /// A forced tool stands for the response format.
    pub(crate) structured: bool,
    /// The client names a guardrail.
    pub(crate) guarded: bool,
    /// The client's fields that it does not have, beside those that no request has; with dots, if the client's has them.
    pub(crate) dropped: Vec<&'static str>,
}

/// Translates the client's request. `betas`: the member of the model's own fields that names Anthropic's betas, or "".
pub(crate) fn translate(body: &str, model: Model<'_>, betas: &str) -> Result<Translated, Failure> {
    let chat = Chat::parse(body)?;
    let mut settings = Settings::read(&chat.fields)?;
    let format = Format::of(settings.response_format, model)?;
    let mut conversation = Conversation::of(&chat.messages, model.caches())?;
    if let Format::Words(words) = &format {
        format::push_words(&mut conversation.system, words);
    }
    let (choice, allowed) = ToolChoice::parse(settings.tool_choice)?;
    settings.decide_thinking(model, &choice, &chat.messages);
    let mut tools = String::new();
    // The API knows no choice of none: without tools there is none. But what was called before must be known.
    if choice != ToolChoice::None || !conversation.called.is_empty() {
        tools::push(&mut tools, &chat.tools, &allowed, model)?;
    }
    let has_tools = !tools.is_empty();
    if !has_tools {
        tools::push_called(&mut tools, &conversation.called);
    }
    let choice = match &format {
        Format::Tool(tool) => {
            push_comma(&mut tools);
            tools.push_str(tool);
            structured::choice(choice, has_tools, settings.thinks())
        }
        _ => choice,
    };
    let single_call = settings.single_call(model, &choice).filter(|_| has_tools);
    let mut out = String::with_capacity(body.len() + body.len() / 4 + 256);
    out.push('{');
    push_list(&mut out, "messages", &conversation.turns);
    push_list(&mut out, "system", &conversation.system);
    if !tools.is_empty() {
        let mut config = String::from("{");
        push_list(&mut config, "tools", &tools);
        if let Some(choice) = tools::choice(&choice).filter(|_| single_call.is_none()) {
            push_field(&mut config, "toolChoice", &choice);
        }
        config.push('}');
        push_field(&mut out, "toolConfig", &config);
    }
    settings.push(&mut out, model, single_call, betas);
    out.push('}');
    let mut dropped = settings.dropped(model, single_call.is_some() || !has_tools);
    dropped.extend(DROPPED_INSIDE);
    dropped.extend(format.dropped());
    dropped.extend(chat.lost_thoughts());
    Ok(Translated {
        body: out,
        structured: matches!(format, Format::Tool(_)),
        guarded: chat.fields.get("guardrailConfig").is_some(),
        dropped,
    })
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
