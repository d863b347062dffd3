//! Token counts.

use crate::json::Raw;
use crate::object;

object! {
    /// What a call used. Give it whenever the provider does: budgets and bills are made of it.
    pub struct Usage<'a> {
        /// All tokens of the input, cached ones included.
        pub prompt_tokens: u64,
        /// All tokens of the answer, reasoning included.
        pub completion_tokens: u64,
        /// The sum of both.
        pub total_tokens: u64,
        /// How the input divides.
        pub prompt_tokens_details: Option<PromptDetails<'a>>,
        /// How the answer divides.
        pub completion_tokens_details: Option<CompletionDetails<'a>>,
    }

    /// Parts of [`Usage::prompt_tokens`].
    pub struct PromptDetails<'a> {
        /// Read from the provider's cache.
        pub cached_tokens: Option<u64>,
        /// Written to the provider's cache (not OpenAI's own, but widely used).
        pub cache_creation_tokens: Option<u64>,
        /// Audio.
        pub audio_tokens: Option<u64>,
    }

    /// Parts of [`Usage::completion_tokens`].
    pub struct CompletionDetails<'a> {
        /// Thought and not shown.
        pub reasoning_tokens: Option<u64>,
        /// Audio.
        pub audio_tokens: Option<u64>,
        /// Of a prediction, used.
        pub accepted_prediction_tokens: Option<u64>,
        /// Of a prediction, not used.
        pub rejected_prediction_tokens: Option<u64>,
    }
}

impl Usage<'_> {
    /// Usage of `prompt` and `completion` tokens.
    #[must_use]
    pub fn new(prompt: u64, completion: u64) -> Self {
        Self {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt.saturating_add(completion),
            ..Self::default()
        }
    }

    /// `tokens` of the prompt came from the provider's cache.
    #[must_use]
    pub fn cached(mut self, tokens: u64) -> Self {
        self.prompt_tokens_details.get_or_insert_default().cached_tokens = Some(tokens);
        self
    }

    /// `tokens` of the prompt were written to the provider's cache.
    #[must_use]
    pub fn cache_written(mut self, tokens: u64) -> Self {
        self.prompt_tokens_details.get_or_insert_default().cache_creation_tokens = Some(tokens);
        self
    }

    /// `tokens` of the answer were reasoning.
    #[must_use]
    pub fn reasoning(mut self, tokens: u64) -> Self {
        self.completion_tokens_details.get_or_insert_default().reasoning_tokens = Some(tokens);
        self
    }
}

impl<'a> Usage<'a> {
    /// Adds a field of the provider's own.
    #[must_use]
    pub fn with(mut self, key: &'a str, value: Raw<'a>) -> Self {
        self.rest.push(key, value);
        self
    }
}
