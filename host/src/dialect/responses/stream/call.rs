//! A call of one of the client's tools: a function, or a tool that a function stood for.

use serde::de::IgnoredAny;
use serde_json::json;

use super::sink::{Items, Place, Sink};
use crate::dialect::{
    chunk::Fragment,
    json::{inside, quoted},
    object::{Object, list, string, unescaped},
    old,
    responses::memo::{Memo, Tool, ToolKind},
};

/// The item, while its arguments come.
#[derive(Debug)]
pub(super) struct Call {
    /// Its number in the chunks.
    pub(super) index: u64,
    place: Place,
    names: String,
    id: String,
    tool: Tool,
    /// Escaped, without quotes.
    arguments: String,
}

impl Call {
    /// Begins one, with the fragment that names it.
    pub(super) fn open(id: &str, first: &Fragment<'_>, memo: &Memo, items: &mut Items, sink: &mut Sink) -> Self {
        let tool = memo.tools.get(&*first.name).cloned().unwrap_or_else(|| Tool {
            kind: ToolKind::Function,
            name: first.name.to_string(),
            namespace: None,
        });
        let place = items.open(match tool.kind {
            ToolKind::Function => "fc",
            ToolKind::Custom => "ctc",
            ToolKind::LocalShell => "lsh",
        });
        let call = Self {
            index: first.index,
            names: place.fields(),
            place,
            id: match id {
                "" => old::id(&memo.id),
                id => id.to_owned(),
            },
            tool,
            arguments: String::new(),
        };
        Items::added(&call.place, &call.to_json("in_progress", ""), sink);
        call
    }

    /// The id by which its result names it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes a piece of the arguments: escaped.
    pub(super) fn push(&mut self, piece: &str, sink: &mut Sink) {
        if piece.is_empty() {
            return;
        }
        self.arguments.push_str(piece);
        // Of other tools the arguments only wrap what the client is to see.
        if self.tool.kind == ToolKind::Function {
            let names = &self.names;
            sink.event(
                "response.function_call_arguments.delta",
                format_args!("{names},\"delta\":\"{piece}\""),
            );
        }
    }

    /// True if the arguments are whole, as far as one can see.
    pub(super) fn is_whole(&self) -> bool {
        unescaped(&self.arguments).is_some_and(|text| serde_json::from_str::<IgnoredAny>(&text).is_ok())
    }

    /// Ends it. `status`: "completed", or "incomplete".
    pub(super) fn close(mut self, status: &str, items: &mut Items, sink: &mut Sink) {
        match self.tool.kind {
            ToolKind::Function => {
                if self.arguments.is_empty() && status == "completed" {
                    self.push("{}", sink);
                }
                let (names, name, arguments) = (&self.names, quoted(&self.tool.name), &self.arguments);
                sink.event(
                    "response.function_call_arguments.done",
                    format_args!("{names},\"name\":{name},\"arguments\":\"{arguments}\""),
                );
            }
            ToolKind::Custom => {
                self.arguments = input(&self.arguments);
                let (names, input) = (&self.names, &self.arguments);
                if !input.is_empty() {
                    sink.event(
                        "response.custom_tool_call_input.delta",
                        format_args!("{names},\"delta\":\"{input}\""),
                    );
                }
                sink.event(
                    "response.custom_tool_call_input.done",
                    format_args!("{names},\"input\":\"{input}\""),
                );
            }
            ToolKind::LocalShell => {}
        }
        let item = self.to_json(status, &self.arguments);
        items.done(&self.place, item, sink);
    }

    /// The item. `said`: its arguments, or its input, escaped.
    fn to_json(&self, status: &str, said: &str) -> String {
        let (id, call) = (&self.place.id, quoted(&self.id));
        let name = quoted(&self.tool.name);
        let namespace = match &self.tool.namespace {
            Some(namespace) => format!(",\"namespace\":{}", quoted(namespace)),
            None => String::new(),
        };
        let head = format!("\"id\":\"{id}\",\"status\":\"{status}\",\"call_id\":{call}");
        match self.tool.kind {
            ToolKind::Function => {
                format!("{{\"type\":\"function_call\",{head},\"name\":{name},\"arguments\":\"{said}\"{namespace}}}")
            }
            ToolKind::Custom => {
                format!("{{\"type\":\"custom_tool_call\",{head},\"name\":{name},\"input\":\"{said}\"{namespace}}}")
            }
            ToolKind::LocalShell => format!("{{\"type\":\"local_shell_call\",{head},\"action\":{}}}", action(said)),
        }
    }
}

/// The input of a custom tool out of the arguments of the function that stood for it. A model may have written the bare input.
fn input(arguments: &str) -> String {
    let text = unescaped(arguments).unwrap_or_default();
    let fields = Object::parse(&text).unwrap_or_default();
    let found = fields.get("input").filter(|input| input.starts_with('"'));
    found.map_or(arguments, inside).to_owned()
}

/// What the shell is to do.
fn action(arguments: &str) -> String {
    let text = unescaped(arguments).unwrap_or_default();
    let fields = Object::parse(&text).unwrap_or_default();
    let command = match fields.get("command") {
        Some(command) if list(command).is_some() => command.to_owned(),
        // One line: what a shell is for.
        Some(line) => json!(["bash", "-lc", string(line).unwrap_or_default()]).to_string(),
        None => "[]".to_owned(),
    };
    let mut out = format!("{{\"type\":\"exec\",\"command\":{command}");
    out.push_str(",\"env\":");
    out.push_str(fields.get("env").filter(|env| env.starts_with('{')).unwrap_or("{}"));
    for key in ["timeout_ms", "user", "working_directory"] {
        if let Some(value) = fields.get(key) {
            out.push_str(&format!(",\"{key}\":{value}"));
        }
    }
    out.push('}');
    out
}
