//! Writing JSON text. Texts that are not looked at are copied as they stand in the request or the answer, still escaped.

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
