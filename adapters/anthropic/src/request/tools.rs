//! Tools, and which of them the model may call.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use witgate_sdk::Failure;

use super::parts::push_marker;
use super::{refuse, schema, unsupported};
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
    strict: Option<bool>,
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
        let name_in = |key| {
            choice
                .get(key)
                .and_then(Object::parse)?
                .text("name")
                .map(Cow::into_owned)
        };
        let r#type = choice.text("type").unwrap_or_default();
        match &*r#type {
            "function" => Ok((Self::Tool(name_in("function").ok_or_else(wrong)?), None)),
            // Anthropic's own form.
            "tool" => {
                let name = choice.text("name").map(Cow::into_owned);
                Ok((Self::Tool(name.ok_or_else(wrong)?), None))
            }
            "allowed_tools" => {
                let allowed = choice.get("allowed_tools").and_then(Object::parse).ok_or_else(wrong)?;
                let mode = Self::word(&allowed.text("mode").unwrap_or_default()).ok_or_else(wrong)?;
                let tools: Vec<Tool<'_>> = allowed
                    .get("tools")
                    .and_then(|tools| serde_json::from_str(tools).ok())
                    .ok_or_else(wrong)?;
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

    /// Anthropic's `tool_choice`, if there is anything to say.
    pub(super) fn to_json(&self, parallel: bool) -> Option<String> {
        let single = if parallel {
            ""
        } else {
            ",\"disable_parallel_tool_use\":true"
        };
        match self {
            Self::Unsaid if parallel => None,
            Self::Unsaid | Self::Auto => Some(format!("{{\"type\":\"auto\"{single}}}")),
            Self::None => Some("{\"type\":\"none\"}".to_owned()),
            Self::Any => Some(format!("{{\"type\":\"any\"{single}}}")),
            Self::Tool(name) => {
                let mut out = String::from("{\"type\":\"tool\",\"name\":");
                push_string(&mut out, name);
                out.push_str(single);
                out.push('}');
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
    model: Model,
) -> Result<(), Failure> {
    for (at, raw) in tools.iter().enumerate() {
        let param = || format!("tools[{at}]");
        let tool: Tool<'_> =
            serde_json::from_str(raw.get()).map_err(|_| refuse("This tool cannot be read.".to_owned(), param()))?;
        if tool.custom.is_some() {
            let text = "Anthropic's models have no tools with free-form input: describe it as a function.".to_owned();
            return Err(unsupported(text, param()));
        }
        let Some(function) = &tool.function else {
            // One of Anthropic's own: a server tool, or a tool in its form.
            push_comma(out);
            out.push_str(raw.get());
            continue;
        };
        let is_allowed = |names: &[String]| function.plain_name().is_some_and(|name| names.contains(&name));
        if allowed.is_none_or(is_allowed) {
            push_function(out, function, model);
            push_marker(out, tool.cache_control.or(function.cache_control).map(RawValue::get));
        }
    }
    Ok(())
}

fn push_function(out: &mut String, function: &Function<'_>, model: Model) {
    push_comma(out);
    out.push_str("{\"name\":");
    out.push_str(function.name.get());
    if let Some(description) = function.description {
        push_field(out, "description", description.get());
    }
    let parameters = function.parameters.map_or("{}", RawValue::get);
    let strict = function.strict == Some(true) && model.structured_output();
    let closed = if strict { schema::closed(parameters) } else { None };
    let strict = closed.is_some();
    out.push_str(",\"input_schema\":");
    schema::push_object(out, closed.as_deref().unwrap_or(parameters));
    if strict {
        out.push_str(",\"strict\":true");
    }
    out.push('}');
}
