//! The whole answer of `chat.completions`.

use super::{Message, Usage};
use crate::json::{Raw, Str};
use crate::object;

object! {
    /// A chat answer. Leave `id`, `object`, `created` and `model` out unless the provider's own matter: the host fills them in.
    ///
    /// ```
    /// use witgate_sdk::openai::{ChatResponse, Usage};
    /// let answer = ChatResponse::text("Hello", "stop").with_usage(Usage::new(3, 1));
    /// assert_eq!(
    ///     serde_json::to_string(&answer).unwrap(),
    ///     r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#
    /// );
    /// ```
    pub struct ChatResponse<'a> {
        /// The answer's id.
        pub id: Option<Str<'a>>,
        /// `chat.completion`.
        pub object: Option<Str<'a>>,
        /// Seconds since 1970.
        pub created: Option<u64>,
        /// The model that answered.
        pub model: Option<Str<'a>>,
        /// The answers.
        pub choices: Vec<Choice<'a>> [always],
        /// What they used.
        pub usage: Option<Usage<'a>>,
        /// The tier that served the call.
        pub service_tier: Option<Str<'a>>,
        /// Changes when the model's setup does.
        pub system_fingerprint: Option<Str<'a>>,
    }

    /// One answer.
    pub struct Choice<'a> {
        /// Its place.
        pub index: u64,
        /// What it says.
        pub message: Message<'a>,
        /// `stop`, `length`, `tool_calls`, `content_filter`, …
        pub finish_reason: Option<Str<'a>>,
        /// The tokens' likelihood.
        pub logprobs: Option<Raw<'a>>,
    }
}

impl<'a> ChatResponse<'a> {
    /// An answer of one message.
    #[must_use]
    pub fn new(message: Message<'a>, finish_reason: impl Into<Str<'a>>) -> Self {
        let choice = Choice {
            message,
            finish_reason: Some(finish_reason.into()),
            ..Choice::default()
        };
        Self {
            choices: vec![choice],
            ..Self::default()
        }
    }

    /// An answer of plain text.
    #[must_use]
    pub fn text(text: impl Into<Str<'a>>, finish_reason: impl Into<Str<'a>>) -> Self {
        Self::new(Message::new("assistant", text), finish_reason)
    }

    /// With the name of the model that answered, where the provider has one of its own.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<Str<'a>>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// With what it used.
    #[must_use]
    pub fn with_usage(mut self, usage: Usage<'a>) -> Self {
        self.usage = Some(usage);
        self
    }
}
