//! A chat read quickly: in one pass, with everything that a translation does not look at left as JSON text.
//!
//! The types of [`openai`](super) are whole, exact to the value and pleasant, and they copy. These are for adapters that write long
//! chats anew, an agent's with its images and hundreds of results: what is only passed on (texts, schemas, arguments) is borrowed from
//! the body, still escaped, and is written as it stands with [`json::text`](crate::json::text). What is looked at again (a message's
//! content, a tool) is read when its turn comes, and refused with the number of the place where it is wrong.
//!
//! | of a chat | is |
//! |---|---|
//! | the body | [`Chat::parse`] |
//! | a message, its calls and what is called | [`Message`], [`ToolCall`], [`Called`] |
//! | what a message says | [`Content::parse`], and each [`Part::parse`] of a list |
//! | `tools`, and which may be called | [`Tool::parse`], [`ToolChoice::parse`] and [`Allowed`] |
//! | all other fields | [`Chat::fields`], by name, to be sorted in a `match`; for some of them: [`stops`], [`whole_number`], [`asks`], [`old_form`] |
//!
//! The fields are those that providers have a use for; others are passed over. What is read at once (roles, ids, the lists of messages,
//! calls and tools) is refused at once where it is of another type; what is left as text is checked by whoever looks at it.
//!
//! ```
//! use witgate_sdk::json::text::{push_comma, push_field};
//! use witgate_sdk::openai::text::{Chat, Content};
//!
//! # fn main() -> witgate_sdk::Result<()> {
//! let body = r#"{"model":"m","messages":[{"role":"user","content":"Say \"hi\""}],"temperature":0.70}"#;
//! let chat = Chat::parse(body)?;
//! let mut turns = String::from("[");
//! for (at, message) in chat.messages.iter().enumerate() {
//!     if let Content::Text(text) = Content::parse(message.content, at)? {
//!         push_comma(&mut turns);
//!         turns.push_str(&["{\"say\":", text, "}"].concat()); // a JSON string, copied with its escapes
//!     }
//! }
//! turns.push(']');
//! let mut out = String::from("{");
//! push_field(&mut out, "turns", &turns);
//! if let Some(temperature) = chat.fields.get("temperature") {
//!     push_field(&mut out, "heat", temperature);
//! }
//! out.push('}');
//! assert_eq!(out, r#"{"turns":[{"say":"Say \"hi\""}],"heat":0.70}"#);
//! # Ok(()) }
//! ```

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::read::read;
use crate::json::text::{Key, Object, string};
use crate::{Failure, Result};

mod content;
mod message;
mod tool;

pub use content::{Content, Part};
pub use message::{Called, Message, ToolCall};
pub use tool::{Allowed, Function, Tool, ToolChoice};

/// A chat request.
#[derive(Debug, Default)]
pub struct Chat<'a> {
    /// The conversation.
    pub messages: Vec<Message<'a>>,
    /// `tools`, each for [`Tool::parse`].
    pub tools: Vec<&'a RawValue>,
    /// All other fields.
    pub fields: Object<'a>,
}

impl<'a> Chat<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// A failure of kind `invalid-request` that says what is wrong where.
    // Compiled with the adapter, so that it shares the reader's code with what the adapter reads itself: a smaller component.
    #[inline]
    pub fn parse(body: &'a str) -> Result<Self> {
        // serde_json says what is wrong, and where.
        let read = read(body).map_or_else(|| serde_json::from_str(body), Ok);
        read.map_err(|error| Failure::invalid_request(format!("The request cannot be read: {error}.")))
    }

    /// The way to thoughts that the client brings back as a bare text (`reasoning_content`), for what an adapter says it drops whose
    /// provider takes back only its own, signed or sealed. `None` if the client brings back those as well: then nothing is lost
    /// without the text.
    #[must_use]
    pub fn lost_thoughts(&self) -> Option<&'static str> {
        let state = |message: &Message<'_>| {
            let of_calls = || message.calls().iter().any(|call| call.extra_content.is_some());
            message.thinking_blocks.is_some() || message.extra_content.is_some() || of_calls()
        };
        (!self.messages.iter().any(state)).then_some("messages.reasoning_content")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Chat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Chat<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut chat = Chat::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        "messages" => chat.messages = map.next_value()?,
                        "tools" => chat.tools = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => chat.fields.0.push((key, map.next_value()?)),
                    }
                }
                Ok(chat)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The texts of `stop`, which is one or a list: each as JSON text.
///
/// ```
/// use witgate_sdk::openai::text::stops;
/// assert_eq!(stops(r#"["a","b"]"#), [r#""a""#, r#""b""#]);
/// assert_eq!(stops(r#""a""#), [r#""a""#]);
/// ```
#[inline]
#[must_use]
pub fn stops(stop: &str) -> Vec<&str> {
    match read::<Vec<&RawValue>>(stop) {
        Some(list) => list.into_iter().map(RawValue::get).collect(),
        None => string(stop).map(|_| stop).into_iter().collect(),
    }
}

/// The value of a field that must be a whole number, such as `max_tokens`.
///
/// # Errors
/// A failure that names the field, if it is none.
pub fn whole_number(field: &str, value: &str) -> Result<u64> {
    let wrong = |_| Failure::invalid_request(format!("{field} must be a whole number.")).param(field);
    value.parse().map_err(wrong)
}

/// Whether a field of this value asks for something: what is dropped of a request, and asked for nothing, is not told.
///
/// ```
/// use witgate_sdk::openai::text::asks;
/// assert!(asks("true") && !asks("false") && !asks("null"));
/// ```
#[must_use]
pub fn asks(value: &str) -> bool {
    !["null", "false", "0", "0.0", "\"\"", "[]", "{}", "[\"text\"]"].contains(&value)
}

/// What a client is told that sends `functions` or `function_call`, the forms before `tools` and `tool_choice`.
#[must_use]
pub fn old_form(field: &str) -> Failure {
    Failure::invalid_request(format!("{field} is OpenAI's old form: use tools and tool_choice.")).param(field)
}
