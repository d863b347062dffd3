//! Tools, and which of them the model may call. Mistral can be told to call a function of this name, any or none, but not one of some:
//! then it gets no others.

use serde_json::value::RawValue;
use witgate_sdk::json::text::{Object, push_comma, push_field, push_string, string};
use witgate_sdk::openai::text::{Allowed, Tool, ToolChoice};
use witgate_sdk::{Failure, Result};

/// `tool_choice` as Mistral has it, and the functions it is limited to.
pub(crate) fn choice(given: Option<&str>) -> Result<(Option<String>, Allowed)> {
    let (choice, allowed) = ToolChoice::parse(given)?;
    let word = given.filter(|given| string(given).is_some());
    let sent = match choice {
        ToolChoice::Unsaid => return Ok((None, allowed)),
        ToolChoice::Auto => word.unwrap_or("\"auto\"").to_owned(),
        ToolChoice::None => word.unwrap_or("\"none\"").to_owned(),
        ToolChoice::Any => word.unwrap_or("\"any\"").to_owned(),
        ToolChoice::Tool(name) => {
            let mut sent = String::from("{\"type\":\"function\",\"function\":{\"name\":");
            push_string(&mut sent, &name);
            sent.push_str("}}");
            sent
        }
    };
    Ok((Some(sent), allowed))
}

/// Tools as they are, but for marks of other providers'; those of them that are allowed.
pub(crate) fn list(tools: Option<&str>, allowed: &Allowed) -> Result<String> {
    let wrong = |_| Failure::invalid_request("The tools are no list of objects.").param("tools");
    let tools: Vec<&RawValue> = serde_json::from_str(tools.unwrap_or("[]")).map_err(wrong)?;
    let mut out = String::from("[");
    for (at, raw) in tools.iter().enumerate() {
        let fields: Object<'_> = serde_json::from_str(raw.get()).map_err(wrong)?;
        if fields.text("type").as_deref() == Some("custom") {
            let text = "Mistral has no tools with free-form input.";
            return Err(Failure::unsupported(text).param(format!("tools[{at}]")));
        }
        if allowed.0.is_some() && !is_allowed(raw, at, allowed)? {
            continue;
        }
        push_comma(&mut out);
        out.push('{');
        for (key, value) in fields.0.iter().filter(|(key, _)| key != "cache_control") {
            push_field(&mut out, key, value.get());
        }
        out.push('}');
    }
    out.push(']');
    if allowed.0.is_some() && out == "[]" {
        let text = "The tool that may be called is not among the tools.";
        return Err(Failure::invalid_request(text).param("tool_choice"));
    }
    Ok(out)
}

fn is_allowed(tool: &RawValue, at: usize, allowed: &Allowed) -> Result<bool> {
    let tool = Tool::parse(tool, at)?;
    Ok(tool.function.is_some_and(|function| allowed.has(&function)))
}
