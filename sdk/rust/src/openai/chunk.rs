//! One chunk of a streamed chat answer.

use super::Usage;
use crate::json::{Raw, Str};
use crate::object;

object! {
    /// A chunk. [`Chunks`](crate::Chunks) writes the frequent ones without building this.
    pub struct ChatChunk<'a> {
        /// The answer's id; the host fills it in, as the next three.
        pub id: Option<Str<'a>>,
        /// `chat.completion.chunk`.
        pub object: Option<Str<'a>>,
        /// Seconds since 1970.
        pub created: Option<u64>,
        /// The model that answers.
        pub model: Option<Str<'a>>,
        /// What is new, of each answer; none in a chunk that holds usage only.
        pub choices: Vec<ChunkChoice<'a>> [always],
        /// What the call used, in the last chunk.
        pub usage: Option<Usage<'a>>,
    }

    /// What is new of one answer.
    pub struct ChunkChoice<'a> {
        /// The answer's place.
        pub index: u64,
        /// What is new.
        pub delta: Delta<'a>,
        /// Why it ended, in its last chunk.
        pub finish_reason: Option<Str<'a>>,
        /// The tokens' likelihood.
        pub logprobs: Option<Raw<'a>>,
    }

    /// What is new of a message.
    pub struct Delta<'a> {
        /// In the first chunk.
        pub role: Option<Str<'a>>,
        /// More text.
        pub content: Option<Str<'a>>,
        /// More of the thoughts that are shown.
        pub reasoning_content: Option<Str<'a>>,
        /// More of a refusal.
        pub refusal: Option<Str<'a>>,
        /// More of the tool calls.
        pub tool_calls: Vec<ToolCallDelta<'a>>,
    }

    /// What is new of one tool call.
    pub struct ToolCallDelta<'a> {
        /// Which call of the message.
        pub index: u64,
        /// In its first chunk.
        pub id: Option<Str<'a>>,
        /// In its first chunk: `function`.
        pub kind: Option<Str<'a>> = "type",
        /// More of the function call.
        pub function: FunctionDelta<'a>,
    }

    /// What is new of a function call.
    pub struct FunctionDelta<'a> {
        /// In its first chunk.
        pub name: Option<Str<'a>>,
        /// More of the arguments' JSON text.
        pub arguments: Option<Str<'a>>,
    }
}

impl<'a> ChatChunk<'a> {
    /// A chunk with news of the first answer.
    #[must_use]
    pub fn new(delta: Delta<'a>) -> Self {
        Self {
            choices: vec![ChunkChoice {
                delta,
                ..ChunkChoice::default()
            }],
            ..Self::default()
        }
    }
}
