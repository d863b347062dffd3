//! The fields beside the conversation and the tools.

use super::{Request, refuse, wrong};
use crate::{
    dialect::{
        json::push_member,
        object::{Object, list, string},
    },
    error::Result,
};

/// Hints and bookkeeping of OpenAI's that a chat has no use for, or that strict servers refuse.
const HINTS: [&str; 10] = [
    "access_programs",
    "client_metadata",
    "context_management",
    "image",
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
];

impl Request<'_> {
    /// Writes what becomes of a field; `value` is its JSON text.
    pub(super) fn push_setting(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            // Those have been read, or are with the tools; metadata is for the response.
            "input" | "instructions" | "tools" | "tool_choice" | "parallel_tool_calls" | "metadata" => {}
            "max_output_tokens" => push_member(&mut self.chat, "max_tokens", value),
            "reasoning" => self.push_reasoning_settings(value)?,
            "text" => self.push_text_settings(value)?,
            "top_logprobs" if value != "0" => {
                self.memo.logprobs = true;
                push_member(&mut self.chat, key, value);
                self.push_logprobs();
            }
            "top_logprobs" => {}
            "include" => self.push_include(value)?,
            "service_tier" if value == "\"auto\"" => {}
            "store" | "background" if value == "false" => {}
            "store" => self.drop("store"),
            "truncation" if value == "\"disabled\"" => {}
            "truncation" => self.drop("truncation"),
            "previous_response_id" | "conversation" => {
                return Err(refuse(
                    "what was said before (nothing is stored: send it as `input`)",
                    key,
                ));
            }
            "background" => return Err(refuse("an answer in the background (nothing is stored)", key)),
            "prompt" => return Err(refuse("a prompt that is stored at OpenAI", key)),
            "moderation" => return Err(refuse("OpenAI's moderation", key)),
            _ if HINTS.contains(&key) => self.drop(key),
            // A chat has a field of the same name, or it is between the client and its provider.
            _ => push_member(&mut self.chat, key, value),
        }
        Ok(())
    }

    fn push_reasoning_settings(&mut self, value: &str) -> Result<()> {
        let settings = Object::parse(value).ok_or_else(|| wrong("must be an object", "reasoning"))?;
        for (key, value) in settings.iter() {
            match key {
                "effort" => push_member(&mut self.chat, "reasoning_effort", value),
                // Thoughts that can be seen are told as a summary, whatever kind of one was asked for.
                "summary" | "generate_summary" => {}
                _ => self.drop(format!("reasoning.{key}")),
            }
        }
        Ok(())
    }

    fn push_text_settings(&mut self, value: &str) -> Result<()> {
        let settings = Object::parse(value).ok_or_else(|| wrong("must be an object", "text"))?;
        for (key, value) in settings.iter() {
            match key {
                "format" => self.push_format(value)?,
                "verbosity" => push_member(&mut self.chat, "verbosity", value),
                _ => self.drop(format!("text.{key}")),
            }
        }
        Ok(())
    }

    fn push_format(&mut self, value: &str) -> Result<()> {
        let format = Object::parse(value).ok_or_else(|| wrong("must be an object", "text.format"))?;
        match format.text("type").as_deref() {
            Some("text") => {}
            Some("json_object") => push_member(&mut self.chat, "response_format", r#"{"type":"json_object"}"#),
            Some("json_schema") => {
                let mut schema = String::from("{");
                for (key, value) in format.iter().filter(|(key, _)| *key != "type") {
                    push_member(&mut schema, key, value);
                }
                let whole = ["{\"type\":\"json_schema\",\"json_schema\":", &schema, "}}"].concat();
                push_member(&mut self.chat, "response_format", &whole);
            }
            Some(kind) => return Err(refuse(&format!("the format '{kind}'"), "text.format.type")),
            None => return Err(wrong("is missing", "text.format.type")),
        }
        Ok(())
    }

    fn push_include(&mut self, value: &str) -> Result<()> {
        let items = list(value).ok_or_else(|| wrong("must be a list", "include"))?;
        for item in items {
            match string(item.get()).as_deref() {
                Some("reasoning.encrypted_content") => {}
                Some("message.output_text.logprobs") => {
                    self.memo.logprobs = true;
                    self.push_logprobs();
                }
                // Of tools that are not here.
                Some(what) => self.drop(format!("include.{what}")),
                None => return Err(wrong("must be a list of strings", "include")),
            }
        }
        Ok(())
    }

    /// Asks for log probabilities, once.
    fn push_logprobs(&mut self) {
        if !self.asked_logprobs {
            self.asked_logprobs = true;
            push_member(&mut self.chat, "logprobs", "true");
        }
    }
}
