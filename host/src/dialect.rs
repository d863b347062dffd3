//! The APIs that clients speak beside Chat Completions. A provider that has such an API itself gets the call as it is, and its answer
//! goes back byte for byte ([`relay`] reads along, for the account). For any other the call is translated to a chat ([`translate`])
//! and the chat's answer back, whole or event by event ([`Translated::tell`]).
//!
//! A dialect is a folder here: `request` (to a chat, with a [`Memo`] of what the way back needs), `answer` (a whole answer back),
//! `stream` (a [`Writer`] that turns chunks into events), `usage` (a [`Watch`] over a relayed answer), and an arm in the matches of
//! this file. [`state`] carries what a provider has to get back through fields that clients keep.

mod chunk;
mod fields;
pub(crate) mod json;
pub mod kept;
mod less;
pub mod messages;
mod object;
mod old;
mod relay;
pub mod responses;
mod sources;
pub mod state;
mod tell;
#[cfg(test)]
mod tests;

use bytes::BytesMut;
use memchr::memmem;

use crate::{
    call::{Call, Operation, object::Object},
    error::{Error, Failure, Kind, Result},
    reply::Usage,
};
pub use less::less;
pub use relay::relay;

/// Who will answer a translated request, as far as the translation depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Taker<'a> {
    /// The provider's id: its state goes back to it and to nobody else.
    pub provider: &'a str,
    /// An adapter reads the request. It knows the members that the gateway adds to a chat (`thinking_blocks`, `extra_content`,
    /// `cache_control`, `is_error`, `top_k`); a server of OpenAI's API may refuse a request for any of them.
    pub adapter: bool,
}

/// A request as a chat.
#[derive(Debug)]
pub struct Translated {
    /// The Chat Completions request. Its model is the client's.
    pub body: String,
    /// The fields that were left out, as paths without indices: `messages.content.citations`. The client and the log are told.
    pub dropped: Vec<String>,
    /// What the way back needs.
    pub memo: Memo,
}

/// What the way back needs of a request, by dialect.
#[derive(Debug)]
pub enum Memo {
    /// Of `POST /v1/messages`.
    Messages(messages::Memo),
    /// Of `POST /v1/responses`.
    Responses(responses::Memo),
}

/// Writes a stream of the client's API.
pub trait Writer: Send {
    /// Adds the events that a chunk of a chat makes. The chunk is in OpenAI's shape, its gaps filled. The error says what is wrong
    /// with it.
    fn push(&mut self, chunk: &str, out: &mut BytesMut) -> Result<(), &'static str>;
    /// Adds what ends the stream: the chat is complete.
    fn finish(&mut self, out: &mut BytesMut);
    /// Adds the event that says that the stream broke.
    fn fail(&mut self, error: &Error, out: &mut BytesMut);
}

/// Reads along while a provider's own stream goes by.
pub trait Watch: Send {
    /// Sees an event.
    fn event(&mut self, name: &[u8], data: &[u8]) -> Seen;
    /// What was counted so far.
    fn usage(&self) -> Usage;
    /// Adds the event that says that the stream broke.
    fn fail(&mut self, error: &Error, out: &mut BytesMut);
}

/// What an event was.
#[derive(Debug)]
pub enum Seen {
    /// One of the answer's.
    Event,
    /// The last one of an answer that is whole.
    End,
    /// The provider's own word that it failed.
    Failure(Failure),
}

impl Memo {
    fn answer(&self, chat: &str) -> Result<String, &'static str> {
        match self {
            Self::Messages(memo) => messages::answer::from_chat(chat, memo),
            Self::Responses(memo) => responses::answer::from_chat(chat, memo),
        }
    }

    fn writer(self) -> Box<dyn Writer> {
        match self {
            Self::Messages(memo) => Box::new(messages::stream::Writer::new(memo)),
            Self::Responses(memo) => Box::new(responses::stream::Writer::new(memo)),
        }
    }
}

/// True if calls of `operation` are of a dialect: not of the canonical form, nor of OpenAI's other simple calls.
pub const fn speaks(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Messages | Operation::CountTokens | Operation::Responses
    )
}

/// True if `written`, which begins with an event, holds the one that ends an answer to `operation`: who leaves after it has heard it
/// all.
pub fn ends(operation: Operation, written: &[u8]) -> bool {
    let last = written.trim_ascii_end();
    let last = memmem::rfind(last, b"\n\n").map_or(last, |at| last.get(at..).unwrap_or_default());
    let names: &[&[u8]] = match operation {
        Operation::Messages => &[b"event: message_stop", b"event: error"],
        Operation::Responses => &[
            b"event: response.completed",
            b"event: response.incomplete",
            b"event: response.failed",
        ],
        _ => &[],
    };
    names.iter().any(|name| last.trim_ascii_start().starts_with(name))
}

/// Adds an event of an API whose events are named by their `type`, as an adapter gave it. `None` if it has none.
pub fn event(event: &str, out: &mut BytesMut) -> Option<()> {
    let kind = Object::parse(event).ok()?;
    let kind = kind.get(event, "type").map(json::inside)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if kind.is_empty() || !kind.bytes().all(plain) {
        return None;
    }
    for piece in ["event: ", kind, "\ndata: "] {
        out.extend_from_slice(piece.as_bytes());
    }
    let lines = event.trim().lines();
    lines.for_each(|line| out.extend_from_slice(line.as_bytes()));
    out.extend_from_slice(b"\n\n");
    Some(())
}

/// The chat that asks for what `call` asks for.
pub fn translate(call: &Call, taker: Taker<'_>) -> Result<Translated> {
    match call.operation {
        Operation::Messages => messages::request::to_chat(call, taker),
        Operation::Responses => responses::request::to_chat(call, taker),
        operation => Err(unsupported(
            format!("`{}` is not supported by this model's provider.", operation.as_str()),
            None,
        )),
    }
}

/// The refusal of something that this target cannot be asked for. Another target may be able to, so it is asked next.
pub(crate) fn unsupported(message: String, param: Option<String>) -> Error {
    let mut failure = Failure::new(Kind::Unsupported, message);
    failure.param = param;
    Error::Refused(Box::new(failure))
}
