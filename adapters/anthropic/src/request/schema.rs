//! JSON Schemas in the form Anthropic takes.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Object, push_comma, push_field, push_string, string};

/// What constrained decoding does not take. It is said in words instead, in the description of what it constrains.
const SAID_IN_WORDS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contains",
    "not",
];
/// Nesting beyond this is no schema a person or a library wrote.
const MAX_DEPTH: usize = 64;

/// Writes the schema of a tool's input. Its root must be of type object.
pub fn push_object(out: &mut String, schema: &str) {
    let Some(object) = Object::parse(schema) else {
        out.push_str("{\"type\":\"object\",\"properties\":{}}");
        return;
    };
    if object.text("type").as_deref() == Some("object") {
        out.push_str(schema);
        return;
    }
    out.push_str("{\"type\":\"object\"");
    if object.0.is_empty() {
        out.push_str(",\"properties\":{}");
    }
    for (key, value) in object.0.iter().filter(|(key, _)| key != "type") {
        push_field(out, key, value.get());
    }
    out.push('}');
}

/// The schema as constrained decoding takes it: every object closed. `None` if an object is meant to be open.
pub(super) fn closed(schema: &str) -> Option<String> {
    let mut out = String::with_capacity(schema.len() + 64);
    push_closed(&mut out, schema, 0)?;
    Some(out)
}

fn push_closed(out: &mut String, schema: &str, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    let object = Object::parse(schema)?;
    let (mut words, mut description) = (Vec::new(), None);
    out.push('{');
    for (key, value) in &object.0 {
        let value = value.get();
        let too_many = || key == "minItems" && !matches!(value, "0" | "1");
        if SAID_IN_WORDS.contains(&&**key) || too_many() {
            words.push(format!("{key}: {value}"));
        } else if key == "description" {
            description = string(value);
        } else if key == "additionalProperties" {
            (value == "false").then_some(())?;
        } else {
            push_comma(out);
            push_string(out, key);
            out.push(':');
            push_value(out, key, value, depth)?;
        }
    }
    push_description(out, description, &words);
    if object.text("type").as_deref() == Some("object") || object.get("properties").is_some() {
        push_field(out, "additionalProperties", "false");
    }
    out.push('}');
    Some(())
}

/// Writes a keyword's value, with the schemas in it closed.
fn push_value(out: &mut String, key: &str, value: &str, depth: usize) -> Option<()> {
    match key {
        "properties" | "$defs" | "definitions" => {
            out.push('{');
            for (name, schema) in &Object::parse(value)?.0 {
                push_comma(out);
                push_string(out, name);
                out.push(':');
                push_closed(out, schema.get(), depth + 1)?;
            }
            out.push('}');
        }
        // Closed objects that must hold together, or of which just one may, say something else than open ones.
        "allOf" | "oneOf" => return None,
        "anyOf" | "prefixItems" => {
            out.push('[');
            for schema in serde_json::from_str::<Vec<&RawValue>>(value).ok()? {
                push_comma(out);
                push_closed(out, schema.get(), depth + 1)?;
            }
            out.push(']');
        }
        "items" => push_closed(out, value, depth + 1)?,
        _ => out.push_str(value),
    }
    Some(())
}

fn push_description(out: &mut String, description: Option<Cow<'_, str>>, words: &[String]) {
    let said = words.join(", ");
    let text = match (description, words.is_empty()) {
        (None, true) => return,
        (None, false) => format!("({said})"),
        (Some(text), true) => text.into_owned(),
        (Some(text), false) => format!("{text} ({said})"),
    };
    push_comma(out);
    out.push_str("\"description\":");
    push_string(out, &text);
}
