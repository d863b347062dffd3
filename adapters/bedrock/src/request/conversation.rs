//! The messages: OpenAI's list of five roles to Converse's turns of two, and the system prompt beside them.
//!
//! Messages of one side that follow each other become one turn: sides must take turns. In a user's turn the tools' results come first,
//! right after the calls they answer.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::Message;

use super::assistant;
use super::parts::{Parts, push_cache_point};
use super::refuse;
use crate::json::{push_comma, push_string};

/// What the user says where the conversation would begin with the assistant, and beside a document that comes without words.
const OPENING: &str = r#"{"text":"."}"#;
/// An id has at most so many characters.
const LONGEST_ID: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    User,
    Assistant,
}

/// The conversation as Converse wants it; lists are JSON text without their brackets.
#[derive(Default)]
pub(super) struct Conversation {
    /// blocks of the system prompt
    pub(super) system: String,
    /// the turns
    pub(super) turns: String,
    /// names of the tools that were called in it, as JSON text
    pub(super) called: Vec<String>,
    /// the model takes cache points
    cache: bool,
    side: Option<Side>,
    results: String,
    blocks: String,
    documents: usize,
    /// the user's turn holds a document, and whether it holds words
    document: bool,
    words: bool,
}

impl Conversation {
    /// Translates all messages.
    pub(super) fn of(messages: &[Message<'_>], cache: bool) -> Result<Self, Failure> {
        let mut conversation = Self {
            cache,
            ..Self::default()
        };
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
                self.parts(at)
                    .push(&mut system, message.content, message.cache_control)?;
                self.system = system;
            }
            "user" => {
                self.open(Side::User);
                let mut blocks = std::mem::take(&mut self.blocks);
                let mut parts = self.parts(at);
                parts.push(&mut blocks, message.content, message.cache_control)?;
                let (documents, words) = (parts.documents, parts.words);
                self.document |= documents > self.documents;
                self.documents = documents;
                self.words |= words;
                self.blocks = blocks;
            }
            "tool" => {
                self.open(Side::User);
                self.push_result(message, at)?;
            }
            "assistant" => {
                self.open(Side::Assistant);
                assistant::push(&mut self.blocks, message, at, last, self.cache)?;
                let names = message.calls().iter().filter_map(|call| call.function.as_ref());
                self.called.extend(names.map(|function| function.name.get().to_owned()));
            }
            role => {
                let message = format!("Messages of role {role:?} cannot be sent to Bedrock.");
                return Err(refuse(message, format!("messages[{at}].role")));
            }
        }
        Ok(())
    }

    fn parts(&self, message: usize) -> Parts {
        Parts::new(message, self.documents, self.cache)
    }

    fn push_result(&mut self, message: &Message<'_>, at: usize) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let Some(id) = id else {
            let text = "A tool's message must name the call it answers.".to_owned();
            return Err(refuse(text, format!("messages[{at}].tool_call_id")));
        };
        let mut content = String::new();
        let mut parts = self.parts(at);
        parts.push(&mut content, message.content, None)?;
        self.documents = parts.documents;
        let out = &mut self.results;
        push_comma(out);
        out.push_str("{\"toolResult\":{\"toolUseId\":");
        push_call_id(out, id);
        out.push_str(",\"content\":[");
        out.push_str(&content);
        out.push(']');
        if message.is_error == Some(true) {
            out.push_str(",\"status\":\"error\"");
        }
        out.push_str("}}");
        push_cache_point(out, message.cache_control.map(RawValue::get).filter(|_| self.cache));
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
        let said = !(self.results.is_empty() && self.blocks.is_empty());
        let Some(side) = self.side.take().filter(|_| said) else {
            return;
        };
        if side == Side::Assistant && self.turns.is_empty() {
            self.turns.push_str("{\"role\":\"user\",\"content\":[");
            self.turns.push_str(OPENING);
            self.turns.push_str("]}");
        }
        if side == Side::User && self.document && !self.words {
            push_comma(&mut self.blocks);
            self.blocks.push_str(OPENING);
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
        (self.document, self.words) = (false, false);
    }
}

/// Writes a call's id. Other providers' ids may be longer, or hold characters that the API does not take; such an id is replaced by
/// one that is the same for the call and its result.
pub(super) fn push_call_id(out: &mut String, id: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.len() <= LONGEST_ID && id.chars().all(plain) {
        return push_string(out, id);
    }
    // FNV-1a tells ids apart that differ only in what is replaced.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = id.chars().take(40).map(|c| if plain(c) { c } else { '_' }).collect();
    push_string(out, &format!("{kept}_{hash:016x}"));
}
