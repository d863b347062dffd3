//! The messages: text and images apart, arguments as objects, results with the names of their functions.

use std::borrow::Cow;

use witgate_sdk::json::Raw;
use witgate_sdk::openai::{self, Content, ContentPart, ToolCall};
use witgate_sdk::{Result, json};

use super::{Call, Called, Message, refuse, unsupported};

/// All messages.
pub(super) fn translate<'a>(messages: &'a [openai::Message<'a>]) -> Result<Vec<Message<'a>>> {
    if messages.is_empty() {
        // Ollama would only load the model, and answer nothing.
        return Err(refuse("There must be at least one message.", "messages"));
    }
    let mut calls: Vec<&ToolCall<'_>> = Vec::new();
    let mut sent = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let (text, images) = content(message, at)?;
        let mut translated = Message {
            role: role(&message.role, at)?,
            content: text.into(),
            images,
            ..Message::default()
        };
        match message.role.as_str() {
            "assistant" => {
                translated.thinking = message.reasoning_content.as_deref().filter(|text| !text.is_empty());
                translated.tool_calls = made(&message.tool_calls, at)?;
                calls.extend(&message.tool_calls);
            }
            "tool" => {
                let id = result_of(message, at)?;
                let call = calls.iter().rfind(|call| call.id == id);
                translated.tool_name = call.map(|call| call.function.name.as_str()).or(message.name.as_deref());
                translated.tool_call_id = Some(id);
            }
            _ => {}
        }
        sent.push(translated);
    }
    Ok(sent)
}

fn role(role: &str, at: usize) -> Result<&'static str> {
    match role {
        "system" | "developer" => Ok("system"),
        "user" => Ok("user"),
        "assistant" => Ok("assistant"),
        "tool" => Ok("tool"),
        _ => {
            let text = format!("Messages of role {role:?} cannot be sent to Ollama.");
            Err(refuse(text, format!("messages[{at}].role")))
        }
    }
}

fn result_of<'a>(message: &'a openai::Message<'a>, at: usize) -> Result<&'a str> {
    let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
    id.ok_or_else(|| {
        let param = format!("messages[{at}].tool_call_id");
        refuse("A tool's message must name the call it answers.", param)
    })
}

fn made<'a>(calls: &'a [ToolCall<'a>], at: usize) -> Result<Vec<Call<'a>>> {
    let made = |(number, call): (usize, &'a ToolCall<'a>)| {
        if call.function.name.is_empty() {
            let param = format!("messages[{at}].tool_calls[{number}]");
            return Err(refuse("A tool call needs a function.", param));
        }
        Ok(Call {
            id: &call.id,
            function: Called {
                name: &call.function.name,
                arguments: arguments(&call.function.arguments)?,
            },
        })
    };
    calls.iter().enumerate().map(made).collect()
}

/// The arguments as the object Ollama wants. A model may have written what is no object: that is kept as a text in one.
fn arguments<'a>(text: &'a str) -> Result<Raw<'a>> {
    let text = text.trim();
    match Raw::parse_text(text) {
        Ok(object) if text.starts_with('{') => Ok(object),
        _ if text.is_empty() || text == "null" => Ok(Raw::of(&json!({}))?),
        _ => Ok(Raw::of(&json!({ "arguments": text }))?),
    }
}

/// The text of a message, and the base64 of its images.
fn content<'a>(message: &'a openai::Message<'a>, at: usize) -> Result<(Cow<'a, str>, Vec<&'a str>)> {
    let parts = match &message.content {
        Some(Content::Text(text)) => return Ok((Cow::Borrowed(text), Vec::new())),
        Some(Content::Parts(parts)) => parts.as_slice(),
        None => &[],
    };
    let (mut text, mut images) = (Cow::Borrowed(""), Vec::new());
    for (place, part) in parts.iter().enumerate() {
        let param = || format!("messages[{at}].content[{place}]");
        match part.kind.as_str() {
            "text" => text += part.text.as_deref().unwrap_or_default(),
            "refusal" => text += part.refusal.as_deref().unwrap_or_default(),
            "image_url" => images.push(image(part, param())?),
            "input_audio" => return Err(unsupported("Ollama takes no audio.", param())),
            kind => {
                let message = format!("Ollama takes no parts of type {kind:?}.");
                return Err(unsupported(message, param()));
            }
        }
    }
    Ok((text, images))
}

/// The base64 text of an image, which may be a token for it: copied, not looked at.
fn image<'a>(part: &'a ContentPart<'a>, param: String) -> Result<&'a str> {
    let image = part.image_url.as_ref().filter(|image| !image.url.is_empty());
    let Some(image) = image else {
        return Err(refuse("An image part needs a URL.", param));
    };
    match image.data() {
        Some((media, data)) if media.is_empty() || media.starts_with("image/") => Ok(data),
        Some((media, _)) => Err(unsupported(
            format!("Ollama does not take files of type {media:?}."),
            param,
        )),
        None if image.url.starts_with("data:") => Err(refuse("A data URL of an image must be base64.", param)),
        None => Err(unsupported(
            "Ollama fetches no images: send them as base64 data URLs.",
            param,
        )),
    }
}
