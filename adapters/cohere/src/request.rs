//! The request: Chat Completions to Cohere's `POST /v2/chat`.

mod messages;
mod settings;
mod tools;

use serde::Serialize;
use witgate_sdk::json::{Number, Raw, Str};
use witgate_sdk::openai::{ChatRequest, ContentPart, Tool, ToolCall};
use witgate_sdk::{Context, Failure, Result};

pub(crate) use settings::{DROPPED, dropped};

/// The body that is sent.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict_tools: bool,
    #[serde(flatten)]
    settings: settings::Settings<'a>,
}

/// One message.
#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_plan: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

/// What a message says.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Str<'a>),
    Parts(Vec<ContentPart<'a>>),
}

/// The body for the client's request.
pub(crate) fn translate<'a>(ctx: &'a Context, chat: &'a ChatRequest<'a>) -> Result<Sent<'a>> {
    let model = ctx.model();
    let (tool_choice, allowed) = tools::choice(chat)?;
    let tools = tools::tools(chat, allowed.as_deref())?;
    let strict = tools
        .iter()
        .filter_map(|tool| tool.function.as_ref())
        .any(|function| function.strict == Some(true));
    Ok(Sent {
        model,
        stream: ctx.streaming(),
        messages: messages::translate(&chat.messages, thinks(model))?,
        tool_choice: tool_choice.filter(|_| !tools.is_empty()),
        strict_tools: strict && !chat.rest.iter().any(|(key, _)| key == "strict_tools"),
        tools: tools.into_iter().map(tools::plain).collect(),
        settings: settings::translate(chat, thinks(model))?,
    })
}

/// Does the model think before it answers? The names of those that do not are known; newer ones do.
fn thinks(model: &str) -> bool {
    const DO_NOT: [&str; 7] = [
        "command-r",
        "command-a-03-2025",
        "command-a-vision",
        "command-a-translate",
        "command-light",
        "c4ai-",
        "tiny-aya",
    ];
    !DO_NOT.iter().any(|beginning| model.starts_with(beginning))
}

/// What the client sent is wrong. `param`: the field.
fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing that Cohere has.
fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}

/// `thinking`, as Cohere has it.
fn thinking(enabled: bool, budget: Option<u64>) -> Result<Raw<'static>> {
    let kind = if enabled { "enabled" } else { "disabled" };
    let mut thinking = witgate_sdk::json!({ "type": kind });
    if let Some(tokens) = budget {
        thinking["token_budget"] = tokens.into();
    }
    Ok(Raw::of(&thinking)?)
}

/// A number that the client gave.
type Given<'a> = Option<Number<'a>>;
