//! The request: Chat Completions to Messages.
//!
//! Parsed once, into borrowed text; written once, into one string. What is not looked at (texts, schemas, fields of Anthropic's own)
//! is copied as it stands.

mod assistant;
mod conversation;
mod format;
mod media;
mod parts;
mod schema;
mod settings;
mod thinking;
mod tools;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Chat, ToolChoice};

use crate::json::{Object, push_comma, push_field, push_list, push_number, push_string};
use crate::model::Model;
use crate::structured;
use conversation::Conversation;
use format::Format;
pub use schema::push_object as push_input_schema;
pub use settings::DROPPED;
use settings::Settings;
pub use thinking::thoughts_are_missing;

/// Lets a message name a file that was uploaded to the provider.
const FILES_BETA: &str = "files-api-2025-04-14";

/// Fields inside of others that have no place in Anthropic's API.
const DROPPED_INSIDE: [&str; 3] = ["messages.name", "messages.audio", "messages.content.image_url.detail"];

/// What is asked beside the conversation.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// the model, also where the body does not name it
    pub model: &'a str,
    /// the client wants chunks
    pub streaming: bool,
    /// `max_tokens` for clients that name none, if the operator has a word in it
    pub default_max_tokens: Option<u64>,
    /// The members that the body begins with at a host that has its own: `"anthropic_version":"…"`. They stand for `model` and
    /// `stream`, which Anthropic itself wants.
    pub head: Option<&'a str>,
}

/// A translated request.
#[derive(Debug)]
pub struct Translated {
    /// the body of `POST /v1/messages`
    pub body: String,
    /// the word this request needs in the header `anthropic-beta`
    pub beta: Option<&'static str>,
    /// What the reply is to be read with: the request's state.
    pub state: &'static str,
    /// The client's fields that it does not have, beside those that no request has; with dots, if the client's has them.
    pub dropped: Vec<&'static str>,
}

/// The body for a chat.
///
/// # Errors
/// What the client asks for and the provider cannot be asked for.
pub fn chat(body: &str, asked: &Asked<'_>) -> Result<Translated, Failure> {
    let chat = Chat::parse(body)?;
    let profile = Model::named(asked.model);
    let mut settings = Settings::read(&chat.fields)?;
    let format = Format::of(settings.response_format, profile)?;
    let mut out = String::with_capacity(body.len() + body.len() / 4 + 256);
    out.push('{');
    match asked.head {
        Some(head) => out.push_str(head),
        None => {
            out.push_str("\"model\":");
            push_string(&mut out, asked.model);
        }
    }
    // The longest part, so it is written where it stays.
    out.push_str(",\"messages\":[");
    let mut conversation = Conversation::push(&mut out, &chat.messages)?;
    out.push(']');
    if format == Format::Words {
        format::push_words(&mut conversation.system);
    }
    let (tools, choice) = tools(&chat, &settings, &format, profile)?;
    let max_tokens = settings.max_tokens.or(asked.default_max_tokens);
    let max_tokens = max_tokens.unwrap_or_else(|| profile.default_max_tokens());
    settings.decide_thinking(profile, max_tokens, &choice, &chat.messages);

    push_number(&mut out, "max_tokens", max_tokens);
    if asked.streaming && asked.head.is_none() {
        push_field(&mut out, "stream", "true");
    }
    push_list(&mut out, "system", &conversation.system);
    if !tools.is_empty() {
        push_list(&mut out, "tools", &tools);
        if let Some(choice) = tools::choice(&choice, settings.parallel_tool_calls) {
            push_field(&mut out, "tool_choice", &choice);
        }
    }
    settings.push(&mut out, profile, &format);
    out.push('}');
    let mut dropped = settings.dropped(profile);
    dropped.extend(DROPPED_INSIDE);
    dropped.extend(format.dropped());
    dropped.extend(chat.lost_thoughts());
    Ok(Translated {
        body: out,
        beta: conversation.uploaded_files.then_some(FILES_BETA),
        state: if matches!(format, Format::Tool(_)) {
            structured::STATE
        } else {
            ""
        },
        dropped,
    })
}

/// The client's own request in Anthropic's API for a host that has its own beginning of the body, as [`Asked::head`].
///
/// # Errors
/// If it is no JSON object.
pub fn messages(body: &str, head: &str) -> Result<String, Failure> {
    let fields = Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))?;
    let mut out = String::with_capacity(body.len() + head.len() + 2);
    out.push('{');
    out.push_str(head);
    for (key, value) in &fields.0 {
        if !matches!(&**key, "model" | "stream" | "anthropic_version") {
            push_field(&mut out, key, value.get());
        }
    }
    out.push('}');
    Ok(out)
}

/// The list of tools and which of them may be called: the client's, and those that stand for other fields.
fn tools(
    chat: &Chat<'_>,
    settings: &Settings<'_>,
    format: &Format,
    model: Model,
) -> Result<(String, ToolChoice), Failure> {
    let (mut choice, allowed) = ToolChoice::parse(settings.tool_choice)?;
    let mut tools = String::new();
    tools::push(&mut tools, &chat.tools, &allowed, model)?;
    if let Some(search) = settings.web_search {
        format::push_web_search(&mut tools, search);
    }
    if let Format::Tool(tool) = format {
        choice = structured::choice(choice, !tools.is_empty(), settings.thinking.is_some());
        push_comma(&mut tools);
        tools.push_str(tool);
    }
    Ok((tools, choice))
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: String, param: String) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing Anthropic has.
fn unsupported(message: String, param: String) -> Failure {
    Failure::unsupported(message).param(param)
}
