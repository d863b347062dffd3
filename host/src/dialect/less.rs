//! What an OpenAI-shaped server refuses of a translated request although another one needs it. There is no list of which model takes
//! what: the server says so, and is asked once more.

use super::json::push_member;
use crate::{
    call::Call,
    error::{Error, Failure, Kind},
};

/// The chat without the field that `error` refuses it for, and the name of that field if it is lost; `None` if it was refused for
/// something else.
pub fn less(chat: &Call, error: &Error) -> Option<(String, Option<&'static str>)> {
    let Error::Refused(failure) = error else {
        return None;
    };
    if !matches!(failure.kind, Kind::InvalidRequest | Kind::Unsupported) {
        return None;
    }
    // Reasoning models of OpenAI's take a limit under another name only, many servers only under the old one.
    if names(failure, "max_tokens") && names(failure, "max_completion_tokens") && chat.field("max_tokens").is_some() {
        return Some((rewritten(chat, "max_tokens", Some("max_completion_tokens")), None));
    }
    let refused = ["reasoning_effort", "parallel_tool_calls", "service_tier", "user"];
    let field = refused
        .into_iter()
        .find(|field| names(failure, field) && chat.field(field).is_some())?;
    Some((rewritten(chat, field, None), Some(field)))
}

/// True if a refusal is about `field`.
fn names(failure: &Failure, field: &str) -> bool {
    let quoted = ['\'', '`', '"'].map(|quote| format!("{quote}{field}{quote}"));
    let said = quoted.iter().any(|name| failure.message.contains(name));
    said || failure.param.as_deref() == Some(field) || (field.contains('_') && failure.message.contains(field))
}

fn rewritten(chat: &Call, field: &str, renamed: Option<&str>) -> String {
    let mut body = String::with_capacity(chat.text().len());
    body.push('{');
    for (key, value) in chat.members() {
        match renamed {
            _ if key != field => push_member(&mut body, key, value),
            Some(name) => push_member(&mut body, name, value),
            None => {}
        }
    }
    body.push('}');
    body
}
