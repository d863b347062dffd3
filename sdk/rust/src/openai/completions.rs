//! The old text completions: request, answer, and chunks, which have the answer's shape.

use super::embeddings::EmbeddingsInput;
use super::{Stop, Usage};
use crate::json::{Number, Raw, Str};
use crate::object;

/// A prompt: a text, several, or token ids.
pub type Prompt<'a> = EmbeddingsInput<'a>;

object! {
    /// A request to go on with a text.
    pub struct CompletionRequest<'a> {
        /// The model, as the provider names it.
        pub model: Str<'a>,
        /// The text to go on with.
        pub prompt: Prompt<'a>,
        /// The text that follows the gap, if one is to be filled.
        pub suffix: Option<Str<'a>>,
        /// The most tokens of the answer.
        pub max_tokens: Option<u64>,
        /// How freely tokens are drawn.
        pub temperature: Option<Number<'a>>,
        /// From which share of the likeliest tokens.
        pub top_p: Option<Number<'a>>,
        /// How many answers.
        pub n: Option<u64>,
        /// Texts at which the answer ends.
        pub stop: Option<Stop<'a>>,
        /// The same seed, the same answer.
        pub seed: Option<Number<'a>>,
        /// Repeat the prompt before the answer?
        pub echo: Option<bool>,
        /// Does the client want chunks?
        pub stream: Option<bool>,
    }

    /// An answer, or a chunk of one.
    pub struct CompletionResponse<'a> {
        /// The answer's id; the host fills it in, as the next three.
        pub id: Option<Str<'a>>,
        /// `text_completion`.
        pub object: Option<Str<'a>>,
        /// Seconds since 1970.
        pub created: Option<u64>,
        /// The model that answered.
        pub model: Option<Str<'a>>,
        /// The texts.
        pub choices: Vec<CompletionChoice<'a>> [always],
        /// What they used.
        pub usage: Option<Usage<'a>>,
    }

    /// One text.
    pub struct CompletionChoice<'a> {
        /// Its place.
        pub index: u64,
        /// The text.
        pub text: Str<'a>,
        /// `stop`, `length`, `content_filter`.
        pub finish_reason: Option<Str<'a>>,
        /// The tokens' likelihood.
        pub logprobs: Option<Raw<'a>>,
    }
}
