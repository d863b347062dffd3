//! Tools, and which of them the model may call.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Allowed, Function, Tool, ToolChoice};

use super::schema::{self, Translated};
use super::unsupported;
use crate::json::{Object, push_comma, push_field, push_string, string};

/// The model must call one of the functions there are.
const ANY: &str = "ANY";
/// Where in `toolConfig` it is said how functions may be called, in both ways the API takes a name.
const CALLING: [&str; 2] = ["functionCallingConfig", "function_calling_config"];

/// Reads the client's `tool_choice`: Gemini's word for it, if it says anything, and the functions that may be called. One that must be
/// called is the only one that may be.
pub(super) fn choice(choice: Option<&str>) -> Result<(Option<&'static str>, Allowed), Failure> {
    let (choice, allowed) = ToolChoice::parse(choice)?;
    Ok(match choice {
        ToolChoice::Unsaid => (None, allowed),
        ToolChoice::Auto => (Some("AUTO"), allowed),
        ToolChoice::None => (Some("NONE"), allowed),
        ToolChoice::Any => (Some(ANY), allowed),
        ToolChoice::Tool(name) => (Some(ANY), Allowed(Some(vec![name]))),
    })
}

/// Gemini's `toolConfig`: the client's own, whose keys go before ours, and in it how functions may be called. Names can be given only
/// where one must be called.
pub(super) fn config(own: Option<&str>, mode: Option<&str>, Allowed(names): &Allowed) -> Option<String> {
    let Some(mode) = mode else {
        return own.map(str::to_owned);
    };
    let own = own.and_then(Object::parse).unwrap_or_default();
    let calling = CALLING.iter().find_map(|key| own.get(key)).and_then(Object::parse);
    let calling = calling.unwrap_or_default();
    let mut merged = String::from("{");
    if calling.get("mode").is_none() {
        push_field(&mut merged, "mode", &["\"", mode, "\""].concat());
    }
    if let (ANY, Some(names), None) = (mode, names, calling.get("allowedFunctionNames")) {
        let mut list = String::from("[");
        for name in names {
            push_comma(&mut list);
            push_string(&mut list, name);
        }
        list.push(']');
        push_field(&mut merged, "allowedFunctionNames", &list);
    }
    for (key, value) in calling.entries() {
        push_field(&mut merged, key, value);
    }
    merged.push('}');
    let mut out = String::from("{");
    push_field(&mut out, CALLING[0], &merged);
    for (key, value) in own.entries().filter(|(key, _)| !CALLING.contains(key)) {
        push_field(&mut out, key, value);
    }
    out.push('}');
    Some(out)
}

/// The tools as Gemini wants them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// JSON text without its brackets
    pub(super) list: String,
    /// there are functions of the client's among them
    pub(super) functions: bool,
}

/// The client's tools; of functions, only those that are allowed. `web_search`: the client wants the provider's own search.
pub(super) fn list(tools: &[&RawValue], allowed: &Allowed, web_search: bool) -> Result<Tools, Failure> {
    let (mut functions, mut own) = (String::new(), String::new());
    for (at, raw) in tools.iter().enumerate() {
        let param = || format!("tools[{at}]");
        let tool = Tool::parse(raw, at)?;
        let kind = tool.kind.and_then(|kind| string(kind.get()));
        match (&tool.function, kind.as_deref()) {
            (Some(function), _) => {
                let name = function.name().ok_or_else(|| Tool::unreadable(at))?;
                if allowed.has(function) {
                    push_function(&mut functions, &name, function);
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

fn push_function(out: &mut String, name: &str, function: &Function<'_>) {
    push_comma(out);
    out.push_str("{\"name\":");
    push_string(out, name);
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
