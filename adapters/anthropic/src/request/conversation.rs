//! The messages: OpenAI's list of five roles to Anthropic's turns of two, and the system prompt beside them.
//!
//! Messages of one side that follow each other become one turn. In a user's turn the tools' results come first: the API wants them
//! right after the calls they answer.

use serde_json::value::RawValue;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::Message;

use super::assistant;
use super::parts::{Parts, push_marker};
use super::refuse;
use crate::json::{push_comma, push_field, push_string};

/// What the user says where the conversation would begin with the assistant: the API wants the user first, with some text.
const OPENING: &str = r#"{"type":"text","text":"."}"#;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    User,
    Assistant,
}

/// The conversation as Anthropic wants it; lists are JSON text without their brackets.
#[derive(Default)]
pub(super) struct Conversation {
    /// blocks of the system prompt
    pub(super) system: String,
    /// the turns
    pub(super) turns: String,
    /// a part names a file that was uploaded to the provider
    pub(super) uploaded_files: bool,
    side: Option<Side>,
    results: String,
    blocks: String,
}

impl Conversation {
    /// Translates all messages.
    pub(super) fn of(messages: &[Message<'_>]) -> Result<Self, Failure> {
        let mut conversation = Self::default();
        for (at, message) in messages.iter().enumerate() {
            conversation.add(message, at, at + 1 == messages.len())?;
        }
        conversation.close();
        if conversation.turns.is_empty() {
            conversation.open(Side::User);
            conversation.blocks.push_str(OPENING);
            conversation.close();
        }
        Ok(conversation)
    }

    fn add(&mut self, message: &Message<'_>, at: usize, last: bool) -> Result<(), Failure> {
        match &*message.role {
            "system" | "developer" => {
                let mut system = std::mem::take(&mut self.system);
                let marker = message.cache_control;
                self.parts(at).push(&mut system, message.content, marker)?;
                self.system = system;
            }
            "user" => {
                self.open(Side::User);
                let mut blocks = std::mem::take(&mut self.blocks);
                self.parts(at)
                    .push(&mut blocks, message.content, message.cache_control)?;
                self.blocks = blocks;
            }
            "tool" => {
                self.open(Side::User);
                self.push_result(message, at)?;
            }
            "assistant" => {
                self.open(Side::Assistant);
                assistant::push(&mut self.blocks, message, at, last)?;
            }
            role => {
                let message = format!("Messages of role {role:?} cannot be sent to Anthropic.");
                return Err(refuse(message, format!("messages[{at}].role")));
            }
        }
        Ok(())
    }

    fn parts(&mut self, message: usize) -> Parts<'_> {
        Parts {
            message,
            uploaded_files: &mut self.uploaded_files,
        }
    }

    fn push_result(&mut self, message: &Message<'_>, at: usize) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let Some(id) = id else {
            let text = "A tool's message must name the call it answers.".to_owned();
            return Err(refuse(text, format!("messages[{at}].tool_call_id")));
        };
        let mut content = String::new();
        self.parts(at).push(&mut content, message.content, None)?;
        let out = &mut self.results;
        push_comma(out);
        out.push_str("{\"type\":\"tool_result\",\"tool_use_id\":");
        push_call_id(out, id);
        if !content.is_empty() {
            push_field(out, "content", &format!("[{content}]"));
        }
        if message.is_error == Some(true) {
            out.push_str(",\"is_error\":true");
        }
        out.push('}');
        push_marker(out, message.cache_control.map(RawValue::get));
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
        let Some(side) = self
            .side
            .take()
            .filter(|_| !(self.results.is_empty() && self.blocks.is_empty()))
        else {
            return;
        };
        if side == Side::Assistant && self.turns.is_empty() {
            self.turns.push_str("{\"role\":\"user\",\"content\":[");
            self.turns.push_str(OPENING);
            self.turns.push_str("]}");
        }
        push_comma(&mut self.turns);
        self.turns.push_str(match side {
            Side::User => "{\"role\":\"user\",\"content\":[",
            Side::Assistant => "{\"role\":\"assistant\",\"content\":[",
        });
        self.turns.push_str(&self.results);
        if !self.results.is_empty() && !self.blocks.is_empty() {
            self.turns.push(',');
        }
        self.turns.push_str(&self.blocks);
        self.turns.push_str("]}");
        self.results.clear();
        self.blocks.clear();
    }
}

/// Writes a call's id. Other providers' ids may hold characters that Anthropic does not take; such an id is replaced by one that is
/// the same for the call and its result.
pub(super) fn push_call_id(out: &mut String, id: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.chars().all(plain) {
        return push_string(out, id);
    }
    // FNV-1a tells ids apart that differ only in what is replaced.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    push_string(out, &format!("{kept}_{hash:016x}"));
}
