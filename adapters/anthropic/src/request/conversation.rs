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
use crate::json::{push_comma, push_string};

/// What the user says where the conversation would begin with the assistant: the API wants the user first, with some text.
const OPENING: &str = r#"{"type":"text","text":"."}"#;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    User,
    Assistant,
}

/// What a conversation says beside its turns.
#[derive(Default)]
pub(super) struct Conversation {
    /// blocks of the system prompt: the JSON text of a list without its brackets
    pub(super) system: String,
    /// a part names a file that was uploaded to the provider
    pub(super) uploaded_files: bool,
}

/// Writes the turns.
struct Turns<'o> {
    /// ends with those that are written, in a list
    out: &'o mut String,
    beside: Conversation,
    open: Option<Turn>,
    /// a turn is written
    any: bool,
}

/// A turn that is being written.
struct Turn {
    side: Side,
    /// Where it begins in what is written,
    start: usize,
    /// and what is in it.
    inside: usize,
    /// What a user says before results that may still come.
    said: String,
}

impl Conversation {
    /// Translates all messages: their turns go to the list that `out` ends with.
    pub(super) fn push(out: &mut String, messages: &[Message<'_>]) -> Result<Self, Failure> {
        let mut turns = Turns {
            out,
            beside: Self::default(),
            open: None,
            any: false,
        };
        for (at, message) in messages.iter().enumerate() {
            turns.add(message, at, messages.get(at + 1))?;
        }
        turns.close();
        if !turns.any {
            turns.open(Side::User);
            turns.out.push_str(OPENING);
            turns.close();
        }
        Ok(turns.beside)
    }
}

impl Turns<'_> {
    fn add(&mut self, message: &Message<'_>, at: usize, next: Option<&Message<'_>>) -> Result<(), Failure> {
        match &*message.role {
            "system" | "developer" => {
                let Conversation { system, uploaded_files } = &mut self.beside;
                let mut parts = Parts {
                    message: at,
                    uploaded_files,
                };
                parts.push(system, message.content, message.cache_control)
            }
            "user" => {
                let turn = self.open.take_if(|turn| turn.side == Side::User);
                let mut turn = turn.unwrap_or_else(|| self.begin(Side::User));
                // Nearly always no result comes after it.
                let last = turn.said.is_empty() && next.is_none_or(|next| next.role == "assistant");
                let out = if last { &mut *self.out } else { &mut turn.said };
                let mut parts = Parts {
                    message: at,
                    uploaded_files: &mut self.beside.uploaded_files,
                };
                parts.push(out, message.content, message.cache_control)?;
                self.open = Some(turn);
                Ok(())
            }
            "tool" => {
                self.open(Side::User);
                self.push_result(message, at)
            }
            "assistant" => {
                self.open(Side::Assistant);
                assistant::push(self.out, message, at, next.is_none())
            }
            role => {
                let message = format!("Messages of role {role:?} cannot be sent to Anthropic.");
                Err(refuse(message, format!("messages[{at}].role")))
            }
        }
    }

    fn push_result(&mut self, message: &Message<'_>, at: usize) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let Some(id) = id else {
            let text = "A tool's message must name the call it answers.".to_owned();
            return Err(refuse(text, format!("messages[{at}].tool_call_id")));
        };
        let out = &mut *self.out;
        push_comma(out);
        out.push_str("{\"type\":\"tool_result\",\"tool_use_id\":");
        push_call_id(out, id);
        let without = out.len();
        out.push_str(",\"content\":[");
        let empty = out.len();
        let mut parts = Parts {
            message: at,
            uploaded_files: &mut self.beside.uploaded_files,
        };
        parts.push(out, message.content, None)?;
        if out.len() == empty {
            out.truncate(without);
        } else {
            out.push(']');
        }
        if message.is_error == Some(true) {
            out.push_str(",\"is_error\":true");
        }
        out.push('}');
        push_marker(out, message.cache_control.map(RawValue::get));
        Ok(())
    }

    fn open(&mut self, side: Side) {
        if self.open.as_ref().is_none_or(|turn| turn.side != side) {
            self.open = Some(self.begin(side));
        }
    }

    /// Begins a turn after the one that is open.
    fn begin(&mut self, side: Side) -> Turn {
        self.close();
        let start = self.out.len();
        if side == Side::Assistant && !self.any {
            let opening = ["{\"role\":\"user\",\"content\":[", OPENING, "]}"];
            opening.iter().for_each(|piece| self.out.push_str(piece));
        }
        push_comma(self.out);
        self.out.push_str(match side {
            Side::User => "{\"role\":\"user\",\"content\":[",
            Side::Assistant => "{\"role\":\"assistant\",\"content\":[",
        });
        Turn {
            side,
            start,
            inside: self.out.len(),
            said: String::new(),
        }
    }

    /// Ends the turn. One that says nothing is left out, the API does not take it.
    fn close(&mut self) {
        let Some(turn) = self.open.take() else {
            return;
        };
        if !turn.said.is_empty() {
            push_comma(self.out);
            self.out.push_str(&turn.said);
        }
        if self.out.len() == turn.inside {
            self.out.truncate(turn.start);
        } else {
            self.out.push_str("]}");
            self.any = true;
        }
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
