//! Content blocks as the gateway writes them, whole, for an answer and for a stream's `content_block_start`.

use crate::dialect::{
    json::{push_member, quoted},
    state,
};

/// A thought; both are JSON strings.
pub(super) fn thinking(text: &str, signature: &str) -> String {
    format!("{{\"type\":\"thinking\",\"thinking\":{text},\"signature\":{signature}}}")
}

/// What a provider has to get back and no client can read.
pub(super) fn redacted(data: &str) -> String {
    format!("{{\"type\":\"redacted_thinking\",\"data\":{}}}", quoted(data))
}

/// A text, which is a JSON string; `citations`: a list, if it has any.
pub(super) fn text(text: &str, citations: Option<&str>) -> String {
    let mut block = format!("{{\"type\":\"text\",\"text\":{text}");
    if let Some(citations) = citations {
        push_member(&mut block, "citations", citations);
    }
    block.push('}');
    block
}

/// A call; id and name are JSON strings, the input is an object.
pub(super) fn tool_use(id: &str, name: &str, input: &str) -> String {
    format!("{{\"type\":\"tool_use\",\"id\":{id},\"name\":{name},\"input\":{input}}}")
}

/// The input of a call whose arguments are `text`. A model may have written what is no object: that is kept as a text in one.
pub(super) fn input(text: &str) -> String {
    let text = text.trim();
    let is_object = text.starts_with('{') && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    match text {
        _ if is_object => text.to_owned(),
        "" | "null" => "{}".to_owned(),
        text => format!("{{\"arguments\":{}}}", quoted(text)),
    }
}

/// The signature of thoughts that `provider` has not signed. `name` is what it calls them, `details` what it wants back beside them.
pub(super) fn sealed_reasoning(provider: &str, name: &str, details: Option<&str>) -> String {
    let mut state = format!("{{\"reasoning\":\"{name}\"");
    if let Some(details) = details {
        push_member(&mut state, "reasoning_details", details);
    }
    state.push('}');
    state::seal(provider, &state)
}

/// State of a call; `id` is a JSON string, `extra` the call's `extra_content`.
pub(super) fn sealed_call(provider: &str, id: &str, extra: &str) -> String {
    state::seal(provider, &format!("{{\"call\":{id},\"extra_content\":{extra}}}"))
}

/// State of a message, as the member of this name.
pub(super) fn sealed_member(provider: &str, name: &str, value: &str) -> String {
    state::seal(provider, &format!("{{\"{name}\":{value}}}"))
}
