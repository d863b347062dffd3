//! Messages of a chat, in requests and answers alike.

use std::borrow::Cow;

use super::Content;
use crate::json::{Raw, Str};
use crate::object;

object! {
    /// One message.
    pub struct Message<'a> {
        /// `system`, `developer`, `user`, `assistant`, `tool`, `function`: an open set.
        pub role: Str<'a>,
        /// What it says; absent when an assistant only calls tools.
        pub content: Option<Content<'a>>,
        /// Thoughts that the model let see, where the provider does.
        pub reasoning_content: Option<Str<'a>>,
        /// The speaker's name.
        pub name: Option<Str<'a>>,
        /// The assistant's calls.
        pub tool_calls: Vec<ToolCall<'a>>,
        /// In a `tool` message: the call it answers.
        pub tool_call_id: Option<Str<'a>>,
        /// The old form of one tool call.
        pub function_call: Option<FunctionCall<'a>>,
        /// Why the model would not answer.
        pub refusal: Option<Str<'a>>,
        /// Spoken answers.
        pub audio: Option<Raw<'a>>,
        /// Citations and the like.
        pub annotations: Option<Raw<'a>>,
    }

    /// A call of a tool.
    pub struct ToolCall<'a> {
        /// Names the call in its answer. [`Context::id`](crate::Context::id) makes one where the provider has none.
        pub id: Str<'a>,
        /// `function`, or `custom`.
        pub kind: Str<'a> = "type",
        /// For `function`.
        pub function: FunctionCall<'a>,
    }

    /// What is called and with what.
    pub struct FunctionCall<'a> {
        /// The function.
        pub name: Str<'a>,
        /// JSON text as the model wrote it, so perhaps not valid: see [`Raw::parse_text`].
        pub arguments: Str<'a>,
    }
}

impl<'a> Message<'a> {
    /// A message of plain text.
    #[must_use]
    pub fn new(role: impl Into<Str<'a>>, text: impl Into<Str<'a>>) -> Self {
        Self {
            role: role.into(),
            content: Some(Content::Text(text.into())),
            ..Self::default()
        }
    }

    /// An assistant's answer: what it says, and its calls. Where it only calls, its `content` is null.
    #[must_use]
    pub fn answer(text: impl Into<Str<'a>>, calls: Vec<ToolCall<'a>>) -> Self {
        let mut message = Self::new("assistant", text);
        if !calls.is_empty() && message.text().is_empty() {
            message.content = None;
            message.rest.push("content", Raw::default());
        }
        message.tool_calls = calls;
        message
    }

    /// The text of its content, "" if there is none: text parts are joined, images and the like left out.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        self.content.as_ref().map(Content::text).unwrap_or_default()
    }
}

impl<'a> ToolCall<'a> {
    /// A call of the function `name` with `arguments`, which are JSON text.
    #[must_use]
    pub fn new(id: impl Into<Str<'a>>, name: impl Into<Str<'a>>, arguments: impl Into<Str<'a>>) -> Self {
        let function = FunctionCall {
            name: name.into(),
            arguments: arguments.into(),
            ..FunctionCall::default()
        };
        Self {
            id: id.into(),
            kind: "function".into(),
            function,
            ..Self::default()
        }
    }
}
