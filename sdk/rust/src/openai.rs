//! OpenAI's shapes, typed: what an adapter is given and what it answers.
//!
//! They borrow from the text they were parsed from, read `null` as absent, and keep every field they do not name in `rest`, so a
//! field that clients or servers invent tomorrow is neither lost nor an error. Words that may grow (roles, finish reasons,
//! types) are text, numbers whose digits matter are [`Number`](crate::json::Number)s.
//!
//! | operation | request | answer | chunk |
//! |---|---|---|---|
//! | `chat.completions` | [`ChatRequest`] | [`ChatResponse`] | [`ChatChunk`] |
//! | `embeddings` | [`EmbeddingsRequest`] | [`EmbeddingsResponse`] | |
//! | `completions` | [`CompletionRequest`] | [`CompletionResponse`] | [`CompletionResponse`] |
//! | `models` | | [`ModelList`] | |
//!
//! [`text`] reads a chat request another way: more quickly, for adapters that write long ones anew.

mod chunk;
mod completions;
mod content;
mod embeddings;
mod message;
mod models;
mod request;
mod response;
pub mod text;
mod usage;

pub use chunk::{ChatChunk, ChunkChoice, Delta, FunctionDelta, ToolCallDelta};
pub use completions::{CompletionChoice, CompletionRequest, CompletionResponse, Prompt};
pub use content::{Content, ContentPart, FilePart, ImageUrl, InputAudio};
pub use embeddings::{Embedding, EmbeddingsInput, EmbeddingsRequest, EmbeddingsResponse};
pub use message::{FunctionCall, Message, ToolCall};
pub use models::{Model, ModelList, Pricing};
pub use request::{ChatRequest, FunctionDef, JsonSchema, ResponseFormat, Stop, StreamOptions, Tool, ToolChoice};
pub use response::{ChatResponse, Choice};
pub use usage::{CompletionDetails, PromptDetails, Usage};

/// Reads a client's request of the operation's type.
///
/// # Errors
/// A [`Failure`](crate::Failure) of kind `invalid-request` that says what is wrong where.
pub fn parse<'a, T: serde::Deserialize<'a>>(body: &'a str) -> crate::Result<T> {
    serde_json::from_str(body)
        .map_err(|error| crate::Failure::invalid_request(format!("the request body is not valid: {error}")))
}
