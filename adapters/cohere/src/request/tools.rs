//! Tools, and which of them the model may call. Cohere can be told to call some tool or none, but not which: then it gets no other.

use witgate_sdk::Result;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::{ChatRequest, FunctionDef, Tool, ToolChoice};

use super::{refuse, unsupported};

/// Cohere's word, and the names of the tools that may be called, if not all.
type Choice = (Option<&'static str>, Option<Vec<String>>);

/// Reads `tool_choice`.
pub(super) fn choice(chat: &ChatRequest<'_>) -> Result<Choice> {
    let wrong = || refuse("This tool_choice is not known.", "tool_choice");
    match &chat.tool_choice {
        None => Ok((None, None)),
        Some(ToolChoice::Mode(mode)) => Ok((word(mode).ok_or_else(wrong)?, None)),
        Some(ToolChoice::Tool(tool)) if tool.kind == "function" => {
            let function = tool.function.as_ref().ok_or_else(wrong)?;
            Ok((Some("REQUIRED"), Some(vec![function.name.as_str().to_owned()])))
        }
        Some(ToolChoice::Tool(tool)) if tool.kind == "allowed_tools" => {
            let allowed: Allowed<'_> = tool
                .rest
                .get("allowed_tools")
                .and_then(|raw| raw.parse().ok())
                .ok_or_else(wrong)?;
            let mode = word(&allowed.mode).ok_or_else(wrong)?;
            let name = |tool: &Tool<'_>| tool.function.as_ref().map(|function| function.name.as_str().to_owned());
            Ok((mode, Some(allowed.tools.iter().filter_map(name).collect())))
        }
        Some(ToolChoice::Tool(_)) => Err(wrong()),
    }
}

witgate_sdk::object! {
    struct Allowed<'a> {
        mode: witgate_sdk::json::Str<'a>,
        tools: Vec<Tool<'a>>,
    }
}

fn word(mode: &str) -> Option<Option<&'static str>> {
    match mode {
        "auto" => Some(None),
        "none" => Some(Some("NONE")),
        "required" | "any" => Some(Some("REQUIRED")),
        _ => None,
    }
}

/// The tools that may be called.
pub(super) fn tools<'a>(chat: &'a ChatRequest<'a>, allowed: Option<&[String]>) -> Result<Vec<&'a Tool<'a>>> {
    let mut tools = Vec::new();
    for (at, tool) in chat.tools.iter().enumerate() {
        let Some(function) = tool.function.as_ref().filter(|function| !function.name.is_empty()) else {
            let text = format!(
                "Cohere's models have no tools of type {:?}, only functions.",
                tool.kind.as_str()
            );
            return Err(unsupported(text, format!("tools[{at}]")));
        };
        if allowed.is_none_or(|names| names.iter().any(|name| function.name == name.as_str())) {
            tools.push(tool);
        }
    }
    match allowed {
        Some(_) if tools.is_empty() => Err(refuse(
            "The tool that must be called is not among the tools.",
            "tool_choice",
        )),
        _ => Ok(tools),
    }
}

/// The tool with what Cohere knows of it.
pub(super) fn plain<'a>(tool: &'a Tool<'a>) -> Tool<'a> {
    let no_parameters = || Raw::parse_text(r#"{"type":"object","properties":{}}"#).ok();
    let function = tool.function.as_ref().map(|function| FunctionDef {
        name: function.name.reborrow(),
        description: function.description.as_ref().map(|text| text.reborrow()),
        parameters: function.parameters.as_ref().map(Raw::reborrow).or_else(no_parameters),
        ..FunctionDef::default()
    });
    Tool {
        kind: "function".into(),
        function,
        ..Tool::default()
    }
}
