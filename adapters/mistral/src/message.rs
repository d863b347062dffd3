//! A message: the fields that Mistral knows of each role, and the ids of calls.

use witgate_sdk::json::text::{Object, push_comma, push_field, push_string, string};

use crate::part;

/// How long the id of a call must be.
const ID: usize = 9;
/// What it must be made of.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a message. `thoughts`: the model reads what it thought before.
pub(crate) fn push(out: &mut String, message: &Object<'_>, thoughts: bool) {
    let role = message.text("role").unwrap_or_default();
    out.push('{');
    let sent = if role == "developer" { "system" } else { &*role };
    push_text(out, "role", sent);
    let thought = message.get("reasoning_content").or_else(|| message.get("reasoning"));
    let thought = thought.filter(|thought| role == "assistant" && thoughts && *thought != "\"\"");
    match (message.get("content"), thought) {
        (content, Some(thought)) => push_field(out, "content", &part::after_thought(thought, content)),
        (Some(content), None) => push_field(out, "content", &part::content(content)),
        // An assistant that refused said that.
        (None, None) => push_field(out, "content", message.get("refusal").unwrap_or("\"\"")),
    }
    match &*role {
        "assistant" => {
            if let Some(calls) = message.get("tool_calls") {
                push_field(out, "tool_calls", &tool_calls(calls));
            }
            push_known(out, message, "prefix");
        }
        "tool" => {
            if let Some(id) = message.text("tool_call_id") {
                push_text(out, "tool_call_id", &fit(&id));
            }
            push_known(out, message, "name");
        }
        _ => {}
    }
    out.push('}');
}

/// Notes what `message` says and Mistral is not told. `thoughts` as above.
pub(crate) fn lost(message: &Object<'_>, thoughts: bool, dropped: &mut Vec<&'static str>) {
    let role = message.text("role").unwrap_or_default();
    let remembers = role == "assistant" && thoughts;
    for (key, path, is_told) in [
        ("name", "messages.name", role == "tool"),
        ("audio", "messages.audio", false),
        ("is_error", "messages.is_error", false),
        ("refusal", "messages.refusal", message.get("content").is_none()),
        ("reasoning_content", "messages.reasoning_content", remembers),
        ("reasoning", "messages.reasoning", remembers),
    ] {
        let said = message.get(key).is_some_and(|value| !matches!(value, "\"\"" | "false"));
        if said && !is_told && !dropped.contains(&path) {
            dropped.push(path);
        }
    }
}

fn push_known(out: &mut String, message: &Object<'_>, key: &str) {
    if let Some(value) = message.get(key) {
        push_field(out, key, value);
    }
}

fn push_text(out: &mut String, key: &str, text: &str) {
    let mut value = String::with_capacity(text.len() + 2);
    push_string(&mut value, text);
    push_field(out, key, &value);
}

/// Calls with fitting ids; what is no list is left for Mistral to refuse.
fn tool_calls(list: &str) -> String {
    let Ok(calls) = serde_json::from_str::<Vec<Object<'_>>>(list) else {
        return list.to_owned();
    };
    let mut out = String::from("[");
    for call in &calls {
        push_comma(&mut out);
        out.push('{');
        push_text(&mut out, "id", &fit(&call.text("id").unwrap_or_default()));
        push_field(&mut out, "type", "\"function\"");
        push_known(&mut out, call, "function");
        out.push('}');
    }
    out.push(']');
    out
}

/// An id as Mistral takes it: its own stay, others become letters and digits that stand for them, the same ones each time.
fn fit(id: &str) -> String {
    if id.len() == ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    // FNV-1a: what matters is that calls of one conversation stay apart.
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut fitted = String::with_capacity(ID);
    for _ in 0..ID {
        fitted.push(char::from(DIGITS[(hash % 62) as usize]));
        hash /= 62;
    }
    fitted
}

/// Whether a JSON text is a string.
pub(crate) fn is_string(value: &str) -> bool {
    string(value).is_some()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn ids_of_other_providers_become_fit_and_stay_distinct() {
        assert_eq!(fit("3EpsLcLQ3"), "3EpsLcLQ3");
        let ids = [
            "call_0fypS1hVX",
            "call_1",
            "call_2",
            "toolu_01A",
            "",
            "123456789012",
            "12345678é",
        ];
        let fitted: std::collections::BTreeSet<String> = ids.into_iter().map(fit).collect();
        assert_eq!(fitted.len(), ids.len());
        for id in &fitted {
            assert!(
                id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{id}"
            );
        }
        assert_eq!(fit("call_1"), fit("call_1"));
    }
}
