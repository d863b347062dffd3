//! Tools, and which of them may be called.

use serde_json::value::RawValue;

use super::{Request, refuse, wrong};
use crate::{
    call::object::Object,
    dialect::json::{push_comma, push_member},
    error::Result,
};

impl Request<'_> {
    /// Writes `tools` and `tool_choice`. Without tools there is nothing to choose, and OpenAI's API takes no empty list.
    pub(super) fn push_tools(&mut self, tools: &str, choice: Option<&str>) -> Result<()> {
        let tools: Vec<&RawValue> = serde_json::from_str(tools).map_err(|_| wrong("must be a list", "tools"))?;
        if tools.is_empty() {
            return Ok(());
        }
        let mut list = String::from("[");
        for (at, tool) in tools.iter().enumerate() {
            self.push_tool(&mut list, tool.get(), at)?;
        }
        list.push(']');
        push_member(&mut self.chat, "tools", &list);
        choice.map_or(Ok(()), |choice| self.push_choice(choice))
    }

    fn push_tool(&mut self, list: &mut String, tool: &str, at: usize) -> Result<()> {
        let fields = Object::parse(tool).map_err(|_| wrong("must be an object", &format!("tools[{at}]")))?;
        match fields.get(tool, "type") {
            None | Some("\"custom\"") => {}
            Some(kind) => return Err(refuse(&format!("a tool of type {kind}"), format!("tools[{at}].type"))),
        }
        let Some(name) = fields.get(tool, "name") else {
            return Err(wrong("is missing", &format!("tools[{at}].name")));
        };
        let mut function = String::from("{");
        push_member(&mut function, "name", name);
        let mut marker = None;
        for (key, value) in fields.iter(tool).filter(|(_, value)| *value != "null") {
            match key {
                "name" | "type" => {}
                "description" | "strict" => push_member(&mut function, key, value),
                "input_schema" => push_member(&mut function, "parameters", value),
                "cache_control" if self.taker.adapter => marker = Some(value),
                "cache_control" => self.drop(key),
                _ => self.drop(format!("tools.{key}")),
            }
        }
        function.push('}');
        push_comma(list);
        list.push_str("{\"type\":\"function\",\"function\":");
        list.push_str(&function);
        if let Some(marker) = marker {
            push_member(list, "cache_control", marker);
        }
        list.push('}');
        Ok(())
    }

    fn push_choice(&mut self, choice: &str) -> Result<()> {
        let fields = Object::parse(choice).map_err(|_| wrong("must be an object", "tool_choice"))?;
        let ours = match fields.get(choice, "type") {
            Some("\"auto\"") => "\"auto\"".to_owned(),
            Some("\"none\"") => "\"none\"".to_owned(),
            Some("\"any\"") => "\"required\"".to_owned(),
            Some("\"tool\"") => {
                let name = fields.get(choice, "name");
                let name = name.ok_or_else(|| wrong("is missing", "tool_choice.name"))?;
                format!(r#"{{"type":"function","function":{{"name":{name}}}}}"#)
            }
            _ => return Err(wrong("must be auto, any, tool or none", "tool_choice.type")),
        };
        push_member(&mut self.chat, "tool_choice", &ours);
        if fields.get(choice, "disable_parallel_tool_use") == Some("true") {
            push_member(&mut self.chat, "parallel_tool_calls", "false");
        }
        Ok(())
    }
}
