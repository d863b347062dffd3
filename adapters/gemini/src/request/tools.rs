//! Tools, and which of them the model may call.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Failure;

use super::schema::{self, Translated};
use super::{refuse, unsupported};
use crate::json::{Object, push_comma, push_field, push_string, string};

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

/// Which functions the model may or must call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// the client said nothing
    #[default]
    Unsaid,
    /// as the model likes
    Auto,
    /// none
    None,
    /// one of those there are
    Any,
}

impl Choice {
    /// Reads `tool_choice`, and the names of the functions it is limited to, if it is.
    pub(super) fn parse(choice: Option<&str>) -> Result<(Self, Option<Vec<String>>), Failure> {
        let Some(text) = choice else {
            return Ok((Self::Unsaid, None));
        };
        let wrong = || refuse("This tool_choice is not known.", "tool_choice");
        if let Some(word) = string(text) {
            return Ok((Self::word(&word).ok_or_else(wrong)?, None));
        }
        let choice = Object::parse(text).ok_or_else(wrong)?;
        let named = |object: Option<Object<'_>>| object?.text("name").map(Cow::into_owned);
        match &*choice.text("type").unwrap_or_default() {
            "function" => {
                let name = named(choice.get("function").and_then(Object::parse)).ok_or_else(wrong)?;
                Ok((Self::Any, Some(vec![name])))
            }
            // Anthropic's form.
            "tool" => Ok((Self::Any, Some(vec![named(Some(choice)).ok_or_else(wrong)?]))),
            "allowed_tools" => {
                let allowed = choice.get("allowed_tools").and_then(Object::parse).ok_or_else(wrong)?;
                let mode = Self::word(&allowed.text("mode").unwrap_or_default()).ok_or_else(wrong)?;
                let tools: Vec<Tool<'_>> = allowed
                    .get("tools")
                    .and_then(|tools| serde_json::from_str(tools).ok())
                    .ok_or_else(wrong)?;
                let names = tools.iter().filter_map(|tool| tool.function.as_ref());
                Ok((mode, Some(names.map(|function| function.name.to_string()).collect())))
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

    /// Gemini's `functionCallingConfig`, if there is anything to say. Names can be given only where one must be called.
    pub(super) fn to_json(&self, allowed: Option<&[String]>) -> Option<String> {
        let mode = match self {
            Self::Unsaid => return None,
            Self::Auto => "AUTO",
            Self::None => "NONE",
            Self::Any => "ANY",
        };
        let mut out = ["{\"mode\":\"", mode, "\""].concat();
        if let (Self::Any, Some(names)) = (self, allowed) {
            let mut list = String::from("[");
            for name in names {
                push_comma(&mut list);
                push_string(&mut list, name);
            }
            list.push(']');
            push_field(&mut out, "allowedFunctionNames", &list);
        }
        out.push('}');
        Some(out)
    }
}

/// The tools as Gemini wants them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// JSON text without its brackets
    pub(super) list: String,
    /// there are functions of the client's among them
    pub(super) functions: bool,
}

/// The client's tools; only those in `allowed`, if it is given. `web_search`: the client wants the provider's own search.
pub(super) fn list(tools: &[&RawValue], allowed: Option<&[String]>, web_search: bool) -> Result<Tools, Failure> {
    let (mut functions, mut own) = (String::new(), String::new());
    for (at, raw) in tools.iter().enumerate() {
        let param = || format!("tools[{at}]");
        let tool: Tool<'_> =
            serde_json::from_str(raw.get()).map_err(|_| refuse("This tool cannot be read.", param()))?;
        match (&tool.function, tool.r#type.as_deref()) {
            (Some(function), _) => {
                if allowed.is_none_or(|names| names.iter().any(|name| **name == *function.name)) {
                    push_function(&mut functions, function);
                }
            }
            // One of Gemini's own: googleSearch, codeExecution, …
            (None, None) => {
                push_comma(&mut own);
                own.push_str(raw.get());
            }
            (None, Some("custom")) => {
                let text = "Gemini's models have no tools with free-form input: describe it as a function.";
                return Err(unsupported(text, param()));
            }
            (None, Some(other)) => return Err(unsupported(format!("Gemini has no tools of type {other:?}."), param())),
        }
    }
    let mut tools = Tools {
        functions: !functions.is_empty(),
        ..Tools::default()
    };
    if tools.functions {
        tools.list = ["{\"functionDeclarations\":[", &functions, "]}"].concat();
    }
    let search = if web_search { "{\"googleSearch\":{}}" } else { "" };
    for further in [&*own, search].into_iter().filter(|further| !further.is_empty()) {
        push_comma(&mut tools.list);
        tools.list.push_str(further);
    }
    Ok(tools)
}

fn push_function(out: &mut String, function: &Function<'_>) {
    push_comma(out);
    out.push_str("{\"name\":");
    push_string(out, &function.name);
    if let Some(description) = function.description {
        push_field(out, "description", description.get());
    }
    match function
        .parameters
        .map(|parameters| schema::translate(parameters.get()))
    {
        None | Some(Translated::Nothing) => {}
        Some(Translated::OpenApi(schema)) => push_field(out, "parameters", &schema),
        Some(Translated::Json(schema)) => push_field(out, "parametersJsonSchema", schema),
    }
    out.push('}');
}
