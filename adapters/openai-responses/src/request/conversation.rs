//! The messages as `instructions` and the items of `input`.

use std::borrow::Cow;

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::Message;

use super::{assistant, parts, refuse};
use crate::declared::Declared;
use crate::json::{between_quotes, push_comma, push_field, push_string};

/// The conversation as the API wants it.
#[derive(Default)]
pub(super) struct Conversation<'m> {
    /// what the conversation begins with, if that is instructions: a piece of a JSON string
    pub(super) instructions: String,
    /// items as JSON text, with commas between them
    pub(super) input: String,
    /// calls of tools with free-form input: their results are items of another kind
    custom: Vec<&'m str>,
    /// there are items of earlier answers as they were
    pub(super) own: bool,
}

impl<'m> Conversation<'m> {
    /// Translates all messages. `own`: items of earlier answers may come back as they were. `declared`: which calls in them are the
    /// client's.
    pub(super) fn of(messages: &'m [Message<'m>], own: bool, declared: &Declared) -> Result<Self, Failure> {
        let mut conversation = Self::default();
        for (at, message) in messages.iter().enumerate() {
            conversation.add(message, at, own.then_some(declared))?;
        }
        Ok(conversation)
    }

    fn add(&mut self, message: &'m Message<'m>, at: usize, own: Option<&Declared>) -> Result<(), Failure> {
        match &*message.role {
            "system" | "developer" => {
                let instructions = plain(message).filter(|_| self.input.is_empty());
                match instructions {
                    Some(text) => self.instruct(&text),
                    None => self.push_message(message, at)?,
                }
            }
            "user" => self.push_message(message, at)?,
            "assistant" => {
                match own.and_then(|declared| assistant::own_items(message, declared)) {
                    Some(items) => self.push_own(items),
                    None => assistant::push(&mut self.input, message, at)?,
                }
                let custom = message.calls().iter().filter(|call| call.custom.is_some());
                self.custom.extend(custom.filter_map(|call| call.id.as_deref()));
            }
            "tool" => self.push_result(message, at)?,
            "function" => {
                let text = "Messages of role function are OpenAI's old form: use tool_calls and role tool.";
                return Err(refuse(text, format!("messages[{at}].role")));
            }
            role => {
                let text = format!("Messages of role {role:?} cannot be sent to this provider.");
                return Err(refuse(text, format!("messages[{at}].role")));
            }
        }
        Ok(())
    }

    /// Adds to the instructions; `text` is a piece of a JSON string.
    fn instruct(&mut self, text: &str) {
        if !self.instructions.is_empty() && !text.is_empty() {
            self.instructions.push_str("\\n\\n");
        }
        self.instructions.push_str(text);
    }

    fn push_own(&mut self, items: &str) {
        self.own = true;
        push_comma(&mut self.input);
        self.input.push_str(items);
    }

    fn push_message(&mut self, message: &Message<'_>, at: usize) -> Result<(), Failure> {
        push_comma(&mut self.input);
        self.input.push_str("{\"type\":\"message\",\"role\":");
        push_string(&mut self.input, &message.role);
        self.input.push_str(",\"content\":");
        parts::push(&mut self.input, message.content, at)?;
        self.input.push('}');
        Ok(())
    }

    fn push_result(&mut self, message: &Message<'_>, at: usize) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let Some(id) = id else {
            let text = "A tool's message must name the call it answers.";
            return Err(refuse(text, format!("messages[{at}].tool_call_id")));
        };
        let kind = if self.custom.contains(&id) {
            "\"custom_tool_call_output\""
        } else {
            "\"function_call_output\""
        };
        push_comma(&mut self.input);
        self.input.push('{');
        push_field(&mut self.input, "type", kind);
        self.input.push_str(",\"call_id\":");
        push_string(&mut self.input, id);
        self.input.push_str(",\"output\":");
        parts::push(&mut self.input, message.content, at)?;
        self.input.push('}');
        Ok(())
    }
}

/// What a message says if that is text and nothing else: a piece of a JSON string.
fn plain<'a>(message: &Message<'a>) -> Option<Cow<'a, str>> {
    let content = message.content.map(RawValue::get)?;
    if let Some(text) = between_quotes(content) {
        return Some(text.into());
    }
    let texts = parts::texts(content)?;
    Some(texts.join("\\n\\n").into())
}
