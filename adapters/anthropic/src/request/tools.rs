//! Tools, and which of them the model may call.

use serde_json::value::RawValue;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Allowed, Function, Tool, ToolChoice};

use super::parts::push_marker;
use super::{schema, unsupported};
use crate::json::{Object, push_comma, push_field, push_string};
use crate::model::Model;

/// What Anthropic's tools have that OpenAI's functions have not. Clients write it beside the function, or in it.
const OWN: [&str; 4] = [
    "allowed_callers",
    "defer_loading",
    "eager_input_streaming",
    "input_examples",
];

/// Anthropic's `tool_choice`, if there is anything to say. `parallel`: it may call several at once.
pub(super) fn choice(choice: &ToolChoice, parallel: bool) -> Option<String> {
    let single = if parallel {
        ""
    } else {
        ",\"disable_parallel_tool_use\":true"
    };
    match choice {
        ToolChoice::Unsaid if parallel => None,
        ToolChoice::Unsaid | ToolChoice::Auto => Some(format!("{{\"type\":\"auto\"{single}}}")),
        ToolChoice::None => Some("{\"type\":\"none\"}".to_owned()),
        ToolChoice::Any => Some(format!("{{\"type\":\"any\"{single}}}")),
        ToolChoice::Tool(name) => {
            let mut out = String::from("{\"type\":\"tool\",\"name\":");
            push_string(&mut out, name);
            out.push_str(single);
            out.push('}');
            Some(out)
        }
    }
}

/// Adds the tools to the list `out`; of functions, only those that are allowed.
pub(super) fn push(out: &mut String, tools: &[&RawValue], allowed: &Allowed, model: Model) -> Result<(), Failure> {
    for (at, raw) in tools.iter().enumerate() {
        let tool = Tool::parse(raw, at)?;
        if tool.custom.is_some() {
            let text = "Anthropic's models have no tools with free-form input: describe it as a function.".to_owned();
            return Err(unsupported(text, format!("tools[{at}]")));
        }
        let Some(function) = &tool.function else {
            // One of Anthropic's own: a server tool, or a tool in its form.
            push_comma(out);
            out.push_str(raw.get());
            continue;
        };
        if allowed.has(function) {
            push_function(out, function, model);
            push_own(out, raw.get());
            out.push('}');
            push_marker(out, tool.marker().map(RawValue::get));
        }
    }
    Ok(())
}

/// Adds a function, which is still open then.
fn push_function(out: &mut String, function: &Function<'_>, model: Model) {
    push_comma(out);
    out.push_str("{\"name\":");
    out.push_str(function.name.get());
    if let Some(description) = function.description {
        push_field(out, "description", description.get());
    }
    let parameters = function.parameters.map_or("{}", RawValue::get);
    let strict = function.strict() && model.structured_output();
    let closed = if strict { schema::closed(parameters) } else { None };
    let strict = closed.is_some();
    out.push_str(",\"input_schema\":");
    schema::push_object(out, closed.as_deref().unwrap_or(parameters));
    if strict {
        out.push_str(",\"strict\":true");
    }
}

fn push_own(out: &mut String, tool: &str) {
    let beside = Object::parse(tool).unwrap_or_default();
    let within = beside.get("function").and_then(Object::parse).unwrap_or_default();
    for field in OWN {
        if let Some(value) = beside.get(field).or_else(|| within.get(field)) {
            push_field(out, field, value);
        }
    }
}
