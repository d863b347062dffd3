//! Tools, and which of them the model may call: what a chat has one level down stands beside the type here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::refuse;
use crate::declared::Declared;
use crate::json::{Object, push_comma, push_field, string};

/// The parameters of a function that has none.
const NO_PARAMETERS: &str = "{\"type\":\"object\",\"properties\":{}}";

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<Object<'a>>,
    #[serde(borrow)]
    custom: Option<Object<'a>>,
}

/// The tools as JSON text, with commas between them, and which calls of them are the client's. `search`: the client's
/// `web_search_options`.
pub(super) fn list(tools: &[&RawValue], search: Option<&str>) -> Result<(String, Declared), Failure> {
    let (mut out, mut declared) = (String::new(), Declared::default());
    for (at, raw) in tools.iter().enumerate() {
        let wrong = || refuse("This tool cannot be read.", format!("tools[{at}]"));
        let tool: Tool<'_> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
        push_comma(&mut out);
        match (&tool.function, &tool.custom) {
            (Some(function), _) => push_function(&mut out, function),
            (None, Some(custom)) => {
                declared.add_custom(custom);
                push_custom(&mut out, custom);
            }
            // One of the provider's own: web_search, mcp, …
            (None, None) if tool.r#type.is_some() => {
                declared.add_own(&Object::parse(raw.get()).unwrap_or_default());
                out.push_str(raw.get());
            }
            (None, None) => return Err(wrong()),
        }
    }
    if let Some(options) = search {
        declared.add_search();
        push_search(&mut out, &Object::parse(options).unwrap_or_default());
    }
    Ok((out, declared))
}

fn push_function(out: &mut String, function: &Object<'_>) {
    out.push_str("{\"type\":\"function\"");
    for key in ["name", "description"] {
        if let Some(value) = function.get(key) {
            push_field(out, key, value);
        }
    }
    push_field(out, "parameters", function.get("parameters").unwrap_or(NO_PARAMETERS));
    // What is left out means strict here, and the opposite in a chat.
    push_field(out, "strict", function.get("strict").unwrap_or("false"));
    out.push('}');
}

fn push_custom(out: &mut String, custom: &Object<'_>) {
    out.push_str("{\"type\":\"custom\"");
    for key in ["name", "description"] {
        if let Some(value) = custom.get(key) {
            push_field(out, key, value);
        }
    }
    if let Some(format) = custom.get("format") {
        push_field(out, "format", &lifted(format, "grammar"));
    }
    out.push('}');
}

/// The provider's own search. The place that a chat has one level down stands in its parent here.
fn push_search(out: &mut String, options: &Object<'_>) {
    push_comma(out);
    out.push_str("{\"type\":\"web_search\"");
    if let Some(size) = options.get("search_context_size") {
        push_field(out, "search_context_size", size);
    }
    if let Some(place) = options.get("user_location") {
        push_field(out, "user_location", &lifted(place, "approximate"));
    }
    out.push('}');
}

/// `tool_choice` as the API wants it.
pub(super) fn choice(choice: &str) -> Result<String, Failure> {
    let wrong = || refuse("This tool_choice is not known.", "tool_choice");
    if let Some(word) = string(choice) {
        return match &*word {
            "any" => Ok("\"required\"".to_owned()),
            "auto" | "none" | "required" => Ok(choice.to_owned()),
            _ => Err(wrong()),
        };
    }
    let object = Object::parse(choice).ok_or_else(wrong)?;
    Ok(match &*object.text("type").ok_or_else(wrong)? {
        kind @ ("function" | "custom") => lifted(choice, kind),
        "allowed_tools" => {
            let allowed = object.get("allowed_tools").and_then(Object::parse).ok_or_else(wrong)?;
            let tools: Vec<&RawValue> = allowed
                .get("tools")
                .and_then(|tools| serde_json::from_str(tools).ok())
                .ok_or_else(wrong)?;
            let mut list = String::new();
            for tool in tools.iter().map(|tool| tool.get()) {
                push_comma(&mut list);
                list.push_str(&lifted(&lifted(tool, "function"), "custom"));
            }
            let mode = allowed.get("mode").unwrap_or("\"auto\"");
            format!("{{\"type\":\"allowed_tools\",\"mode\":{mode},\"tools\":[{list}]}}")
        }
        // One of the provider's own.
        _ => choice.to_owned(),
    })
}

/// The object with the entries of its member `key` in place of that.
fn lifted(object: &str, key: &str) -> String {
    let outer = Object::parse(object).unwrap_or_default();
    let inner = outer.get(key).and_then(Object::parse).unwrap_or_default();
    let mut out = String::from("{");
    for (name, value) in outer.0.iter().filter(|(name, _)| name != key).chain(&inner.0) {
        push_field(&mut out, name, value.get());
    }
    out.push('}');
    out
}
