//! The fields beside the conversation and the tools.

use sha2::{Digest as _, Sha256};

use super::{Request, refuse};
use crate::{
    call::object::Object,
    dialect::json::{push_member, quoted},
    error::Result,
};

/// The longest `user` that OpenAI takes, in characters.
const LONGEST_USER: usize = 64;

impl Request<'_> {
    /// Writes what becomes of a field; `value` is its JSON text.
    pub(super) fn push_setting(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            // Those have been read, or are with the tools.
            "messages" | "system" | "tools" | "tool_choice" => {}
            "model" | "max_tokens" | "temperature" | "top_p" | "stream" => push_member(&mut self.chat, key, value),
            "top_k" if self.taker.adapter => push_member(&mut self.chat, key, value),
            "stop_sequences" => self.push_stops(value),
            "thinking" => self.push_thinking(value),
            "output_config" => self.push_output(value),
            "output_format" => self.push_format(value),
            "metadata" => self.push_metadata(value),
            "service_tier" => self.push_tier(value),
            "mcp_servers" if value == "[]" => {}
            "mcp_servers" | "container" => return Err(refuse("what runs at the provider", key.to_owned())),
            _ => self.drop(key),
        }
        Ok(())
    }

    fn push_stops(&mut self, value: &str) {
        self.memo.stops = serde_json::from_str(value).unwrap_or_default();
        if !self.memo.stops.is_empty() {
            push_member(&mut self.chat, "stop", value);
        }
    }

    /// A thinking that is adaptive is led by `output_config.effort`, if by anything.
    fn push_thinking(&mut self, value: &str) {
        let thinking = Object::parse(value).unwrap_or_default();
        let kind = thinking.get(value, "type").unwrap_or_default();
        self.memo.thinking = kind != "\"disabled\"";
        if self.taker.adapter {
            push_member(&mut self.chat, "thinking", value);
        } else if kind == "\"enabled\"" {
            let budget = thinking.get(value, "budget_tokens").and_then(|n| n.parse::<u64>().ok());
            let effort = match budget.unwrap_or_default() {
                ..4096 => "\"low\"",
                4096..16_384 => "\"medium\"",
                _ => "\"high\"",
            };
            push_member(&mut self.chat, "reasoning_effort", effort);
        }
    }

    fn push_output(&mut self, value: &str) {
        let config = Object::parse(value).unwrap_or_default();
        for (key, value) in config.iter(value).filter(|(_, value)| *value != "null") {
            match key {
                // OpenAI has no word above this one that all its models know.
                "effort" if value == "\"max\"" => push_member(&mut self.chat, "reasoning_effort", "\"high\""),
                "effort" => push_member(&mut self.chat, "reasoning_effort", value),
                "format" => self.push_format(value),
                _ => self.drop(format!("output_config.{key}")),
            }
        }
    }

    fn push_format(&mut self, value: &str) {
        let format = Object::parse(value).unwrap_or_default();
        let Some(schema) = format.get(value, "schema") else {
            return self.drop("output_config.format");
        };
        let named =
            format!(r#"{{"type":"json_schema","json_schema":{{"name":"answer","schema":{schema},"strict":true}}}}"#);
        push_member(&mut self.chat, "response_format", &named);
    }

    fn push_metadata(&mut self, value: &str) {
        let metadata = Object::parse(value).unwrap_or_default();
        for (key, value) in metadata.iter(value).filter(|(_, value)| *value != "null") {
            match (key, serde_json::from_str::<String>(value)) {
                ("user_id", Ok(user)) if user.chars().count() > LONGEST_USER => {
                    let digest: String = Sha256::digest(user).iter().map(|byte| format!("{byte:02x}")).collect();
                    push_member(&mut self.chat, "user", &quoted(&digest));
                }
                ("user_id", Ok(_)) => push_member(&mut self.chat, "user", value),
                _ => self.drop(format!("metadata.{key}")),
            }
        }
    }

    fn push_tier(&mut self, value: &str) {
        match value {
            "\"auto\"" => push_member(&mut self.chat, "service_tier", value),
            "\"standard_only\"" => push_member(&mut self.chat, "service_tier", "\"default\""),
            _ => self.drop("service_tier"),
        }
    }
}
