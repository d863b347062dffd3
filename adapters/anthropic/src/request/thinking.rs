//! `reasoning_effort` as Anthropic's thinking: led by an effort where the model decides itself, else by a budget of tokens.

use witgate_sdk::openai::text::{Message, ToolChoice};

use crate::model::{LEAST_BUDGET, Model};

/// How the model is to think.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Thinking {
    /// as the model does by itself
    #[default]
    Unsaid,
    /// as much as it likes, led by this effort
    Adaptive(&'static str),
    /// up to so many tokens
    Budget(u64),
}

impl Thinking {
    /// What `effort` means for this model and this request.
    pub(super) fn of(
        effort: &str,
        model: Model,
        max_tokens: u64,
        choice: &ToolChoice,
        messages: &[Message<'_>],
    ) -> Self {
        // A model that must call a tool cannot think first.
        if effort == "none" || !model.thinks() || choice.forces() {
            return Self::Unsaid;
        }
        if model.adaptive_thinking() {
            return Self::Adaptive(model.effort(effort));
        }
        // The budget is a part of max_tokens: a quarter stays for the answer.
        let budget = model.thinking_budget(effort).min(max_tokens - max_tokens / 4);
        if budget < LEAST_BUDGET || thoughts_are_missing(messages) {
            return Self::Unsaid;
        }
        Self::Budget(budget)
    }

    /// Thinking was asked for.
    pub(super) fn is_on(&self) -> bool {
        *self != Self::Unsaid
    }

    /// The word for `output_config.effort`.
    pub(super) fn effort(&self) -> Option<&'static str> {
        match self {
            Self::Adaptive(effort) => Some(effort),
            Self::Unsaid | Self::Budget(_) => None,
        }
    }

    /// Anthropic's `thinking`.
    pub(super) fn to_json(&self) -> Option<String> {
        match self {
            Self::Unsaid => None,
            // Newer models leave the text of their thoughts out unless it is asked for.
            Self::Adaptive(_) => Some(r#"{"type":"adaptive","display":"summarized"}"#.to_owned()),
            Self::Budget(tokens) => Some(format!("{{\"type\":\"enabled\",\"budget_tokens\":{tokens}}}")),
        }
    }
}

/// The model waits for results of calls whose thinking the client did not bring back: the API would refuse to think on.
#[must_use]
pub fn thoughts_are_missing(messages: &[Message<'_>]) -> bool {
    let turn = messages.iter().rev().take_while(|message| message.role != "user");
    let unsigned = |message: &Message<'_>| {
        let thoughts = message.thinking_blocks.as_ref();
        let signed = thoughts.is_some_and(|blocks| !blocks.is_empty());
        !message.calls().is_empty() && !signed && message.extra_content.is_none()
    };
    turn.into_iter().any(unsigned)
}
