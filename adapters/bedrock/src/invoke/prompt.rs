//! Models that go on with one text: the chat as a prompt, and the settings by the names that each has for them.

use std::borrow::Cow;

use witgate_huggingface::prompt::{Setting, write};
use witgate_sdk::json::Str;
use witgate_sdk::openai::{ChatRequest, Content, ContentPart, Message, Stop};
use witgate_sdk::{Failure, Result};

use super::said::THINKS;
use crate::json::{push_comma, push_field, push_number, push_string};
use crate::model::{Family, Model};
use crate::request::is_not_the_models;

/// What a form calls the fields.
#[derive(Debug)]
pub(crate) struct Words {
    prompt: &'static str,
    max_tokens: &'static str,
    temperature: &'static str,
    top_p: &'static str,
    top_k: Option<&'static str>,
    /// the list of texts to end at
    stop: Option<&'static str>,
    /// the object that the settings are in
    within: Option<&'static str>,
    /// how a chat becomes a prompt, and what that begins with; none: the model takes turns
    template: Option<(&'static str, &'static str)>,
    /// The template lets the model begin with a thought.
    thinks: bool,
    /// It must be told that it is to stream.
    told: bool,
}

const PLAIN: Words = Words {
    prompt: "prompt",
    max_tokens: "max_tokens",
    temperature: "temperature",
    top_p: "top_p",
    top_k: None,
    stop: Some("stop"),
    within: None,
    template: Some(("plain", "")),
    thinks: false,
    told: false,
};
const TITAN: Words = Words {
    prompt: "inputText",
    max_tokens: "maxTokenCount",
    top_p: "topP",
    stop: Some("stopSequences"),
    within: Some("textGenerationConfig"),
    ..PLAIN
};
const LLAMA_3: Words = Words {
    max_tokens: "max_gen_len",
    stop: None,
    template: Some(("llama3", "")),
    ..PLAIN
};
const LLAMA_2: Words = Words {
    template: Some(("inst", "<s>")),
    ..LLAMA_3
};
const LLAMA_4: Words = Words {
    template: Some(("llama4", "")),
    ..LLAMA_3
};
const MISTRAL: Words = Words {
    top_k: Some("top_k"),
    template: Some(("inst", "<s>")),
    ..PLAIN
};
const DEEPSEEK_R1: Words = Words {
    template: Some(("deepseek-r1", "")),
    thinks: true,
    ..PLAIN
};
const COMMAND: Words = Words {
    top_p: "p",
    top_k: Some("k"),
    stop: Some("stop_sequences"),
    told: true,
    ..PLAIN
};
const COMMAND_R: Words = Words {
    prompt: "message",
    template: None,
    told: false,
    ..COMMAND
};
const JURASSIC: Words = Words {
    max_tokens: "maxTokens",
    top_p: "topP",
    stop: Some("stopSequences"),
    ..PLAIN
};

/// Mistral's models that have no form for chats.
const BARE_MISTRALS: [&str; 4] = [
    "mistral-7b-",
    "mixtral-8x7b-",
    "mistral-large-2402",
    "mistral-small-2402",
];

impl Words {
    /// Those of a model that takes a text; `None` for others.
    pub(super) fn of(model: Model<'_>) -> Option<&'static Self> {
        let is = |part: &str| model.id.contains(part);
        match model.family {
            Family::Titan => Some(&TITAN),
            Family::Llama if is("llama2") => Some(&LLAMA_2),
            Family::Llama if is("llama4") => Some(&LLAMA_4),
            Family::Llama => Some(&LLAMA_3),
            Family::Mistral if BARE_MISTRALS.iter().any(|name| is(name)) => Some(&MISTRAL),
            Family::Cohere if is("command-r") => Some(&COMMAND_R),
            Family::Cohere => Some(&COMMAND),
            _ if is("deepseek.r1") => Some(&DEEPSEEK_R1),
            _ if is("ai21.j2") => Some(&JURASSIC),
            _ => None,
        }
    }
}

/// The body for a chat, and the state to read the reply with.
pub(super) fn body(body: &str, words: &Words, streaming: bool) -> Result<(String, &'static str)> {
    let chat: ChatRequest<'_> = witgate_sdk::openai::parse(body)?;
    refuse(&chat, words)?;
    only_texts(&chat.messages)?;
    let mut out = String::from("{");
    match words.template {
        Some((name, begin)) => {
            let text = write(&chat.messages, Some(&Setting::Named(Cow::Borrowed(name))))?;
            push_text(&mut out, words.prompt, &[begin, &text].concat());
        }
        None => push_turns(&mut out, &chat.messages, words.prompt)?,
    }
    let mut settings = String::new();
    push_settings(&mut settings, &chat, words);
    match words.within {
        _ if settings.is_empty() => {}
        Some(within) => push_field(&mut out, within, &["{", &settings, "}"].concat()),
        None => {
            push_comma(&mut out);
            out.push_str(&settings);
        }
    }
    if words.told && streaming {
        push_field(&mut out, "stream", "true");
    }
    let said = |key: &str| (key == "top_k" && words.top_k.is_some()) || is_not_the_models(key);
    for (key, value) in chat.rest.iter().filter(|(key, _)| !said(key)) {
        push_field(&mut out, key, value.get());
    }
    out.push('}');
    // An answer that the client began goes on where that ends.
    let begun = chat
        .messages
        .last()
        .is_some_and(|message| message.role.as_str() == "assistant");
    Ok((out, if words.thinks && !begun { THINKS } else { "" }))
}

/// Such a model reads nothing else: no pictures, no calls and what they gave.
fn only_texts(messages: &[Message<'_>]) -> Result<()> {
    let is_text = |part: &ContentPart<'_>| matches!(part.kind.as_str(), "text" | "refusal");
    let fits = |message: &Message<'_>| match &message.content {
        _ if message.role.as_str() == "tool" || !message.tool_calls.is_empty() => false,
        Some(Content::Parts(parts)) => parts.iter().all(is_text),
        _ => true,
    };
    match messages.iter().position(|message| !fits(message)) {
        Some(at) => {
            let text = "Invoked in its own form this model takes only text: ask it by Converse.";
            Err(Failure::unsupported(text).param(format!("messages[{at}]")))
        }
        None => Ok(()),
    }
}

/// What such a model cannot be asked for.
fn refuse(chat: &ChatRequest<'_>, words: &Words) -> Result<()> {
    let plain = chat
        .response_format
        .as_ref()
        .is_none_or(|format| format.kind.as_str() == "text");
    let stops = words.stop.is_some() || stops(chat).next().is_none();
    let asked = [
        (chat.tools.is_empty(), "tools"),
        (plain, "response_format"),
        (stops, "stop"),
    ];
    match asked.into_iter().find(|(fits, _)| !fits) {
        Some((_, param)) => {
            let text = format!("Invoked in its own form this model knows no {param}: ask it by Converse.");
            Err(Failure::unsupported(text).param(param))
        }
        None => Ok(()),
    }
}

fn push_settings(out: &mut String, chat: &ChatRequest<'_>, words: &Words) {
    if let Some(limit) = chat.token_limit() {
        push_number(out, words.max_tokens, limit);
    }
    for (key, value) in [(words.temperature, &chat.temperature), (words.top_p, &chat.top_p)] {
        if let Some(value) = value {
            push_field(out, key, value.as_str());
        }
    }
    if let (Some(key), Some(value)) = (words.top_k, chat.rest.get("top_k")) {
        push_field(out, key, value.get());
    }
    let mut list = String::new();
    for stop in stops(chat) {
        push_comma(&mut list);
        push_string(&mut list, stop);
    }
    if let (Some(key), false) = (words.stop, list.is_empty()) {
        push_field(out, key, &["[", &list, "]"].concat());
    }
}

/// The texts to end at.
fn stops<'a>(chat: &'a ChatRequest<'_>) -> impl Iterator<Item = &'a str> {
    let stops = chat.stop.as_ref().map(Stop::as_slice).unwrap_or_default();
    stops.iter().map(Str::as_str).filter(|stop| !stop.is_empty())
}

/// Command R's form: the system's words, the turns so far, and the last message.
fn push_turns(out: &mut String, messages: &[Message<'_>], last: &str) -> Result<()> {
    let mut preamble = String::new();
    let mut turns: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for message in messages {
        let text = message.text();
        match message.role.as_str() {
            "user" => turns.push(("USER", text)),
            "assistant" => turns.push(("CHATBOT", text)),
            _ => preamble.extend([if preamble.is_empty() { "" } else { "\n\n" }, &text]),
        }
    }
    let (_, said) = turns.pop().filter(|(role, _)| *role == "USER").ok_or_else(|| {
        Failure::invalid_request("The last message must be the user's for this model.").param("messages")
    })?;
    push_text(out, last, &said);
    let mut history = String::new();
    for (role, text) in &turns {
        push_comma(&mut history);
        history.push('{');
        push_text(&mut history, "role", role);
        push_text(&mut history, "message", text);
        history.push('}');
    }
    if !history.is_empty() {
        push_field(out, "chat_history", &["[", &history, "]"].concat());
    }
    if !preamble.is_empty() {
        push_text(out, "preamble", &preamble);
    }
    Ok(())
}

fn push_text(out: &mut String, key: &str, text: &str) {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_string(&mut quoted, text);
    push_field(out, key, &quoted);
}
