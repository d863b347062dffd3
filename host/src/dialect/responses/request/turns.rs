//! The conversation: instructions and items to the messages of a chat.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Request,
    assistant::call_id,
    content::{Content, Parts},
    objects, refuse, tools, wrong,
};
use crate::{
    dialect::json::{inside, push_comma, push_member, quoted},
    error::Result,
};

/// An item, read as far as the translation looks at it.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Item<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) call_id: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) encrypted_content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) summary: Option<&'a RawValue>,
}

impl Request<'_> {
    /// Writes `messages`.
    pub(super) fn push_conversation(&mut self, instructions: Option<&str>, input: Option<&str>) -> Result<()> {
        self.chat.push_str("\"messages\":[");
        match instructions {
            Some(text) if text.starts_with('"') => self.push_system(inside(text)),
            Some(_) => return Err(wrong("must be a string", "instructions")),
            None => {}
        }
        match input {
            Some(text) if text.starts_with('"') => {
                let mut parts = Parts::default();
                parts.push_text(text);
                self.push_message("user", &parts);
            }
            Some(list) if list.starts_with('[') => {
                let items: Vec<Item<'_>> = objects(list, "input")?;
                if items.is_empty() {
                    return Err(wrong("must have at least one item", "input"));
                }
                for (at, item) in items.iter().enumerate() {
                    self.push_item(item, &format!("input[{at}]"))?;
                }
            }
            Some(_) => return Err(wrong("must be a string or a list", "input")),
            None => return Err(wrong("is missing", "input")),
        }
        self.end_assistant();
        self.end_results();
        self.end_system();
        self.chat.push(']');
        Ok(())
    }

    fn push_item(&mut self, item: &Item<'_>, path: &str) -> Result<()> {
        match item.r#type.as_deref().unwrap_or("message") {
            "message" => self.push_turn(item, path),
            "reasoning" => {
                self.push_reasoning(item);
                Ok(())
            }
            "function_call" => {
                let arguments = item.arguments.map_or("\"\"", RawValue::get).to_owned();
                self.push_call(item, &name(item, path)?, arguments, path)
            }
            "custom_tool_call" => {
                let input = item.input.map_or("\"\"", RawValue::get);
                let arguments = quoted(&["{\"input\":", input, "}"].concat());
                self.push_call(item, &name(item, path)?, arguments, path)
            }
            "local_shell_call" => {
                let arguments = quoted(&shell_arguments(item.action));
                self.push_call(item, tools::LOCAL_SHELL, arguments, path)
            }
            "function_call_output" | "custom_tool_call_output" => self.push_result(item, call_id(item, path)?, path),
            "local_shell_call_output" => {
                // The newer form names the call, the older one has its id for its own.
                let id = item.call_id.or(item.id).map_or("\"\"", RawValue::get);
                self.push_result(item, id, path)
            }
            kind if RECORDS.contains(&kind) => {
                self.drop(format!("input.{kind}"));
                Ok(())
            }
            "item_reference" => Err(refuse("an item by its id (nothing is stored)", path)),
            kind => Err(refuse(&format!("an item of type '{kind}'"), format!("{path}.type"))),
        }
    }

    fn push_turn(&mut self, item: &Item<'_>, path: &str) -> Result<()> {
        let role = match item.role.as_deref() {
            Some("assistant") => return self.push_said(item, path),
            Some("user") => "user",
            Some("system" | "developer") => "system",
            Some(role) => {
                let text = format!("'{role}' is not one of user, assistant, system, developer");
                return Err(wrong(&text, &format!("{path}.role")));
            }
            None => return Err(wrong("is missing", &format!("{path}.role"))),
        };
        let path = format!("{path}.content");
        let parts = self.parts(&Content::read(item.content, &path)?, &path)?;
        if role == "system" && !parts.is_more_than_text() {
            self.push_system(&parts.text);
        } else {
            self.push_message(role, &parts);
        }
        Ok(())
    }

    /// Adds instructions: those that the conversation begins with are one message, since many models take no more.
    fn push_system(&mut self, text: &str) {
        if self.chat.ends_with('[') && self.assistant.is_none() {
            let system = self.system.get_or_insert_default();
            if !system.is_empty() {
                system.push_str("\\n\\n");
            }
            system.push_str(text);
            return;
        }
        let mut parts = Parts::default();
        parts.push_text(&["\"", text, "\""].concat());
        self.push_message("system", &parts);
    }

    fn push_message(&mut self, role: &str, parts: &Parts) {
        self.end_assistant();
        self.end_results();
        self.end_system();
        self.write_message(role, parts);
    }

    fn write_message(&mut self, role: &str, parts: &Parts) {
        let content = parts.content(self.taker.adapter);
        push_comma(&mut self.chat);
        for piece in ["{\"role\":\"", role, "\",\"content\":", &content, "}"] {
            self.chat.push_str(piece);
        }
    }

    /// Writes the instructions that the conversation begins with.
    fn end_system(&mut self) {
        if let Some(text) = self.system.take() {
            let mut parts = Parts::default();
            parts.push_text(&["\"", &text, "\""].concat());
            self.write_message("system", &parts);
        }
    }

    /// Writes the message of a tool. `id`: JSON.
    fn push_result(&mut self, item: &Item<'_>, id: &str, path: &str) -> Result<()> {
        self.end_assistant();
        let path = format!("{path}.output");
        let content = Content::read(item.output, &path)?;
        let mut parts = self.parts(&content, &path)?;
        if parts.is_more_than_text() && !self.taker.adapter {
            let (texts, others) = parts.apart();
            self.after.append(&others);
            parts = texts;
            parts.push_text("\"(The file is in the next message.)\"");
        }
        push_comma(&mut self.chat);
        self.chat.push_str("{\"role\":\"tool\",\"tool_call_id\":");
        self.chat.push_str(id);
        push_member(&mut self.chat, "content", &parts.content(self.taker.adapter));
        self.chat.push('}');
        Ok(())
    }

    /// Writes what tools gave that their own messages do not take.
    pub(super) fn end_results(&mut self) {
        if !self.after.is_empty() {
            let parts = std::mem::take(&mut self.after);
            self.write_message("user", &parts);
        }
    }
}

/// What OpenAI's own tools did in an earlier answer: the messages around it say what came of it.
const RECORDS: [&str; 10] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
    "tool_search_call",
    "tool_search_output",
    "program",
    "program_output",
];

/// The function's name, as the provider is told it.
fn name(item: &Item<'_>, path: &str) -> Result<String> {
    let name = item.name.as_deref();
    let name = name.ok_or_else(|| wrong("is missing", &format!("{path}.name")))?;
    Ok(tools::flat(item.namespace.as_deref(), name))
}

/// The arguments of the function that stands for the shell.
fn shell_arguments(action: Option<&RawValue>) -> String {
    let action: Value = action
        .and_then(|action| serde_json::from_str(action.get()).ok())
        .unwrap_or_else(|| json!({}));
    let kept = ["command", "env", "timeout_ms", "user", "working_directory"];
    let fields = action.as_object().into_iter().flatten();
    let fields = fields.filter(|(key, value)| kept.contains(&key.as_str()) && !value.is_null());
    let fields: serde_json::Map<_, _> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
    Value::Object(fields).to_string()
}
