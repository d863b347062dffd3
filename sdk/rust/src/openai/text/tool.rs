//! Tools, and which of them the model may call.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::read::read;
use crate::json::text::{Object, objects, string};
use crate::{Failure, Result};

/// A tool.
#[derive(Debug, Deserialize)]
pub struct Tool<'a> {
    /// `function`, `custom`: a JSON string of an open set. A tool without one is nothing that OpenAI has: some clients send a provider's
    /// own.
    #[serde(borrow, rename = "type")]
    pub kind: Option<&'a RawValue>,
    /// A function.
    #[serde(borrow)]
    pub function: Option<Function<'a>>,
    /// A tool with free-form input.
    #[serde(borrow)]
    pub custom: Option<&'a RawValue>,
    /// Anthropic's marker, which may stand in the function, too: see [`marker`](Self::marker).
    #[serde(borrow)]
    pub cache_control: Option<&'a RawValue>,
}

/// A function that may be called.
#[derive(Debug, Deserialize)]
pub struct Function<'a> {
    /// Its name: a JSON string.
    #[serde(borrow)]
    pub name: &'a RawValue,
    /// What it is for: a JSON string.
    #[serde(borrow)]
    pub description: Option<&'a RawValue>,
    /// Its arguments: a JSON Schema.
    #[serde(borrow)]
    pub parameters: Option<&'a RawValue>,
    /// Must the arguments fit the schema? See [`strict`](Self::strict).
    #[serde(borrow)]
    pub strict: Option<&'a RawValue>,
    /// Anthropic's marker.
    #[serde(borrow)]
    pub cache_control: Option<&'a RawValue>,
}

impl<'a> Tool<'a> {
    /// Reads tool number `at` of a chat.
    ///
    /// # Errors
    /// A failure that names the place, if it is none.
    #[inline]
    pub fn parse(raw: &'a RawValue, at: usize) -> Result<Self> {
        read(raw.get()).ok_or_else(|| Self::unreadable(at))
    }

    /// What a client is told of a tool, number `at`, that is none.
    #[must_use]
    pub fn unreadable(at: usize) -> Failure {
        Failure::invalid_request("This tool cannot be read.").param(format!("tools[{at}]"))
    }

    /// Anthropic's `cache_control`, wherever it stands.
    #[must_use]
    pub fn marker(&self) -> Option<&'a RawValue> {
        let within = || self.function.as_ref()?.cache_control;
        self.cache_control.or_else(within)
    }
}

impl<'a> Function<'a> {
    /// Its name, if it is a string.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'a, str>> {
        string(self.name.get())
    }

    /// Must the arguments fit the schema?
    #[must_use]
    pub fn strict(&self) -> bool {
        self.strict.is_some_and(|strict| strict.get() == "true")
    }
}

/// Which tools the model may or must call: `tool_choice`, in OpenAI's form or Anthropic's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The client said nothing.
    #[default]
    Unsaid,
    /// As the model likes.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Any,
    /// This tool: its name.
    Tool(String),
}

/// The functions that a choice is limited to; all of them unless the client named some (`allowed_tools`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(
    /// Their names, if it is limited.
    pub Option<Vec<String>>,
);

impl Allowed {
    /// May this function be called?
    #[must_use]
    pub fn has(&self, function: &Function<'_>) -> bool {
        let Self(Some(names)) = self else {
            return true;
        };
        function
            .name()
            .is_some_and(|name| names.iter().any(|known| *known == name))
    }
}

impl ToolChoice {
    /// Reads `tool_choice`, if the client sent one, and what it is limited to.
    ///
    /// ```
    /// use witgate_sdk::openai::text::{Allowed, ToolChoice};
    /// let choice = r#"{"type":"function","function":{"name":"weather"}}"#;
    /// assert_eq!(ToolChoice::parse(Some(choice))?, (ToolChoice::Tool("weather".to_owned()), Allowed(None)));
    /// assert_eq!(ToolChoice::parse(Some("\"required\""))?.0, ToolChoice::Any);
    /// # Ok::<(), witgate_sdk::Failure>(())
    /// ```
    ///
    /// # Errors
    /// A failure that names the field, if it is none of the known choices.
    pub fn parse(choice: Option<&str>) -> Result<(Self, Allowed)> {
        let Some(choice) = choice else {
            return Ok((Self::Unsaid, Allowed(None)));
        };
        let wrong = || Failure::invalid_request("This tool_choice is not known.").param("tool_choice");
        if let Some(word) = string(choice) {
            return Ok((Self::word(&word).ok_or_else(wrong)?, Allowed(None)));
        }
        let object = Object::parse(choice).ok_or_else(wrong)?;
        match &*object.text("type").unwrap_or_default() {
            "allowed_tools" => Self::limited(&object).ok_or_else(wrong),
            kind => Ok((Self::of_kind(kind, &object).ok_or_else(wrong)?, Allowed(None))),
        }
    }

    /// Must the model call a tool?
    #[must_use]
    pub fn forces(&self) -> bool {
        matches!(self, Self::Any | Self::Tool(_))
    }

    fn word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::None),
            "required" | "any" => Some(Self::Any),
            _ => None,
        }
    }

    fn of_kind(kind: &str, choice: &Object<'_>) -> Option<Self> {
        let named = |object: &Object<'_>| object.text("name").map(|name| Self::Tool(name.into_owned()));
        match kind {
            "function" => named(&Object::parse(choice.get("function")?)?),
            // Anthropic's own form.
            "tool" => named(choice),
            word => Self::word(word),
        }
    }

    /// A choice among some tools only.
    fn limited(choice: &Object<'_>) -> Option<(Self, Allowed)> {
        let allowed = Object::parse(choice.get("allowed_tools")?)?;
        let mode = Self::word(&allowed.text("mode")?)?;
        let tools = objects(allowed.get("tools")?)?;
        let mut names = Vec::new();
        for function in tools.iter().filter_map(|tool| tool.get("function")) {
            let function = Object::parse(function)?;
            names.extend(string(function.get("name")?).map(Cow::into_owned));
        }
        Some((mode, Allowed(Some(names))))
    }
}
