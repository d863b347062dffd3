//! Tools, and which of them may be called. All become functions; the memo has what they were.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Request, objects, refuse, wrong};
use crate::{
    dialect::{
        json::{push_comma, push_member, quoted},
        object::Object,
        responses::memo::{Tool, ToolKind},
    },
    error::Result,
};

/// The function that stands for the shell on the client's machine.
pub(super) const LOCAL_SHELL: &str = "local_shell";
/// Names of functions are no longer.
const LONGEST_NAME: usize = 64;

const SHELL_PARAMETERS: &str = r#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments."},"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}"#;
const CUSTOM_PARAMETERS: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The tool's input, as it is."}},"required":["input"],"additionalProperties":false}"#;

/// The name of a function that stands in a group.
pub(super) fn flat(namespace: Option<&str>, name: &str) -> String {
    match namespace.map(|group| [group, "__", name].concat()) {
        Some(both) if both.len() <= LONGEST_NAME => both,
        _ => name.to_owned(),
    }
}

/// A tool that stands in a group knows what that is for.
#[derive(Clone, Copy, Default)]
struct Group<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
}

impl Request<'_> {
    /// Adds the functions that stand for a list of tools to `out`; `path` names it.
    pub(super) fn push_tools(&mut self, out: &mut String, tools: &str, path: &str) -> Result<()> {
        self.push_group(out, tools, path, Group::default())
    }

    fn push_group(&mut self, out: &mut String, tools: &str, path: &str, group: Group<'_>) -> Result<()> {
        for (at, tool) in objects::<Object<'_>>(tools, path)?.iter().enumerate() {
            self.push_tool(out, tool, &format!("{path}[{at}]"), group)?;
        }
        Ok(())
    }

    fn push_tool(&mut self, out: &mut String, tool: &Object<'_>, path: &str, group: Group<'_>) -> Result<()> {
        match tool.text("type").as_deref() {
            Some("function") => self.push_function(out, tool, path, group),
            Some("custom") => self.push_custom(out, tool, path, group),
            Some("local_shell") => {
                self.stands_for(LOCAL_SHELL, ToolKind::LocalShell, LOCAL_SHELL, group);
                let text = "\"Runs a command on the user's machine and gives its output.\"";
                push_function(out, &quoted(LOCAL_SHELL), Some(text), SHELL_PARAMETERS, None);
                Ok(())
            }
            Some("namespace") => {
                let (name, description) = (required(tool, "name", path)?, tool.text("description"));
                let group = Group {
                    name: Some(&name),
                    description: description.as_deref(),
                };
                let tools = tool.get("tools").unwrap_or("[]");
                self.push_group(out, tools, &format!("{path}.tools"), group)
            }
            Some("web_search") => {
                if tool.get("external_web_access") != Some("false") {
                    self.search = Some(path.to_owned());
                }
                self.drop("tools.web_search");
                Ok(())
            }
            Some(kind) => Err(refuse(&format!("the tool '{kind}', which runs at OpenAI,"), path)),
            None => Err(wrong("is missing", &format!("{path}.type"))),
        }
    }

    fn push_function(&mut self, out: &mut String, tool: &Object<'_>, path: &str, group: Group<'_>) -> Result<()> {
        let name = required(tool, "name", path)?;
        let flat = flat(group.name, &name);
        if group.name.is_some() {
            self.stands_for(&flat, ToolKind::Function, &name, group);
        }
        let description = match (group.description, tool.text("description")) {
            (Some(of_all), Some(own)) => Some(quoted(&[of_all, "\n\n", &own].concat())),
            (None, Some(_)) => tool.get("description").map(str::to_owned),
            (of_all, None) => of_all.map(quoted),
        };
        for (key, _) in tool.iter() {
            if !matches!(key, "type" | "name" | "description" | "parameters" | "strict") {
                self.drop(format!("tools.{key}"));
            }
        }
        let parameters = tool.get("parameters").unwrap_or(r#"{"type":"object","properties":{}}"#);
        // Not strict is what a chat's functions are if nothing is said.
        let strict = tool.get("strict").filter(|strict| *strict == "true");
        push_function(out, &quoted(&flat), description.as_deref(), parameters, strict);
        Ok(())
    }

    fn push_custom(&mut self, out: &mut String, tool: &Object<'_>, path: &str, group: Group<'_>) -> Result<()> {
        let name = required(tool, "name", path)?;
        let flat = flat(group.name, &name);
        self.stands_for(&flat, ToolKind::Custom, &name, group);
        let mut description = tool.text("description").unwrap_or_default().into_owned();
        let format = tool.get("format").and_then(Object::parse).unwrap_or_default();
        if let Some(definition) = format.text("definition") {
            let syntax = format.text("syntax").unwrap_or_default();
            description.push_str(&format!("\n\nThe input must fit this {syntax} grammar:\n{definition}"));
        }
        let description = Some(quoted(description.trim())).filter(|text| text != "\"\"");
        push_function(out, &quoted(&flat), description.as_deref(), CUSTOM_PARAMETERS, None);
        Ok(())
    }

    /// Remembers what a function stands for.
    fn stands_for(&mut self, function: &str, kind: ToolKind, name: &str, group: Group<'_>) {
        let tool = Tool {
            kind,
            name: name.to_owned(),
            namespace: group.name.map(str::to_owned),
        };
        self.memo.tools.insert(function.to_owned(), tool);
    }

    /// Writes `tool_choice` and `parallel_tool_calls`, where they say more than nothing does.
    pub(super) fn push_choice(&mut self, choice: Option<&str>, parallel: Option<&str>) -> Result<()> {
        match choice {
            None | Some("\"auto\"") => {}
            Some(word @ ("\"none\"" | "\"required\"")) => push_member(&mut self.chat, "tool_choice", word),
            Some(choice) => {
                let choice: Choice<'_> = serde_json::from_str(choice)
                    .map_err(|_| wrong("must be auto, none, required or an object", "tool_choice"))?;
                let choice = choice.to_chat()?;
                push_member(&mut self.chat, "tool_choice", &choice);
            }
        }
        if parallel == Some("false") {
            push_member(&mut self.chat, "parallel_tool_calls", "false");
        }
        Ok(())
    }
}

/// A tool that is to be called, or those that may be.
#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Vec<Choice<'a>>,
}

impl Choice<'_> {
    fn to_chat(&self) -> Result<String> {
        match &*self.r#type {
            "function" | "custom" => {
                let name = self
                    .name
                    .as_deref()
                    .ok_or_else(|| wrong("is missing", "tool_choice.name"))?;
                let name = quoted(&flat(self.namespace.as_deref(), name));
                Ok(format!("{{\"type\":\"function\",\"function\":{{\"name\":{name}}}}}"))
            }
            LOCAL_SHELL => Ok(format!(
                "{{\"type\":\"function\",\"function\":{{\"name\":\"{LOCAL_SHELL}\"}}}}"
            )),
            "allowed_tools" => {
                let tools: Vec<String> = self.tools.iter().map(Self::to_chat).collect::<Result<_>>()?;
                let (mode, tools) = (self.mode.map_or("\"auto\"", RawValue::get), tools.join(","));
                Ok(format!(
                    "{{\"type\":\"allowed_tools\",\"allowed_tools\":{{\"mode\":{mode},\"tools\":[{tools}]}}}}"
                ))
            }
            kind => Err(refuse(
                &format!("the tool '{kind}', which runs at OpenAI,"),
                "tool_choice",
            )),
        }
    }
}

fn required<'a>(tool: &Object<'a>, key: &str, path: &str) -> Result<Cow<'a, str>> {
    let text = tool.text(key);
    text.ok_or_else(|| wrong("must be a string", &format!("{path}.{key}")))
}

/// Adds a function; all but `out` is JSON.
fn push_function(out: &mut String, name: &str, description: Option<&str>, parameters: &str, strict: Option<&str>) {
    push_comma(out);
    out.push_str("{\"type\":\"function\",\"function\":{\"name\":");
    out.push_str(name);
    if let Some(description) = description {
        push_member(out, "description", description);
    }
    push_member(out, "parameters", parameters);
    if let Some(strict) = strict {
        push_member(out, "strict", strict);
    }
    out.push_str("}}");
}
