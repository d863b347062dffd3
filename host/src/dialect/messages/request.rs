//! A Messages request as a chat. The table of what becomes of what is in the docs of [`super`].

mod blocks;
mod citations;
mod own;
mod settings;
mod tools;
mod turns;

pub use own::without_sealed;

use super::{Memo, client};
use crate::{
    call::Call,
    dialect::{self, Taker, Translated, json::push_member},
    error::{Error, Result},
};

/// The chat that asks for what `call` asks for.
pub fn to_chat(call: &Call, taker: Taker<'_>) -> Result<Translated> {
    let mut request = Request {
        taker,
        chat: String::with_capacity(call.text().len() + 1024),
        dropped: Vec::new(),
        memo: Memo {
            id: call.id.clone(),
            provider: taker.provider.to_owned(),
            model: call.model.clone(),
            claude_code: client::is_claude_code(&call.headers),
            thinking: true,
            stops: Vec::new(),
        },
    };
    request.chat.push('{');
    request.push_conversation(call.field("system"), call.field("messages").unwrap_or("[]"))?;
    for (key, value) in call.members().filter(|(_, value)| *value != "null") {
        request.push_setting(key, value)?;
    }
    if let Some(tools) = call.field("tools") {
        request.push_tools(tools, call.field("tool_choice"))?;
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
        memo: dialect::Memo::Messages(request.memo),
    })
}

/// A request being translated.
struct Request<'t> {
    taker: Taker<'t>,
    /// The chat as far as it is written.
    chat: String,
    dropped: Vec<String>,
    memo: Memo,
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

/// The refusal of what this target cannot be asked for.
fn refuse(what: &str, param: String) -> Error {
    dialect::unsupported(
        format!("'{param}': {what} cannot be used with this model, whose provider does not have this API."),
        Some(param),
    )
}

/// What is wrong with a part of the request.
fn wrong(what: &str, param: &str) -> Error {
    Error::invalid(format!("{param}: {what}"), Some(param))
}
