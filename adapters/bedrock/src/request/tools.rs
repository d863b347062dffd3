//! Tools, and which of them the model may call.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::parts::push_cache_point;
use super::{refuse, unsupported};
use crate::json::{Object, push_comma, push_field, push_string, string};
use crate::model::Model;

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
    #[serde(borrow)]
    custom: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_control: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_control: Option<&'a RawValue>,
}

/// Which tools the model may or must call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// the client said nothing
    #[default]
    Unsaid,
    /// as the model likes
    Auto,
    /// no tool
    None,
    /// some tool
    Any,
    /// this tool: its name
    Tool(String),
}

impl Choice {
    /// Reads `tool_choice`, and the names of the tools it is limited to, if it is.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Vec<String>>), Failure> {
        let wrong = || refuse("This tool_choice is not known.".to_owned(), "tool_choice".to_owned());
        if let Some(word) = string(text) {
            return Ok((Self::word(&word).ok_or_else(wrong)?, None));
        }
        let choice = Object::parse(text).ok_or_else(wrong)?;
        let named = |object: &Object<'_>| object.text("name").map(Cow::into_owned);
        match &*choice.text("type").unwrap_or_default() {
            "function" => {
                let function = choice.get("function").and_then(Object::parse);
                let name = function.as_ref().and_then(named);
                Ok((Self::Tool(name.ok_or_else(wrong)?), None))
            }
            "tool" => Ok((Self::Tool(named(&choice).ok_or_else(wrong)?), None)),
            "allowed_tools" => {
                let allowed = choice.get("allowed_tools").and_then(Object::parse).ok_or_else(wrong)?;
                let mode = Self::word(&allowed.text("mode").unwrap_or_default()).ok_or_else(wrong)?;
                let tools = allowed.get("tools").and_then(|tools| serde_json::from_str(tools).ok());
                let tools: Vec<Tool<'_>> = tools.ok_or_else(wrong)?;
                let name = |tool: &Tool<'_>| tool.function.as_ref().and_then(Function::plain_name);
                Ok((mode, Some(tools.iter().filter_map(name).collect())))
            }
            word => Ok((Self::word(word).ok_or_else(wrong)?, None)),
        }
    }

    fn word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::None),
            "required" | "any" => Some(Self::Any),
            _ => None,
        }
    }

    /// The model must call a tool, which it cannot do while it thinks.
    pub(super) fn forces(&self) -> bool {
        matches!(self, Self::Any | Self::Tool(_))
    }

    /// Converse's `toolChoice`, if there is anything to say: it knows no "none".
    pub(super) fn to_json(&self) -> Option<String> {
        match self {
            Self::Unsaid | Self::None => None,
            Self::Auto => Some("{\"auto\":{}}".to_owned()),
            Self::Any => Some("{\"any\":{}}".to_owned()),
            Self::Tool(name) => {
                let mut out = String::from("{\"tool\":{\"name\":");
                push_string(&mut out, name);
                out.push_str("}}");
                Some(out)
            }
        }
    }
}

impl Function<'_> {
    fn plain_name(&self) -> Option<String> {
        string(self.name.get()).map(Cow::into_owned)
    }
}

/// Adds the tools to the list `out`; only those in `allowed`, if it is given.
pub(super) fn push(
    out: &mut String,
    tools: &[&RawValue],
    allowed: Option<&[String]>,
    model: Model<'_>,
) -> Result<(), Failure> {
    for (at, raw) in tools.iter().enumerate() {
        let param = || format!("tools[{at}]");
        let tool: Tool<'_> =
            serde_json::from_str(raw.get()).map_err(|_| refuse("This tool cannot be read.".to_owned(), param()))?;
        if tool.custom.is_some() {
            let text = "Bedrock has no tools with free-form input: describe it as a function.".to_owned();
            return Err(unsupported(text, param()));
        }
        let Some(function) = &tool.function else {
            // One of Converse's own: "toolSpec", "systemTool", "cachePoint".
            push_comma(out);
            out.push_str(raw.get());
            continue;
        };
        let is_allowed = |names: &[String]| function.plain_name().is_some_and(|name| names.contains(&name));
        if allowed.is_none_or(is_allowed) {
            push_function(out, function);
            let marker = tool.cache_control.or(function.cache_control);
            push_cache_point(out, marker.map(RawValue::get).filter(|_| model.claude().is_some()));
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
    push_object(out, schema);
    out.push_str("}}}");
}

/// Writes the schema of a tool's input. Its root must be of type object.
fn push_object(out: &mut String, schema: &str) {
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
