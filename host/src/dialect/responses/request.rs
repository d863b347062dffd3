//! A request as a chat. The table of what becomes of what is in the docs of [`super`].

mod assistant;
mod content;
mod own;
mod settings;
mod tools;
mod turns;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::memo::Memo;
use crate::{
    call::Call,
    dialect::{self, Taker, Translated, json::push_member},
    error::{Error, Result},
};
use assistant::Assistant;
use content::Parts;
pub use own::without_sealed;

/// The chat that asks for what `call` asks for.
pub fn to_chat(call: &Call, taker: Taker<'_>) -> Result<Translated> {
    let mut request = Request {
        taker,
        chat: String::with_capacity(call.text().len() + 1024),
        dropped: Vec::new(),
        search: None,
        memo: Memo::of(call, taker),
        system: None,
        assistant: None,
        after: Parts::default(),
        asked_logprobs: false,
    };
    request.chat.push('{');
    // The tools first: calls in the conversation name them.
    let mut tools = String::new();
    if let Some(list) = call.field("tools") {
        request.push_tools(&mut tools, list, "tools")?;
    }
    request.push_conversation(call.field("instructions"), call.field("input"))?;
    for (key, value) in call.members().filter(|(_, value)| *value != "null") {
        request.push_setting(key, value)?;
    }
    if tools.is_empty() {
        // Beside functions a search is something that a model can do without, and Codex always offers it.
        if let Some(path) = request.search.take() {
            return Err(refuse("a search of the web alone, which runs at OpenAI,", path));
        }
    } else {
        push_member(&mut request.chat, "tools", &["[", &tools, "]"].concat());
        request.push_choice(call.field("tool_choice"), call.field("parallel_tool_calls"))?;
    }
    if call.streaming {
        push_member(&mut request.chat, "stream_options", r#"{"include_usage":true}"#);
    }
    request.chat.push('}');
    if !request.dropped.is_empty() {
        tracing::info!(id = call.id, provider = taker.provider, dropped = ?request.dropped, "not for this provider");
    }
    Ok(Translated {
        body: request.chat,
        dropped: request.dropped,
        memo: dialect::Memo::Responses(request.memo),
    })
}

/// A request being translated.
struct Request<'t> {
    taker: Taker<'t>,
    /// The chat as far as it is written.
    chat: String,
    dropped: Vec<String>,
    /// The path to a tool that searches the web.
    search: Option<String>,
    memo: Memo,
    /// The instructions that the conversation begins with, while nothing else has come: a piece of a JSON string.
    system: Option<String>,
    /// What the assistant said last, while more of it may come.
    assistant: Option<Assistant>,
    /// What a tool gave that a server takes in a user's message only: it waits for the last of the results.
    after: Parts,
    /// Log probabilities are asked for.
    asked_logprobs: bool,
}

impl Request<'_> {
    /// Notes that something was left out. A path is noted once.
    fn drop(&mut self, path: impl Into<String>) {
        let path = path.into();
        if !self.dropped.contains(&path) {
            self.dropped.push(path);
        }
    }
}

/// Reads a list of objects; `path` names it.
fn objects<'a, T: Deserialize<'a>>(text: &'a str, path: &str) -> Result<Vec<T>> {
    let reason = match serde_json::from_str(text) {
        Ok(items) => return Ok(items),
        Err(reason) => reason,
    };
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| wrong("must be a list", path))?;
    let mut places = items.iter().enumerate();
    let bad = places.find_map(|(at, item)| Some((at, serde_json::from_str::<T>(item.get()).err()?)));
    Err(match bad {
        Some((at, reason)) => wrong(&reason.to_string(), &format!("{path}[{at}]")),
        None => wrong(&reason.to_string(), path),
    })
}

/// The refusal of what this target cannot be asked for.
fn refuse(what: &str, param: impl Into<String>) -> Error {
    let param = param.into();
    dialect::unsupported(
        format!("'{param}': {what} cannot be used with this model, whose provider does not have this API."),
        Some(param),
    )
}

/// What is wrong with a part of the request.
fn wrong(what: &str, param: &str) -> Error {
    Error::invalid(format!("{param}: {what}"), Some(param))
}
