//! The messages. Cohere's are much like OpenAI's; the system's come first, and what is said beside calls is a plan.

use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{self, ContentPart, ToolCall};
use witgate_sdk::{Result, json};

use super::{Content, Message, refuse, unsupported};

/// Images the models take.
const IMAGES: [&str; 5] = ["image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif"];

/// All messages. `thinks`: the model takes back what it thought.
pub(super) fn translate<'a>(messages: &'a [openai::Message<'a>], thinks: bool) -> Result<Vec<Message<'a>>> {
    if messages.is_empty() {
        return Err(refuse("There must be at least one message.", "messages"));
    }
    let mut system = Vec::new();
    let mut turns = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        match message.role.as_str() {
            "system" | "developer" => system.extend(parts(message, at)?.into_iter().filter(|part| !says_nothing(part))),
            "user" => turns.push(Message {
                role: "user",
                content: Some(content(message, at)?),
                ..Message::default()
            }),
            "assistant" => turns.push(assistant(message, at, thinks)?),
            "tool" => turns.push(result(message, at)?),
            role => {
                let text = format!("Messages of role {role:?} cannot be sent to Cohere.");
                return Err(refuse(text, format!("messages[{at}].role")));
            }
        }
    }
    if !system.is_empty() {
        turns.insert(
            0,
            Message {
                role: "system",
                content: Some(Content::Parts(system)),
                ..Message::default()
            },
        );
    }
    Ok(turns)
}

fn assistant<'a>(message: &'a openai::Message<'a>, at: usize, thinks: bool) -> Result<Message<'a>> {
    for (number, call) in message.tool_calls.iter().enumerate() {
        if call.id.is_empty() || call.function.name.is_empty() {
            let param = format!("messages[{at}].tool_calls[{number}]");
            return Err(refuse("A tool call needs an id and a function.", param));
        }
    }
    let mut parts: Vec<_> = parts(message, at)?
        .into_iter()
        .filter(|part| !says_nothing(part))
        .collect();
    let mut sent = Message {
        role: "assistant",
        tool_calls: message.tool_calls.iter().map(call).collect(),
        ..Message::default()
    };
    // What is said beside calls is their plan.
    if !sent.tool_calls.is_empty() {
        let plan: String = parts.iter().filter_map(|part| part.text.as_deref()).collect();
        sent.tool_plan = (!plan.is_empty()).then_some(plan);
        parts.clear();
    }
    if let Some(thoughts) = message
        .reasoning_content
        .as_ref()
        .filter(|text| thinks && !text.is_empty())
    {
        parts.insert(0, thought(thoughts)?);
    }
    sent.content = (!parts.is_empty()).then_some(Content::Parts(parts));
    if sent.content.is_none() && sent.tool_calls.is_empty() {
        sent.content = Some(Content::Text(Str::default()));
    }
    Ok(sent)
}

fn thought<'a>(text: &Str<'_>) -> Result<ContentPart<'a>> {
    let mut part = ContentPart {
        kind: "thinking".into(),
        ..ContentPart::default()
    };
    part.rest.push("thinking", Raw::of(text)?);
    Ok(part)
}

/// A call without what only others know; arguments that are no JSON object become one.
fn call<'a>(call: &'a ToolCall<'a>) -> ToolCall<'a> {
    let arguments = call.function.arguments.trim();
    let arguments = match Raw::parse_text(arguments) {
        Ok(_) if arguments.starts_with('{') => call.function.arguments.reborrow(),
        _ if arguments.is_empty() || arguments == "null" => "{}".into(),
        _ => json!({ "arguments": arguments }).to_string().into(),
    };
    ToolCall::new(call.id.reborrow(), call.function.name.reborrow(), arguments)
}

fn result<'a>(message: &'a openai::Message<'a>, at: usize) -> Result<Message<'a>> {
    let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
    let Some(id) = id else {
        let param = format!("messages[{at}].tool_call_id");
        return Err(refuse("A tool's message must name the call it answers.", param));
    };
    let content = match &message.content {
        Some(openai::Content::Text(text)) => Content::Text(text.reborrow()),
        _ => Content::Text(joined(message, at)?.into()),
    };
    Ok(Message {
        role: "tool",
        content: Some(content),
        tool_call_id: Some(id),
        ..Message::default()
    })
}

/// The text of a result; Cohere takes nothing else in one.
fn joined(message: &openai::Message<'_>, at: usize) -> Result<String> {
    let parts = parts(message, at)?;
    if let Some(place) = parts.iter().position(|part| part.kind != "text") {
        let param = format!("messages[{at}].content[{place}]");
        return Err(unsupported(
            "A tool's result can only be text for Cohere's models.",
            param,
        ));
    }
    Ok(parts.iter().filter_map(|part| part.text.as_deref()).collect())
}

fn content<'a>(message: &'a openai::Message<'a>, at: usize) -> Result<Content<'a>> {
    match &message.content {
        Some(openai::Content::Parts(_)) => Ok(Content::Parts(parts(message, at)?)),
        Some(openai::Content::Text(text)) => Ok(Content::Text(text.reborrow())),
        None => Ok(Content::Text(Str::default())),
    }
}

fn parts<'a>(message: &'a openai::Message<'a>, at: usize) -> Result<Vec<ContentPart<'a>>> {
    match &message.content {
        Some(openai::Content::Parts(parts)) => parts
            .iter()
            .enumerate()
            .map(|(place, given)| part(given, &format!("messages[{at}].content[{place}]")))
            .collect(),
        Some(openai::Content::Text(text)) => Ok(vec![ContentPart::text(text.reborrow())]),
        None => Ok(Vec::new()),
    }
}

fn part<'a>(part: &'a ContentPart<'a>, param: &str) -> Result<ContentPart<'a>> {
    match part.kind.as_str() {
        "text" => Ok(ContentPart::text(part.text.as_deref().unwrap_or_default())),
        "refusal" => Ok(ContentPart::text(part.refusal.as_deref().unwrap_or_default())),
        "image_url" => {
            let image = part.image_url.as_ref().filter(|image| !image.url.is_empty());
            let Some(image) = image else {
                return Err(refuse("An image part needs a URL.", param));
            };
            check_image(image, param)?;
            Ok(ContentPart {
                kind: "image_url".into(),
                image_url: Some(image.clone()),
                ..ContentPart::default()
            })
        }
        "input_audio" => Err(unsupported("Cohere's models take no audio.", param)),
        "file" => Err(unsupported(
            "Cohere takes texts as `documents` beside the messages, and no files.",
            param,
        )),
        // A part of Cohere's own: "document", "thinking", …
        _ => Ok(part.clone()),
    }
}

fn check_image(image: &openai::ImageUrl<'_>, param: &str) -> Result<()> {
    let web = ["https://", "http://"]
        .iter()
        .any(|scheme| image.url.starts_with(scheme));
    match image.data() {
        Some((media, _)) if !IMAGES.contains(&media) => Err(unsupported(
            format!("Cohere's models do not take files of type {media:?}."),
            param,
        )),
        Some(_) => Ok(()),
        None if web => Ok(()),
        None => Err(refuse("An image is an http, https or base64 data URL.", param)),
    }
}

fn says_nothing(part: &ContentPart<'_>) -> bool {
    part.kind == "text" && part.text.as_deref().unwrap_or_default().is_empty()
}
