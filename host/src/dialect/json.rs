//! Writing JSON text, and reading it as lax as clients do. Texts that are not looked at are copied as they stand in the request or the
//! answer, still escaped.

use serde::Deserialize;
use serde_json::{Result, Value};

/// Adds a comma, unless a list or an object has just been opened.
pub(crate) fn push_comma(out: &mut String) {
    if !out.is_empty() && !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

/// Adds a member; `value` is JSON text.
pub(crate) fn push_member(out: &mut String, key: &str, value: &str) {
    push_comma(out);
    out.push('"');
    out.push_str(key);
    out.push_str("\":");
    out.push_str(value);
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

/// What stands between the quotes of a JSON string, still escaped; "" for what is none.
pub(crate) fn inside(string: &str) -> &str {
    string
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
}

/// Reads a value. Of a key that comes twice in an object the last counts, as with the readers of most clients: for that the text is
/// written once more, into `once`.
pub(crate) fn read<'t, T: Deserialize<'t>>(text: &'t str, once: &'t mut String) -> Result<T> {
    match serde_json::from_str(text) {
        Err(error) if error.is_data() => {
            *once = serde_json::from_str::<Value>(text)?.to_string();
            serde_json::from_str(once)
        }
        read => read,
    }
}
