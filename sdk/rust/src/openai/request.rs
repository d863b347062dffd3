//! What a client asks of `chat.completions`.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Message;
use crate::json::{Number, Raw, Str};
use crate::object;

object! {
    /// A chat request.
    ///
    /// ```
    /// use witgate_sdk::openai::ChatRequest;
    /// let request = ChatRequest::parse(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"top_k":5}"#)?;
    /// assert_eq!(request.messages[0].text(), "Hi");
    /// assert_eq!(request.rest.get("top_k").unwrap().get(), "5");
    /// # Ok::<(), witgate_sdk::Failure>(())
    /// ```
    pub struct ChatRequest<'a> {
        /// The model, as the provider names it.
        pub model: Str<'a>,
        /// The chat so far.
        pub messages: Vec<Message<'a>> [always],
        /// The tools that may be called.
        pub tools: Vec<Tool<'a>>,
        /// Which of them, if at all.
        pub tool_choice: Option<ToolChoice<'a>>,
        /// May several be called at once?
        pub parallel_tool_calls: Option<bool>,
        /// The answer's form.
        pub response_format: Option<ResponseFormat<'a>>,
        /// Texts at which the answer ends.
        pub stop: Option<Stop<'a>>,
        /// How freely tokens are drawn. 0 is a value: do not take it for absent.
        pub temperature: Option<Number<'a>>,
        /// From which share of the likeliest tokens.
        pub top_p: Option<Number<'a>>,
        /// How many answers.
        pub n: Option<u64>,
        /// The old name of `max_completion_tokens`: see [`ChatRequest::token_limit`].
        pub max_tokens: Option<u64>,
        /// The most tokens of the answer, reasoning included.
        pub max_completion_tokens: Option<u64>,
        /// The same seed, the same answer.
        pub seed: Option<Number<'a>>,
        /// Against repeating what was said often.
        pub frequency_penalty: Option<Number<'a>>,
        /// Against repeating what was said at all.
        pub presence_penalty: Option<Number<'a>>,
        /// Token ids and how likely to make them.
        pub logit_bias: Option<Raw<'a>>,
        /// Report the tokens' likelihood?
        pub logprobs: Option<bool>,
        /// Of how many of the likeliest.
        pub top_logprobs: Option<u64>,
        /// The client's own user.
        pub user: Option<Str<'a>>,
        /// Does the client want chunks? [`Context::streaming`](crate::Context::streaming) says the same.
        pub stream: Option<bool>,
        /// How.
        pub stream_options: Option<StreamOptions<'a>>,
        /// `none`, `minimal`, `low`, `medium`, `high`, …
        pub reasoning_effort: Option<Str<'a>>,
        /// `text`, `audio`.
        pub modalities: Vec<Str<'a>>,
        /// How spoken answers sound.
        pub audio: Option<Raw<'a>>,
        /// Text that the answer will mostly repeat.
        pub prediction: Option<Raw<'a>>,
        /// The client's own notes.
        pub metadata: Option<Raw<'a>>,
        /// `auto`, `default`, `flex`, `priority`, …
        pub service_tier: Option<Str<'a>>,
        /// `low`, `medium`, `high`.
        pub verbosity: Option<Str<'a>>,
    }

    /// How a client wants its chunks.
    pub struct StreamOptions<'a> {
        /// With usage in the last one?
        pub include_usage: Option<bool>,
    }

    /// A tool.
    pub struct Tool<'a> {
        /// `function`, or another kind whose fields are then in `rest`.
        pub kind: Str<'a> = "type",
        /// For `function`.
        pub function: Option<FunctionDef<'a>>,
        /// A marker of prompt caching, as Anthropic's API has it.
        pub cache_control: Option<Raw<'a>>,
    }

    /// A function that the model may call.
    pub struct FunctionDef<'a> {
        /// Its name.
        pub name: Str<'a>,
        /// What it is for.
        pub description: Option<Str<'a>>,
        /// JSON Schema of its arguments.
        pub parameters: Option<Raw<'a>>,
        /// Must the arguments fit the schema?
        pub strict: Option<bool>,
    }

    /// The form of an answer.
    pub struct ResponseFormat<'a> {
        /// `text`, `json_object`, `json_schema`.
        pub kind: Str<'a> = "type",
        /// For `json_schema`.
        pub json_schema: Option<JsonSchema<'a>>,
    }

    /// The schema that an answer must fit.
    pub struct JsonSchema<'a> {
        /// Its name.
        pub name: Str<'a>,
        /// What it is for.
        pub description: Option<Str<'a>>,
        /// The schema.
        pub schema: Option<Raw<'a>>,
        /// Must the answer fit?
        pub strict: Option<bool>,
    }
}

impl<'a> ChatRequest<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// A failure of kind `invalid-request` that says what is wrong where.
    pub fn parse(body: &'a str) -> crate::Result<Self> {
        super::parse(body)
    }

    /// The text of each message, for providers that take one prompt: `chat.texts().join("\n")`.
    #[must_use]
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        self.messages.iter().map(Message::text).collect()
    }

    /// The most tokens of the answer, under either name.
    #[must_use]
    pub fn token_limit(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// Did the client ask for usage in its chunks?
    #[must_use]
    pub fn wants_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .and_then(|options| options.include_usage)
            .unwrap_or(false)
    }
}

/// Which tool is to be called.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice<'a> {
    /// `auto`, `none`, `required`.
    Mode(Str<'a>),
    /// An object: `{"type":"function","function":{"name"}}`, or another kind's.
    Tool(Tool<'a>),
}

impl ToolChoice<'_> {
    /// The one function that must be called, if the choice is of that kind.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        match self {
            Self::Tool(tool) => tool.function.as_ref().map(|function| function.name.as_str()),
            Self::Mode(_) => None,
        }
    }
}

/// Texts at which an answer ends: one, or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop<'a> {
    /// One, sent as a string.
    One(Str<'a>),
    /// Sent as a list.
    Many(Vec<Str<'a>>),
}

impl<'a> Stop<'a> {
    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Str<'a>] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ToolChoice<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an object")
            }
            fn visit_borrowed_str<E>(self, mode: &'de str) -> Result<Self::Value, E> {
                Ok(ToolChoice::Mode(mode.into()))
            }
            fn visit_str<E>(self, mode: &str) -> Result<Self::Value, E> {
                Ok(ToolChoice::Mode(mode.to_owned().into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, tool: A) -> Result<Self::Value, A::Error> {
                Tool::deserialize(MapAccessDeserializer::new(tool)).map(ToolChoice::Tool)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for ToolChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Mode(mode) => mode.serialize(serializer),
            Self::Tool(tool) => tool.serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Stop<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Stop<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Stop::One(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Stop::One(text.to_owned().into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, texts: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(texts)).map(Stop::Many)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Stop<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(text) => text.serialize(serializer),
            Self::Many(texts) => texts.serialize(serializer),
        }
    }
}
