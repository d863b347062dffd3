//! The messages: OpenAI's list of five roles to Gemini's contents of two, and the system instruction beside them.
//!
//! Messages of one side that follow each other become one content. The results of one message's calls are a content of their own:
//! Gemini wants it right after the calls, with as many results as there were calls.

use std::mem::take;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::Message;

use super::assistant;
use super::parts;
use super::refuse;
use super::results::Results;
use crate::json::push_comma;
use crate::model::Model;

/// What the user says where nobody else has said anything, or a model would begin: the API wants the user first, with some text.
const OPENING: &str = r#"{"text":"."}"#;

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    User,
    Model,
    Results,
}

/// The conversation as Gemini wants it; lists are JSON text without their brackets.
pub(super) struct Conversation<'m> {
    /// parts of the system instruction
    pub(super) system: String,
    /// the contents
    pub(super) contents: String,
    model: Model,
    vertex: bool,
    side: Option<Side>,
    parts: String,
    results: Results<'m>,
}

impl<'m> Conversation<'m> {
    /// Translates all messages.
    pub(super) fn of(messages: &'m [Message<'m>], model: Model, vertex: bool) -> Result<Self, Failure> {
        let mut conversation = Self {
            system: String::new(),
            contents: String::new(),
            model,
            vertex,
            side: None,
            parts: String::new(),
            results: Results::new(model, vertex),
        };
        for (at, message) in messages.iter().enumerate() {
            conversation.add(message, at)?;
        }
        conversation.close();
        if conversation.contents.is_empty() {
            conversation.push(Side::User, OPENING);
        }
        Ok(conversation)
    }

    fn add(&mut self, message: &'m Message<'m>, at: usize) -> Result<(), Failure> {
        match &*message.role {
            "system" | "developer" => parts::push(&mut self.system, message.content, at)?,
            "user" => {
                self.open(Side::User);
                parts::push(&mut self.parts, message.content, at)?;
            }
            "assistant" => {
                self.open(Side::Model);
                assistant::push(&mut self.parts, message, at, self.model, self.vertex)?;
                self.results.expect(message.calls());
            }
            "tool" => {
                self.open(Side::Results);
                self.results.add(message, at)?;
            }
            "function" => {
                let text = "Messages of role function are OpenAI's old form: use tool_calls and role tool.";
                return Err(refuse(text, format!("messages[{at}].role")));
            }
            role => {
                let text = format!("Messages of role {role:?} cannot be sent to Gemini.");
                return Err(refuse(text, format!("messages[{at}].role")));
            }
        }
        Ok(())
    }

    fn open(&mut self, side: Side) {
        if self.side != Some(side) {
            self.close();
            self.side = Some(side);
        }
    }

    /// Ends the turn. One that says nothing is left out, the API does not take it.
    fn close(&mut self) {
        let Some(side) = self.side.take() else {
            return;
        };
        let parts = if side == Side::Results {
            self.results.take()
        } else {
            take(&mut self.parts)
        };
        if !parts.is_empty() {
            if side == Side::Model && self.contents.is_empty() {
                self.push(Side::User, OPENING);
            }
            self.push(side, &parts);
        }
    }

    fn push(&mut self, side: Side, parts: &str) {
        push_comma(&mut self.contents);
        self.contents.push_str(match side {
            Side::Model => "{\"role\":\"model\",\"parts\":[",
            Side::User | Side::Results => "{\"role\":\"user\",\"parts\":[",
        });
        self.contents.push_str(parts);
        self.contents.push_str("]}");
    }
}
