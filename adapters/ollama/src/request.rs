//! The request: Chat Completions to Ollama's `POST /api/chat`.

mod messages;
mod settings;

use std::collections::BTreeMap;

use serde::Serialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatRequest, Tool};
use witgate_sdk::{Context, Failure, Result};

use crate::config::Config;
pub(crate) use settings::DROPPED;

/// The body that is sent. Ollama streams unless it is told not to.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    model: &'a str,
    stream: bool,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(flatten)]
    settings: BTreeMap<&'a str, Raw<'a>>,
}

/// One message.
#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'a str,
    content: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

/// A call that the assistant made.
#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: Raw<'a>,
}

/// The body for the client's request.
pub(crate) fn translate<'a>(ctx: &'a Context, config: &'a Config<'a>, chat: &'a ChatRequest<'a>) -> Result<Sent<'a>> {
    let mut messages = messages::translate(&chat.messages)?;
    let (tools, must_call) = settings::tools(chat)?;
    if must_call {
        messages.push(Message {
            role: "system",
            content: settings::MUST_CALL.into(),
            ..Message::default()
        });
    }
    Ok(Sent {
        model: ctx.model(),
        stream: ctx.streaming(),
        messages,
        tools,
        settings: settings::translate(config, chat)?,
    })
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing that Ollama has.
fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}
