//! The conversation: turns of two roles to the messages of a chat.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Request,
    blocks::{Block, Content, Parts},
    refuse, wrong,
};
use crate::{
    dialect::{
        json::{push_comma, push_member, quoted},
        state,
    },
    error::Result,
};

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// What an assistant's turn becomes. Each is a list, or a piece of a JSON string, as it is written.
#[derive(Default)]
struct Assistant {
    text: String,
    calls: String,
    /// Thoughts as the provider signed them.
    signed: String,
    /// Members that were sealed here.
    own: String,
    /// Thoughts as plain text: a piece of a JSON string.
    reasoning: String,
    /// The name that the provider has for them.
    reasoning_name: Option<String>,
    /// State of calls: the call's id and its JSON text.
    of_calls: Vec<(String, String)>,
}

/// What was sealed into a block's `signature` or `data`.
#[derive(Deserialize)]
struct Sealed<'a> {
    /// The call whose `extra_content` it is.
    call: Option<String>,
    /// What the provider calls its reasoning.
    reasoning: Option<String>,
    /// Members of the message.
    #[serde(borrow)]
    extra_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_opaque: Option<&'a RawValue>,
}

impl Request<'_> {
    /// Writes `messages`, the system prompt first.
    pub(super) fn push_conversation(&mut self, system: Option<&str>, messages: &str) -> Result<()> {
        let turns: Vec<Turn<'_>> =
            serde_json::from_str(messages).map_err(|reason| wrong(&reason.to_string(), "messages"))?;
        self.chat.push_str("\"messages\":[");
        if let Some(system) = system {
            let system: &RawValue = serde_json::from_str(system).map_err(|_| wrong("is no JSON", "system"))?;
            self.push_plain("system", Some(system), "system")?;
        }
        for (at, turn) in turns.iter().enumerate() {
            let path = format!("messages[{at}].content");
            match &*turn.role {
                "user" => self.push_user(turn.content, &path)?,
                "assistant" => self.push_assistant(turn.content, &path)?,
                "system" => self.push_plain("system", turn.content, &path)?,
                role => {
                    let path = format!("messages[{at}].role");
                    return Err(wrong(&format!("'{role}' is not one of user, assistant, system"), &path));
                }
            }
        }
        self.chat.push(']');
        Ok(())
    }

    fn push_plain(&mut self, role: &str, content: Option<&RawValue>, path: &str) -> Result<()> {
        let mut parts = Parts::default();
        let content = Content::read(content, path)?;
        self.push_content(&mut parts, &content, path)?;
        self.push_message(role, &parts);
        Ok(())
    }

    fn push_message(&mut self, role: &str, parts: &Parts) {
        push_comma(&mut self.chat);
        self.chat.push_str("{\"role\":\"");
        self.chat.push_str(role);
        self.chat.push_str("\",\"content\":");
        let content = parts.content(self.taker.adapter);
        self.chat.push_str(&content);
        self.chat.push('}');
    }

    /// The results of tools come first: OpenAI wants them right after the calls they answer.
    fn push_user(&mut self, content: Option<&RawValue>, path: &str) -> Result<()> {
        let content = Content::read(content, path)?;
        let mut parts = Parts::default();
        let mut results = false;
        match &content {
            Content::Text(_) => self.push_content(&mut parts, &content, path)?,
            Content::Blocks(blocks) => {
                for (at, block) in blocks.iter().enumerate() {
                    let path = format!("{path}[{at}]");
                    if block.r#type == "tool_result" {
                        results = true;
                        self.push_result(block, &path, &mut parts)?;
                    } else {
                        self.push_block(&mut parts, block, &path)?;
                    }
                }
            }
        }
        if !(results && parts.is_empty()) {
            self.push_message("user", &parts);
        }
        Ok(())
    }

    /// Writes the message of a tool. `after`: what a server takes in no such message.
    fn push_result(&mut self, block: &Block<'_>, path: &str, after: &mut Parts) -> Result<()> {
        let Some(id) = block.tool_use_id else {
            return Err(wrong("is missing", &format!("{path}.tool_use_id")));
        };
        let marker = self.marker(block);
        let path = format!("{path}.content");
        let content = Content::read(block.content, &path)?;
        let mut parts = Parts::default();
        if self.taker.adapter {
            self.push_content(&mut parts, &content, &path)?;
        } else {
            parts.only_text(&content, self, &path, after)?;
        }
        push_comma(&mut self.chat);
        self.chat.push_str("{\"role\":\"tool\",\"tool_call_id\":");
        self.chat.push_str(id.get());
        push_member(&mut self.chat, "content", &parts.content(self.taker.adapter));
        if block.is_error == Some(true) {
            if self.taker.adapter {
                push_member(&mut self.chat, "is_error", "true");
            } else {
                self.drop("messages.content.is_error");
            }
        }
        if let Some(marker) = marker {
            push_member(&mut self.chat, "cache_control", marker);
        }
        self.chat.push('}');
        Ok(())
    }

    fn push_assistant(&mut self, content: Option<&RawValue>, path: &str) -> Result<()> {
        let content = Content::read(content, path)?;
        let mut turn = Assistant::default();
        match &content {
            Content::Text(text) => turn.text.push_str(crate::dialect::json::inside(text)),
            Content::Blocks(blocks) => {
                // State first: it stands before its call, or wherever a client has moved it.
                for block in blocks {
                    self.keep_state(&mut turn, block);
                }
                for (at, block) in blocks.iter().enumerate() {
                    self.push_said(&mut turn, block, &format!("{path}[{at}]"))?;
                }
            }
        }
        turn.push(&mut self.chat);
        Ok(())
    }

    fn keep_state(&mut self, turn: &mut Assistant, block: &Block<'_>) {
        let (thinking, carrier) = match &*block.r#type {
            "thinking" => (block.thinking, block.signature.as_deref()),
            "redacted_thinking" => (None, block.data.as_deref()),
            _ => return,
        };
        let carrier = carrier.unwrap_or_default();
        if state::is_sealed(carrier) {
            // Another provider's is of no use here, and no loss.
            if let Some(text) = state::unseal(self.taker.provider, carrier) {
                turn.take(&text, thinking.map_or("", RawValue::get));
            }
        } else if !carrier.is_empty() && self.taker.adapter {
            push_comma(&mut turn.signed);
            let field = |key: &str, value: &str| format!("\"{key}\":{value}");
            let fields = match thinking {
                Some(thinking) => [field("thinking", thinking.get()), field("signature", &quoted(carrier))].join(","),
                None => field("data", &quoted(carrier)),
            };
            turn.signed
                .push_str(&format!("{{\"type\":\"{}\",{fields}}}", block.r#type));
        } else {
            self.drop(format!("messages.content.{}", block.r#type));
        }
    }

    fn push_said(&mut self, turn: &mut Assistant, block: &Block<'_>, path: &str) -> Result<()> {
        match &*block.r#type {
            "thinking" | "redacted_thinking" => {}
            "text" => {
                self.drop_citations(block);
                turn.text
                    .push_str(crate::dialect::json::inside(block.text.map_or("", RawValue::get)));
            }
            "tool_use" => {
                let marker = self.marker(block);
                let (Some(id), Some(name)) = (block.id, block.name) else {
                    return Err(wrong("needs an id and a name", path));
                };
                let input = quoted(block.input.map_or("{}", RawValue::get));
                turn.push_call(id.get(), name.get(), &input, marker);
            }
            kind => return Err(refuse(&format!("a block of type '{kind}'"), path.to_owned())),
        }
        Ok(())
    }
}

impl Assistant {
    /// Takes in what was sealed; `thinking` is the text beside it, a JSON string.
    fn take(&mut self, text: &str, thinking: &str) {
        let Ok(sealed) = serde_json::from_str::<Sealed<'_>>(text) else {
            return;
        };
        if let (Some(call), Some(extra)) = (sealed.call, sealed.extra_content) {
            return self.of_calls.push((call, extra.get().to_owned()));
        }
        for (key, value) in [
            ("extra_content", sealed.extra_content),
            ("reasoning_details", sealed.reasoning_details),
            ("reasoning_opaque", sealed.reasoning_opaque),
        ] {
            if let Some(value) = value {
                push_member(&mut self.own, key, value.get());
            }
        }
        if let Some(name) = sealed.reasoning {
            self.reasoning.push_str(crate::dialect::json::inside(thinking));
            self.reasoning_name = Some(name);
        }
    }

    fn push_call(&mut self, id: &str, name: &str, arguments: &str, marker: Option<&str>) {
        push_comma(&mut self.calls);
        self.calls.push_str("{\"id\":");
        self.calls.push_str(id);
        self.calls.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        self.calls.push_str(name);
        self.calls.push_str(",\"arguments\":");
        self.calls.push_str(arguments);
        self.calls.push('}');
        let plain: Option<String> = serde_json::from_str(id).ok();
        if let Some((_, extra)) = self.of_calls.iter().find(|(call, _)| Some(call) == plain.as_ref()) {
            push_member(&mut self.calls, "extra_content", extra);
        }
        if let Some(marker) = marker {
            push_member(&mut self.calls, "cache_control", marker);
        }
        self.calls.push('}');
    }

    fn push(&self, chat: &mut String) {
        push_comma(chat);
        chat.push_str("{\"role\":\"assistant\",\"content\":");
        if self.text.is_empty() && !self.calls.is_empty() {
            chat.push_str("null");
        } else {
            chat.push('"');
            chat.push_str(&self.text);
            chat.push('"');
        }
        if !self.calls.is_empty() {
            push_member(chat, "tool_calls", &format!("[{}]", self.calls));
        }
        if !self.signed.is_empty() {
            push_member(chat, "thinking_blocks", &format!("[{}]", self.signed));
        }
        if let Some(name) = &self.reasoning_name
            && matches!(name.as_str(), "reasoning_content" | "reasoning")
            && !self.reasoning.is_empty()
        {
            push_member(chat, name, &format!("\"{}\"", self.reasoning));
        }
        if !self.own.is_empty() {
            chat.push(',');
            chat.push_str(&self.own);
        }
        chat.push('}');
    }
}
