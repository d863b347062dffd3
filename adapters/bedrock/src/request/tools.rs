//! Tools, and which of them the model may call.

use serde_json::value::RawValue;
use witgate_anthropic::push_input_schema;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Allowed, Function, Tool, ToolChoice};

use super::parts::push_cache_point;
use super::unsupported;
use crate::json::{push_comma, push_field, push_string};
use crate::model::Model;

/// Converse's `toolChoice`, if there is anything to say: it knows no "none".
pub(super) fn choice(choice: &ToolChoice) -> Option<String> {
    match choice {
        ToolChoice::Unsaid | ToolChoice::None => None,
        ToolChoice::Auto => Some("{\"auto\":{}}".to_owned()),
        ToolChoice::Any => Some("{\"any\":{}}".to_owned()),
        ToolChoice::Tool(name) => {
            let mut out = String::from("{\"tool\":{\"name\":");
            push_string(&mut out, name);
            out.push_str("}}");
            Some(out)
        }
    }
}

/// Adds the tools to the list `out`; of functions, only those that are allowed.
pub(super) fn push(out: &mut String, tools: &[&RawValue], allowed: &Allowed, model: Model<'_>) -> Result<(), Failure> {
    for (at, raw) in tools.iter().enumerate() {
        let tool = Tool::parse(raw, at)?;
        if tool.custom.is_some() {
            let text = "Bedrock has no tools with free-form input: describe it as a function.".to_owned();
            return Err(unsupported(text, format!("tools[{at}]")));
        }
        let Some(function) = &tool.function else {
            // One of Converse's own: "toolSpec", "systemTool", "cachePoint".
            push_comma(out);
            out.push_str(raw.get());
            continue;
        };
        if allowed.has(function) {
            push_function(out, function);
            let marker = tool.marker().map(RawValue::get);
            push_cache_point(out, marker.filter(|_| model.claude().is_some()));
        }
    }
    Ok(())
}

fn push_function(out: &mut String, function: &Function<'_>) {
    let description = function.description.map(RawValue::get);
    let parameters = function.parameters.map_or("{}", RawValue::get);
    push_spec(out, function.name.get(), description, parameters);
}

/// Adds a tool; all are JSON text. The API takes no empty descriptions.
pub(super) fn push_spec(out: &mut String, name: &str, description: Option<&str>, schema: &str) {
    push_comma(out);
    out.push_str("{\"toolSpec\":{\"name\":");
    out.push_str(name);
    if let Some(description) = description.filter(|text| !matches!(*text, "\"\"" | "null")) {
        push_field(out, "description", description);
    }
    out.push_str(",\"inputSchema\":{\"json\":");
    push_input_schema(out, schema);
    out.push_str("}}}");
}

/// Adds the tools that were called in the conversation and are in no list: the API takes no calls of tools it does not know.
pub(super) fn push_called(out: &mut String, called: &[String]) {
    let mut seen: Vec<&String> = Vec::new();
    for name in called.iter().filter(|name| !name.is_empty()) {
        if !seen.contains(&name) {
            seen.push(name);
            push_spec(out, name, None, "{}");
        }
    }
}
