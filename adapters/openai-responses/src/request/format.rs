//! `text`: the form of the answer, and how much of it.

use crate::json::{Object, push_field};

/// `text` of the request: what of a chat's fields stands there, behind the client's own entries. `None` if there is nothing to say.
pub(super) fn text(own: Option<&str>, response_format: Option<&str>, verbosity: Option<&str>) -> Option<String> {
    let own = own.and_then(Object::parse).unwrap_or_default();
    let mut out = String::from("{");
    for (key, value) in &own.0 {
        push_field(&mut out, key, value.get());
    }
    if let (Some(verbosity), None) = (verbosity, own.get("verbosity")) {
        push_field(&mut out, "verbosity", verbosity);
    }
    if let (Some(format), None) = (response_format, own.get("format")) {
        push_field(&mut out, "format", &flat(format));
    }
    out.push('}');
    (out != "{}").then_some(out)
}

/// A schema stands one level down in a chat, and beside the type here.
fn flat(format: &str) -> String {
    let named = Object::parse(format).and_then(|format| Object::parse(format.get("json_schema")?));
    let Some(named) = named else {
        return format.to_owned();
    };
    let mut out = String::from("{\"type\":\"json_schema\"");
    // The API wants a name; a chat does, too, but not at every server.
    for (key, otherwise) in [
        ("name", Some("\"answer\"")),
        ("description", None),
        ("schema", Some("{}")),
        ("strict", Some("false")),
    ] {
        if let Some(value) = named.get(key).or(otherwise) {
            push_field(&mut out, key, value);
        }
    }
    out.push('}');
    out
}
